"""Whether the level of a version has been wrong for long enough to correct it, and by how much.

An error of one period says little of the next. So a level is corrected only after two periods whose errors have one
sign and are surely larger than that of the evaluation, and by less than was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from leadml.review.performance.level_shift import shift_error, shift_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.model.judge.null_interval import NullInterval
    from leadml.types import Floats, Labels, Rows

PERIODS = 2  # errors of successive periods are not correlated on the bank, so one says nothing of the next
CONFIDENCE = 0.9  # of the interval of a period, as of those that a review shows
# Standard deviation of log-odds that a level may be expected to be wrong by: odds that are 1.6 times as high.
TYPICAL = 0.5


@dataclass(frozen=True, eq=False)
class PeriodOutcomes:
    """The leads of a period whose outcomes are known.

    Parameters
    ----------
    log_odds
        Of their probabilities, shape (n_leads,).
    label
        Whether they converted, shape (n_leads,).
    groups
        Number of the group of each lead from 0, shape (n_leads,).
    """

    log_odds: Floats
    label: Labels
    groups: Rows

    def error(self) -> tuple[float, float]:
        """Return the log-odds that all probabilities lack, with the standard error."""
        shift = shift_of(self.log_odds, self.label)
        return shift, shift_error(self.log_odds, self.label, shift, self.groups)


def has_lasted(periods: Sequence[PeriodOutcomes], null: NullInterval) -> bool:
    """Return whether the newest two periods have errors of one sign that are surely outside the null interval.

    Parameters
    ----------
    periods
        In the order of time.
    null
        The errors of the level that are as good as in the evaluation of the version.
    """
    if len(periods) < PERIODS:
        return False
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    signs = []
    for period in periods[-PERIODS:]:
        shift, error = period.error()
        signs.append(int(shift - z * error > null.high) - int(shift + z * error < null.low))
    return signs[0] != 0 and signs[0] == signs[1]


def shrunk_shift(periods: Sequence[PeriodOutcomes]) -> float:
    """Return the log-odds to add to all probabilities, by the outcomes of some periods together.

    Parameters
    ----------
    periods
        One or more.

    Notes
    -----
    The mean of a normal posterior: the estimate times ``t^2 / (t^2 + e^2)``, with its standard error ``e`` and the
    standard deviation ``t`` of errors that one expects.
    """
    log_odds, label = (np.concatenate([getattr(each, name) for each in periods]) for name in ("log_odds", "label"))
    first = np.cumsum([0, *(int(each.groups.max(initial=-1)) + 1 for each in periods[:-1])])
    groups = np.concatenate([each.groups + start for each, start in zip(periods, first, strict=True)])
    shift, error = PeriodOutcomes(log_odds, label, groups).error()
    return shift * TYPICAL**2 / (TYPICAL**2 + error**2)
