"""The Python files of a checkout, read as text and as syntax; nothing of them is imported or run.

What enters is the folder of a checkout; what leaves is modules, with their names, texts and trees.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SRC, PACKAGE = "src", "leadml"


@dataclass(frozen=True)
class Module:
    """A Python file.

    Parameters
    ----------
    path
        Relative to the checkout, with slashes.
    name
        By which it is imported, from the folder that was read on: ``leadml.jobs.train``.
    text, tree
        What it says.
    """

    path: str
    name: str
    text: str
    tree: ast.Module


@dataclass(frozen=True)
class Place:
    """Where something stands, and what it is."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return ``path:line: what``."""
        return f"{self.path}:{self.line}: {self.what}"


def read_modules(checkout: Path, folder: str) -> list[Module]:
    """Return the Python files below a folder of a checkout, by path; none where there is no such folder."""
    top = checkout / folder
    return [_read(path, checkout, path.relative_to(top)) for path in sorted(top.rglob("*.py"))]


def sources(checkout: Path) -> list[Module]:
    """Return the modules of leadml itself."""
    wanted = f"{SRC}/{PACKAGE}/"
    return [module for module in read_modules(checkout, SRC) if module.path.startswith(wanted)]


def _read(path: Path, checkout: Path, below: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = below.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path.relative_to(checkout).as_posix(), name, text, ast.parse(text))
