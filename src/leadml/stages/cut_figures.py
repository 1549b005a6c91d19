"""What a cut lets in, with intervals: the share of the leads, how many of these convert, and of how many converters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.metrics import rate_interval

if TYPE_CHECKING:
    import pandas as pd

CONFIDENCE = 0.9  # of the intervals, as the default of the rules
FIGURES = {"share": "independent_rows", "precision": "independent_leads", "recall": "independent_conversions"}


def cut_figures(candidates: pd.DataFrame, cut: float) -> dict[str, float]:
    """Return what a cut lets in: ``leads``, and ``share, precision, recall``, each with ``_low`` and ``_high``.

    Intervals are Wilson's at 90%, over the number of independent rows. A cut above all probabilities lets nobody in;
    its precision is not defined (NaN).

    Parameters
    ----------
    candidates
        The table of `candidate_table`, all rows or some of them.
    cut
        The cut, a candidate or any other probability.
    """
    at = int(np.searchsorted(candidates["cut"].to_numpy(), cut, side="left"))
    if at == len(candidates):
        names = [f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")]
        return {"leads": 0.0, **{name: np.nan if name.startswith("precision") else 0.0 for name in names}}
    row = candidates.iloc[at]
    found = {"leads": float(row["leads"])}
    for name, trials in FIGURES.items():
        low, high = rate_interval(float(row[name]), float(row[trials]), confidence=CONFIDENCE)
        found |= {name: float(row[name]), f"{name}_low": low, f"{name}_high": high}
    return found
