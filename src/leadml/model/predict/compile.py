"""Compile the trees of a model into look-up tables.

The contributions that are read from the tables are exactly those of path-dependent TreeSHAP. Trees with too many fields
on a path, or for which there is no room, are left to LightGBM.
"""

from __future__ import annotations

from itertools import groupby
from math import floor, prod
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.lookup import Lookup, ShapeFunction
from leadml.model.predict.layout import LeafPath, TableLayout, divided
from leadml.model.predict.tree_shap import by_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import LinearPart
    from leadml.model.parts.tree_text import Condition, Tree
    from leadml.model.predict.layout import CodeRange
    from leadml.model.predict.tree_shap import FieldConditions
    from leadml.types import Floats

MAX_FIELDS_PER_PATH = 10  # a leaf has 2^10 patterns of 10 values, 82 KB while tables are made; 20 would have 168 MB
MAX_MERGED_CELLS = 1 << 14  # decision 17: explains an eighth faster than with a quarter of it
MAX_TABLE_VALUES = 1 << 23  # of all tables of a model: 64 MB (decision 17)


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
