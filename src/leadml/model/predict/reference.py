"""The bins by which the values of leads are counted, and the golden rows.

Both are made of the quantiles of numbers and the levels of categories in the training set. Golden rows are made-up
leads whose scores are stored with the model, so that a loaded model can prove that it scores as before. No row of a
lead is stored: golden rows are drawn field by field from the quantiles and levels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadml.model.parts.encode import Encoder
    from leadml.params import Kind
    from leadml.types import Floats, Integers

# Without 0 and 1, which would be the values of one lead each.
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
GOLDEN_ROWS = 50  # one of the ten values of a number (nine quantiles, missing) is in none with 0.9^50 = 0.5%
UNKNOWN_LEVEL = "(a level that training did not keep)"
WEEK = 7  # days
BOOLEAN_EDGES = (0.5,)  # a boolean is 0 or 1


@dataclass(frozen=True)
class FieldBins:
    """The bins that the values of a field are counted in.

    A number has bins between quantiles of the training set: the first is below the 1% quantile, the last above the 99%
    quantile, and a value that is several quantiles at once has a bin of its own. Numbers of days since an activity, or
    since the lead came, are counted in full weeks: they depend on the day of the week, and snapshots may all be of one.
    A boolean has a bin for 0 and one for 1. A category has a bin for each level that is a column of the model, and the
    last for all other levels.

    Parameters
    ----------
    kind
        ``number``, ``category`` or ``boolean``.
    quantiles
        Of a number, at `QUANTILES`; empty where no row of the training has a value.
    levels
        Of a category, the levels that are columns of the model.
    step
        Numbers are rounded down to a multiple of this before they are counted; 0 for not at all.
    """

    kind: Kind
    quantiles: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    step: int = 0

    @cached_property
    def edges(self) -> Floats:
        """The highest value of each bin but the last, rising; shape (n_bins - 1,). Empty for a category.

        Examples
        --------
        >>> FieldBins("number", (1.0, 2.0, 2.0, 3.0)).edges.round(9).tolist()
        [1.0, 2.0, 2.0, 3.0]
        """
        if self.kind == "category":
            return np.empty(0)
        if self.kind == "boolean":
            return np.array(BOOLEAN_EDGES)
        values, repeats = np.unique(self._rounded(np.array(self.quantiles)), return_counts=True)
        alone = values[repeats > 1]  # a value of many rows: its bin begins right below it
        lowest = values[:1]  # is in the second bin: the first is below the range of the training
        inner = np.setdiff1d(values, np.setdiff1d(lowest, alone))
        return np.union1d(inner, np.nextafter(np.union1d(alone, lowest), -np.inf))

    @property
    def size(self) -> int:
        """How many bins there are, missing values not counted."""
        return len(self.levels) + 1 if self.kind == "category" else len(self.edges) + 1

    def positions(self, values: Floats) -> Integers:
        """Return the bin of each value, shape (n_rows,), from 0; the number of bins for a missing value.

        Parameters
        ----------
        values
            A column of `Encoder.fields_of`, shape (n_rows,): numbers, NaN where missing, or codes of a category.

        Examples
        --------
        >>> FieldBins("boolean").positions(np.array([0.0, 1.0, np.nan])).tolist()
        [0, 1, 2]
        """
        if self.kind == "category":
            return values.astype(np.int64)
        found = np.searchsorted(self.edges, self._rounded(values), side="left").astype(np.int64)
        found[np.isnan(values)] = self.size
        return found

    def label(self, position: int) -> str:
        """Return a bin in words.

        Examples
        --------
        >>> FieldBins("category", levels=("chef",)).label(1)
        'another level'
        >>> FieldBins("number", (1.0, 5.0)).label(0), FieldBins("number", (1.0, 5.0)).label(1)
        ('below 1', '1 to 5')
        """
        if self.kind == "category":
            return repr(self.levels[position]) if position < len(self.levels) else "another level"
        if self.kind == "boolean":
            return ("no", "yes")[position]
        if not len(self.edges):
            return "any number"
        edges, more = self.edges, max(self.step - 1, 0)  # the last day of a week counts as its first
        if position == 0:
            return f"below {np.nextafter(edges[0], np.inf) + 0.0:,.6g}"  # 0 and not -0
        if position == len(edges):
            return f"above {edges[-1] + more:,.6g}"
        low, high = edges[position - 1], edges[position] + more
        above = np.nextafter(low, np.inf) + 0.0  # where an edge lies right below a quantile, the bin begins with it
        start = above if above in self._rounded(np.array(self.quantiles)) else low + self.step
        return f"{high:,.6g}" if start == high else f"{start:,.6g} to {high:,.6g}"

    def _rounded(self, values: Floats) -> Floats:
        return np.floor(values / self.step) * self.step if self.step else values

    def to_json(self) -> dict[str, Any]:
        """Return the bins as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> FieldBins:
        """Return the bins that `to_json` wrote.

        Raises
        ------
        ValueError
            If the quantiles do not rise.
        """
        quantiles = tuple(float(value) for value in stored["quantiles"])
        if list(quantiles) != sorted(quantiles):
            raise ValueError(quantiles)
        return cls(stored["kind"], quantiles, tuple(str(level) for level in stored["levels"]), int(stored["step"]))


def field_bins(fields: Floats, encoder: Encoder) -> dict[str, FieldBins]:
    """Return the bins of each field.

    Parameters
    ----------
    fields
        The training set as `Encoder.fields_of` returns it, shape (n_rows, n_fields).
    encoder
        Fields and levels of the model.
    """
    bins: dict[str, FieldBins] = {}
    for index, entry in enumerate(encoder.fields):
        quantiles: tuple[float, ...] = ()
        if entry.kind == "number":
            values = fields[:, index][~np.isnan(fields[:, index])]
            quantiles = tuple(np.quantile(values, QUANTILES).tolist()) if len(values) else ()
        bins[entry.name] = FieldBins(entry.kind, quantiles, encoder.levels[index], WEEK if entry.is_age else 0)
    return bins


def golden_rows(bins: Mapping[str, FieldBins], encoder: Encoder) -> dict[str, list[Any]]:
    """Return made-up leads, by column, drawn from the quantiles and levels, unknown levels and missing values."""
    random = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {}
    for index, entry in enumerate(encoder.fields):
        if entry.kind == "category":
            values: list[Any] = [*encoder.levels[index], UNKNOWN_LEVEL, None]
        elif entry.kind == "boolean":
            values = [0.0, 1.0, None]
        else:
            values = [*bins[entry.name].quantiles, None]
        rows[entry.name] = [values[number] for number in random.integers(0, len(values), GOLDEN_ROWS)]
    return rows


def golden_frame(rows: dict[str, list[Any]], encoder: Encoder) -> pd.DataFrame:
    """Return golden rows as a checked frame."""
    types = {entry.name: object if entry.kind == "category" else np.float64 for entry in encoder.fields}
    return pd.DataFrame({name: np.array(values, dtype=types[name]) for name, values in rows.items()})
