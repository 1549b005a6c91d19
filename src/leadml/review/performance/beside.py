"""Compare what was estimated before outcomes were known with what was realised, period by period.

Estimates that their intervals hold less often than promised rest on an assumption that does not hold: the probabilities
are no longer calibrated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["period", "figure", "stage"]
COMPARED = ("rate", "roc_auc", "precision", "recall")
NUMBERS = ("value", "low", "high")


def estimated_beside_realised(estimated: pd.DataFrame, realised: pd.DataFrame) -> pd.DataFrame:
    """Return each past estimate with what came, for all periods whose outcomes are known by now.

    Parameters
    ----------
    estimated
        As `leadml.review.performance.estimated.estimated_performance` returned it at the time.
    realised
        As `leadml.review.performance.realised.realised_performance` returns it, of the same leads.

    Returns
    -------
    frame
        One row per period, figure (rate, ROC AUC, precision, recall) and stage: ``period, figure, stage``;
        ``estimated`` and ``realised``, each with ``_low`` and ``_high``; ``error``, the realised figure less the
        estimated one; ``held``, whether the interval of the estimate held the realised figure. Figures that either
        does not define are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> then = pd.DataFrame([("2026-01", "roc_auc", "", 0.75, 0.71, 0.79)], columns=[*KEYS, *NUMBERS])
    >>> now = then.assign(value=0.7, low=0.66, high=0.74)
    >>> estimated_beside_realised(then, now)[["period", "estimated", "realised", "error", "held"]].round(2)
        period  estimated  realised  error   held
    0  2026-01       0.75       0.7  -0.05  False
    """
    then, now = (
        table.loc[table["figure"].isin(COMPARED) & table["value"].notna(), [*KEYS, *NUMBERS]].rename(
            columns={"value": name, "low": f"{name}_low", "high": f"{name}_high"}
        )
        for name, table in (("estimated", estimated), ("realised", realised))
    )
    both = then.merge(now, on=KEYS, validate="one_to_one")
    held = both["realised"].between(both["estimated_low"], both["estimated_high"])
    return both.assign(error=both["realised"] - both["estimated"], held=held)


def estimates_held(beside: pd.DataFrame) -> pd.DataFrame:
    """Return for each figure how often its estimates held and how far off they were.

    Parameters
    ----------
    beside
        As `estimated_beside_realised` returns it.

    Returns
    -------
    frame
        One row per figure and stage: ``figure, stage, periods, held`` (number of periods), ``mean_error``,
        ``mean_absolute_error``.

    Examples
    --------
    >>> import pandas as pd
    >>> beside = pd.DataFrame({"figure": "roc_auc", "stage": "", "error": [-0.05, 0.01], "held": [False, True]})
    >>> estimates_held(beside)
        figure stage  periods  held  mean_error  mean_absolute_error
    0  roc_auc              2     1       -0.02                 0.03
    """
    grouped = beside.assign(size=np.abs(beside["error"])).groupby(["figure", "stage"], sort=False, as_index=False)
    return grouped.agg(
        periods=("held", "size"),
        held=("held", "sum"),
        mean_error=("error", "mean"),
        mean_absolute_error=("size", "mean"),
    )
