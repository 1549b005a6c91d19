"""The verdict of a review: whether something is to be done about a version, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from leadml.review.evidence import STAKES

if TYPE_CHECKING:
    from leadml.review.evidence import Evidence

Verdict = Literal["KEEP", "RECUT", "RECALIBRATE", "REFIT", "INVESTIGATE", "INSUFFICIENT EVIDENCE"]

# Days of outcomes that are waited for after the level has alarmed: a change of effects moves the level too, and the
# ranking, which needs more leads, shows it later.
NAMING_DAYS = 14
# Evidence of the ranking, as if the bet had begun on the best week, that is enough to name a change that is certain
# already. It names the change and guarantees nothing.
NAMING_EVIDENCE = 20.0


@dataclass(frozen=True)
class Alarm:
    """What the evidence about level and ranking says up to a day.

    Parameters
    ----------
    verdict
        ``REFIT`` or ``RECALIBRATE``; None where there is nothing to be done about the model, or not yet.
    day
        The day of outcomes on which it could be said; None without a verdict.
    waits
        Days of outcomes until the change can be named, where the level has alarmed but its cause is not known yet.
    """

    verdict: Verdict | None
    day: int | None = None
    waits: int = 0


def alarm(level: Evidence, ranking: Evidence, *, false_alarms: float) -> Alarm:
    """Return what is to be done by the evidence about level and ranking.

    Ranking that no longer holds asks for a new fit. A level that no longer holds asks for a new calibration, unless
    the ranking shows within 14 days that the effects have changed.

    Parameters
    ----------
    level, ranking
        The evidence of the days since the version came into use.
    false_alarms
        The chance of an alarm in a year without a change, in (0, 1); each kind of evidence has half of it.

    Examples
    --------
    >>> import numpy as np
    >>> from leadml.review.evidence import Evidence
    >>> days = np.arange(60)
    >>> calm, rising = Evidence(days, np.full(60, -5.0)), Evidence(days, 0.3 * days)
    >>> alarm(rising, calm, false_alarms=0.02)
    Alarm(verdict='RECALIBRATE', day=30, waits=0)
    >>> alarm(rising, rising, false_alarms=0.02)
    Alarm(verdict='REFIT', day=16, waits=0)
    """
    least = 2 / false_alarms
    of_level, of_ranking = level.first_day(least), ranking.first_day(least)
    if of_level is None or (of_ranking is not None and of_ranking <= of_level + NAMING_DAYS):
        return Alarm(None) if of_ranking is None else Alarm("REFIT", of_ranking)
    until, last = of_level + NAMING_DAYS, int(level.day[-1])
    if last < until:
        return Alarm(None, waits=until - last)
    named = ranking.most(of_level, until) + np.log(STAKES)
    return Alarm("REFIT" if named >= np.log(NAMING_EVIDENCE) else "RECALIBRATE", until)
