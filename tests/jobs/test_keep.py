"""What keeps the scores: the store of the project that has the version, else nothing, with the reason."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.bundle.model import load
from leadml.bundle.profile import LeadCounts
from leadml.errors import LeadmlError
from leadml.jobs.keep import last_batch
from leadml.jobs.places import Places
from leadml.jobs.score import ScoreSummary, score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from leadml.model.predict.parts import STEPS, from_bytes
from leadml.params import ScoreParams
from leadml.publish.files import sha256
from leadml.publish.sinks import FORMATS

NOW, LATER = "2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"
TrainedProject = tuple[Places, Trained]


def run(project: Places, out: Path | None, leads: Path, *, now: str = NOW, **changed: Any) -> ScoreSummary:
    """Score some leads with the first version."""
    request = replace(ScoreRequest(leads, out=out), **changed)
    model = load(project.registry.path("1"))
    return score(model, request, project=project, now=now, progress=lambda _: None)


def query(project: Places, text: str) -> list[tuple[Any, ...]]:
    """Return rows of the store."""
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture
def project(trained_project: TrainedProject, tmp_path: Path) -> Places:
    """Return a copy of the trained project that has no store yet."""
    root = shutil.copytree(trained_project[0].root, tmp_path / "project", symlinks=True)
    (root / "leadml.db").unlink(missing_ok=True)
    return Places.open(root / "params.yaml", ["tracking.enabled=false"])


@pytest.fixture
def leads(bank_file: Path, tmp_path: Path) -> Path:
    """Return a file of 30 leads."""
    path = tmp_path / "leads.csv"
    pd.read_csv(bank_file).head(30).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [kind.suffix for kind in FORMATS])
def test_file_and_store_agree(project: Places, leads: Path, tmp_path: Path, suffix: str) -> None:
    """The same leads with the same numbers, and the hash of the file; a folder has none."""
    out = tmp_path / f"scored{suffix}"
    summary = run(project, out, leads)
    (batch,) = query(
        project, "SELECT batch_id, target, version, as_of, scored_at, scored, file, state FROM leadml_batches"
    )
    stored = query(project, "SELECT lead_id, probability, probability_low, probability_high, stage FROM leadml_scores")

    assert batch == (summary.batch_id, "subscribed", "1", None, NOW, 30, str(out), "complete")
    assert query(project, "SELECT sha256 FROM leadml_batches") == [(sha256(out) if out.is_file() else "",)]
    assert summary.not_kept == ""
    if suffix == ".parquet":
        frame = pd.read_parquet(out).sort_values("lead_id")
        names = ["lead_id", "probability", "probability_low", "probability_high", "stage"]
        assert stored == list(frame[names].itertuples(index=False, name=None))
        assert set(frame["previous_stage"]) == {"LEAD"}


def test_three_runs_of_a_batch_leave_the_same_bytes_and_no_new_row(
    project: Places, leads: Path, tmp_path: Path
) -> None:
    """The instant is that of the first run; another batch between them changes nothing."""
    out = tmp_path / "scored.csv"
    tables = ("leadml_batches", "leadml_scores", "leadml_stage_changes")
    run(project, out, leads)
    first = sha256(out), [query(project, f"SELECT * FROM {table}") for table in tables]  # noqa: S608
    for now in (LATER, "2026-04-01T00:00:00+00:00"):
        run(project, out, leads, now=now)
        assert (sha256(out), [query(project, f"SELECT * FROM {table}") for table in tables]) == first  # noqa: S608
    run(project, tmp_path / "other.csv", leads, held_out=True, now=LATER)
    run(project, out, leads, now=LATER)

    assert sha256(out) == first[0]
    assert len(query(project, "SELECT 1 FROM leadml_batches")) == 2


def test_other_reasons_are_the_same_batch_with_another_file(project: Places, leads: Path, tmp_path: Path) -> None:
    """The store has the hash of the file that is there now."""
    out = tmp_path / "scored.csv"
    run(project, out, leads)
    before = sha256(out)
    choices = project.params.model_copy(update={"score": project.params.score.model_copy(update={"reasons": 1})})
    run(replace(project, params=choices), out, leads, now=LATER)

    assert query(project, "SELECT sha256, scored_at FROM leadml_batches") == [(sha256(out), NOW)]
    assert sha256(out) != before


def test_a_second_batch_knows_the_stages_of_the_first(project: Places, leads: Path, tmp_path: Path) -> None:
    """The stage before is in the row, and in a repeated run it is still the one before."""
    run(project, tmp_path / "1.parquet", leads)
    changed = pd.read_csv(leads).assign(poutcome="success", contact="cellular")
    changed.to_csv(leads, index=False)
    run(project, tmp_path / "2.parquet", leads, now=LATER)
    first, second = (pd.read_parquet(tmp_path / f"{number}.parquet") for number in (1, 2))

    assert second["previous_stage"].tolist() == first["stage"].tolist()
    assert (second["stage"] != first["stage"]).any()
    run(project, tmp_path / "3.parquet", leads, now=LATER)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "3.parquet"), second)


def test_a_table_of_a_database_is_known_by_its_batch(project: Places, leads: Path, tmp_path: Path) -> None:
    """A job that ended between the table and the commit has done its work."""
    database = {"database": f"sqlite:///{tmp_path / 'out.db'}", "table": "scored"}
    output = project.params.output.model_copy(update=database)
    project = replace(project, params=project.params.model_copy(update={"output": output}))
    run(project, None, leads)
    assert query(project, "SELECT file, output_table, sha256, state FROM leadml_batches") == [
        (None, "scored", "", "complete")
    ]
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection, connection:
        connection.execute("UPDATE leadml_batches SET state = 'filled'")
    run(project, tmp_path / "s.csv", leads, held_out=True)
    assert query(project, "SELECT state FROM leadml_batches") == [("complete",), ("complete",)]
    with closing(sqlite3.connect(tmp_path / "out.db")) as connection, connection:
        connection.execute("DELETE FROM scored")
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection, connection:
        connection.execute("UPDATE leadml_batches SET state = 'filled' WHERE output_table IS NOT NULL")
    run(project, tmp_path / "s.csv", leads, held_out=True)

    assert query(project, "SELECT output_table FROM leadml_batches") == [(None,)]


def test_without_a_store_the_scores_are_the_same_and_that_they_are_not_kept_is_said(
    project: Places, leads: Path, tmp_path: Path
) -> None:
    """The row says of no stage before."""
    kept = run(project, tmp_path / "kept.parquet", leads)
    without = replace(project, params=project.params.model_copy(update={"store": None}))
    summary = run(without, tmp_path / "not.parquet", leads)
    frames = [pd.read_parquet(tmp_path / name) for name in ("kept.parquet", "not.parquet")]

    assert summary.not_kept == "store is null in params.yaml"
    assert summary.batch_id == kept.batch_id
    assert set(frames[1]["previous_stage"]) == {""}
    pd.testing.assert_frame_equal(*(frame.drop(columns="previous_stage") for frame in frames))
    assert last_batch(without) is None


def test_a_version_of_another_folder_is_not_kept(project: Places, leads: Path, tmp_path: Path) -> None:
    """Its number says nothing here."""
    folder = shutil.copytree(project.registry.path("1"), tmp_path / "elsewhere" / "1")
    request = ScoreRequest(leads, out=tmp_path / "s.csv")
    for places in (project, None):
        summary = score(load(folder), request, project=places, now=NOW, progress=lambda _: None)
        assert summary.not_kept == "the version is of no project here"
    assert not (project.root / "leadml.db").exists()


def test_a_store_that_cannot_be_written_is_refused_before_scoring(project: Places, leads: Path, tmp_path: Path) -> None:
    """No file is written, and the old one stays."""
    (project.root / "leadml.db").mkdir()
    (tmp_path / "s.csv").write_text("old", encoding="utf-8")
    with pytest.raises(LeadmlError, match=r"leadml.db: must be a .* got: unable to open database file$"):
        run(project, tmp_path / "s.csv", leads)

    assert (tmp_path / "s.csv").read_text(encoding="utf-8") == "old"


def test_each_score_has_its_parts_and_the_batch_its_counts(project: Places, leads: Path, tmp_path: Path) -> None:
    """The log-odds of the strongest fields, as the explanation gives them, and what the scoring counted."""
    summary = run(project, tmp_path / "s.csv", leads, contributions=tmp_path / "long.parquet")
    model = load(project.registry.path("1"))
    names, fields = (
        list(model.bundle.reference.parts),
        {field.name: field.subject for field in model.bundle.model.encoder.fields},
    )
    long = pd.read_parquet(tmp_path / "long.parquet")
    by_topic = long.assign(topic=long["field"].map(fields)).pivot_table("log_odds", "lead_id", "topic", "sum")[names]
    stored = dict(query(project, "SELECT lead_id, parts FROM leadml_scores"))
    parts = pd.DataFrame(from_bytes(list(stored.values()), len(names)), index=list(stored), columns=names)
    ((counts,),) = query(project, "SELECT counts FROM leadml_batches")

    assert len(names) > 5
    assert sorted(stored) == sorted(by_topic.index)
    assert np.abs(parts.loc[by_topic.index] - by_topic).to_numpy().max() <= 0.5 / STEPS
    assert LeadCounts.from_json(json.loads(counts)) == summary.counts
    assert summary.counts.rows == 30


def test_chunks_change_neither_parts_nor_counts(project: Places, leads: Path, tmp_path: Path) -> None:
    """Also where rows are refused."""
    frame = pd.read_csv(leads, dtype=str)
    frame.assign(age=frame["age"].where(frame.index != 3, "old")).to_csv(leads, index=False)
    stored = []
    for rows in (7, 50_000):
        choices = project.params.model_copy(update={"score": ScoreParams(chunk_rows=rows)})
        run(replace(project, params=choices), tmp_path / "s.csv", leads)
        stored.append(query(project, "SELECT lead_id, parts, counts FROM leadml_scores JOIN leadml_batches"))
        (project.root / "leadml.db").unlink()

    assert stored[0] == stored[1]
    assert len(stored[0]) == 29


def test_the_last_batch_is_that_of_the_store(project: Places, leads: Path, tmp_path: Path) -> None:
    """None before anything is scored, and asking makes no store."""
    assert last_batch(project) is None
    assert not (project.root / "leadml.db").exists()
    summary = run(project, project.root / "out" / "s.csv", leads)
    found = last_batch(project)

    assert (found.batch_id, found.file, found.scored) == (summary.batch_id, "out/s.csv", 30)


def test_the_outcomes_of_dated_leads_are_known_after_horizon_and_settling(
    trained_dated: TrainedProject, tmp_path: Path
) -> None:
    """The store has that instant, and the date of the snapshots."""
    project, trained = trained_dated
    target = trained.model.bundle.leads.settings.target
    request = ScoreRequest(as_of="2024-05-30", out=tmp_path / "s.csv")
    score(trained.model, request, project=project, now="2026-01-02T00:00:00Z", progress=lambda _: None)
    found = last_batch(project)

    assert found.as_of == "2024-05-30T00:00:00+00:00"
    days = (datetime.fromisoformat(found.matures_at) - datetime.fromisoformat(found.as_of)).days
    assert days == target.horizon + target.settling
