"""The command line: each command parses its options, runs one job and prints the result."""

from leadml.cli import cutting, remembering, training, using
from leadml.cli.shared import app

__all__ = ["app", "cutting", "remembering", "training", "using"]
