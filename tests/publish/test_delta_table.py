"""Delta tables keep every batch once, in one commit, or not at all."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import deltalake
import pandas as pd
import pyarrow as pa
import pytest

from leadml.bundle.model import load
from leadml.errors import LeadmlError, MissingExtraError
from leadml.jobs.places import Places
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from leadml.publish.delta_table import DeltaTable
from leadml.publish.sinks import FORMATS, table_sink


def _frame(batch: str, rows: int = 3) -> pd.DataFrame:
    return pd.DataFrame(
        {"lead_id": [f"L{at}" for at in range(rows)], "batch_id": batch, "score": [at / 7 for at in range(rows)]}
    )


def _write(path: Path, *frames: pd.DataFrame) -> None:
    with table_sink(path) as sink:
        for frame in frames:
            sink.write(frame)


def _read(path: Path, version: int | None = None) -> pd.DataFrame:
    table = pa.table(deltalake.DeltaTable(str(path), version=version).to_pyarrow_table())
    return table.to_pandas().sort_values(["batch_id", "lead_id"], ignore_index=True)


def test_each_batch_is_appended_in_one_commit_and_earlier_versions_stay(tmp_path: Path) -> None:
    """The rows are those that were written, to the bit, and no other file is left."""
    path = tmp_path / "new" / "scored.delta"
    _write(path, _frame("a", 2), _frame("a", 3).tail(1))
    _write(path, _frame("b", 5))

    pd.testing.assert_frame_equal(_read(path, 0), _frame("a"), check_dtype=False)
    pd.testing.assert_frame_equal(_read(path), pd.concat([_frame("a"), _frame("b", 5)], ignore_index=True))
    assert deltalake.DeltaTable(str(path)).version() == 1
    assert [file.name for file in path.parent.iterdir()] == ["scored.delta"]


def test_a_batch_that_is_written_again_is_there_once(tmp_path: Path) -> None:
    """Writing is safe to repeat, also after other batches."""
    path = tmp_path / "scored.delta"
    for batch in ("a", "b", "a", "b"):
        _write(path, _frame(batch))

    assert _read(path)["batch_id"].tolist() == ["a"] * 3 + ["b"] * 3


def test_batches_that_are_written_together_are_known_one_by_one(tmp_path: Path) -> None:
    """Each is a transaction of the table, with version 1, so none of them is appended again."""
    path = tmp_path / "scored.delta"
    _write(path, _frame("a"), _frame("b"))
    for batch in ("a", "b"):
        _write(path, _frame(batch))
    table = deltalake.DeltaTable(str(path))

    assert (table.version(), len(_read(path))) == (0, 6)
    assert [table.transaction_version(batch) for batch in ("a", "b", "c")] == [1, 1, None]


def test_delta_tables_are_a_format_of_their_own() -> None:
    """By the suffix of the folder."""
    assert [kind.suffix for kind in FORMATS if isinstance(kind, DeltaTable)] == [".delta"]


def test_nothing_is_appended_where_the_block_fails(tmp_path: Path) -> None:
    """The table keeps its rows, and no temporary file is left."""
    path = tmp_path / "scored.delta"
    _write(path, _frame("a"))
    with pytest.raises(LeadmlError, match="must have a batch_id"):
        _write(path, _frame("b"), _frame("b").drop(columns="batch_id"))

    assert _read(path)["batch_id"].unique().tolist() == ["a"]
    assert [file.name for file in tmp_path.iterdir()] == ["scored.delta"]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            _frame("b").assign(score="high"),
            r"scored\.delta: must be a Delta table that takes these rows, got: .*'high'.*; nothing was appended$",
        ),
        (
            _frame("b").drop(columns="batch_id"),
            r"^rows of a Delta table must have a batch_id, so that a batch is there once, got none; write \.parquet$",
        ),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, frame: pd.DataFrame, expected: str) -> None:
    """Other types, or no batch; nothing is appended."""
    path = tmp_path / "scored.delta"
    _write(path, _frame("a"))
    with pytest.raises(LeadmlError, match=expected):
        _write(path, frame)

    assert deltalake.DeltaTable(str(path)).version() == 0


def test_a_folder_that_is_no_delta_table_is_refused_or_becomes_one(tmp_path: Path) -> None:
    """A file of that name is refused with its path."""
    path = tmp_path / "scored.delta"
    path.write_text("no table")

    with pytest.raises(LeadmlError, match=r"scored\.delta: must be a Delta table"):
        _write(path, _frame("a"))


def test_scores_of_a_project_are_the_same_in_parquet_and_delta(
    trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """Scoring twice into a Delta table leaves the rows of one batch."""
    project, _ = trained_project
    model = load(project.registry.path("1"))
    request = ScoreRequest(project.data, out=tmp_path / "scored.parquet")
    for out in ("scored.parquet", "scored.delta", "scored.delta"):
        now = "2026-01-01T00:00:00+00:00"
        score(model, replace(request, out=tmp_path / out), project=project, now=now, progress=lambda _: None)
    expected = pd.read_parquet(tmp_path / "scored.parquet").sort_values("lead_id", ignore_index=True)
    found = pa.table(deltalake.DeltaTable(str(tmp_path / "scored.delta")).to_pyarrow_table()).to_pandas()

    pd.testing.assert_frame_equal(found.sort_values("lead_id", ignore_index=True), expected, check_exact=True)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it, and what else to write; no folder is made."""
    monkeypatch.setitem(sys.modules, "deltalake", None)
    message = r"^deltalake is not installed: pip install 'leadml\[delta\]', or write \.parquet$"
    with pytest.raises(MissingExtraError, match=message):
        _write(tmp_path / "new" / "a.delta", _frame("a"))

    assert list(tmp_path.iterdir()) == []
