"""Choose the scores that a review judges: of all scores of a lead, those whose outcomes do not overlap.

A lead that is scored every night has one outcome in each horizon, and its scores of a month share it. So the first
score in each interval counts, and of an account, whose leads convert together, the first of any of its leads. Intervals
of accounts begin on different days, so that every day has some scores to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.types import Hashes, Integers, Rows


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


def first_in_period(period: NDArray[Any], lead_id: NDArray[Any]) -> Rows:
    """Return the first score of each lead in each period; scores must be in the order of time.

    Examples
    --------
    >>> import numpy as np
    >>> first_in_period(np.array([0, 0, 1]), np.array(["a", "a", "a"], dtype=object)).tolist()
    [0, 2]
    """
    keys = pd.DataFrame({"lead": account_hashes(lead_id), "period": period})
    return np.flatnonzero(~keys.duplicated().to_numpy())


def account_hashes(account: NDArray[Any]) -> Hashes:
    """Return a number of each account that does not depend on outcomes, shape (n_scores,)."""
    codes, names = pd.factorize(account)
    return np.asarray(pd.util.hash_array(np.asarray(names, dtype=object), categorize=False)[codes])
