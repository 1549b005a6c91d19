"""Add up the trees of a model into tables.

What enters is the linear part and the trees of a model; what leaves is the same model as look-ups, whose contributions
are those of path-dependent TreeSHAP.
What a leaf contributes depends only on which of the conditions on its way a lead meets, so that all leaves whose ways
test the same fields add up to one table over the steps of those fields. Nothing is sampled; trees whose ways are too
long for that, or for which no room is left, are left to LightGBM.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from math import factorial, floor, prod
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.lookup import Lookup, Single, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from leadml.model.encode import Encoder
    from leadml.model.linear import LinearPart
    from leadml.model.tree_text import Condition, Tree

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]
    Way = list[tuple[int, list[Condition]]]
    Span = tuple[int, int, bool]

MOST_CONDITIONS = 10
MOST_CELLS = 1 << 16
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
    payoff
        Array of shape (n_fields, n_patterns): what each field gets, in log-odds; bit ``c`` of a pattern says that the
        conditions of field ``c`` are met.
    """

    fields: tuple[int, ...]
    spans: tuple[Span, ...]
    payoff: Floats


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
    >>> from leadml.leads.field import Field
    >>> from leadml.model.encode import Encoder
    >>> from leadml.model.linear import LinearPart
    >>> from leadml.model.tree_text import Condition, Leaf, Tree
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
    tables, numbers = [], 0
    paths = sorted(_paths(ways, encoder, edges), key=lambda path: path.fields)
    for fields, group in groupby(paths, key=lambda path: path.fields):
        for table in _tables(list(group), [singles[at] for at in fields]):
            if len(fields) == 1:
                singles[fields[0]].constants[:] += table.values[0][table.places[0]]
            else:
                tables.append(table)
                numbers += table.values.size
        if numbers > MOST_NUMBERS:
            return None
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
    """Yield the leaves, those with as many fields at a time."""
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

    ways = sorted(ways, key=lambda way: len(way[1]))
    for _, group in groupby(ways, key=lambda way: len(way[1])):
        same = list(group)
        shares = [[prod(condition.share for condition in some) for _, some in way] for _, way in same]
        gains = shapley(np.array(shares), np.array([value for value, _ in same]))
        for (_, way), gain in zip(same, gains, strict=True):
            yield Path(tuple(field for field, _ in way), tuple(span(*one) for one in way), gain.T)


def _tables(paths: list[Path], singles: list[Single]) -> list[Table]:
    """Return tables that add up leaves of the same fields, as few as hold a bounded number of cells each."""
    steps = [_steps([path.spans[at] for path in paths], single) for at, single in enumerate(singles)]
    sizes = [met.shape[1] for met, _ in steps]
    if prod(sizes) > MOST_CELLS and len(paths) > 1:
        middle = len(paths) // 2
        return _tables(paths[:middle], singles) + _tables(paths[middle:], singles)
    values = np.zeros((len(sizes), *sizes))
    shapes = np.eye(len(sizes), dtype=int) * (np.array(sizes) - 1) + 1
    bits = [(met << at).reshape(-1, *shape) for at, ((met, _), shape) in enumerate(zip(steps, shapes, strict=True))]
    for number, path in enumerate(paths):
        values += path.payoff[:, reduce(np.add, [some[number] for some in bits])]
    strides = np.cumprod([1, *sizes[:0:-1]])[::-1]
    places = tuple((place * stride).astype(np.intp) for (_, place), stride in zip(steps, strides, strict=True))
    return [Table(paths[0].fields, places, values.reshape(len(sizes), -1))]


def _steps(spans: list[Span], single: Single) -> tuple[Codes, Codes]:
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
