"""Encode the fields of leads as the columns that the model reads.

The order of the columns and the levels of the categories are stored with the model. A rare level becomes a column of
its own only if the params name it: other levels that few rows of the training set have, and levels that it does not
have, share the column "other". Where few rows of the training set are "other", or are missing, the model has not learnt
what that means: such a value is new to it, and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field
from leadml.model.parts.linear import LARGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from leadml.params import ModelParams
    from leadml.types import Floats, Mask, Rows

ENOUGH = 10  # rows; of fewer that convert at the rate of all others, say 20%, one time in ten none does
LEAST_ROOM = 4.0  # standard deviations; whatever the distribution, at most 1 number in 16 is farther (Chebyshev)
OTHER, MISSING = "other", "missing"


@dataclass(frozen=True)
class Encoder:
    """The columns of the model, in order, and the levels of its categories.

    A number or boolean is one column, NaN where missing. A category is one-hot encoded: one column of 0 and 1 for each
    level, one for all other levels and one for missing values.

    Parameters
    ----------
    fields
        The fields, in order.
    levels
        For each field its levels in order, empty for numbers and booleans.
    new
        For each field which of "other" and "missing" is new to the model; empty where none is.
    bounds
        For each number between what values those of the training set lie, with room beyond them; empty for others.
    """

    fields: tuple[Field, ...]
    levels: tuple[tuple[str, ...], ...]
    new: tuple[tuple[str, ...], ...] = ()
    bounds: tuple[tuple[float, ...], ...] = ()

    @cached_property
    def owners(self) -> Rows:
        """Array of shape (n_columns,): the position of the field that each column belongs to."""
        widths = [self.width(index) for index in range(len(self.fields))]
        return np.repeat(np.arange(len(self.fields)), widths)

    def width(self, index: int) -> int:
        """Return how many columns the field at a position has."""
        return len(self.levels[index]) + 2 if self.fields[index].kind == "category" else 1

    @cached_property
    def is_flag(self) -> Mask:
        """Array of shape (n_columns,): whether a column holds only 0 and 1 by construction."""
        return np.array([self.fields[owner].kind == "category" for owner in self.owners], dtype=bool)

    def fields_of(self, frame: pd.DataFrame) -> Floats:
        """Return an array of shape (n_rows, n_fields): numbers, NaN where missing, and codes of categories."""
        values = np.empty((len(frame), len(self.fields)), order="F")
        for index, field in enumerate(self.fields):
            is_number = field.kind != "category"
            values[:, index] = frame[field.name].to_numpy(dtype=np.float64) if is_number else self.codes(frame, index)
        return values

    def columns_of(self, fields: Floats) -> Floats:
        """Return an array of shape (n_rows, n_columns), NaN only where a number or boolean is missing.

        Parameters
        ----------
        fields
            Of `fields_of`, shape (n_rows, n_fields).
        """
        matrix = np.zeros((len(fields), len(self.owners)))
        first = 0
        for index, field in enumerate(self.fields):
            if field.kind == "category":
                matrix[np.arange(len(fields)), first + fields[:, index].astype(np.intp)] = 1.0
            else:
                matrix[:, first] = fields[:, index]
            first += self.width(index)
        return matrix

    def is_new(self, fields: Floats) -> Mask:
        """Return which values are new to the model, shape (n_rows, n_fields).

        Parameters
        ----------
        fields
            Of `fields_of`, shape (n_rows, n_fields).
        """
        found = np.zeros(fields.shape, dtype=bool)
        for index, field in enumerate(self.fields):
            for code in self.new_codes(index):
                values = fields[:, index]
                found[:, index] |= np.isnan(values) if field.kind != "category" else values == code
        return found

    def is_far(self, fields: Floats) -> Mask:
        """Return which values are numbers beyond those of the training set, shape (n_rows, n_fields).

        Parameters
        ----------
        fields
            Of `fields_of`, shape (n_rows, n_fields).
        """
        found = np.zeros(fields.shape, dtype=bool)
        for index, bounds in enumerate(self.bounds):
            if bounds:
                values = np.clip(fields[:, index], -LARGEST, LARGEST)
                found[:, index] = (values < bounds[0]) | (values > bounds[1])
        return found

    def new_codes(self, index: int) -> list[int]:
        """Return the codes of the category at a position that are new to the model; of a number -1 if missing is."""
        count = len(self.levels[index]) if self.fields[index].kind == "category" else -2
        return [count + (OTHER, MISSING).index(name) for name in (self.new[index] if self.new else ())]

    def encode(self, frame: pd.DataFrame) -> Floats:
        """Return `columns_of` the fields of a frame."""
        return self.columns_of(self.fields_of(frame))

    def codes(self, frame: pd.DataFrame, index: int) -> Rows:
        """Return the code of each row's level of the category at a position: levels first, then other, then missing."""
        values = frame[self.fields[index].name].to_numpy(dtype=object)
        count = len(self.levels[index])
        codes = (
            pd.Index(self.levels[index], dtype=object).get_indexer(pd.Index(values))
            if count
            else np.full(len(values), -1)
        )
        missing = pd.isna(values)
        return np.where(missing, count + 1, np.where(codes < 0, count, codes)).astype(np.intp)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as plain data."""
        return {
            "fields": [field.to_json() for field in self.fields],
            "levels": [list(levels) for levels in self.levels],
            "new": [list(names) for names in self.new],
            "bounds": [list(ends) for ends in self.bounds],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Encoder:
        """Return the encoder that `to_json` wrote."""
        fields = tuple(Field(*entry) for entry in stored["fields"])
        levels, new, bounds = (tuple(tuple(values) for values in stored[key]) for key in ("levels", "new", "bounds"))
        return cls(fields, levels, new, bounds)


def fit_encoder(
    frame: pd.DataFrame,
    fields: Sequence[Field],
    params: ModelParams,
    *,
    named: Mapping[str, Collection[str]] | None = None,
) -> Encoder:
    """Return the encoder of a training set.

    Parameters
    ----------
    frame
        The training set without the holdout: a level that only the holdout has must stay unknown.
    fields
        The fields of the model.
    params
        ``min_level_count`` and ``max_levels``: a level gets a column where at least so many rows have it and it is
        among the most frequent. "Other" and "missing" are new to the model where fewer rows are, or fewer than 10.
    named
        By name of the field, levels that get a column if any row has them, since the params name them.

    Examples
    --------
    >>> from leadml.params import ModelParams
    >>> frame = pd.DataFrame({"job": ["chef"] * 3 + ["monk"]})
    >>> fit_encoder(frame, [Field("job", "category", "fit")], ModelParams(min_level_count=2)).levels
    (('chef',),)
    """
    levels = tuple(_kept_levels(frame, field, params, (named or {}).get(field.name, ())) for field in fields)
    enough = min(params.min_level_count, ENOUGH)
    new = tuple(
        _new_names(frame[field.name], kept, enough)
        if field.kind == "category"
        else ((MISSING,) if frame[field.name].isna().sum() < enough else ())
        for field, kept in zip(fields, levels, strict=True)
    )
    bounds = tuple(_bounds(frame[field.name]) if field.kind == "number" else () for field in fields)
    return Encoder(tuple(fields), levels, new, bounds)


def _bounds(values: pd.Series) -> tuple[float, ...]:
    """Return a lower and an upper end that hold all numbers; empty for a constant and for few numbers.

    They are more than all numbers away from the mean, by a power of two of standard deviations, at least four: so they
    tell no value of a lead.
    """
    present = np.clip(values.dropna().to_numpy(dtype=np.float64), -LARGEST, LARGEST)
    if len(present) < ENOUGH or present.min() == present.max():
        return ()
    mean, deviation = float(present.mean()), float(present.std())
    farthest = (mean - present.min()) / deviation, (present.max() - mean) / deviation
    below, above = (deviation * 2.0 ** (np.floor(np.log2(max(each, LEAST_ROOM / 2))) + 1) for each in farthest)
    return mean - float(below), mean + float(above)


def _new_names(values: pd.Series, kept: tuple[str, ...], enough: int) -> tuple[str, ...]:
    missing = int(values.isna().sum())
    counts = {OTHER: len(values) - missing - int(values.isin(kept).sum()), MISSING: missing}
    return tuple(name for name, count in counts.items() if count < enough)


def _kept_levels(frame: pd.DataFrame, field: Field, params: ModelParams, named: Collection[str]) -> tuple[str, ...]:
    """Return the levels that get a column, the most frequent first."""
    if field.kind != "category":
        return ()
    counts = {str(level): int(count) for level, count in frame[field.name].value_counts().items()}
    kept = [level for level, count in counts.items() if count >= params.min_level_count or level in named]
    kept = sorted(kept, key=lambda level: (level not in named, -counts[level], level))[: params.max_levels]
    return tuple(sorted(kept, key=lambda level: (-counts[level], level)))
