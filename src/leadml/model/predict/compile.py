"""Compile the trees of a model into look-up tables.

The contributions that are read from the tables are exactly those of path-dependent TreeSHAP. What a leaf contributes
depends only on which conditions on its path a lead meets, so that all leaves whose paths test the same fields, or some
of them, add up to one table. Trees with too many fields on a path, or for which there is no room, are left to LightGBM.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from math import floor, prod
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.lookup import Lookup, LookupTable, ShapeFunction
from leadml.model.predict.tree_shap import by_field, shapley_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import LinearPart
    from leadml.model.parts.tree_text import Condition, Tree
    from leadml.model.predict.tree_shap import FieldConditions
    from leadml.types import Floats, Mask, Rows

    CodeRange = tuple[int, int, bool]

MAX_FIELDS_PER_PATH = 10  # a leaf has 2^10 patterns of 10 values, 82 KB while tables are made; 20 would have 168 MB
MAX_CELLS = 1 << 16  # of one table: with 10 fields 5 MB; a larger one is divided, which changes no number but rounding
MAX_MERGED_CELLS = 1 << 12  # decision 17: explains 2.3 times as fast as without merging; larger ones are no faster
MAX_TABLE_VALUES = 1 << 23  # of all tables of a model: 64 MB (decision 17)


@dataclass(frozen=True)
class LeafPath:
    """The path to a leaf, by field.

    Parameters
    ----------
    fields
        Positions of the fields that its conditions test.
    ranges
        For each field the first code that meets its conditions, the first one after those, and whether missing values
        meet them.
    shares
        For each field the share of the rows that meets its conditions.
    value
        Of the leaf, in log-odds.
    """

    fields: tuple[int, ...]
    ranges: tuple[CodeRange, ...]
    shares: tuple[float, ...]
    value: float


@dataclass(frozen=True)
class TableLayout:
    """A look-up table before its values are computed. A step of a field is a run of codes with the same values.

    Parameters
    ----------
    fields
        Positions of the fields.
    paths
        Paths that test these fields or some of them.
    is_met
        For each field, whether each path that tests it is met in each step, shape (n_paths, n_steps).
    step_of_code
        For each field the step of each of its codes.
    """

    fields: tuple[int, ...]
    paths: list[LeafPath]
    is_met: tuple[Rows, ...]
    step_of_code: tuple[Rows, ...]

    @property
    def sizes(self) -> list[int]:
        """How many steps each field has."""
        return [met.shape[1] for met in self.is_met]

    def table(self) -> LookupTable:
        """Return the look-up table: the sum of all leaves."""
        sizes = self.sizes
        values = np.zeros((len(sizes), *sizes))
        shapes = np.eye(len(sizes), dtype=int) * (np.array(sizes) - 1) + 1
        met_by_path = [iter(met.reshape(-1, *shape)) for met, shape in zip(self.is_met, shapes, strict=True)]
        for axes, paths, shares, value in self._groups():
            patterns = np.arange(1 << len(axes))
            met = ((patterns[:, None] >> np.arange(len(axes))) & 1).astype(np.float64)
            for leaf_values in shapley_values(shares, value, np.broadcast_to(met, (len(paths), *met.shape))):
                pattern = reduce(np.add, [next(met_by_path[axis]) << bit for bit, axis in enumerate(axes)])
                for bit, axis in enumerate(axes):
                    values[axis] += leaf_values[pattern, bit]
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1]
        offsets = tuple(
            (steps * stride).astype(np.intp) for steps, stride in zip(self.step_of_code, strides, strict=True)
        )
        return LookupTable(self.fields, offsets, values.reshape(len(sizes), -1))

    def cells(self, codes: Sequence[Rows], is_new: Mask) -> Floats:
        """Return what some leads would read from the table if it held the expectations of values that are not known.

        Parameters
        ----------
        codes
            For each field the code of each lead, shape (n_leads,).
        is_new
            Whether the value of each lead is not known, shape (n_fields, n_leads).

        Returns
        -------
        array
            Log-odds of shape (n_fields, n_leads).
        """
        values, begin = np.zeros(is_new.shape), [0] * len(self.fields)
        steps = [of_code[code] for of_code, code in zip(self.step_of_code, codes, strict=True)]
        for axes, paths, shares, value in self._groups():
            met = np.empty((len(paths), is_new.shape[1], len(axes)))
            for bit, axis in enumerate(axes):
                is_met = self.is_met[axis][begin[axis] : begin[axis] + len(paths)]
                met[:, :, bit] = np.where(is_new[axis], shares[:, [bit]], is_met[:, steps[axis]])
                begin[axis] += len(paths)
            for leaf_values in shapley_values(shares, value, met):
                values[axes] += leaf_values.T
        return values

    def _groups(self) -> Iterator[tuple[list[int], list[LeafPath], Floats, Floats]]:
        """Yield the positions of fields that some paths test, these paths, their shares and values."""
        for _, group in groupby(self.paths, key=lambda path: path.fields):
            paths = list(group)
            axes = [self.fields.index(field) for field in paths[0].fields]
            yield axes, paths, np.array([path.shares for path in paths]), np.array([path.value for path in paths])


def compile_model(
    encoder: Encoder,
    linear: LinearPart,
    trees: Sequence[Tree],
    *,
    limits: tuple[int, int] = (MAX_MERGED_CELLS, MAX_TABLE_VALUES),
) -> tuple[Lookup, tuple[TableLayout, ...]]:
    """Return a model as look-up tables, and their layouts in the same order.

    Trees with a path that tests more than 10 fields are not compiled. Where the tables of the others would hold more
    than 8 million values (64 MB), their first half is compiled, or half of that, until the tables are small enough.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts; trees test fields, the codes of categories as numbers.
    limits
        Cells that a table may have after others were merged into it, and values that all tables together may hold.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> from leadml.model.parts.encode import Encoder
    >>> from leadml.model.parts.linear import LinearPart
    >>> from leadml.model.parts.tree_text import Condition, Leaf, Tree
    >>> sides = [Condition(0, 30.0, 2, is_left, share) for is_left, share in ((True, 0.25), (False, 0.75))]
    >>> stump = Tree((Leaf(-3.0, sides[:1]), Leaf(1.0, sides[1:])), 0.0)
    >>> encoder = Encoder((Field("age", "number", "fit"),), ((),))
    >>> lookup, _ = compile_model(encoder, LinearPart(0.0, ()), [stump])
    >>> lookup.contributions(np.array([[30.0], [31.0]]))
    array([[-3.],
           [ 1.]])
    """
    compiled, functions, layouts = _fitting(encoder, linear, trees, limits)
    start = linear.base + sum(trees[position].mean for position in compiled)
    left = tuple(sorted(set(range(len(trees))) - set(compiled)))
    lookup = Lookup(start, tuple(functions), tuple(layout.table() for layout in layouts), left)
    return lookup, tuple(layouts)


def divided(paths: list[LeafPath], functions: Sequence[ShapeFunction]) -> list[TableLayout]:
    """Return layouts that together hold some paths: one, or as few as have a bounded number of cells each."""
    ranges: dict[int, list[CodeRange]] = {}
    for path in paths:
        for field, code_range in zip(path.fields, path.ranges, strict=True):
            ranges.setdefault(field, []).append(code_range)
    fields = tuple(sorted(ranges))
    is_met, step_of_code = zip(*(_steps(ranges[field], functions[field]) for field in fields), strict=True)
    layout = TableLayout(fields, paths, is_met, step_of_code)
    if prod(layout.sizes) <= MAX_CELLS or len(paths) == 1:
        return [layout]
    middle = len(paths) // 2
    return divided(paths[:middle], functions) + divided(paths[middle:], functions)


def _fitting(
    encoder: Encoder, linear: LinearPart, trees: Sequence[Tree], limits: tuple[int, int]
) -> tuple[list[int], list[ShapeFunction], list[TableLayout]]:
    """Return as many trees as there is room for, what each field adds alone, and layouts of all other tables."""
    is_short = [
        all(len({condition.field for condition in leaf.conditions}) <= MAX_FIELDS_PER_PATH for leaf in tree.leaves)
        for tree in trees
    ]
    compiled = [position for position, short in enumerate(is_short) if short]
    while (
        found := _functions_and_layouts(encoder, linear, [trees[position] for position in compiled], limits)
    ) is None:
        compiled = compiled[: len(compiled) // 2]
    return compiled, *found


def _functions_and_layouts(
    encoder: Encoder, linear: LinearPart, trees: Sequence[Tree], limits: tuple[int, int]
) -> tuple[list[ShapeFunction], list[TableLayout]] | None:
    """Return what each field adds alone, and layouts of the other tables; None where they would hold too much."""
    leaves = [(leaf.value, by_field(leaf.conditions)) for tree in trees for leaf in tree.leaves if leaf.conditions]
    conditions = [condition for _, groups in leaves for _, group in groups for condition in group]
    edges = _edges(encoder, linear, conditions)
    functions = [_linear_function(encoder, linear, index, field_edges) for index, field_edges in enumerate(edges)]
    paths = sorted(_leaf_paths(leaves, encoder, edges), key=lambda path: path.fields)
    for max_cells in (limits[0], 0):
        layouts = [layout for group in _merge(paths, max_cells) for layout in divided(group, functions)]
        alone = [layout for layout in layouts if len(layout.fields) == 1]
        others = [layout for layout in layouts if len(layout.fields) > 1]
        if sum(len(each.fields) * prod(each.sizes) for each in others) <= limits[1]:
            break
    else:
        return None
    for table in (layout.table() for layout in alone):
        functions[table.fields[0]].constants[:] += table.values[0][table.offsets[0]]
    for index, function in enumerate(functions):
        new = encoder.new_codes(index)
        function.constants[new] = function.slopes[new] = 0.0
    return functions, others


def _edges(encoder: Encoder, linear: LinearPart, conditions: list[Condition]) -> list[Floats]:
    """Return for each field the values at which a condition or a linear term changes; none for categories."""
    edges: list[set[float]] = [set() for _ in encoder.fields]
    for condition in conditions:
        edges[condition.field].add(condition.threshold)
    for term in linear.terms:
        edges[encoder.owners[term.column]].update(term.edges)
    is_number = [field.kind != "category" for field in encoder.fields]
    return [
        np.array(sorted(values) if number else [], dtype=np.float64)
        for values, number in zip(edges, is_number, strict=True)
    ]


def _linear_function(encoder: Encoder, linear: LinearPart, index: int, edges: Floats) -> ShapeFunction:
    """Return what the linear part adds for a field: linear between two edges."""
    is_number = encoder.fields[index].kind != "category"
    first = int(np.searchsorted(encoder.owners, index))
    anchors = np.concatenate([edges[:1] if len(edges) else [np.inf], edges, [np.nan]])
    ends = np.concatenate([edges, [np.inf, np.nan]])
    codes = np.arange(len(anchors) if is_number else encoder.width(index))
    constants, slopes = np.zeros(len(codes)), np.zeros(len(codes))
    for term in (term for term in linear.terms if encoder.owners[term.column] == index):
        values = ends if term.shape == "step" else anchors
        constants += term.coefficient * term.values(values if is_number else codes == term.column - first)
        if term.has_slope:
            begin, end = term.bounds
            slopes += term.coefficient / term.scale * ((anchors >= begin) & (anchors < end))
    anchors = np.nan_to_num(anchors) if is_number else np.zeros(len(codes))
    return ShapeFunction(edges, constants, slopes, anchors, is_number)


def _leaf_paths(
    leaves: list[tuple[float, FieldConditions]], encoder: Encoder, edges: list[Floats]
) -> Iterator[LeafPath]:
    """Yield the path to each leaf."""
    code_of_edge = [{edge: code for code, edge in enumerate(values.tolist())} for values in edges]
    counts = [len(values) + 1 if len(values) else encoder.width(index) for index, values in enumerate(edges)]

    def code_range(field: int, conditions: list[Condition]) -> CodeRange:
        first, end, accepts_missing = 0, counts[field], True
        for condition in conditions:
            codes = code_of_edge[field]
            code = codes[condition.threshold] if codes else floor(condition.threshold)
            if condition.is_left:
                end = min(end, code + 1)
            else:
                first = max(first, code + 1)
            accepts_missing = accepts_missing and condition.accepts_missing
        return first, end, accepts_missing

    for value, groups in leaves:
        shares = tuple(prod(condition.share for condition in conditions) for _, conditions in groups)
        ranges = tuple(code_range(field, conditions) for field, conditions in groups)
        yield LeafPath(tuple(field for field, _ in groups), ranges, shares, value)


def _merge(paths: list[LeafPath], max_cells: int) -> list[list[LeafPath]]:
    """Return paths by look-up table: those of the same fields, and of a subset of them if the table stays small."""
    sets = [list(group) for _, group in groupby(paths, key=lambda path: path.fields)]
    groups: list[tuple[dict[int, int], list[LeafPath]]] = []
    groups_of_field: dict[int, list[int]] = {}
    for same in sorted(sets, key=lambda group: -len(group[0].fields)):
        changes = _change_points(same)
        candidates = min((groups_of_field.get(field, []) for field in changes), key=len)
        hosts = [
            (_cell_count(groups[number][0], changes), number)
            for number in candidates
            if changes.keys() <= groups[number][0].keys()
        ]
        cells, host = min(hosts, default=(0, -1))
        if hosts and len(changes) > 1 and cells <= max_cells:
            host_changes, host_paths = groups[host]
            host_changes.update({field: host_changes[field] | bits for field, bits in changes.items()})
            host_paths.extend(same)
            continue
        for field in changes:
            groups_of_field.setdefault(field, []).append(len(groups))
        groups.append((changes, same))
    return [group for _, group in groups]


def _change_points(paths: list[LeafPath]) -> dict[int, int]:
    """Return for each field of some paths the codes at which the range of one begins or ends, as bits."""
    changes = dict.fromkeys(paths[0].fields, 0)
    for path in paths:
        for field, (first, end, _) in zip(path.fields, path.ranges, strict=True):
            changes[field] |= 1 << first | 1 << end
    return changes


def _cell_count(changes: dict[int, int], more: dict[int, int]) -> int:
    """Return about how many cells a look-up table has if its fields change at some more codes."""
    return prod((bits | more.get(field, 0)).bit_count() for field, bits in changes.items())


def _steps(ranges: list[CodeRange], function: ShapeFunction) -> tuple[Rows, Rows]:
    """Return whether each range holds each step of a field, shape (n_ranges, n_steps), and the step of each code.

    A step is a run of codes that no range divides. Missing values share a step with codes that meet the same ranges,
    or have a step of their own.
    """
    first, end, accepts_missing = (np.array(values) for values in zip(*ranges, strict=True))
    count = len(function.constants) - function.is_number
    starts = np.unique(np.concatenate([[0], first, end]))
    starts = starts[starts < count]
    is_met = (first[:, None] <= starts) & (starts < end[:, None])
    step_of_code = np.searchsorted(starts, np.arange(count), side="right") - 1
    if function.is_number:
        same = np.flatnonzero((is_met == accepts_missing[:, None]).all(axis=0))
        if not len(same):
            is_met = np.column_stack([is_met, accepts_missing])
        step_of_code = np.append(step_of_code, same[0] if len(same) else is_met.shape[1] - 1)
    return is_met.astype(np.intp), step_of_code
