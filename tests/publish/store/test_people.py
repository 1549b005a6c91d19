"""What people say between two batches changes the stage at once, and stays."""

from __future__ import annotations

from pathlib import Path

from tests.stores import NOW, entry, look_in, rows, write_batch

from leadml.publish.store.batches import batch_place, begin_batch, last_batch
from leadml.publish.store.opening import Store
from leadml.publish.store.people import ManualStage, RecordedOutcome, record_outcomes, set_stage
from leadml.publish.store.scores import BatchScores
from leadml.publish.store.tables import BATCHES, MANUAL_STAGES, OUTCOMES, STAGE_CHANGES
from leadml.stages.ladder import NONE, STAGES

pytest_plugins = ["tests.postgres"]

LATER = "2026-02-01T00:00:00+00:00"
REJECTED = RecordedOutcome("x", "2026-01-31T20:00:00+00:00", "rejected", "no budget", "ann", "fair", 3.5)


def _changes(store: Store) -> list[tuple[str, ...]]:
    return rows(store, STAGE_CHANGES, "lead_id", "stage", "stage_source", "recorded")


def test_a_stage_by_hand_holds_at_once_and_in_the_next_batch(store: Store, tmp_path: Path) -> None:
    """Until it is ended: then the stage follows from advice and records again."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"})
    assert set_stage(store, ManualStage("x", "SQL", "met"), now=LATER, recycle_days=90) == "SQL"
    batch = begin_batch(store, entry(batch_id="b2", scored_at=LATER, file="2.csv"), look_in(tmp_path))
    scores = BatchScores(store, batch, batch_place(store, batch), recycle_days=90)
    scores.note_outcomes([])
    known = scores.known(["x", "y"])

    assert known.manual.tolist() == [STAGES.index("SQL"), NONE]
    assert set_stage(store, ManualStage("x", "", "over"), now=LATER, recycle_days=90) == "MQL"
    assert _changes(store) == [
        ("x", "MQL", "advised", ""), ("x", "SQL", "manual", ""), ("x", "MQL", "advised", "")
    ]  # fmt: skip
    assert rows(store, MANUAL_STAGES, "number", "stage", "reason") == [(1, "SQL", "met"), (2, "", "over")]


def test_a_stage_that_is_the_present_one_is_kept_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Ending what nobody set changes nothing either."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"})
    assert set_stage(store, ManualStage("x", "", "none"), now=LATER, recycle_days=90) == "MQL"
    assert _changes(store) == [("x", "MQL", "advised", "")]


def test_an_outcome_is_stored_once_and_moves_the_lead(store: Store, tmp_path: Path) -> None:
    """A rejected lead is nurtured, and the advice of its targets ends."""
    write_batch(store, tmp_path, "b1", {"x": "SQL", "y": "MQL"})
    accepted = RecordedOutcome("y", "2026-01-31T10:00:00+00:00", "sal")
    added = [record_outcomes(store, [REJECTED, accepted, REJECTED], now=LATER, recycle_days=90) for _ in range(2)]

    assert added == [2, 0]
    assert rows(store, STAGE_CHANGES, "lead_id", "at")[1::2] == [
        ("x", REJECTED.occurred_at),
        ("y", accepted.occurred_at),
    ]
    assert _changes(store) == [
        ("x", "SQL", "advised", ""), ("x", "IQL", "recycled", ""), ("y", "MQL", "advised", ""),
        ("y", "SAL", "recorded", "SAL"),
    ]  # fmt: skip
    assert rows(store, OUTCOMES, "lead_id", "outcome", "reason", "owner", "origin", "hours_to_contact") == [
        ("x", "rejected", "no budget", "ann", "fair", 3.5), ("y", "sal", None, None, None, None)
    ]  # fmt: skip


def test_what_people_say_is_no_batch_of_a_target(store: Store, tmp_path: Path) -> None:
    """It has a number, so that changes keep their order, and no scores."""
    write_batch(store, tmp_path, "b1", {"x": "SQL"})
    record_outcomes(store, [REJECTED], now=LATER, recycle_days=90)
    last = last_batch(store, "sql")

    assert last is not None
    assert last.batch == 1
    assert rows(store, BATCHES, "batch", "target", "state", "scored") == [
        (1, "sql", "complete", 1), (2, "", "complete", 0)
    ]  # fmt: skip
    assert record_outcomes(store, [], now=NOW, recycle_days=90) == 0
