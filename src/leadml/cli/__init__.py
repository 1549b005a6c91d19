"""The command line: each command parses its options, runs one job and prints the result."""

from leadml.cli import cutting, handing_over, promoting, remembering, reviewing, simulating, training, using
from leadml.cli.shared import app

__all__ = ["app", "cutting", "handing_over", "promoting", "remembering", "reviewing", "simulating", "training", "using"]
