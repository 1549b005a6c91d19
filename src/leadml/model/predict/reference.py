"""The profile of a training set: quantiles, shares of levels and golden rows.

Golden rows are made-up leads whose scores are stored with the model, so that a loaded model can prove that it scores as
before. No row of a lead is stored: golden rows are drawn field by field from the quantiles and levels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.model.parts.encode import Encoder

# Without 0 and 1, which would be the values of one lead each.
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
GOLDEN_ROWS = 50  # one of the ten values of a number (nine quantiles, missing) is in none with 0.9^50 = 0.5%
UNKNOWN_LEVEL = "(a level that training did not keep)"


@dataclass(frozen=True)
class FieldProfile:
    """The distribution of the values of a field.

    Parameters
    ----------
    missing
        Share of the rows that have no value.
    quantiles
        Of a number, at `QUANTILES`; empty where no row has a value.
    levels
        Of a category, the share of each level that is a column of the model.
    other
        Of a category, the share of all other levels.
    """

    missing: float
    quantiles: Sequence[float] = ()
    levels: Mapping[str, float] = field(default_factory=dict)
    other: float = 0.0


def profile(frame: pd.DataFrame, encoder: Encoder) -> dict[str, FieldProfile]:
    """Return the profile of each field.

    Parameters
    ----------
    frame
        The training set, shape (n_rows, n_columns).
    encoder
        Fields and levels of the model.
    """
    profiles: dict[str, FieldProfile] = {}
    for index, entry in enumerate(encoder.fields):
        missing = float(frame[entry.name].isna().mean())
        if entry.kind == "category":
            counts = np.bincount(encoder.codes(frame, index), minlength=encoder.width(index)) / max(len(frame), 1)
            shares = dict(zip(encoder.levels[index], counts.tolist(), strict=False))
            profiles[entry.name] = FieldProfile(missing, levels=shares, other=float(counts[-2]))
        else:
            values = frame[entry.name].dropna().to_numpy(dtype=np.float64)
            quantiles = np.quantile(values, QUANTILES).tolist() if len(values) else []
            profiles[entry.name] = FieldProfile(missing, quantiles)
    return profiles


def golden_rows(profiles: Mapping[str, FieldProfile], encoder: Encoder) -> dict[str, list[Any]]:
    """Return made-up leads, by column, drawn from the quantiles and levels, unknown levels and missing values."""
    random = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {}
    for index, entry in enumerate(encoder.fields):
        if entry.kind == "category":
            values: list[Any] = [*encoder.levels[index], UNKNOWN_LEVEL, None]
        elif entry.kind == "boolean":
            values = [0.0, 1.0, None]
        else:
            values = [*profiles[entry.name].quantiles, None]
        rows[entry.name] = [values[number] for number in random.integers(0, len(values), GOLDEN_ROWS)]
    return rows


def golden_frame(rows: dict[str, list[Any]], encoder: Encoder) -> pd.DataFrame:
    """Return golden rows as a checked frame."""
    types = {entry.name: object if entry.kind == "category" else np.float64 for entry in encoder.fields}
    return pd.DataFrame({name: np.array(values, dtype=types[name]) for name, values in rows.items()})
