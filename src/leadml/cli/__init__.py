"""The door: parse, call one job, print, exit."""

from leadml.cli import training, using
from leadml.cli.shared import app

__all__ = ["app", "training", "using"]
