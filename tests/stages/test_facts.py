"""What people record makes a stage: the highest since the lead was last closed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.activity_plan import DAY
from leadml.stages.facts import CLOSING, RANK_OF, Fact, Recorded, in_order, outcomes_by_lead, recorded_after
from leadml.stages.ladder import STAGES

OUTCOMES = st.sampled_from([*RANK_OF, *CLOSING, "purchase"])
FACTS = st.lists(st.builds(Fact, st.integers(0, 5), OUTCOMES), max_size=12)


@given(FACTS)
def test_the_recorded_stage_is_the_highest_since_the_last_closing(facts: list[Fact]) -> None:
    """Outcomes that are no stage change nothing, and neither does the order in which facts are given."""
    ordered = in_order(facts)
    last = max((at + 1 for at, fact in enumerate(ordered) if fact.outcome in CLOSING), default=0)
    since = [RANK_OF[fact.outcome] for fact in ordered[last:] if fact.outcome in RANK_OF]
    found = recorded_after(facts)

    assert found.rank == max(since, default=0)
    assert found.closed == (last > 0 and not since)
    is_rejected = found.closed and ordered[last - 1].outcome == "rejected"
    assert found.rejected_at == (ordered[last - 1].occurred_at if is_rejected else None)
    assert recorded_after(facts[::-1]) == found


def test_each_stage_that_people_record_has_its_outcome() -> None:
    """All but those that nobody records."""
    assert [STAGES[rank] for rank in RANK_OF.values()] == ["MQL", "SAL", "SQL", "OPPORTUNITY", "CUSTOMER", "EVANGELIST"]


@pytest.mark.parametrize(("days", "nurtured"), [(0, True), (89, True), (90, False)])
def test_a_rejected_lead_is_nurtured_for_some_days(days: int, *, nurtured: bool) -> None:
    """The last day is not among them; without days it is not at all."""
    rejected = Recorded().after(Fact(1, "rejected"))
    assert rejected.is_nurtured(1 + days * DAY, 90) == nurtured
    assert not rejected.is_nurtured(1, 0)
    assert not Recorded().is_nurtured(1, 90)
    assert not rejected.after(Fact(2, "mql")).is_nurtured(3, 90)


def test_an_outcome_is_new_if_the_batch_before_could_not_know_it() -> None:
    """It occurred or was recorded later; further outcomes of a lead join those of the frame."""
    frame = pd.DataFrame(
        {
            "lead_id": np.array(["x", "x", "y"], dtype=object),
            "occurred_at": [1, 1, 5],
            "recorded_at": [1, 6, 5],
            "outcome": np.array(["mql", "sql", "lost"], dtype=object),
        }
    )
    stored = {"x": [Fact(2, "sal", is_new=False)], "z": [Fact(3, "rejected", is_new=False)]}
    first, rest = outcomes_by_lead([frame], stored, since=5)

    assert first == {
        "x": [Fact(1, "mql", is_new=False), Fact(1, "sql"), Fact(2, "sal", is_new=False)],
        "y": [Fact(5, "lost")],
    }
    assert rest == {"z": [Fact(3, "rejected", is_new=False)]}
    assert all(fact.is_new for facts in next(outcomes_by_lead([frame], {}, since=None)).values() for fact in facts)
