"""Run the command line with ``python -m leadml``."""

from leadml.cli import app

if __name__ == "__main__":
    app()
