"""Turn the fields of leads into the columns that the model reads.

What enters is checked frames; what leaves is a matrix of numbers in an order that is stored with the model.
It never lets a rare text into the model: a level that few leads have, or that training did not see, is "other".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params import ModelParams
    from leadml.types import Floats, Mask, Rows

OTHER, MISSING = "other", "missing"


@dataclass(frozen=True)
class Encoder:
    """The columns of the model, in order, and the levels of its categories.

    A number or boolean is one column, NaN where missing. A category is one column of 0 and 1 for each level, one for
    all other levels and one for "missing".

    Parameters
    ----------
    fields
        The fields, in order.
    levels
        For each field its levels in order, empty for numbers and booleans.
    """

    fields: tuple[Field, ...]
    levels: tuple[tuple[str, ...], ...]

    @cached_property
    def owners(self) -> Rows:
        """Array of shape (n_columns,): the position of the field that each column belongs to."""
        widths = [self.width(at) for at in range(len(self.fields))]
        return np.repeat(np.arange(len(self.fields)), widths)

    def width(self, at: int) -> int:
        """Return how many columns the field at a position has."""
        return len(self.levels[at]) + 2 if self.fields[at].kind == "category" else 1

    @cached_property
    def is_flag(self) -> Mask:
        """Array of shape (n_columns,): whether a column holds only 0 and 1 by construction."""
        return np.array([self.fields[owner].kind == "category" for owner in self.owners], dtype=bool)

    def fields_of(self, frame: pd.DataFrame) -> Floats:
        """Return an array of shape (n_leads, n_fields): numbers, NaN where missing, and codes of categories."""
        found = np.empty((len(frame), len(self.fields)), order="F")
        for at, field in enumerate(self.fields):
            known = field.kind != "category"
            found[:, at] = frame[field.name].to_numpy(dtype=np.float64) if known else self.codes(frame, at)
        return found

    def columns_of(self, fields: Floats) -> Floats:
        """Return an array of shape (n_leads, n_columns), NaN only where a number or boolean is missing."""
        matrix = np.zeros((len(fields), len(self.owners)))
        first = 0
        for at, field in enumerate(self.fields):
            if field.kind == "category":
                matrix[np.arange(len(fields)), first + fields[:, at].astype(np.intp)] = 1.0
            else:
                matrix[:, first] = fields[:, at]
            first += self.width(at)
        return matrix

    def encode(self, frame: pd.DataFrame) -> Floats:
        """Return `columns_of` the fields of a frame."""
        return self.columns_of(self.fields_of(frame))

    def codes(self, frame: pd.DataFrame, at: int) -> Rows:
        """Return the position of each lead's level of the category at a position: levels, then other, then missing."""
        values = frame[self.fields[at].name].to_numpy(dtype=object)
        known = len(self.levels[at])
        codes = (
            pd.Index(self.levels[at], dtype=object).get_indexer(pd.Index(values)) if known else np.full(len(values), -1)
        )
        missing = pd.isna(values)
        return np.where(missing, known + 1, np.where(codes < 0, known, codes)).astype(np.intp)

    def count_other(self, frame: pd.DataFrame) -> dict[str, int]:
        """Return how many leads of each category have a level that the model does not know."""
        categories = [at for at, field in enumerate(self.fields) if field.kind == "category"]
        return {self.fields[at].name: int((self.codes(frame, at) == len(self.levels[at])).sum()) for at in categories}

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as plain data."""
        return {
            "fields": [field.to_json() for field in self.fields],
            "levels": [list(levels) for levels in self.levels],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Encoder:
        """Return the encoder that `to_json` wrote."""
        fields = tuple(Field(*entry) for entry in stored["fields"])
        return cls(fields, tuple(tuple(levels) for levels in stored["levels"]))


def fit_encoder(frame: pd.DataFrame, fields: Sequence[Field], choices: ModelParams) -> Encoder:
    """Return the encoder of the leads to learn from.

    Parameters
    ----------
    frame
        Checked leads, and no others: a level that only the leads kept aside have must not be known.
    fields
        The fields of the model.
    choices
        ``min_level_count`` and ``max_levels``: a level is kept where at least so many leads have it and it is among
        the most frequent.

    Examples
    --------
    >>> from leadml.params import ModelParams
    >>> frame = pd.DataFrame({"job": ["chef"] * 3 + ["monk"]})
    >>> fit_encoder(frame, [Field("job", "category", "fit")], ModelParams(min_level_count=2)).levels
    (('chef',),)
    """
    return Encoder(tuple(fields), tuple(_levels(frame, field, choices) for field in fields))


def _levels(frame: pd.DataFrame, field: Field, choices: ModelParams) -> tuple[str, ...]:
    if field.kind != "category":
        return ()
    counts = frame[field.name].value_counts()
    kept = [(-count, str(level)) for level, count in counts.items() if count >= choices.min_level_count]
    return tuple(level for _, level in sorted(kept)[: choices.max_levels])
