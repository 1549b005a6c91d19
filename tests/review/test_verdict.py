"""What the evidence says is to be done."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.review.evidence import STAKES, Evidence
from leadml.review.verdict import NAMING_DAYS, NAMING_EVIDENCE, Alarm, alarm

DAYS = np.arange(80)
CALM = Evidence(DAYS, np.full(80, -6.0))


def _rising(day: int, least: float = 100.0) -> Evidence:
    """Return evidence that reaches a value on a day."""
    return Evidence(DAYS, np.where(day <= DAYS, np.log(least), -6.0))


def _until(evidence: Evidence, last: int) -> Evidence:
    return Evidence(evidence.day[: last + 1], evidence.log_value[: last + 1])


def test_without_evidence_there_is_no_alarm() -> None:
    """Also just below the threshold, and without any day."""
    nothing = Evidence(np.array([], np.int64), np.array([]))

    assert alarm(CALM, CALM, false_alarms=0.02) == Alarm(None)
    assert alarm(_rising(10, 99.9), _rising(10, 99.9), false_alarms=0.02) == Alarm(None)
    assert alarm(nothing, nothing, false_alarms=0.02) == Alarm(None)


def test_ranking_asks_for_a_fit_at_once() -> None:
    """Whatever the level says later."""
    assert alarm(CALM, _rising(20), false_alarms=0.02) == Alarm("REFIT", 20)
    assert alarm(_rising(50), _rising(20), false_alarms=0.02) == Alarm("REFIT", 20)


def test_the_level_waits_for_the_ranking() -> None:
    """Two weeks of outcomes; the days that are left are told."""
    level = _rising(20)
    waits = [alarm(_until(level, last), _until(CALM, last), false_alarms=0.02).waits for last in (19, 20, 25, 33)]

    assert waits == [0, 14, 9, 1]
    assert alarm(_until(level, 34), _until(CALM, 34), false_alarms=0.02) == Alarm("RECALIBRATE", 34)


def test_a_ranking_that_alarms_while_the_level_waits_names_the_change() -> None:
    """And one that alarms later comes too late for the first verdict."""
    assert alarm(_rising(20), _rising(20 + NAMING_DAYS), false_alarms=0.02) == Alarm("REFIT", 20 + NAMING_DAYS)
    assert alarm(_rising(20), _rising(21 + NAMING_DAYS), false_alarms=0.02) == Alarm("RECALIBRATE", 34)


@pytest.mark.parametrize(("share", "verdict"), [(0.99, "RECALIBRATE"), (1.01, "REFIT")])
def test_less_evidence_of_the_ranking_is_enough_to_name_a_change(share: float, verdict: str) -> None:
    """As if the bet had begun on the best week."""
    ranking = _rising(25, share * NAMING_EVIDENCE / STAKES)

    assert alarm(_rising(20), ranking, false_alarms=0.02).verdict == verdict


def test_fewer_false_alarms_ask_for_more_evidence() -> None:
    """Each of the two has half of what is allowed."""
    assert alarm(CALM, _rising(20, 100.0), false_alarms=0.01) == Alarm(None)
    assert alarm(CALM, _rising(20, 200.0), false_alarms=0.01) == Alarm("REFIT", 20)
