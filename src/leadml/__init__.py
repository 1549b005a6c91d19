"""Which leads will convert, why, and what stage each is in."""

from importlib.metadata import version

__version__ = version("leadml")
