"""Forks: branches that ask which kind of project or leads one has, flat or dated.

What enters is modules; what leaves is the places of such branches.
Flat leads are a file with a row a lead; dated leads are three tables that are looked at as of an instant. A branch is
the test of ``if``, ``elif``, ``while``, ``assert``, ``x if y else z``, of a comprehension or a guard, the subject of a
``match``, or a comparison, ``not``, ``and`` or ``or`` whose value is used. Each counts once, however much it asks; one
inside the test of another counts where it is a branch of its own (``x if y else z``, a comprehension's ``if``).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from house_code import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from house_code import Module

    Bound = Mapping[str, tuple[ast.expr, ...]]

# The sources of leads may know which kind they are. So may params: they check params.yaml, which declares either kind.
MAY_KNOW = re.compile(r"src/leadml/(leads/sources(\.py|/.*)|params(\.py|/.*))")

COLUMNS = {"AS_OF": "as_of", "MATURE_AT": "mature_at", "CREATED_AT": "created_at"}
OF_LOOKS = {"as_of", "mature_at"}  # columns that dated leads alone have
SETTINGS = {"outlook", "as_of_settings"}  # of a bundle of dated leads; None in one of flat leads
INSTANTS = {"as_of"}  # what an order says of dated leads
WORDS = {"dated", "is_dated", "flat", "is_flat"}  # they say it themselves
KEYS = {"observed_until", *SETTINGS}  # that a record has of dated leads alone
OWNED = {("params", "target"), ("project", "data"), ("data", "path"), ("order", "source"), ("self", "source")}
CLASSES = {"FileSource", "DatabaseSource", "FrameSource", "TableSource", "FlatLeads", "DatedLeads"}
KIND_CLASS = re.compile(r"(Flat|Dated)\w+")
ASKS_CLASS = {"isinstance", "issubclass"}
LONGEST = 100


@dataclass(frozen=True)
class Branch:
    """A place where the code goes one way or another.

    Parameters
    ----------
    test
        What is asked.
    bound
        What names in it were bound to, as far as assignments and loops beside it say.
    whole
        Whether the test as a whole is asked for truth; of ``a or b`` whose value is used the last part is not.
    patterns
        What the subject of a ``match`` is held against.
    """

    test: ast.expr
    bound: Bound
    whole: bool = True
    patterns: tuple[ast.pattern, ...] = ()


def forks(modules: Sequence[Module]) -> list[Place]:
    """Return the places of the forks of some modules, those that may know left out."""
    found = []
    for module in modules:
        if not MAY_KNOW.fullmatch(module.path):
            tests = [branch.test for branch in _branches(module.tree, {}, in_test=False) if _is_fork(branch)]
            tests.sort(key=lambda test: (test.lineno, test.col_offset))
            found += [Place(module.path, test.lineno, _short(test)) for test in tests]
    return found


def _short(test: ast.expr) -> str:
    text = ast.unparse(test)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _branches(node: ast.AST, bound: Bound, *, in_test: bool) -> Iterator[Branch]:
    """Yield the branches at and below a node; ``in_test`` says whether a branch above asks the node already."""
    if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
        bound = {**bound, **_bindings(node)}
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        bound = {**bound, **_pairs((each.target, each.iter) for each in node.generators)}
    tests = list(_tests(node, in_test=in_test))
    patterns = tuple(case.pattern for case in node.cases) if isinstance(node, ast.Match) else ()
    yield from (Branch(test, bound, not isinstance(node, ast.BoolOp), patterns) for test in tests)
    for child in ast.iter_child_nodes(node):
        asked = any(test in {node, child} for test in tests)
        yield from _branches(child, bound, in_test=in_test or asked)


def _tests(node: ast.AST, *, in_test: bool) -> Iterator[ast.expr]:
    """Yield what a node asks: the tests of statements and of ``x if y else z``, or itself where its value is used."""
    if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
        yield node.test
    elif isinstance(node, ast.comprehension):
        yield from node.ifs
    elif isinstance(node, ast.match_case) and node.guard is not None:
        yield node.guard
    elif isinstance(node, ast.Match):
        yield node.subject
    elif isinstance(node, ast.expr) and not in_test and _is_asking(node):
        yield node


def _is_asking(node: ast.expr) -> bool:
    """Return whether an expression is true or false: a comparison, ``not``, ``and``, ``or``, bool() or isinstance()."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.BoolOp | ast.Compare) or _called(node) in {"bool", *ASKS_CLASS}


def _is_fork(branch: Branch) -> bool:
    """Return whether a branch asks which kind of leads one has."""
    asked = [branch.test] if branch.whole else []
    for node in _within(branch.test):
        if isinstance(node, ast.BoolOp):
            used = node is branch.test and not branch.whole
            asked += node.values[:-1] if used else node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            asked.append(node.operand)
        elif isinstance(node, ast.Call) and _called(node) == "bool":
            asked += node.args
        elif _asks_kind(node, branch.bound):
            return True
    if any(_is_kind(part) for pattern in branch.patterns for part in ast.walk(pattern)):
        return True
    return any(_says_kind(node, branch.bound, truth=True) for node in asked)


def _is_kind(pattern: ast.AST) -> bool:
    """Return whether a pattern of a ``match`` names a kind of leads: the class of a source, or the word."""
    if isinstance(pattern, ast.MatchClass):
        return _is_source(pattern.cls)
    return isinstance(pattern, ast.MatchValue) and _text(pattern.value) in WORDS


def _within(test: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a test, those left out that are asked by a branch of their own."""
    yield test
    for child in ast.iter_child_nodes(test):
        own = (isinstance(test, ast.IfExp) and child is test.test) or (
            isinstance(test, ast.comprehension) and child in test.ifs
        )
        if not own:
            yield from _within(child)


def _asks_kind(node: ast.AST, bound: Bound) -> bool:
    """Return whether a node asks by itself: a comparison, a test of a class, a look into settings of dated leads."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(
            _compares(left, op, right, bound) for left, op, right in zip(sides, node.ops, sides[1:], strict=False)
        )
    if isinstance(node, ast.Subscript):
        return _named(node.value, bound) & SETTINGS != set() or _keyed(node.value) & SETTINGS != set()
    return isinstance(node, ast.Call) and (
        (_called(node) in ASKS_CLASS and any(_is_source(part) for given in node.args[1:] for part in ast.walk(given)))
        or (_called(node) == "hasattr" and any(_text(given) in KEYS for given in node.args[1:]))
    )


def _compares(left: ast.expr, op: ast.cmpop, right: ast.expr, bound: Bound) -> bool:
    """Return whether one comparison asks which kind of leads one has."""
    if isinstance(op, ast.In | ast.NotIn):
        of_frame = not isinstance(right, ast.Tuple | ast.List | ast.Set)
        return bool(_columns(left, bound) & OF_LOOKS or (_columns(left, {}) and of_frame)) or _text(left) in KEYS
    pairs = ((left, right), (right, left))
    if any(isinstance(one, ast.Constant) and one.value is None for one in (left, right)):
        return any(_says_kind(one, bound, truth=False) for one in (left, right))
    if isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        by_class = any(_called(one) == "type" and _is_source(other) for one, other in pairs)
        return by_class or any(_columns(one, {}) & OF_LOOKS or _text(one) in WORDS for one in (left, right))
    return False


def _says_kind(node: ast.expr, bound: Bound, *, truth: bool) -> bool:
    """Return whether a value, by being None or true, says which kind of leads one has.

    ``truth`` says that its truth is asked; a name that only says ``dated`` may be None for other reasons, and a list of
    sources is no choice of params.
    """
    names, keyed = _named(node, bound), _keyed(node)
    if names & (SETTINGS | INSTANTS) or keyed & KEYS or _owned(node, bound) & OWNED:
        return True
    if truth and (names & WORDS or _called(node) in WORDS):
        return True
    return "sources" in (_attributes(node, bound) if truth else names)


def _named(node: ast.expr, bound: Bound) -> set[str]:
    """Return the last names of a name or attribute, and of what the name was bound to."""
    return {name for one in _meant(node, bound) for name in (_last(one),) if name}


def _attributes(node: ast.expr, bound: Bound) -> set[str]:
    """Return the names of the attributes that a value is."""
    return {one.attr for one in _meant(node, bound) if isinstance(one, ast.Attribute)}


def _owned(node: ast.expr, bound: Bound) -> set[tuple[str, str]]:
    """Return the attributes that a value is, each with the last name of its owner."""
    return {(_last(one.value), one.attr) for one in _meant(node, bound) if isinstance(one, ast.Attribute)}


def _meant(node: ast.expr, bound: Bound) -> tuple[ast.expr, ...]:
    """Return a value and, of a name, what it was bound to."""
    if isinstance(node, ast.NamedExpr):
        return (node.target, node.value)
    return (node, *bound.get(node.id, ())) if isinstance(node, ast.Name) else (node,)


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _called(node: ast.AST) -> str:
    return _last(node.func) if isinstance(node, ast.Call) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _keyed(node: ast.expr) -> set[str]:
    """Return the key that a value is looked up by: ``x["key"]``, ``x.get("key")``, ``getattr(x, "key")``."""
    if isinstance(node, ast.Subscript):
        return {_text(node.slice)}
    return {_text(given) for given in node.args} if _called(node) in {"get", "getattr"} else set()


def _columns(node: ast.expr, bound: Bound) -> set[str]:
    """Return which columns of instants an expression may be; of several that are looped over, which each may be."""
    if isinstance(node, ast.IfExp):
        return _columns(node.body, bound) | _columns(node.orelse, bound)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return set().union(*(_columns(one, bound) for one in node.elts))
    if isinstance(node, ast.Constant):
        return {_text(node)} & set(COLUMNS.values())
    if _last(node) in COLUMNS:
        return {COLUMNS[_last(node)]}
    rest = {name: values for name, values in bound.items() if name != _last(node)}
    return set().union(*(_columns(one, rest) for one in _meant(node, bound)[1:]))


def _is_source(node: ast.AST) -> bool:
    return _last(node) in CLASSES or KIND_CLASS.fullmatch(_last(node)) is not None


def _bindings(scope: ast.AST) -> dict[str, tuple[ast.expr, ...]]:
    """Return what the names of a module or function are bound to by assignments and loops of its own."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    left = list(ast.iter_child_nodes(scope))
    while left:
        node = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            pairs.append((node.targets[0], node.value))
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs.append((node.target, node.value))
        elif isinstance(node, ast.For):
            pairs.append((node.target, node.iter))
        left += ast.iter_child_nodes(node)
    return _pairs(pairs)


def _pairs(pairs: Iterable[tuple[ast.expr, ast.expr]]) -> dict[str, tuple[ast.expr, ...]]:
    """Return all that each name was bound to; what it loops over stands for what it is."""
    found: dict[str, tuple[ast.expr, ...]] = {}
    for target, value in pairs:
        if isinstance(target, ast.Name):
            found[target.id] = (*found.get(target.id, ()), value)
    return found
