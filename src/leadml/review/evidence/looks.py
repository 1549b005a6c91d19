"""Choose the scores that a review judges: of all scores of a lead, some whose outcomes do not overlap.

A lead that is scored every night has one outcome in each horizon, and its scores of a month share it. So one score in
each interval counts, and of an account, whose leads convert together, one of any of its leads. Of leads that are scored
again and again it is that of a day that is drawn by the lead's id: the scores that are judged are then like those of
any night. The first score of each lead would not do, since leads are then newer than those that a batch has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.types import Hashes, Integers, Mask, Rows

LATE = 6  # days by which the score of a weekly batch may come late, so that the next one must not come early


def first_looks(day: Integers, lead_id: NDArray[Any], *, interval: int) -> Rows:
    """Return the first score of each lead in each of its intervals, for leads that are scored once, or seldom.

    Parameters
    ----------
    day, lead_id
        Day of each score, and id of its lead, shape (n_scores,), in the order of days.
    interval
        Days of an interval, 1 or more.

    Returns
    -------
    rows
        Positions of scores, rising. Scores of a lead are at least an interval apart.

    Examples
    --------
    >>> import numpy as np
    >>> first_looks(np.array([0, 1, 1, 31]), np.array(["a", "a", "b", "a"], dtype=object), interval=30).tolist()
    [0, 2, 3]
    """
    scores = pd.DataFrame({"lead": pd.factorize(lead_id)[0], "day": day})
    number = (scores["day"] - scores.groupby("lead")["day"].transform("min")) // interval
    first = np.flatnonzero(~scores.assign(number=number).duplicated(["lead", "number"]).to_numpy())
    return first[are_apart(day[first], lead_id[first], interval=interval)]


def spread_looks(day: Integers, lead_id: NDArray[Any], *, interval: int) -> Rows:
    """Return one score of each lead in each of its intervals, for leads that are scored again and again.

    Each lead has a day on which its intervals begin, and the score of the first batch from that day on counts, if the
    lead is in it. All scores of the first batch count.

    Parameters
    ----------
    day, lead_id, interval
        As for `first_looks`.

    Returns
    -------
    rows
        Positions of scores, rising. Scores of a lead are at least an interval apart.

    Examples
    --------
    >>> import numpy as np
    >>> day = np.repeat(np.arange(90), 2)
    >>> rows = spread_looks(day, np.tile(np.array(["a", "b"], dtype=object), 90), interval=30)
    >>> [len(rows[rows % 2 == lead]) for lead in (0, 1)]
    [3, 2]
    """
    days, batch = np.unique(day, return_inverse=True)
    length = interval + LATE
    phase = (account_hashes(lead_id) % np.uint64(length)).astype(np.int64)
    before = np.concatenate([days[:1] - length, days[:-1]])[batch] if len(days) else day
    begins = np.flatnonzero((day + phase) // length > (before + phase) // length)
    return begins[are_apart(day[begins], lead_id[begins], interval=interval)]


def are_apart(day: Integers, account: NDArray[Any], *, interval: int) -> Mask:
    """Return which scores are an interval or more after the one of their account that stands before them.

    Parameters
    ----------
    day, account
        Day of each score, and account of its lead, shape (n_scores,), in the order of days.
    interval
        Days.

    Examples
    --------
    >>> import numpy as np
    >>> are_apart(np.array([0, 10, 40]), np.array(["a", "a", "a"], dtype=object), interval=30).tolist()
    [True, False, True]
    """
    scores = pd.DataFrame({"account": pd.factorize(account)[0], "day": day})
    before = scores.groupby("account")["day"].shift()
    return (before.isna() | (scores["day"] - before >= interval)).to_numpy()


def account_hashes(account: NDArray[Any]) -> Hashes:
    """Return a number of each account that does not depend on outcomes, shape (n_scores,)."""
    codes, names = pd.factorize(account)
    return np.asarray(pd.util.hash_array(np.asarray(names, dtype=object), categorize=False)[codes])
