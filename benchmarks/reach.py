"""Which code a script uses: the scripts and the modules of a package that its imports lead to.

Imports inside functions count, imports for type checking alone do not. All modules of the package count where a script
imports the package itself, whose names may lead anywhere, or starts processes that may run its command.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCRIPTS = Path(__file__).absolute().parent
KEEPERS = {"measure", "reach"}  # they keep results and compute none
RUN_SCRIPTS = {"checkouts", "compare", "features", "steady"}  # they start processes, but not of the command


def scripts_of(name: str) -> dict[str, Path]:
    """Return a script and those beside it that it imports, directly or through another, by their names."""
    found: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        path = SCRIPTS / f"{module}.py"
        if module not in {*found, *KEEPERS} and path.exists():
            found[module] = path
            waiting += _imported(path)
    return found


def modules_of(package: Path, scripts: Iterable[Path]) -> dict[str, Path]:
    """Return the modules in the folder of a package that scripts use, by their paths in it."""
    scripts = tuple(scripts)
    found = set(package.rglob("*.py")) if any(_may_use_all(each, package) for each in scripts) else set()
    waiting = list(scripts)
    while waiting:
        names = {name for name in _imported(waiting.pop()) if name.partition(".")[0] == package.name}
        used = {path for name in names if (path := _place(name, package)).exists()} - found
        found |= used
        waiting += used
    return {path.relative_to(package).as_posix(): path for path in found}


def _may_use_all(script: Path, package: Path) -> bool:
    names = set(_imported(script))
    return package.name in names or ("subprocess" in names and script.stem not in RUN_SCRIPTS)


def _place(name: str, package: Path) -> Path:
    """Return where a module of a package would be; a path that is not there for what is no module."""
    path = package.joinpath(*name.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports; of ``from a import b`` both ``a`` and ``a.b``, which may be one."""
    waiting: list[ast.AST] = [ast.parse(path.read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        waiting += ast.iter_child_nodes(node)
