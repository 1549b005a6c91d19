"""What the leads that a model was fitted on looked like, without any of them.

What enters is checked leads and the encoder; what leaves is quantiles, shares of levels, and golden rows.
No row of a lead is kept: golden rows are drawn field by field from the quantiles and levels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.model.parts.encode import Encoder

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
GOLDEN_ROWS = 50
UNKNOWN_LEVEL = "(a level that training did not keep)"


@dataclass(frozen=True)
class FieldProfile:
    """What the values of a field look like.

    Parameters
    ----------
    missing
        Share of the rows that have no value.
    quantiles
        Of a number, at `QUANTILES`; empty where no row has a value.
    levels
        Of a category, the share of each level that the model keeps.
    other
        Of a category, the share of all other levels.
    """

    missing: float
    quantiles: Sequence[float] = ()
    levels: Mapping[str, float] = field(default_factory=dict)
    other: float = 0.0


def profile(frame: pd.DataFrame, encoder: Encoder) -> dict[str, FieldProfile]:
    """Return the profile of each field."""
    found: dict[str, FieldProfile] = {}
    for at, entry in enumerate(encoder.fields):
        missing = float(frame[entry.name].isna().mean())
        if entry.kind == "category":
            counts = np.bincount(encoder.codes(frame, at), minlength=encoder.width(at)) / max(len(frame), 1)
            shares = dict(zip(encoder.levels[at], counts.tolist(), strict=False))
            found[entry.name] = FieldProfile(missing, levels=shares, other=float(counts[-2]))
        else:
            known = frame[entry.name].dropna().to_numpy(dtype=np.float64)
            quantiles = np.quantile(known, QUANTILES).tolist() if len(known) else []
            found[entry.name] = FieldProfile(missing, quantiles)
    return found


def golden_rows(profiled: Mapping[str, FieldProfile], encoder: Encoder) -> dict[str, list[Any]]:
    """Return made-up leads, column by column, that visit the model's quantiles and levels, unknown and missing too."""
    random = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {}
    for at, entry in enumerate(encoder.fields):
        if entry.kind == "category":
            choices: list[Any] = [*encoder.levels[at], UNKNOWN_LEVEL, None]
        elif entry.kind == "boolean":
            choices = [0.0, 1.0, None]
        else:
            choices = [*profiled[entry.name].quantiles, None]
        rows[entry.name] = [choices[number] for number in random.integers(0, len(choices), GOLDEN_ROWS)]
    return rows


def golden_frame(rows: dict[str, list[Any]], encoder: Encoder) -> pd.DataFrame:
    """Return golden rows as a checked frame."""
    kinds = {entry.name: object if entry.kind == "category" else np.float64 for entry in encoder.fields}
    return pd.DataFrame({name: np.array(values, dtype=kinds[name]) for name, values in rows.items()})
