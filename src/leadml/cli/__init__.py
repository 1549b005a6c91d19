"""The command line: each command parses its options, runs one job and prints the result."""

from leadml.cli import remembering, training, using
from leadml.cli.shared import app

__all__ = ["app", "remembering", "training", "using"]
