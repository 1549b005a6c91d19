"""The verdict of a review: whether something is to be done about a version, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from leadml.review.evidence.e_detectors import STAKES

if TYPE_CHECKING:
    from leadml.review.evidence.alike import AlikeOutcomes
    from leadml.review.evidence.e_detectors import Evidence

Verdict = Literal["KEEP", "RECUT", "RECALIBRATE", "REFIT", "INVESTIGATE", "INSUFFICIENT EVIDENCE"]

ALARMS: dict[Verdict, str] = {
    "REFIT": "The ranking of leads is no longer what it was: fit the model on newer leads.",
    "RECALIBRATE": "The ranking holds, and the level of the probabilities does not any more.",
}
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
    >>> from leadml.review.evidence.e_detectors import Evidence
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


@dataclass(frozen=True)
class Standing:
    """What a verdict is given on.

    Parameters
    ----------
    alarm
        What the evidence about level and ranking says.
    broken
        Stages whose cut does not keep its promise any more.
    moved
        Whether leads, scores or their mix have changed more than the limits allow.
    conversions
        Conversions among the judged scores of the newest two periods.
    needed
        Conversions under which nothing is said.
    days
        Days until there will be enough of them; None if there never will be at the present rate.
    unknown
        What no outcome says anything of: the level, the ranking, both or none.
    alike
        The newest days, if all their outcomes are alike though they should not be.
    """

    alarm: Alarm
    broken: tuple[str, ...]
    moved: bool
    conversions: int
    needed: int
    days: int | None
    unknown: tuple[str, ...] = ()
    alike: AlikeOutcomes | None = None


@dataclass(frozen=True)
class Judgement:
    """A verdict, the reason for it in a sentence, and the days until more can be said.

    Parameters
    ----------
    verdict
        The verdict.
    reason
        Why, in a sentence.
    days
        Of INSUFFICIENT EVIDENCE: days until a verdict can be given; None if there is no such day at the present rate.
    doubts_outcomes
        Whether outcomes seem not to come in any more, so that nothing can be said of the version.
    """

    verdict: Verdict
    reason: str
    days: int | None = None
    doubts_outcomes: bool = False

    @property
    def asks_for_action(self) -> bool:
        """Whether something is to be done about the version, its cuts or the outcomes."""
        return self.doubts_outcomes or self.verdict in {"RECUT", "RECALIBRATE", "REFIT"}


def days_text(days: int) -> str:
    """Return a number of days in words.

    Examples
    --------
    >>> days_text(1), days_text(30)
    ('1 day', '30 days')
    """
    return f"{days:,} day{'' if days == 1 else 's'}"


def judge(standing: Standing) -> Judgement:
    """Return the verdict: doubts of the outcomes first, then the model, then the cuts, then what has moved.

    Examples
    --------
    >>> judge(Standing(Alarm(None), (), False, conversions=400, needed=300, days=0)).verdict
    'KEEP'
    """
    if standing.alike is not None:
        reason = f"Outcomes seem not to come in any more: {standing.alike}."
        return Judgement("INVESTIGATE", reason, doubts_outcomes=True)
    found = standing.alarm
    if found.verdict is not None:
        return Judgement(found.verdict, ALARMS[found.verdict])
    if found.waits:
        reason = "The level of the probabilities does not hold any more; whether the ranking does is not known yet."
        return Judgement("INSUFFICIENT EVIDENCE", reason, found.waits)
    if standing.broken:
        stages = " and ".join(standing.broken)
        return Judgement("RECUT", f"The model holds, and the cut of {stages} does not keep its promise any more.")
    if standing.moved:
        return Judgement("INVESTIGATE", "The leads have changed; no outcome shows yet that the model is wrong.")
    return _too_little(standing) or Judgement("KEEP", "Level, ranking and cuts hold.")


def _too_little(standing: Standing) -> Judgement | None:
    """Return that there is too little to say that a version holds; None if there is enough."""
    if standing.conversions < standing.needed:
        reason = (
            f"The newest two periods have {standing.conversions:,} conversions whose outcome is known, and a verdict "
            f"needs {standing.needed:,}."
        )
        return Judgement("INSUFFICIENT EVIDENCE", reason, standing.days)
    if standing.unknown:
        reason = f"No outcome says anything yet of the {' and the '.join(standing.unknown)}."
        return Judgement("INSUFFICIENT EVIDENCE", reason)
    return None
