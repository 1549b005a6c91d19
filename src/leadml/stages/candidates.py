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
from scipy.special import ndtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadml.types import Floats, Labels, Rows


TERMS = 3
PRIOR_ACCOUNTS = 4.0
USUAL = 0.95


def candidate_table(probability: Floats, label: Labels, *, groups: NDArray[Any] | None = None) -> pd.DataFrame:
    """Return what each candidate cut would let in, lowest first.

    Columns: ``cut``, ``leads``, ``share`` of all leads, ``conversions``, ``precision`` and ``recall``; ``accounts``,
    how many of one size would be as many as those that the leads belong to; ``independent_leads`` and
    ``independent_conversions``, the counts that say how uncertain precision and recall are. Candidates are the distinct
    probabilities, all of them.

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
    which is the variance of the rate between accounts over that of independent leads, and Student's quantile in place
    of the normal one for few accounts. Three things make it hold where accounts are few or unlike in size. An account
    is held against the rate of the others, not against one that it has drawn to itself. The effect is never below 1.
    And it is drawn towards that of accounts with one outcome each (Kish, *Survey Sampling*, 1965) by as much as four
    accounts weigh beside those that show both outcomes: where one look of one account is the only exception, nothing
    is known of how accounts vary.
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
        table["accounts"], table["independent_leads"] = leads.astype(float), leads.astype(float)
        table["independent_conversions"] = float(converters)
    else:
        table = table.assign(**_independent(label[order], pd.factorize(groups[order])[0], last))
    return table.iloc[::-1].reset_index(drop=True)


def _independent(label: Labels, code: Rows, last: Rows) -> dict[str, Floats]:
    """Return accounts and independent counts at each cut; sums over accounts grow by what each next look adds."""
    rows = pd.DataFrame({"code": code, "label": label.astype(np.float64)})
    account, look = rows.groupby("code", sort=False), rows["label"].to_numpy()
    total = account["label"].transform("sum").to_numpy()
    size = account.cumcount().to_numpy().astype(np.float64)
    won = account["label"].cumsum().to_numpy() - look

    def summed(won_power: int, size_power: int) -> Floats:
        step = (won + look) ** won_power * (size + 1) ** size_power - won**won_power * size**size_power
        return np.asarray(np.cumsum(step)[last])

    def reached(won_power: int, total_power: int) -> Floats:
        return np.asarray(np.cumsum(((won + look) ** won_power - won**won_power) * total**total_power)[last])

    leads, converters = (last + 1).astype(np.float64), max(float(look.sum()), 1.0)
    with_won, with_lost = (
        np.cumsum((one == 0) & (this == 1))[last] for one, this in ((won, look), (size - won, 1 - look))
    )
    all_won = np.cumsum((won + look == total) & (look == 1))[last]
    totals = account["label"].sum().to_numpy()
    counts = [
        (leads, summed(1, 0) / leads, np.minimum(with_won, with_lost),
         [(summed(2, power), summed(1, power + 1), summed(0, power + 2)) for power in range(TERMS)]),
        (np.full(len(last), converters), summed(1, 0) / converters, np.minimum(with_won, (totals > 0).sum() - all_won),
         [(reached(2, power), reached(1, power + 1), (totals ** (power + 2)).sum()) for power in range(TERMS)]),
    ]  # fmt: skip
    names = ("independent_leads", "independent_conversions")
    found = {name: _effective(*count) for name, count in zip(names, counts, strict=True)}
    return {"accounts": leads**2 / summed(0, 2)} | found


def _effective(count: Floats, rate: Floats, both: Floats, sums: Sequence[tuple[Any, Any, Any]]) -> Floats:
    """Return a count as that of independent leads.

    Parameters
    ----------
    count, rate
        Looks, and the share of them that converted or was reached.
    both
        Accounts that show both outcomes: the fewer of those with one and those with the other.
    sums
        For each power of an account's size: the sums over accounts of successes squared, of successes times size, and
        of size squared, each times that power.
    """
    parts = [squares - 2 * rate * crosses + rate**2 * sizes for squares, crosses, sizes in sums]
    apart = sum((power + 1) * part / count**power for power, part in enumerate(parts))  # of 1 / (1 - size / count) ** 2
    spread = rate * (1 - rate) * count
    told = np.divide(apart, spread, out=np.ones(len(count)), where=spread > 0)
    alike = np.maximum(sums[0][2], 1.0) / count
    effect = np.maximum((both * told + PRIOR_ACCOUNTS * alike) / (both + PRIOR_ACCOUNTS), 1.0)
    freedom = np.maximum(count / alike - 1, 1.0)
    return np.asarray(count / effect * (ndtri(USUAL) / stdtrit(freedom, USUAL)) ** 2)
