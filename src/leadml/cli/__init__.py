"""The door: parse, call one job, print, exit."""

from leadml.cli import learn, use
from leadml.cli.door import app

__all__ = ["app", "learn", "use"]
