"""The licence of the project."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_licence_is_named_and_comes_with_the_project() -> None:
    """In the metadata and as a file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    text = (ROOT / project["license-files"][0]).read_text(encoding="utf-8")
    assert " ".join(text.split()[:6]) == "Apache License Version 2.0, January 2004"
