"""Newly known outcomes change the stage at the time at which they occurred."""

from __future__ import annotations

from leadml.stages.changes import LeadState, StageChange, changes_by_outcomes
from leadml.stages.facts import Fact, Recorded
from leadml.stages.ladder import STAGES

NEW = LeadState("LEAD", "advised", Recorded(), advised=0)
REJECTED = Recorded(rejected_at=2, closed=True)
MQL, SAL, SQL = (STAGES.index(stage) for stage in ("MQL", "SAL", "SQL"))


def test_each_outcome_that_moves_the_lead_is_a_change() -> None:
    """A stage below the one that is recorded moves nothing."""
    facts = [Fact(3, "sql"), Fact(1, "mql"), Fact(4, "sal")]
    assert changes_by_outcomes(NEW, facts, 90) == [
        StageChange(1, "MQL", "recorded", ends_advice=False, recorded=Recorded(MQL)),
        StageChange(3, "SQL", "recorded", ends_advice=False, recorded=Recorded(SQL)),
    ]


def test_a_stage_below_the_advice_is_recorded_and_does_not_lower_it() -> None:
    """The stage is the higher of the two."""
    before = LeadState("SQL", "advised", Recorded(), advised=SQL)
    assert changes_by_outcomes(before, [Fact(1, "mql")], 90) == [
        StageChange(1, "SQL", "advised", ends_advice=False, recorded=Recorded(MQL))
    ]
    assert changes_by_outcomes(before, [Fact(1, "sql")], 90) == [
        StageChange(1, "SQL", "recorded", ends_advice=False, recorded=Recorded(SQL))
    ]


def test_closing_ends_the_advice() -> None:
    """A rejected lead is nurtured, unless params say no; a lost one is a LEAD."""
    before = LeadState("SQL", "advised", Recorded(), advised=SQL)
    nurtured, at_once = (changes_by_outcomes(before, [Fact(2, "rejected")], days) for days in (90, 0))

    assert nurtured == [StageChange(2, "IQL", "recycled", ends_advice=True, recorded=REJECTED)]
    assert at_once == [StageChange(2, "LEAD", "recorded", ends_advice=True, recorded=REJECTED)]
    assert changes_by_outcomes(before, [Fact(2, "lost")], 90) == [
        StageChange(2, "LEAD", "recorded", ends_advice=True, recorded=Recorded(closed=True))
    ]
    assert [change.stage for change in changes_by_outcomes(NEW, [Fact(1, "rejected"), Fact(9, "sal")], 90)] == [
        "IQL", "SAL"
    ]  # fmt: skip


def test_an_outcome_that_is_recorded_late_changes_only_what_follows_from_all() -> None:
    """It occurred before one that was known."""
    known = LeadState("SQL", "recorded", Recorded(SQL), advised=0)
    late = [Fact(1, "mql"), Fact(5, "sql", is_new=False)]
    lost = [Fact(1, "sql", is_new=False), Fact(3, "lost"), Fact(5, "sal", is_new=False)]

    assert changes_by_outcomes(known, late, 90) == []
    assert changes_by_outcomes(known, lost, 90) == [
        StageChange(5, "SAL", "recorded", ends_advice=False, recorded=Recorded(SAL))
    ]


def test_a_stage_that_is_set_by_hand_stays() -> None:
    """What is recorded is kept beside it."""
    before = LeadState("OPPORTUNITY", "manual", Recorded(), advised=0, manual=STAGES.index("OPPORTUNITY"))
    assert changes_by_outcomes(before, [Fact(1, "mql")], 90) == [
        StageChange(1, "OPPORTUNITY", "manual", ends_advice=False, recorded=Recorded(MQL))
    ]
