"""Add up the trees of a model into tables.

What enters is the linear part and the trees of a model; what leaves is the same model as look-ups, whose contributions
are those of path-dependent TreeSHAP.
What a leaf contributes depends only on which of the conditions on its way a lead meets, so that all leaves whose ways
test the same fields add up to one table over the steps of those fields. Nothing is sampled; trees whose ways are too
long for that are left to LightGBM.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import factorial
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
    met
        For each field, which of its conditions each of its codes meets, as bits.
    payoff
        Array of shape (n_fields, n_patterns): what each field gets for each pattern of bits, in log-odds.
    """

    fields: tuple[int, ...]
    met: tuple[Codes, ...]
    payoff: Floats


def compile_model(encoder: Encoder, linear: LinearPart, trees: Sequence[Tree], *, tree_weight: float) -> Lookup | None:
    """Return a model as look-ups; None where a way has too many conditions or the tables would hold too many numbers.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts.
    tree_weight
        Weight of the trees, 0 to 1.

    Examples
    --------
    >>> from leadml.leads.field import Field
    >>> from leadml.model.encode import Encoder
    >>> from leadml.model.linear import LinearPart
    >>> from leadml.model.tree_text import Condition, Leaf, Tree
    >>> sides = [Condition(0, 30.0, 2, left, share) for left, share in ((True, 0.25), (False, 0.75))]
    >>> stump = Tree((Leaf(-3.0, sides[:1]), Leaf(1.0, sides[1:])), 0.0)
    >>> encoder = Encoder((Field("age", "number", "fit"),), ((),))
    >>> found = compile_model(encoder, LinearPart(0.0, ()), [stump], tree_weight=1.0)
    >>> found.contributions(np.array([[30.0], [31.0]]))
    array([[-3.],
           [ 1.]])
    """
    trees = trees if tree_weight else []
    ways = [(tree_weight * leaf.value, _by_column(leaf.way)) for tree in trees for leaf in tree.leaves if leaf.way]
    if any(len(way) > MOST_CONDITIONS for _, way in ways):
        return None
    edges = _edges(encoder, linear, [condition for _, way in ways for _, some in way for condition in some])
    grids = [_grid(encoder, at, some) for at, some in enumerate(edges)]
    singles = [_linear_single(encoder, linear, at, some, 1.0 - tree_weight) for at, some in enumerate(edges)]
    tables, numbers = [], 0
    paths = sorted(_paths(ways, encoder, grids), key=lambda path: path.fields)
    for fields, group in groupby(paths, key=lambda path: path.fields):
        for table in _tables(list(group)):
            if len(fields) == 1:
                singles[fields[0]].constants[:] += table.values[0][table.places[0]]
            else:
                tables.append(table)
                numbers += table.values.size
        if numbers > MOST_NUMBERS:
            return None
    start = (1.0 - tree_weight) * linear.base + tree_weight * sum(tree.mean for tree in trees)
    return Lookup(float(start), tuple(singles), tuple(tables))


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


def _by_column(way: Sequence[Condition]) -> Way:
    ordered = sorted(way, key=lambda condition: condition.column)
    return [(column, list(group)) for column, group in groupby(ordered, key=lambda condition: condition.column)]


def _edges(encoder: Encoder, linear: LinearPart, conditions: list[Condition]) -> list[Floats]:
    """Return for each field the values at which a condition or a line turns; none for categories."""
    found: list[set[float]] = [set() for _ in encoder.fields]
    for condition in conditions:
        found[encoder.owners[condition.column]].add(condition.threshold)
    for term in linear.terms:
        found[encoder.owners[term.column]].update(term.bends if term.is_straight else ())
    is_number = [field.kind != "category" for field in encoder.fields]
    return [
        np.array(sorted(some) if number else [], dtype=np.float64)
        for some, number in zip(found, is_number, strict=True)
    ]


def _grid(encoder: Encoder, at: int, edges: Floats) -> Floats:
    """Return what the columns of a field hold at each of its codes, shape (n_columns, n_codes)."""
    if encoder.fields[at].kind == "category":
        return np.eye(encoder.width(at))
    return np.concatenate([edges, [np.inf, np.nan]])[None, :]


def _linear_single(encoder: Encoder, linear: LinearPart, at: int, edges: Floats, weight: float) -> Single:
    """Return what the linear part adds for a field: straight between two edges."""
    is_number = encoder.fields[at].kind != "category"
    grid = _grid(encoder, at, edges)
    first = int(np.searchsorted(encoder.owners, at))
    anchors = np.concatenate([edges[:1], edges, [np.nan]]) if len(edges) else grid[0]
    constants, slopes = np.zeros(grid.shape[1]), np.zeros(grid.shape[1])
    for term in (term for term in linear.terms if encoder.owners[term.column] == at):
        constants += weight * term.coefficient * term.values(anchors if is_number else grid[term.column - first])
        if term.is_straight:
            begins, ends = term.bends
            slopes += weight * term.coefficient / term.scale * ((anchors >= begins) & (anchors < ends))
    return Single(
        edges, constants, slopes, np.nan_to_num(anchors) if is_number else np.zeros(len(constants)), is_number
    )


def _paths(ways: list[tuple[float, Way]], encoder: Encoder, grids: list[Floats]) -> Iterator[Path]:
    """Yield the leaves, those with as many conditions at a time."""
    firsts = np.searchsorted(encoder.owners, np.arange(len(encoder.fields)))
    seen: dict[Condition, Codes] = {}

    def met(column: int, conditions: list[Condition]) -> Codes:
        owner = encoder.owners[column]
        for condition in conditions:
            if condition not in seen:
                seen[condition] = condition.passed(grids[owner][column - firsts[owner]]).astype(np.intp)
        return np.asarray(np.minimum.reduce([seen[condition] for condition in conditions]))

    ways = sorted(ways, key=lambda way: len(way[1]))
    for _, group in groupby(ways, key=lambda way: len(way[1])):
        same = list(group)
        shares = [[np.prod([condition.share for condition in some]) for _, some in way] for _, way in same]
        gains = shapley(np.array(shares), np.array([value for value, _ in same]))
        for (_, way), gain in zip(same, gains, strict=True):
            owners = np.array([encoder.owners[column] for column, _ in way])
            bits = [met(column, some) << at for at, (column, some) in enumerate(way)]
            fields = tuple(sorted(set(owners.tolist())))
            yield Path(
                fields,
                tuple(np.sum([bits[at] for at in np.flatnonzero(owners == field)], axis=0) for field in fields),
                np.stack([gain[:, owners == field].sum(axis=1) for field in fields]),
            )


def _tables(paths: list[Path]) -> list[Table]:
    """Return tables that add up leaves of the same fields, as few as hold a bounded number of cells each."""
    steps = []
    for at in range(len(paths[0].fields)):
        _, first, place = np.unique(
            np.stack([path.met[at] for path in paths]), axis=1, return_index=True, return_inverse=True
        )
        steps.append((first, place.ravel()))
    sizes = [len(first) for first, _ in steps]
    if np.prod(sizes, dtype=float) > MOST_CELLS and len(paths) > 1:
        middle = len(paths) // 2
        return _tables(paths[:middle]) + _tables(paths[middle:])
    values = np.zeros((len(sizes), *sizes))
    shapes = np.eye(len(sizes), dtype=int) * (np.array(sizes) - 1) + 1
    for path in paths:
        parts = [met[first].reshape(shape) for met, (first, _), shape in zip(path.met, steps, shapes, strict=True)]
        values += path.payoff[:, sum(parts, start=np.zeros((), dtype=np.intp))]
    strides = np.cumprod([1, *sizes[:0:-1]])[::-1]
    places = tuple((place * stride).astype(np.intp) for (_, place), stride in zip(steps, strides, strict=True))
    return [Table(paths[0].fields, places, values.reshape(len(sizes), -1))]
