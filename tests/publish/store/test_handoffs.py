"""A lead is due for sales once for each rise to MQL or SQL, whatever happens in between."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.stores import NOW, rows, silent, write_batch

from leadml.publish.store.decisions import decisions_of
from leadml.publish.store.handoffs import add_handoff, all_outcomes, due_leads, handoff_records
from leadml.publish.store.lead import forget_lead, lead_history, remove_leads
from leadml.publish.store.opening import Store, writing_alone
from leadml.publish.store.people import ManualStage, RecordedOutcome, record_outcomes, set_stage
from leadml.publish.store.retention import remove_old_scores
from leadml.publish.store.tables import HANDOFFS
from leadml.stages.ladder import STAGES

pytest_plugins = ["tests.postgres"]

LATER = "2026-02-01T00:00:00+00:00"
LEADS = ("x", "y", "z")
STEP = st.one_of(st.just("hand off"), st.tuples(*[st.sampled_from(["LEAD", "IQL", "MQL", "SQL"])] * len(LEADS)))


def _hand_over(store: Store, target: str = "sql") -> dict[str, str]:
    due = due_leads(store, target)
    if len(due.leads):
        add_handoff(store, target, due, file="sales.csv", now=NOW)
    return dict(zip(due.leads["lead_id"], due.leads["stage"], strict=True))


NUMBER = count()


@pytest.mark.slow
@given(st.lists(STEP, max_size=8))
@example([("MQL", "MQL", "SQL"), "hand off", ("IQL", "SQL", "MQL"), ("MQL", "SQL", "SQL"), "hand off"])
def test_a_lead_is_handed_over_once_for_each_rise(tmp_path_factory, steps: list[object]) -> None:
    """The law in its plain form: what was handed over is remembered until the lead falls below MQL."""
    folder = tmp_path_factory.mktemp("handoffs")
    stages, handed = dict.fromkeys(LEADS, "LEAD"), dict.fromkeys(LEADS, 0)
    with writing_alone(f"sqlite:///{folder / 'leadml.db'}", silent) as store:
        for step in steps:
            if step == "hand off":
                due = {
                    lead: stage
                    for lead, stage in stages.items()
                    if stage in {"MQL", "SQL"} and STAGES.index(stage) > handed[lead]
                }
                assert _hand_over(store) == due
                handed |= {lead: STAGES.index(stage) for lead, stage in due.items()}
                assert _hand_over(store) == {}
                continue
            stages = dict(zip(LEADS, step, strict=True))  # type: ignore[call-overload]
            write_batch(store, folder, f"b{next(NUMBER)}", stages)
            handed |= {lead: 0 for lead, stage in stages.items() if stage in {"LEAD", "IQL"}}


def test_leads_that_are_due_have_their_latest_score_and_their_present_stage(store: Store, tmp_path: Path) -> None:
    """The best first; what a batch of an earlier date says is older, whenever it was scored."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "SQL"}, as_of="2026-01-08T00:00:00+00:00")
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, as_of="2026-01-01T00:00:00+00:00", file="2.csv")
    set_stage(store, ManualStage("y", "MQL", "not yet"), now=LATER, recycle_days=90)
    due = due_leads(store, "sql")

    assert due.leads[["lead_id", "batch", "stage", "handed_before"]].to_numpy().tolist() == [
        ["y", 1, "MQL", ""],
        ["x", 1, "MQL", ""],
    ]
    assert due.leads["probability"].tolist() == [2 / 3, 1 / 3]
    assert (due.seen, due.batches[1].batch_id) == (3, "b1")


def test_a_stage_by_hand_is_due_at_once_with_the_latest_score(store: Store, tmp_path: Path) -> None:
    """Though the lead was scored below MQL; and so is one whose setting by hand ended, but not if it was before."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "SQL", "z": "MQL"})
    write_batch(store, tmp_path, "b2", {"x": "IQL", "w": "MQL"}, file="2.csv")
    set_stage(store, ManualStage("z", "LEAD", "a student"), now=LATER, recycle_days=90)
    assert _hand_over(store) == {"w": "MQL", "y": "SQL"}
    set_stage(store, ManualStage("x", "SQL", "called us"), now=LATER, recycle_days=90)
    set_stage(store, ManualStage("z", "", "no student"), now=LATER, recycle_days=90)
    set_stage(store, ManualStage("w", "LEAD", "?"), now=LATER, recycle_days=90)
    due = due_leads(store, "sql").leads.set_index("lead_id")

    assert due["stage"].to_dict() == {"x": "SQL", "z": "MQL"}
    assert due.loc["x", ["batch", "probability"]].tolist() == [2, 1 / 3]


def test_verdicts_stay_with_their_hand_off_when_old_scores_are_removed(store: Store, tmp_path: Path) -> None:
    """The changes of a lead that was handed over are kept as long as it has scores."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "MQL"})
    _hand_over(store)
    record_outcomes(store, [RecordedOutcome("x", NOW, "sal")], now=LATER, recycle_days=90)
    write_batch(store, tmp_path, "b2", {"x": "SQL", "y": "IQL"}, now="2026-06-01T00:00:00+00:00", file="2.csv")
    before = handoff_records(store).changes
    remove_old_scores(store, keep_days=30, now="2026-06-02T00:00:00+00:00")

    assert handoff_records(store).changes.equals(before)
    assert before["recorded"].tolist()[:2] == ["", "SAL"]


def test_what_people_recorded_is_no_news_to_them(store: Store, tmp_path: Path) -> None:
    """A rejected lead is not due, and after its second rise it is due again; another target has its own hand-offs."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "MQL"})
    assert _hand_over(store) == {"x": "MQL", "y": "MQL"}
    given = [RecordedOutcome("x", NOW, "rejected", "no budget"), RecordedOutcome("y", NOW, "sql")]
    record_outcomes(store, given, now=LATER, recycle_days=90)
    write_batch(store, tmp_path, "b2", {"x": "MQL", "y": "SQL"}, file="2.csv")
    write_batch(store, tmp_path, "b3", {"y": "SQL", "w": "MQL"}, file="3.csv", target="demo")

    assert _hand_over(store) == {"x": "MQL", "y": "SQL"}  # advised again, by write_batch
    assert _hand_over(store, "demo") == {"w": "MQL"}
    assert store.read(lambda connection: decisions_of(connection, "handoff"))[1:] == [
        {"target": "sql", "batch": 4, "leads": 2, "file": "sales.csv"},
        {"target": "demo", "batch": 4, "leads": 1, "file": "sales.csv"},
    ]


def test_records_have_what_became_of_the_leads(store: Store, tmp_path: Path) -> None:
    """Only of leads that were handed over; a batch that is not complete is not in them."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "IQL"})
    _hand_over(store)
    record_outcomes(store, [RecordedOutcome("x", NOW, "sal", owner="ann")], now=LATER, recycle_days=90)
    record_outcomes(store, [RecordedOutcome("y", NOW, "sal", owner="bo")], now=LATER, recycle_days=90)
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, file="2.csv", until="filled")
    records = handoff_records(store)

    assert records.handoffs[["lead_id", "stage", "batch"]].to_numpy().tolist() == [["x", "MQL", 1]]
    assert records.changes["recorded"].tolist() == ["", "SAL"]
    assert records.outcomes["owner"].tolist() == ["ann"]
    assert all_outcomes(store)[["lead_id", "outcome", "owner"]].to_numpy().tolist() == [
        ["x", "sal", "ann"],
        ["y", "sal", "bo"],
    ]


def test_hand_offs_are_shown_forgotten_and_removed_with_their_lead(store: Store, tmp_path: Path) -> None:
    """The receipt names the file for sales; with the last score of a lead goes its hand-off."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "MQL", "z": "MQL"})
    _hand_over(store)
    assert lead_history(store, "x").handoffs.to_numpy().tolist() == [[NOW, "MQL", "sql"]]
    receipt = forget_lead(store, "x", now=LATER)
    remove_leads(store, ["y"], now=LATER)

    assert (receipt.handoffs, receipt.files) == (1, ("sales.csv", "scored.csv"))
    assert rows(store, HANDOFFS, "lead_id") == [("z",)]
    remove_old_scores(store, keep_days=1, now="2026-06-01T00:00:00+00:00")
    assert rows(store, HANDOFFS, "lead_id") == []
