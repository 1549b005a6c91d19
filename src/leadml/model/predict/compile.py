"""Add up the trees of a model into tables.

What enters is the linear part and the trees of a model; what leaves is the same model as look-ups, whose contributions
are those of path-dependent TreeSHAP.
What a leaf contributes depends only on which of the conditions on its way a lead meets, so that all leaves whose ways
test the same fields, or some of them, add up to one table over the steps of those fields. Nothing is sampled; trees
whose ways are too long for that, or for which no room is left, are left to LightGBM.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from math import factorial, floor, prod
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.lookup import Lookup, LookupTable, Single

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import LinearPart
    from leadml.model.parts.tree_text import Condition, Tree
    from leadml.types import Floats, Rows

    Way = list[tuple[int, list[Condition]]]
    Span = tuple[int, int, bool]

MOST_CONDITIONS = 10
MOST_CELLS = 1 << 16
MOST_GATHERED = 1 << 12
MOST_NUMBERS = 1 << 23


@dataclass(frozen=True)
class Path:
    """A leaf as the fields see it.

    Parameters
    ----------
    fields
        Positions of the fields that its conditions test.
    spans
        For each field the first code that meets its conditions, the one after the last, and whether gaps meet them.
    shares
        For each field the share of the leads that its conditions let through.
    value
        Of the leaf, in log-odds.
    """

    fields: tuple[int, ...]
    spans: tuple[Span, ...]
    shares: tuple[float, ...]
    value: float


@dataclass(frozen=True)
class TableLayout:
    """A table before its numbers are known.

    Parameters
    ----------
    fields
        Positions of the fields.
    paths
        Leaves of these fields or of some of them.
    met
        For each field which leaves that test it are met in each of its steps, shape (n_leaves, n_steps).
    places
        For each field the step of each of its codes.
    """

    fields: tuple[int, ...]
    paths: list[Path]
    met: tuple[Rows, ...]
    places: tuple[Rows, ...]

    @property
    def sizes(self) -> list[int]:
        """How many steps each field has."""
        return [some.shape[1] for some in self.met]

    def table(self) -> LookupTable:
        """Return the table: all leaves added up."""
        sizes = self.sizes
        values = np.zeros((len(sizes), *sizes))
        shapes = np.eye(len(sizes), dtype=int) * (np.array(sizes) - 1) + 1
        steps = [iter(met.reshape(-1, *shape)) for met, shape in zip(self.met, shapes, strict=True)]
        for _, group in groupby(self.paths, key=lambda path: path.fields):
            same = list(group)
            own = [self.fields.index(field) for field in same[0].fields]
            gains = shapley(np.array([path.shares for path in same]), np.array([path.value for path in same]))
            for gain in gains:
                pattern = reduce(np.add, [next(steps[at]) << bit for bit, at in enumerate(own)])
                for bit, at in enumerate(own):
                    values[at] += gain[pattern, bit]
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1]
        places = tuple((place * stride).astype(np.intp) for place, stride in zip(self.places, strides, strict=True))
        return LookupTable(self.fields, places, values.reshape(len(sizes), -1))


def compile_model(encoder: Encoder, linear: LinearPart, trees: Sequence[Tree]) -> Lookup:
    """Return a model as look-ups.

    Trees with a way that tests more than 10 fields stay out. Where the tables of the others would hold more than 8
    million numbers (64 MB), those of their first half are made, or of the half of that, until there is room.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts; trees test fields, the codes of categories as numbers.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> from leadml.model.parts.encode import Encoder
    >>> from leadml.model.parts.linear import LinearPart
    >>> from leadml.model.parts.tree_text import Condition, Leaf, Tree
    >>> sides = [Condition(0, 30.0, 2, left, share) for left, share in ((True, 0.25), (False, 0.75))]
    >>> stump = Tree((Leaf(-3.0, sides[:1]), Leaf(1.0, sides[1:])), 0.0)
    >>> encoder = Encoder((Field("age", "number", "fit"),), ((),))
    >>> found = compile_model(encoder, LinearPart(0.0, ()), [stump])
    >>> found.contributions(np.array([[30.0], [31.0]]))
    array([[-3.],
           [ 1.]])
    """
    short = [
        all(len({condition.field for condition in leaf.way}) <= MOST_CONDITIONS for leaf in tree.leaves)
        for tree in trees
    ]
    inside = [at for at, is_short in enumerate(short) if is_short]
    while (found := _tabulate(encoder, linear, [trees[at] for at in inside])) is None:
        inside = inside[: len(inside) // 2]
    return replace(found, left=tuple(sorted(set(range(len(trees))) - set(inside))))


def shapley(shares: Floats, value: Floats) -> Floats:
    """Return what each condition of some leaves gets, for each pattern of conditions met.

    Parameters
    ----------
    shares
        Array of shape (n_leaves, n_conditions): share of the leads that each condition lets through.
    value
        Array of shape (n_leaves,), in log-odds.

    Returns
    -------
    array
        Of shape (n_leaves, 2 ** n_conditions, n_conditions), in log-odds; bit ``c`` of a pattern says that condition
        ``c`` is met. The gains of a pattern add up to the leaf's value, where all are met, less its value times all
        shares.

    Notes
    -----
    The game of path-dependent TreeSHAP (Lundberg et al., 2020): a coalition of conditions is worth the leaf's value
    times 1 or 0 for each of its conditions, met or not, times the share of each other condition. What a condition gets
    is its Shapley value; the sums over coalitions of one size are the coefficients of a polynomial with a factor for
    each other condition.
    """
    leaves, count = shares.shape
    patterns = np.arange(1 << count)
    met = ((patterns[:, None] >> np.arange(count)) & 1).astype(np.float64)
    weights = np.array([factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)])
    found = np.empty((leaves, len(patterns), count))
    for at in range(count):
        sums = np.zeros((leaves, len(patterns), count))
        sums[:, :, 0] = 1.0
        for other in range(count):
            if other != at:
                grown = sums * shares[:, None, None, other]
                grown[:, :, 1:] += sums[:, :, :-1] * met[None, :, None, other]
                sums = grown
        found[:, :, at] = value[:, None] * (met[None, :, at] - shares[:, None, at]) * (sums @ weights)
    return found


def _tabulate(encoder: Encoder, linear: LinearPart, trees: Sequence[Tree]) -> Lookup | None:
    """Return a model as look-ups; None where the tables would hold too many numbers."""
    ways = [(leaf.value, _by_field(leaf.way)) for tree in trees for leaf in tree.leaves if leaf.way]
    edges = _edges(encoder, linear, [condition for _, way in ways for _, some in way for condition in some])
    singles = [_linear_single(encoder, linear, at, some) for at, some in enumerate(edges)]
    paths = sorted(_paths(ways, encoder, edges), key=lambda path: path.fields)
    for most in (MOST_GATHERED, 0):
        plans = [plan for some in _gathered(paths, most) for plan in _plans(some, singles)]
        if sum(len(plan.met) * prod(plan.sizes) for plan in plans if len(plan.met) > 1) <= MOST_NUMBERS:
            break
    else:
        return None
    tables = []
    for table in (plan.table() for plan in plans):
        if len(table.fields) == 1:
            singles[table.fields[0]].constants[:] += table.values[0][table.places[0]]
        else:
            tables.append(table)
    start = linear.base + sum(tree.mean for tree in trees)
    return Lookup(start, tuple(singles), tuple(tables))


def _by_field(way: Sequence[Condition]) -> Way:
    ordered = sorted(way, key=lambda condition: condition.field)
    return [(field, list(group)) for field, group in groupby(ordered, key=lambda condition: condition.field)]


def _edges(encoder: Encoder, linear: LinearPart, conditions: list[Condition]) -> list[Floats]:
    """Return for each field the values at which a condition or a line turns; none for categories."""
    found: list[set[float]] = [set() for _ in encoder.fields]
    for condition in conditions:
        found[condition.field].add(condition.threshold)
    for term in linear.terms:
        found[encoder.owners[term.column]].update(term.bends if term.is_straight else ())
    is_number = [field.kind != "category" for field in encoder.fields]
    return [
        np.array(sorted(some) if number else [], dtype=np.float64)
        for some, number in zip(found, is_number, strict=True)
    ]


def _linear_single(encoder: Encoder, linear: LinearPart, at: int, edges: Floats) -> Single:
    """Return what the linear part adds for a field: straight between two edges."""
    is_number = encoder.fields[at].kind != "category"
    first = int(np.searchsorted(encoder.owners, at))
    anchors = np.concatenate([edges[:1] if len(edges) else [np.inf], edges, [np.nan]])
    codes = np.arange(len(anchors) if is_number else encoder.width(at))
    constants, slopes = np.zeros(len(codes)), np.zeros(len(codes))
    for term in (term for term in linear.terms if encoder.owners[term.column] == at):
        constants += term.coefficient * term.values(anchors if is_number else codes == term.column - first)
        if term.is_straight:
            begins, ends = term.bends
            slopes += term.coefficient / term.scale * ((anchors >= begins) & (anchors < ends))
    return Single(edges, constants, slopes, np.nan_to_num(anchors) if is_number else np.zeros(len(codes)), is_number)


def _paths(ways: list[tuple[float, Way]], encoder: Encoder, edges: list[Floats]) -> Iterator[Path]:
    """Yield the leaves."""
    places = [{edge: code for code, edge in enumerate(some.tolist())} for some in edges]
    ends = [len(some) + 1 if len(some) else encoder.width(at) for at, some in enumerate(edges)]

    def span(field: int, conditions: list[Condition]) -> Span:
        first, after, gap = 0, ends[field], True
        for condition in conditions:
            known = places[field]
            code = known[condition.threshold] if known else floor(condition.threshold)
            if condition.left:
                after = min(after, code + 1)
            else:
                first = max(first, code + 1)
            gap = gap and condition.passed_by_gap
        return first, after, gap

    for value, way in ways:
        shares = tuple(prod(condition.share for condition in some) for _, some in way)
        yield Path(tuple(field for field, _ in way), tuple(span(*one) for one in way), shares, value)


def _gathered(paths: list[Path], most: int) -> list[list[Path]]:
    """Return leaves that share a table: those of some fields, and those of fewer of them if it has few cells then."""
    sets = [list(group) for _, group in groupby(paths, key=lambda path: path.fields)]
    found: list[tuple[dict[int, int], list[Path]]] = []
    of_field: dict[int, list[int]] = {}
    for some in sorted(sets, key=lambda same: -len(same[0].fields)):
        turns = _turns(some)
        wider = min((of_field.get(field, []) for field in turns), key=len)
        hosts = [(_cells(found[at][0], turns), at) for at in wider if turns.keys() <= found[at][0].keys()]
        cells, at = min(hosts, default=(0, -1))
        if hosts and len(turns) > 1 and cells <= most:
            found[at][0].update({field: found[at][0][field] | more for field, more in turns.items()})
            found[at][1].extend(some)
            continue
        for field in turns:
            of_field.setdefault(field, []).append(len(found))
        found.append((turns, some))
    return [some for _, some in found]


def _turns(same: list[Path]) -> dict[int, int]:
    """Return for each field of some leaves the codes at which one begins or ends to be met, as bits."""
    turns = dict.fromkeys(same[0].fields, 0)
    for path in same:
        for field, (first, after, _) in zip(path.fields, path.spans, strict=True):
            turns[field] |= 1 << first | 1 << after
    return turns


def _cells(turns: dict[int, int], more: dict[int, int]) -> int:
    """Return about how many cells a table has if its fields turn at some more codes."""
    return prod((turn | more.get(field, 0)).bit_count() for field, turn in turns.items())


def _plans(paths: list[Path], singles: list[Single]) -> list[TableLayout]:
    """Return tables that add up leaves, as few as hold a bounded number of cells each."""
    spans: dict[int, list[Span]] = {}
    for path in paths:
        for field, span in zip(path.fields, path.spans, strict=True):
            spans.setdefault(field, []).append(span)
    fields = tuple(sorted(spans))
    met, places = zip(*(_steps(spans[field], singles[field]) for field in fields), strict=True)
    plan = TableLayout(fields, paths, met, places)
    if prod(plan.sizes) <= MOST_CELLS or len(paths) == 1:
        return [plan]
    middle = len(paths) // 2
    return _plans(paths[:middle], singles) + _plans(paths[middle:], singles)


def _steps(spans: list[Span], single: Single) -> tuple[Rows, Rows]:
    """Return which spans hold each step of a field, shape (n_spans, n_steps), and the step of each of its codes.

    A step is a run of codes that no span divides; gaps are a step of their own where they are in no step's spans.
    """
    first, after, gap = (np.array(some) for some in zip(*spans, strict=True))
    known = len(single.constants) - single.is_number
    begins = np.unique(np.concatenate([[0], first, after]))
    begins = begins[begins < known]
    met = (first[:, None] <= begins) & (begins < after[:, None])
    place = np.searchsorted(begins, np.arange(known), side="right") - 1
    if single.is_number:
        like = np.flatnonzero((met == gap[:, None]).all(axis=0))
        if not len(like):
            met = np.column_stack([met, gap])
        place = np.append(place, like[0] if len(like) else met.shape[1] - 1)
    return met.astype(np.intp), place
