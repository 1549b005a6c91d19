"""What the evidence says is to be done."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from leadml.review.evidence.alike import AlikeOutcomes
from leadml.review.evidence.e_detectors import STAKES, Evidence
from leadml.review.verdict import ALARMS, NAMING_DAYS, NAMING_EVIDENCE, Alarm, Standing, alarm, judge

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


HOLDS = Standing(Alarm(None), (), moved=False, conversions=400, needed=300, days=0)
REASONS: dict[str, dict[str, Any]] = {  # what each verdict is given on, the strongest first
    "doubts": {"alike": AlikeOutcomes(20_000, 500, 0, 30.0)},
    "REFIT": {"alarm": Alarm("REFIT", 9)},
    "RECALIBRATE": {"alarm": Alarm("RECALIBRATE", 9)},
    "waits": {"alarm": Alarm(None, waits=3)},
    "RECUT": {"broken": ("SQL",)},
    "INVESTIGATE": {"moved": True},
    "few": {"conversions": 299, "days": 12},
    "unknown": {"unknown": ("ranking",)},
}


def test_a_version_of_which_all_holds_is_kept() -> None:
    """And nothing is to be done."""
    found = judge(HOLDS)

    assert (found.verdict, found.reason, found.days) == ("KEEP", "Level, ranking and cuts hold.", None)
    assert not found.asks_for_action


def test_the_stronger_reason_gives_the_verdict() -> None:
    """Doubts of the outcomes, then the model, the cuts, and what has moved: whatever else there is."""
    kinds = list(REASONS)
    for (first, kind), other in product(enumerate(kinds), kinds):
        if kinds.index(other) >= first and not {"alarm"} <= REASONS[kind].keys() & REASONS[other].keys():
            both = replace(HOLDS, **{**REASONS[other], **REASONS[kind]})
            assert judge(both) == judge(replace(HOLDS, **REASONS[kind])), (kind, other)


@pytest.mark.parametrize("verdict", ["REFIT", "RECALIBRATE", "RECUT"])
def test_some_verdicts_ask_for_action(verdict: str) -> None:
    """Those about the model or its cuts."""
    found = judge(replace(HOLDS, **REASONS[verdict]))

    assert (found.verdict, found.asks_for_action, found.days) == (verdict, True, None)
    assert found.reason == ALARMS.get(
        found.verdict, "The model holds, and the cut of SQL does not keep its promise any more."
    )


def test_outcomes_that_stopped_ask_for_action() -> None:
    """Not about the version, of which they say nothing."""
    found = judge(replace(HOLDS, **REASONS["doubts"]))

    assert (found.verdict, found.asks_for_action) == ("INVESTIGATE", True)
    assert found.reason == (
        "Outcomes seem not to come in any more: none of the 500 judged leads that were scored since 2024-10-04 "
        "converted, where 30 were expected to."
    )


def test_other_verdicts_ask_for_none() -> None:
    """They say how long to wait where it is known."""
    found = {name: judge(replace(HOLDS, **REASONS[name])) for name in ("waits", "INVESTIGATE", "few", "unknown")}

    assert [each.asks_for_action for each in found.values()] == [False] * 4
    assert [each.days for each in found.values()] == [3, None, 12, None]
    assert found["INVESTIGATE"].verdict == "INVESTIGATE"
    assert {found[name].verdict for name in ("waits", "few", "unknown")} == {"INSUFFICIENT EVIDENCE"}
    assert found["few"].reason.startswith("The newest two periods have 299 conversions whose outcome is known")
    assert found["unknown"].reason == "No outcome says anything yet of the ranking."


def test_enough_conversions_are_as_many_as_are_needed() -> None:
    """Several cuts are named together."""
    assert judge(replace(HOLDS, conversions=300)).verdict == "KEEP"
    assert judge(replace(HOLDS, conversions=299, days=None)).verdict == "INSUFFICIENT EVIDENCE"
    assert "the cut of IQL and SQL does" in judge(replace(HOLDS, broken=("IQL", "SQL"))).reason
