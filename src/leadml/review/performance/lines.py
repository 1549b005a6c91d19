"""Learn how well probabilities are calibrated from the outcomes that come in, for the estimates of later periods.

The evaluation of a version is of one time and of few leads. After some months of service many more outcomes are known,
and an estimate that took no notice of them would repeat the same error in each period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.judge.calibration_line import CalibrationLine
from leadml.params.cut_rule import MIN_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leadml.review.performance.realised import JudgedLeads


def lines_as_known(
    evaluated: CalibrationLine, judged: JudgedLeads, periods: Iterable[int], *, lag: int
) -> dict[int, CalibrationLine]:
    """Return for each period the calibration line of all outcomes that were known when it ended.

    Parameters
    ----------
    evaluated
        The line of the evaluation.
    judged
        Leads with outcomes; their periods are whole numbers.
    periods
        The periods to return a line for.
    lag
        Periods from the end of one to the end of that by which all its outcomes are known, 1 or more.

    Examples
    --------
    >>> from leadml.review.performance.realised import JudgedLeads
    >>> evaluated = CalibrationLine(0.5, 1.0, np.diag([0.04, 0.01]), 1.0)
    >>> judged = JudgedLeads(np.zeros(400, int), np.tile([0.2, 0.4], 200), (np.arange(400) % 10 < 3).astype(np.int8))
    >>> lines = lines_as_known(evaluated, judged, [0, 1, 2], lag=2)
    >>> [round(float(line.recalibrated(np.array([0.3]))[0]), 2) for line in lines.values()]
    [0.41, 0.41, 0.36]
    """
    found = {int(number): _line_of(judged.at(judged.period == number)) for number in np.unique(judged.period)}
    lines = {}
    for period in periods:
        known = [line for number, line in found.items() if line is not None and number + lag <= period]
        lines[period] = evaluated.combined(known)
    return lines


def _line_of(leads: JudgedLeads) -> CalibrationLine | None:
    """Return the line of the leads of a period; None where fewer than 20 converted, or fewer than 20 did not."""
    conversions = int(leads.label.sum())
    if min(conversions, len(leads.label) - conversions) < MIN_ACCOUNTS or np.ptp(leads.probability) == 0:
        return None
    return CalibrationLine.of(leads.label, leads.probability, cluster=leads.cluster)


def period_lag(maturity: int, period_days: int) -> int:
    """Return the periods from the end of one to the end of that by which all its outcomes are known, at least 1.

    Parameters
    ----------
    maturity
        Days after which the outcome of a score is known.
    period_days
        Days of a period.

    Examples
    --------
    >>> period_lag(40, 30), period_lag(30, 30), period_lag(0, 30)
    (2, 1, 1)
    """
    return max(-(-maturity // period_days), 1)
