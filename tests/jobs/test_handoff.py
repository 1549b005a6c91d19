"""Leads for sales: the reasons of their scores, whatever the scores were written to, and a file that is never lost."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.handoff import TO_FILL_IN, HandOff, hand_off
from leadml.jobs.places import Places
from leadml.jobs.remember import forget
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from leadml.publish.sinks import FORMATS

NOW, LATER = "2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"
FORMULA = "=7"  # an id that a spreadsheet would run
DATABASE = "output.database=sqlite:///scores.db"


def _score(project: Places, out: Path | None, leads: Path) -> pd.DataFrame:
    """Score leads and return the rows of the library, with which each file must agree."""
    model = load(project.registry.path("1"))
    score(model, ScoreRequest(leads, out=out), project=project, now=NOW, progress=lambda _: None)
    return model.score(pd.read_csv(leads, dtype={"id": str})).set_index("lead_id")


def _hand_off(project: Places, name: str = "sales.csv") -> HandOff:
    return hand_off(project, project.root / name, now=LATER, progress=lambda _: None)


@pytest.fixture
def open_copy(trained_project: tuple[Places, Trained], tmp_path: Path) -> Callable[..., Places]:
    """Return a function that opens a copy of the trained project that has no store yet."""
    root = shutil.copytree(trained_project[0].root, tmp_path / "project", symlinks=True)
    (root / "leadml.db").unlink(missing_ok=True)
    return lambda *choices: Places.open(root / "params.yaml", ["tracking.enabled=false", *choices])


@pytest.fixture
def leads(bank_file: Path, tmp_path: Path) -> Path:
    """Return a file of 60 leads; the id of a likely one looks like a formula."""
    frame = pd.read_csv(bank_file, dtype={"id": str}).query("poutcome == 'success'").head(60)
    frame.iloc[0, frame.columns.get_loc("id")] = FORMULA
    frame.to_csv(tmp_path / "leads.csv", index=False)
    return tmp_path / "leads.csv"


@pytest.mark.parametrize("place", [*(f"scored{kind.suffix}" for kind in FORMATS), None])
def test_each_lead_has_the_reasons_and_the_probability_of_its_score(
    open_copy: Callable[..., Places], leads: Path, place: str | None
) -> None:
    """From each kind of file and from a table; the best lead is the first, and no lead below MQL is among them."""
    project = open_copy(*([] if place else [DATABASE]))
    scored = _score(project, place and project.root / place, leads)
    handed = _hand_off(project)
    rows = handed.leads.set_index("lead_id")

    assert handed.doubts == ()
    assert FORMULA in rows.index
    assert set(rows.index) == set(scored.index[scored["stage"].isin(["MQL", "SQL"])])
    same = ["stage", "probability", "probability_low", "probability_high", "grade", "reason_1"]
    assert rows[same].to_numpy().tolist() == scored.loc[rows.index, same].to_numpy().tolist()
    points = [table["reason_2_points"].to_numpy() for table in (rows, scored.loc[rows.index])]
    assert np.abs(points[0] - points[1]).max() <= 5e-7  # files for people have 6 decimals
    assert rows["probability"].is_monotonic_decreasing
    assert (rows[list(TO_FILL_IN)] == "").all().all()
    read = pd.read_csv(handed.out, dtype=str, keep_default_na=False)
    assert f"'{FORMULA}" in set(read["lead_id"])
    assert (set(read["handed_over_at"]), len(read)) == ({LATER}, sum(handed.stages.values()))


def test_nobody_is_handed_over_twice_and_no_file_is_replaced(open_copy: Callable[..., Places], leads: Path) -> None:
    """A job without news writes no file; a name that is taken is refused before anything is remembered."""
    project = open_copy()
    _score(project, project.root / "scored.csv", leads)
    (project.root / "old.csv").write_text("filled in by sales", encoding="utf-8")
    with pytest.raises(LeadmlError, match=r"old.csv: must be a new file, because sales may be filling in the old one"):
        _hand_off(project, "old.csv")
    first, second = _hand_off(project), _hand_off(project, "2.csv")

    assert (len(first.leads) > 0, len(second.leads), second.out.exists()) == (True, 0, False)
    assert repr(second).startswith("<handed over: no lead: ")


def test_leads_whose_file_was_replaced_are_handed_over_without_reasons(
    open_copy: Callable[..., Places], leads: Path
) -> None:
    """And that is said: nobody is lost because a file is."""
    project = open_copy()
    scored = _score(project, project.root / "scored.csv", leads)
    (project.root / "scored.csv").write_text("replaced", encoding="utf-8")
    handed = _hand_off(project)
    due = int(scored["stage"].isin(["MQL", "SQL"]).sum())

    assert len(handed.leads) == due
    assert [doubt.split(":")[0] for doubt in handed.doubts] == [f"{due} leads have no reasons"]
    assert "reason_1" not in handed.leads
    receipt = forget(project, FORMULA, now=LATER, progress=lambda _: None)
    assert (receipt.handoffs, receipt.files) == (1, ("sales.csv", "scored.csv"))


def test_people_who_are_suppressed_are_not_handed_over(open_copy: Callable[..., Places], leads: Path) -> None:
    """Even if they objected after they were scored."""
    project = open_copy()
    _score(project, project.root / "scored.csv", leads)
    pd.DataFrame({"lead_id": [FORMULA]}).to_csv(project.root / "objected.csv", index=False)
    choices = project.params.as_written() | {"suppression": {"objected": {"path": "objected.csv"}}}
    objected = replace(project, params=type(project.params).model_validate(choices))

    assert FORMULA not in set(_hand_off(objected).leads["lead_id"])


def test_a_batch_that_a_crash_left_between_file_and_commit_is_handed_over(
    open_copy: Callable[..., Places], leads: Path
) -> None:
    """It is completed first."""
    project = open_copy()
    scored = _score(project, project.root / "scored.csv", leads)
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection, connection:
        connection.execute("UPDATE leadml_batches SET state = 'filled', sha256 = NULL")

    assert len(_hand_off(project).leads) == int(scored["stage"].isin(["MQL", "SQL"]).sum())
