"""How a checkout is built: forks, cycles, private words, bare constants, untested modules, longest function and module.

Forks are branches outside the sources of leads that ask whether leads are flat or dated (`house_forks`), cycles are
groups of modules that import one another (`house_imports`), private words are listed in `house_words`, constants and
tables without a reason are numbers that no comment stands beside (`house_constants`). A module is untested if it has
code and no test file of its own that imports it (`house_tests`). Public examples are the share of the public
definitions whose docstring has an example (`house_examples`). A function is as long as its body
without docstring. Files are read and never imported, so that checkouts of any age can be measured.
Run with: python benchmarks/house.py [--json] [--keep] [--recorded] [--at DIR] [--places]
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from house_code import Place, read_modules, sources
from house_constants import without_reason
from house_examples import public_definitions
from house_forks import forks
from house_imports import cycles
from house_tests import TESTS, untested_modules
from house_words import private_words
from measure import finish, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from house_code import Module

ROOT = Path(__file__).parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Measure, print a table and, where asked, every place."""
    chosen = options(__doc__ or "", "house", at=ROOT, places=False)
    modules = sources(chosen.at)
    if not modules:
        sys.exit(f"{chosen.at}: must be a checkout with src/leadml, got no Python file there")
    found, circles, words = forks(modules), cycles(modules), private_words(chosen.at)
    constants, tables = without_reason(modules)
    shown, silent = public_definitions(modules)
    untested = untested_modules(modules, read_modules(chosen.at, TESTS))
    bodies, lengths = (
        list(_bodies(modules)),
        [(_length(module), Place(module.path, 1, module.name)) for module in modules],
    )
    figures: dict[str, Any] = {
        "forks": len(found),
        "cycles": len(circles),
        "private_words": sum(map(len, words.values())),
        "constants_without_reason": len(constants),
        "tables_without_reason": len(tables),
        "untested_modules": len(untested),
        "public_examples": round(len(shown) / max(len(shown) + len(silent), 1), 3),
        "longest_function": _most(bodies),
        "longest_module": _most(lengths),
    }
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):24} {figure:5,}")
    for word, places in words.items():
        print(f"  {word:22} {len(places):5,}")
    if chosen.places:
        _list("forks", map(str, found))
        _list("cycles", (", ".join(names) for names in circles))
        _list("private words", (str(place) for places in words.values() for place in places))
        _list("constants without a reason", map(str, constants))
        _list("tables without a reason", map(str, tables))
        _list("untested modules", map(str, untested))
        _list("public definitions without an example", map(str, silent))
        _list("longest function", _longest(bodies))
        _list("longest module", _longest(lengths))
    finish("house", figures, chosen)


def _bodies(modules: Sequence[Module]) -> Iterator[tuple[int, Place]]:
    """Yield the length of the body of each function, without its docstring, and where it is."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
                length = (body[-1].end_lineno or 0) - _first_line(body[0]) + 1 if body else 0
                yield length, Place(module.path, node.lineno, node.name)


def _first_line(statement: ast.stmt) -> int:
    """Return where a statement begins, its decorators included."""
    decorators = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _length(module: Module) -> int:
    return len(module.text.splitlines())


def _most(lengths: Iterable[tuple[int, Place]]) -> int:
    return max((length for length, _ in lengths), default=0)


def _longest(lengths: Sequence[tuple[int, Place]]) -> Iterator[str]:
    """Yield what is as long as the longest."""
    most = _most(lengths)
    return (f"{place} ({length} lines)" for length, place in lengths if length == most)


def _list(title: str, lines: Iterable[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(f"  {line}")


if __name__ == "__main__":
    main()
