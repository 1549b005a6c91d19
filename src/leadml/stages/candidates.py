"""Count what each candidate cut would let in, and how much is known of it.

What enters is probabilities and outcomes of leads that the model was not fitted on; what leaves is a table with a row
for each distinct probability.
Looks at one account are no news of each other, so a count of looks is said again as the count of independent leads that
would tell as much. It chooses no cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]


def candidate_table(probability: Floats, label: Labels, *, groups: NDArray[Any] | None = None) -> pd.DataFrame:
    """Return what each candidate cut would let in, lowest first.

    Columns: ``cut``, ``leads``, ``share`` of all leads, ``conversions``, ``precision`` and ``recall``; ``accounts``,
    how many the leads belong to; ``independent_leads`` and ``independent_conversions``, the counts that say how
    uncertain precision and recall are. Candidates are the distinct probabilities, all of them.

    Parameters
    ----------
    probability, label
        Arrays of shape (n_leads,).
    groups
        Array of shape (n_leads,): whose look each row is, where leads are looked at more than once. Without it each
        lead is one of its own.

    Notes
    -----
    Independent counts are those of Korn and Graubard, "Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data", Survey Methodology 24 (1998): the count over the design effect,
    which is the variance of the rate between accounts over that of independent leads. It is never below 1 here. A rate
    of 0 or 1 shows no variance; its accounts then count as if each had one outcome (Kish, *Survey Sampling*, 1965).
    """
    order = np.argsort(-probability, kind="stable")
    ranked, won = probability[order], np.cumsum(label[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    leads = last + 1
    table = pd.DataFrame({"cut": ranked[last], "leads": leads, "share": leads / len(label), "conversions": won[last]})
    table["precision"] = table["conversions"] / table["leads"]
    converters = max(int(label.sum()), 1)
    table["recall"] = table["conversions"] / converters
    if groups is None:
        table["accounts"], table["independent_leads"] = leads, leads.astype(float)
        table["independent_conversions"] = float(converters)
    else:
        table = table.assign(**_independent(label[order], pd.factorize(groups[order])[0], last))
    return table.iloc[::-1].reset_index(drop=True)


def _independent(label: Labels, code: NDArray[np.intp], last: NDArray[np.intp]) -> dict[str, Floats]:
    """Return accounts and independent counts at each cut; sums over accounts grow by what each next look adds."""
    rows = pd.DataFrame({"code": code, "label": label.astype(np.int64)})
    account = rows.groupby("code", sort=False)
    before = account.cumcount().to_numpy()
    won_before = account["label"].cumsum().to_numpy() - rows["label"].to_numpy()
    won = rows["label"].to_numpy()
    total = account["label"].transform("sum").to_numpy()
    steps = {
        "accounts": (before == 0).astype(np.int64),
        "won": won,
        "size_size": 2 * before + 1,
        "won_won": won * (2 * won_before + 1),
        "won_size": won_before + won * (before + 1),
        "won_total": won * total,
    }
    sums = {name: np.cumsum(step)[last].astype(np.float64) for name, step in steps.items()}
    leads, accounts = (last + 1).astype(np.float64), sums["accounts"]
    converters, total_total = max(float(won.sum()), 1.0), float((account["label"].sum() ** 2).sum())
    rate, reached = sums["won"] / leads, sums["won"] / converters
    apart = sums["won_won"] - 2 * rate * sums["won_size"] + rate**2 * sums["size_size"]
    missed = sums["won_won"] - 2 * reached * sums["won_total"] + reached**2 * total_total
    return {
        "accounts": accounts.astype(np.int64),
        "independent_leads": _effective(leads, rate, apart, sums["size_size"]),
        "independent_conversions": _effective(
            np.full(len(last), converters, dtype=np.float64), reached, missed, total_total
        ),
    }


def _effective(count: Floats, rate: Floats, apart: Floats, alike: Floats | float) -> Floats:
    """Return a count over its design effect; ``apart`` is the sum over accounts of their squared differences."""
    spread = rate * (1 - rate) * count**2
    told = np.divide(spread, apart, out=np.full(len(count), np.inf), where=apart > 0)
    certain = (rate == 0) | (rate == 1)
    return np.where(certain, count**2 / np.maximum(alike, 1.0), np.minimum(told, count))
