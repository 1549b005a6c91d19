"""Cycles of imports: modules each of which leads back to itself.

What enters is modules; what leaves is the groups of them that import one another, in whatever way.
Imports for type checking alone and imports inside functions count: who reads one module has to read the others.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from house_code import Module

PACKAGE_FILE = "__init__.py"


def cycles(modules: Sequence[Module]) -> list[tuple[str, ...]]:
    """Return the names of the modules of each cycle, sorted; a group whose cycles share a module is one."""
    names = {module.name for module in modules}
    edges = {module.name: set(imported(module, names)) - {module.name} for module in modules}
    reached = {name: _reached(name, edges) for name in names}
    groups = {tuple(sorted({name, *(other for other in reached[name] if name in reached[other])})) for name in names}
    return sorted(group for group in groups if len(group) > 1)


def _reached(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    """Return the modules that a module imports, directly or through others."""
    found: set[str] = set()
    left = [start]
    while left:
        fresh = edges[left.pop()] - found
        found |= fresh
        left += fresh
    return found


def imported(module: Module, names: set[str]) -> Iterator[str]:
    """Yield the modules that a module names in its imports.

    ``from leadml.x import y`` names the module ``leadml.x.y`` where there is one, else ``leadml.x``. That Python also
    runs the packages around a module is no import of theirs: a package that gathers its modules is no cycle.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield from (name for name in (whole if whole in names else base,) if name in names)


def _base(module: Module, node: ast.ImportFrom) -> str:
    """Return the whole name of the module after ``from``."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    up = node.level - module.path.endswith(PACKAGE_FILE)
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])
