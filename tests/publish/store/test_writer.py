"""The writer of a batch does what a keeper promises."""

from __future__ import annotations

from pathlib import Path

from tests.stores import NOW, entry, look_in, no_parts, rows, scored

from leadml.publish.keeper import Keeper
from leadml.publish.store.opening import Store
from leadml.publish.store.tables import BATCHES, SCORES
from leadml.publish.store.writer import BatchWriter
from leadml.stages.ladder import stages_of

pytest_plugins = ["tests.postgres"]


def test_a_batch_is_written_step_by_step(store: Store, tmp_path: Path) -> None:
    """Chunk by chunk, and it counts at the end."""
    writer: Keeper = BatchWriter(store, entry(), look_in(tmp_path), keep_days=None, recycle_days=90)
    assert writer.begin("b1", now=NOW) == NOW
    for lead_id in ("x", "y"):
        before = stages_of(writer.known([lead_id]).stage).tolist()
        writer.add(scored({lead_id: "MQL"}, before), no_parts(1))
        assert before == ["LEAD"]
    assert rows(store, BATCHES, "state", "scored", "not_scored") == [("begun", None, None)]
    writer.fill(scored=2, not_scored=1, counts=None)
    assert rows(store, BATCHES, "state", "scored", "not_scored") == [("filled", 2, 1)]
    (tmp_path / "scored.csv").write_text("b1", encoding="utf-8")
    writer.complete()

    assert rows(store, BATCHES, "state", "batch_id", "scored_at") == [("complete", "b1", NOW)]
    assert rows(store, SCORES, "lead_id") == [("x",), ("y",)]
    assert writer.not_kept == ""
