"""Choose the scores that a review judges: of all scores of a lead, some whose outcomes do not overlap.

A lead that is scored every night has one outcome in each horizon, and its scores of a month share it. So one score in
each interval counts, and of an account, whose leads convert together, one of any of its leads. It is that of a day that
is drawn by the account alone: the scores that are judged are then like those of any night. The first score of each lead
would not do, since leads are then newer than those that a batch has, and new leads convert more often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.types import Hashes, Integers, Rows

LATE = 6  # days by which the score of a weekly batch may come late, so that the next one must not come early


def first_looks(day: Integers, account: NDArray[Any], *, interval: int) -> Rows:
    """Return the first score of each account in each of its intervals.

    Parameters
    ----------
    day
        The day of each score, shape (n_scores,).
    account
        Account of the lead of each score, or its id, shape (n_scores,).
    interval
        Days of an interval, 1 or more: the horizon of the target with its settling, so that outcomes do not overlap.

    Returns
    -------
    rows
        Positions of scores, in the order of their days. Of two leads of an account on one day the one that stands
        first counts.

    Examples
    --------
    >>> import numpy as np
    >>> day = np.array([0, 1, 2, 0])
    >>> first_looks(day, np.array(["a", "a", "a", "b"], dtype=object), interval=30).tolist()
    [0, 3]
    """
    hashes = account_hashes(account)
    order = np.argsort(day, kind="stable")
    phase = (hashes % np.uint64(interval)).astype(np.int64)
    numbers = (day + phase) // interval
    keys = pd.DataFrame({"account": hashes[order], "number": numbers[order]})
    return np.asarray(order[~keys.duplicated().to_numpy()])


def spread_looks(day: Integers, account: NDArray[Any], *, interval: int) -> Rows:
    """Return one score of each account in each of its intervals, for leads that are scored again and again.

    Each account has a day on which its intervals begin, and the score of the first batch from that day on counts, if it
    has one. All scores of the first batch count.

    Parameters
    ----------
    day, account, interval
        As for `first_looks`.

    Returns
    -------
    rows
        Positions of scores, in the order of their days. Scores of an account are at least an interval apart.

    Examples
    --------
    >>> import numpy as np
    >>> day = np.repeat(np.arange(90), 2)
    >>> rows = spread_looks(day, np.tile(np.array(["a", "b"], dtype=object), 90), interval=30)
    >>> [len(rows[rows % 2 == lead]) for lead in (0, 1)]
    [3, 2]
    """
    days, batch = np.unique(day, return_inverse=True)
    hashes, length = account_hashes(account), interval + LATE
    phase = (hashes % np.uint64(length)).astype(np.int64)
    before = np.concatenate([days[:1] - length, days[:-1]])[batch] if len(days) else day
    begins = np.flatnonzero((day + phase) // length > (before + phase) // length)
    order = begins[np.argsort(day[begins], kind="stable")]
    looks = pd.DataFrame({"account": hashes[order], "day": day[order], "row": order})
    looks = looks[~looks.duplicated(["account", "day"])]
    since = looks["day"] - looks.groupby("account")["day"].shift(fill_value=-interval)
    return looks.loc[since >= interval, "row"].to_numpy(dtype=np.intp)


def account_hashes(account: NDArray[Any]) -> Hashes:
    """Return a number of each account that does not depend on outcomes, shape (n_scores,)."""
    codes, names = pd.factorize(account)
    return np.asarray(pd.util.hash_array(np.asarray(names, dtype=object), categorize=False)[codes])
