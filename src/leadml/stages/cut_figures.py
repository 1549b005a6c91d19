"""What a cut lets in, with intervals: the share of the leads, how many of these convert, and of how many converters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from leadml.model.metrics import rate_bound

if TYPE_CHECKING:
    from leadml.stages.candidates import Candidates
    from leadml.types import Mask

CONFIDENCE = 0.9  # of the intervals, as the default of the rules
FIGURES = ("share", "precision", "recall")


def cut_figures(candidates: Candidates, cut: float) -> dict[str, float]:
    """Return what a cut lets in: ``leads``, and ``share, precision, recall``, each with ``_low`` and ``_high``.

    Intervals are Wilson's at 90%, over the number of independent leads or accounts. A cut above all probabilities lets
    nobody in; its precision is not defined (NaN).

    Parameters
    ----------
    candidates
        The candidates and their rows.
    cut
        The cut, a candidate or any other probability.
    """
    at = int(np.searchsorted(candidates.cut, cut, side="left"))
    inside = candidates.probability >= cut
    if at == len(candidates.cut):
        nothing = dict.fromkeys(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high"))
        return {"leads": 0.0, **{name: 0.0 if name[0] in "sr" else np.nan for name in nothing}}
    row = candidates.table.iloc[at]
    return {
        "leads": float(row["leads"]),
        **_interval("share", float(row["share"]), _independent_rows(candidates, inside)),
        **_interval("precision", float(row["precision"]), float(row["independent_leads"])),
        **_interval("recall", float(row["recall"]), float(row["independent_conversions"])),
    }


def _interval(name: str, rate: float, trials: float) -> dict[str, float]:
    """Return a rate and both ends of its interval."""
    z, count = float(ndtri((1 + CONFIDENCE) / 2)), np.array([trials])
    low = rate_bound(rate * count, count, z=z)[0]
    high = 1 - rate_bound((1 - rate) * count, count, z=z)[0]
    return {name: rate, f"{name}_low": float(low), f"{name}_high": float(high)}


def _independent_rows(candidates: Candidates, inside: Mask) -> float:
    """Return the number of independent rows that tell the share of rows inside as well as these rows do.

    The variance is that of a ratio of sums over leads or accounts (Cochran, Sampling Techniques, 3rd edition, section
    6.4); without groups it is the binomial one.
    """
    rows = np.bincount(candidates.codes)
    within = np.bincount(candidates.codes, weights=inside)
    units, share = len(rows), float(inside.mean())
    variance = units / max(units - 1, 1) * float(((within - share * rows) ** 2).sum()) / len(inside) ** 2
    if variance <= 0:
        return float(units)
    return float(min(share * (1 - share) / variance, len(inside)))
