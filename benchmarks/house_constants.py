"""Numbers without a reason: constants of modules and classes that no comment stands beside.

What enters is modules; what leaves is the places of such constants: of single numbers, and of tables of numbers.
A constant is an assignment in the body of a module or class to names in capitals, whose value holds a numeric literal;
truth values and positions in a list (``names[0]``) are none. It is a single number if its value is a literal or
arithmetic (``2 * DAY``), else a table: a tuple, a dictionary, a call. Each statement counts once, however many names it
has.
It has a reason if a comment is on its lines, or is the line directly above it. So a comment above a group of statements
is that of the first. That a comment says why is for readers to judge.
"""

from __future__ import annotations

import ast
import tokenize
from io import StringIO
from typing import TYPE_CHECKING

from house_code import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from house_code import Module

ARITHMETIC = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context)


def without_reason(modules: Sequence[Module]) -> tuple[list[Place], list[Place]]:
    """Return the places of single numbers and of tables that no comment stands beside."""
    numbers: list[Place] = []
    tables: list[Place] = []
    for module in modules:
        above, beside = _comments(module.text)
        for names, statement, value in _constants(module.tree):
            lines = range(statement.lineno, (statement.end_lineno or 0) + 1)
            if statement.lineno - 1 not in above and beside.isdisjoint(lines):
                single = all(isinstance(node, ARITHMETIC) for node in ast.walk(value))
                (numbers if single else tables).append(Place(module.path, statement.lineno, ", ".join(names)))
    return numbers, tables


def _constants(tree: ast.Module) -> Iterator[tuple[list[str], ast.stmt, ast.expr]]:
    """Yield the names in capitals, the statement and the value of each constant with a numeric literal."""
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.Module | ast.ClassDef):
            continue
        for statement in scope.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                written = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
                names = [name for name in written if name.isupper()]
                if names and _has_number(statement.value):
                    yield names, statement, statement.value


def _has_number(value: ast.expr) -> bool:
    nodes = list(ast.walk(value))
    positions = {node.slice for node in nodes if isinstance(node, ast.Subscript)}
    literals = (node for node in nodes if isinstance(node, ast.Constant) and node not in positions)
    return any(type(node.value) in {int, float} for node in literals)


def _comments(text: str) -> tuple[set[int], set[int]]:
    """Return the lines that are a comment and nothing else, and all lines with a comment."""
    tokens = [token for token in tokenize.generate_tokens(StringIO(text).readline) if token.type == tokenize.COMMENT]
    alone = {token.start[0] for token in tokens if not token.line[: token.start[1]].strip()}
    return alone, {token.start[0] for token in tokens}
