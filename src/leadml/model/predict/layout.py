"""The look-up tables of a model before their values are computed: which leaves add up to each.

What a leaf contributes depends only on which conditions on its path a lead meets, so that all leaves whose paths test
the same fields, or some of them, add up to one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.parts.lookup import LookupTable, ShapeFunction
from leadml.model.predict.tree_shap import shapley_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.types import Floats, Mask, Rows

    CodeRange = tuple[int, int, bool]

MAX_CELLS = 1 << 16  # of one table: with 10 fields 5 MB; a larger one is divided, which changes no number but rounding


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
        for axes, is_met, shares, value in self._groups():
            some = [size if axis in axes else 1 for axis, size in enumerate(sizes)]
            values[axes] += _sum_of_leaves(is_met, shares, value).reshape(-1, *some)
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
        values = np.zeros(is_new.shape)
        steps = [of_code[code] for of_code, code in zip(self.step_of_code, codes, strict=True)]
        for axes, is_met, shares, value in self._groups():
            of_steps = [met[:, steps[axis]] for axis, met in zip(axes, is_met, strict=True)]
            met = np.where(is_new[axes].T, shares[:, None], np.stack(of_steps, axis=-1))
            for leaf_values in shapley_values(shares, value, met):
                values[axes] += leaf_values.T
        return values

    def _groups(self) -> Iterator[tuple[list[int], list[Rows], Floats, Floats]]:
        """Yield of the paths that test the same fields the positions of these, what of `is_met`, shares and values."""
        begin = [0] * len(self.fields)
        for _, group in groupby(self.paths, key=lambda path: path.fields):
            paths = list(group)
            axes = [self.fields.index(field) for field in paths[0].fields]
            is_met = [self.is_met[axis][begin[axis] : begin[axis] + len(paths)] for axis in axes]
            for axis in axes:
                begin[axis] += len(paths)
            yield axes, is_met, np.array([path.shares for path in paths]), np.array([path.value for path in paths])


def _sum_of_leaves(is_met: Sequence[Rows], shares: Floats, value: Floats) -> Floats:
    """Return the sum of leaves whose paths test the same fields, shape (n_fields, n_cells): all steps of these fields.

    Parameters
    ----------
    is_met
        For each field whether each leaf's conditions are met in each step, shape (n_leaves, n_steps).
    shares, value
        As `shapley_values` takes them.
    """
    count = len(is_met)
    shapes = np.eye(count, dtype=int) * ([met.shape[1] - 1 for met in is_met]) + 1
    patterns = ((np.arange(1 << count)[:, None] >> np.arange(count)) & 1).astype(np.float64)
    of_leaves = shapley_values(shares, value, np.broadcast_to(patterns, (len(shares), *patterns.shape)))
    values = np.zeros((prod(met.shape[1] for met in is_met), count))
    for leaf, leaf_values in enumerate(of_leaves):
        bits = (met[leaf].reshape(shape) << bit for bit, (met, shape) in enumerate(zip(is_met, shapes, strict=True)))
        values += np.take(leaf_values, reduce(np.add, bits).ravel(), axis=0, mode="clip")  # twice as fast as an index
    return values.T


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
