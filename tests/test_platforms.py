from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
UNIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")
IMPORT_ALL = """
import sys
from importlib import import_module

sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))
for name in sys.argv[2].split(","):
    import_module(name)
"""


def _module_names() -> list[str]:
    """Return the name of every module of leadml but ``__main__``, which runs the command line."""
    paths = sorted((SOURCE / "leadml").rglob("*.py"))
    names = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


@pytest.mark.slow
def test_every_module_can_be_imported_without_the_modules_that_only_unix_has() -> None:
    """Nothing at import needs what Windows has not: with None in sys.modules an import raises."""
    words = [sys.executable, "-c", IMPORT_ALL, ",".join(UNIX_ONLY), ",".join(_module_names())]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
