"""Untested modules: those whose code no test file of their own tests.

What enters is the modules of leadml and the test files; what leaves is a place for each untested module.
The test file of ``src/leadml/a/b.py`` is ``tests/a/test_b.py``, and it must import the module or a name from it. Only a
module with code needs one: a function, or a class with a method or property. A function without a statement of its own
(a docstring, ``...``, ``pass``) and the classes of a ``Protocol`` are declarations of types, no code. So are constants
and classes of fields alone. The files ``__init__`` and ``__main__`` are left out: they are tested by use.
"""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from house_code import PACKAGE, SRC, Place
from house_imports import imported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from house_code import Module

TESTS = "tests"
LEFT_OUT = {"__init__", "__main__"}
PROTOCOL = "Protocol"


def untested_modules(modules: Sequence[Module], tests: Sequence[Module]) -> list[Place]:
    """Return the places of the modules of leadml that have code and no test file that imports them."""
    names = {module.name for module in modules}
    imports = {test.path: set(imported(test, names)) for test in tests}
    found = []
    for module in modules:
        path = PurePosixPath(module.path)
        if path.stem in LEFT_OUT or not _has_code(module.tree):
            continue
        mirror = str(TESTS / path.relative_to(f"{SRC}/{PACKAGE}").with_name(f"test_{path.name}"))
        if mirror not in imports:
            found.append(Place(module.path, 1, f"{module.name} has no {mirror}"))
        elif module.name not in imports[mirror]:
            found.append(Place(module.path, 1, f"{mirror} does not import {module.name}"))
    return found


def _has_code(tree: ast.AST) -> bool:
    """Return whether a module, or a class in it, has a function that does something."""
    return any(_does_something(function) for function in _functions(tree))


def _functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions at and below a node, those of a ``Protocol`` left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        elif not (isinstance(child, ast.ClassDef) and _is_protocol(child)):
            yield from _functions(child)


def _is_protocol(node: ast.ClassDef) -> bool:
    """Return whether a class has the base ``Protocol``, however it is named: ``typing.Protocol``, ``Protocol[T]``."""
    bases = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    return any(ast.unparse(base).split(".")[-1] == PROTOCOL for base in bases)


def _does_something(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function has a statement that is no docstring, ``...`` or ``pass``."""
    return not all(
        isinstance(each, ast.Pass) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        for each in function.body
    )
