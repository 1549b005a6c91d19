"""What the leads that a model was fitted on looked like, without any of them.

What enters is checked leads and the encoder; what leaves is quantiles, shares of levels, and golden rows.
No row of a lead is kept: golden rows are drawn field by field from the quantiles and levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from leadml.model.parts.encode import Encoder

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
GOLDEN_ROWS = 50
UNKNOWN_LEVEL = "(a level that training did not keep)"


def profile(frame: pd.DataFrame, encoder: Encoder) -> dict[str, Any]:
    """Return for each field the share that is missing, and quantiles or the share of each level the model keeps."""
    found: dict[str, Any] = {}
    for at, field in enumerate(encoder.fields):
        missing = float(frame[field.name].isna().mean())
        if field.kind == "category":
            counts = np.bincount(encoder.codes(frame, at), minlength=encoder.width(at)) / max(len(frame), 1)
            shares = dict(zip(encoder.levels[at], counts.tolist(), strict=False))
            found[field.name] = {"missing": missing, "levels": shares, "other": float(counts[-2])}
        else:
            known = frame[field.name].dropna().to_numpy(dtype=np.float64)
            quantiles = np.quantile(known, QUANTILES).tolist() if len(known) else []
            found[field.name] = {"missing": missing, "quantiles": quantiles}
    return found


def golden_rows(profiled: dict[str, Any], encoder: Encoder) -> dict[str, list[Any]]:
    """Return made-up leads, column by column, that visit the model's quantiles and levels, unknown and missing too."""
    random = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {}
    for at, field in enumerate(encoder.fields):
        if field.kind == "category":
            choices: list[Any] = [*encoder.levels[at], UNKNOWN_LEVEL, None]
        elif field.kind == "boolean":
            choices = [0.0, 1.0, None]
        else:
            choices = [*profiled[field.name]["quantiles"], None]
        rows[field.name] = [choices[number] for number in random.integers(0, len(choices), GOLDEN_ROWS)]
    return rows


def golden_frame(rows: dict[str, list[Any]], encoder: Encoder) -> pd.DataFrame:
    """Return golden rows as a checked frame."""
    kinds = {field.name: object if field.kind == "category" else np.float64 for field in encoder.fields}
    return pd.DataFrame({name: np.array(values, dtype=kinds[name]) for name, values in rows.items()})
