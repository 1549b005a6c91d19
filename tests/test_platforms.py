"""What a machine may lack: leadml can be imported without it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORT_ALL = """
import pkgutil, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # importing it fails, as on Windows
import leadml
for module in pkgutil.walk_packages(leadml.__path__, "leadml."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
print("all")
"""


def test_every_module_is_imported_without_what_windows_lacks() -> None:
    """File locks, users and resources of Unix are imported where they are used, and only there."""
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["all"], done.stderr


def test_the_licence_is_named_and_comes_with_the_project() -> None:
    """In the metadata and as a file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    text = (ROOT / project["license-files"][0]).read_text(encoding="utf-8")
    assert " ".join(text.split()[:6]) == "Apache License Version 2.0, January 2004"
