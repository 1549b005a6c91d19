"""Which public definitions of ``import leadml`` have an example in their docstring.

Public definitions are the names that ``leadml/__init__.py`` offers and the public methods and properties of classes.
The examples run as tests, because pytest collects the docstrings of ``src``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from house_code import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from house_code import Module

PLACES = "_PLACES"
Definition = ast.FunctionDef | ast.ClassDef


def public_definitions(modules: Sequence[Module]) -> tuple[list[Place], list[Place]]:
    """Return the public definitions with an example, and those without."""
    by_name = {module.name: module for module in modules}
    found: tuple[list[Place], list[Place]] = ([], [])
    for name, place in _offered(by_name.get("leadml")):
        for label, node in _definitions(by_name[place], name):
            has_example = ">>>" in (ast.get_docstring(node) or "")
            found[0 if has_example else 1].append(Place(by_name[place].path, node.lineno, label))
    return found


def _offered(package: Module | None) -> list[tuple[str, str]]:
    """Return the names that the package offers, each with the module that defines it."""
    for node in package.tree.body if package else ():
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == PLACES:
            return list(ast.literal_eval(node.value).items())
    return []


def _definitions(module: Module, name: str) -> Iterator[tuple[str, Definition]]:
    for node in module.tree.body:
        if isinstance(node, Definition) and node.name == name:
            yield name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{name}.{inner.name}", inner
