"""A batch counts once its file is in place; what an earlier job left unfinished is completed or removed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.stores import NOW, look_in, rows, write_batch

from leadml.publish.store.batches import last_batch, settle
from leadml.publish.store.opening import Store
from leadml.publish.store.tables import BATCHES, SCORES, STAGE_CHANGES

pytest_plugins = ["tests.postgres"]

LATER = "2026-02-01T08:00:00+00:00"


def sha256_of(folder: Path) -> str:
    """Return the hash of the file of the scores."""
    return hashlib.sha256((folder / "scored.csv").read_bytes()).hexdigest()


def test_a_complete_batch_has_its_scores_its_stages_and_the_hash_of_its_file(store: Store, tmp_path: Path) -> None:
    """Stages are changes: a lead that stays a LEAD has none."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "LEAD"}, as_of="2026-01-30T00:00:00+00:00")

    assert rows(store, BATCHES, "batch", "batch_id", "state", "scored", "sha256") == [
        (1, "b1", "complete", 2, sha256_of(tmp_path))
    ]
    assert rows(store, SCORES, "batch", "lead_id", "probability", "stage", "propensity") == [
        (1, "x", 1 / 3, "MQL", None),
        (1, "y", 2 / 3, "LEAD", None),
    ]
    assert rows(store, STAGE_CHANGES) == [("x", 1, 0, "2026-01-30T00:00:00+00:00", "MQL", "advised", "MQL", "", None)]


def test_the_same_batch_again_adds_nothing_and_keeps_the_instant_of_its_first_run(store: Store, tmp_path: Path) -> None:
    """Three runs leave the rows of one, also with another batch between them."""
    assert write_batch(store, tmp_path, "b1", {"x": "MQL"}) == NOW
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, file="other.csv")
    before = [rows(store, table) for table in (BATCHES, SCORES, STAGE_CHANGES)]
    for _ in range(2):
        assert write_batch(store, tmp_path, "b1", {"x": "MQL"}, now=LATER) == NOW

    assert [rows(store, table) for table in (BATCHES, SCORES, STAGE_CHANGES)] == before


@pytest.mark.parametrize("step", ["begun", "added", "filled"])
def test_a_batch_without_its_file_is_removed(store: Store, tmp_path: Path, step: str) -> None:
    """Nothing of it is left once another batch begins."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"}, until=step)
    assert last_batch(store, "sql") is None
    write_batch(store, tmp_path, "b2", {"x": "SQL"})

    assert rows(store, BATCHES, "batch_id", "state") == [("b2", "complete")]
    assert len(rows(store, SCORES)) == 1
    assert rows(store, STAGE_CHANGES, "lead_id", "stage") == [("x", "SQL")]


def test_a_batch_whose_file_is_in_place_becomes_complete(store: Store, tmp_path: Path) -> None:
    """A job that ended between file and commit has done its work."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"}, until="published")
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, file="other.csv")

    assert rows(store, BATCHES, "batch_id", "state") == [("b1", "complete"), ("b2", "complete")]
    assert rows(store, BATCHES, "sha256")[0] == (sha256_of(tmp_path),)
    assert rows(store, STAGE_CHANGES, "batch", "stage") == [(1, "MQL"), (2, "SQL")]


@pytest.mark.parametrize("step", ["begun", "added", "filled"])
def test_a_batch_that_is_resumed_keeps_the_instant_of_its_first_run(store: Store, tmp_path: Path, step: str) -> None:
    """Its rows are there once."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"}, until=step)

    assert write_batch(store, tmp_path, "b1", {"x": "MQL"}, now=LATER) == NOW
    assert rows(store, BATCHES, "batch", "scored_at", "state") == [(1, NOW, "complete")]
    assert len(rows(store, SCORES)) == len(rows(store, STAGE_CHANGES)) == 1


def test_a_file_of_another_batch_does_not_complete_one(store: Store, tmp_path: Path) -> None:
    """The old file at the same place stays that of the old batch."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"})
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, until="filled")
    store.write(lambda connection: settle(connection, look_in(tmp_path)))

    assert rows(store, BATCHES, "batch_id", "state") == [("b1", "complete")]


def test_a_file_that_is_written_again_never_has_the_hash_of_the_old_one(store: Store, tmp_path: Path) -> None:
    """Where the job ends before the new hash is stored, the next one stores it."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"})
    write_batch(store, tmp_path, "b1", {"x": "MQL"}, until="published")
    assert rows(store, BATCHES, "sha256") == [(None,)]
    (tmp_path / "scored.csv").write_text("b1 with other reasons\n", encoding="utf-8")
    store.write(lambda connection: settle(connection, look_in(tmp_path)))

    assert rows(store, BATCHES, "sha256") == [(sha256_of(tmp_path),)]


def test_the_last_batch_is_that_of_the_target(store: Store, tmp_path: Path) -> None:
    """Batches of other targets do not count."""
    write_batch(store, tmp_path, "b1", {"x": "MQL"})
    write_batch(store, tmp_path, "b2", {"x": ""}, target="churned", file="other.csv")

    assert last_batch(store, "sql").batch_id == "b1"
    assert last_batch(store, "customer") is None
