"""A batch is found where it was published, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.dated import crm, write_params
from tests.stores import entry

from leadml.jobs.places import Places
from leadml.jobs.published import published, published_rows, stored_path
from leadml.leads.read.database import TableName
from leadml.publish.database import table_writer
from leadml.publish.files import sha256
from leadml.publish.store.batch import StoredBatch

ROWS = pd.DataFrame({"lead_id": ["7", "8"], "target": "sql", "batch_id": "b1", "score": [1.5, 2.5]})


def _batch(**changed: str | None) -> StoredBatch:
    return StoredBatch(
        **{**entry().__dict__, "batch_id": "b1", **changed},
        batch=1,
        scored=2,
        not_scored=0,
        sha256="",
        state="complete",
    )


def test_a_file_is_found_by_the_batch_of_its_rows(tmp_path: Path) -> None:
    """Relative to the folder of the project, with its hash."""
    project = Places.open(write_params(tmp_path, crm()), target="sql")
    assert published(_batch(), project) is None
    ROWS.to_csv(tmp_path / "scored.csv", index=False)
    found = published(_batch(), project)

    assert found is not None
    assert found.sha256 == sha256(tmp_path / "scored.csv")
    assert published(_batch(batch_id="b2"), project) is None
    (frame,) = published_rows(_batch(), project)
    assert frame[["lead_id", "score"]].to_numpy().tolist() == [["7", "1.5"], ["8", "2.5"]]
    assert stored_path(tmp_path / "a" / "scored.csv", tmp_path) == "a/scored.csv"
    assert stored_path(tmp_path / "scored.csv", tmp_path / "a") == str(tmp_path / "scored.csv")


def test_a_table_is_found_by_the_batch_of_its_rows(tmp_path: Path) -> None:
    """Rows of other batches are not among them; without a database there is none."""
    path = write_params(tmp_path, crm())
    project = Places.open(path, [f"output.database=sqlite:///{tmp_path / 'scores.db'}"], target="sql")
    batch = _batch(file=None, output_table="scored")
    assert published(batch, project) is None
    with table_writer(project.database[0], TableName.parse("scored")) as writer:  # type: ignore[index]
        writer.write(pd.concat([ROWS, ROWS.assign(batch_id="b2", score=9.0)]))

    assert published(batch, project) is not None
    assert pd.concat(published_rows(batch, project))["score"].tolist() == [1.5, 2.5]
    assert published(batch, Places.open(path, target="sql")) is None
