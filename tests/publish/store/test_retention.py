"""Scores go when they are old and their outcome is known; the stage of a lead stays while it is scored."""

from __future__ import annotations

from pathlib import Path

from tests.stores import rows, write_batch

from leadml.publish.store.opening import Store
from leadml.publish.store.people import ManualStage, RecordedOutcome, record_outcomes, set_stage
from leadml.publish.store.retention import remove_old_scores
from leadml.publish.store.tables import BATCHES, MANUAL_STAGES, OUTCOMES, SCORES, STAGE_CHANGES

pytest_plugins = ["tests.postgres"]

OLD, NEW = "2025-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"


def test_old_scores_go_and_the_last_stage_of_a_scored_lead_stays(store: Store, tmp_path: Path) -> None:
    """One lead is scored again and has moved, another has not moved, the third was never scored again."""
    write_batch(store, tmp_path, "b1", {"x": "IQL", "y": "MQL", "z": "SQL"}, now=OLD)
    write_batch(store, tmp_path, "b2", {"x": "MQL", "y": "MQL"}, now=NEW, file="2.csv")

    assert remove_old_scores(store, keep_days=365, now="2026-01-01T00:00:00+00:00") == 0
    assert remove_old_scores(store, keep_days=365, now="2026-01-01T00:00:01+00:00") == 3
    assert rows(store, SCORES, "batch", "lead_id") == [(2, "x"), (2, "y")]
    assert rows(store, STAGE_CHANGES, "lead_id", "batch", "stage") == [("x", 2, "MQL"), ("y", 1, "MQL")]
    assert rows(store, BATCHES, "batch_id", "scored") == [("b1", 3), ("b2", 2)]


def test_what_people_said_goes_with_the_last_score_of_its_lead(store: Store, tmp_path: Path) -> None:
    """If it is as old; of a lead that is still scored it stays."""
    write_batch(store, tmp_path, "b1", {"x": "IQL", "y": "MQL"}, now=OLD)
    for lead_id in ("x", "y"):
        set_stage(store, ManualStage(lead_id, "SQL", "met"), now=OLD, recycle_days=90)
        record_outcomes(store, [RecordedOutcome(lead_id, OLD, "sal")], now=OLD, recycle_days=90)
    set_stage(store, ManualStage("x", "", "over"), now=NEW, recycle_days=90)
    write_batch(store, tmp_path, "b2", {"y": "MQL"}, now=NEW, file="2.csv")
    remove_old_scores(store, keep_days=365, now="2026-01-01T00:00:01+00:00")

    assert rows(store, OUTCOMES, "lead_id") == [("y",)]
    assert rows(store, MANUAL_STAGES, "lead_id", "number") == [("x", 2), ("y", 1)]


def test_scores_stay_until_their_outcome_is_known(store: Store, tmp_path: Path) -> None:
    """However old they are."""
    write_batch(store, tmp_path, "b1", {"x": "IQL"}, now=OLD, matures_at="2026-06-01T00:00:00+00:00")

    assert remove_old_scores(store, keep_days=1, now="2026-05-31T23:59:59+00:00") == 0
    assert remove_old_scores(store, keep_days=1, now="2026-06-01T00:00:00+00:00") == 1
    assert rows(store, STAGE_CHANGES) == []


def test_a_batch_that_is_written_removes_old_scores(store: Store, tmp_path: Path) -> None:
    """As params say; without a number of days none are removed."""
    write_batch(store, tmp_path, "b1", {"x": "IQL"}, now=OLD)
    write_batch(store, tmp_path, "b2", {"x": "IQL"}, now=NEW, file="2.csv")
    assert len(rows(store, SCORES)) == 2
    write_batch(store, tmp_path, "b3", {"x": "IQL"}, now=NEW, file="3.csv", keep_days=30)

    assert rows(store, SCORES, "batch") == [(2,), (3,)]
    write_batch(store, tmp_path, "b1", {"x": "IQL"}, now=NEW, keep_days=None)
    assert rows(store, SCORES, "batch") == [(2,), (3,)]
