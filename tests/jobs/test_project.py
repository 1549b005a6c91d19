"""The project of the Python library: its methods are the jobs of the commands, on values that people have."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.dated import crm, write_params

from leadml.errors import BundleError, DataError, LeadmlError, ParamsError
from leadml.jobs.places import Places
from leadml.jobs.project import Project, current_instant, ignore_progress, open_project, proposed_project
from leadml.jobs.train import Trained

TrainedProject = tuple[Places, Trained]


@pytest.fixture(scope="module")
def project(trained_project: TrainedProject) -> Project:
    """Return the trained project; a test must not train it again."""
    return open_project(trained_project[0].root, overrides=["tracking.enabled=false"])


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("name", ["", "params.yaml"])
def test_a_project_is_opened_by_its_folder_or_its_params(tmp_path: Path, as_text: bool, name: str) -> None:  # noqa: FBT001
    """As a text or a path, with overrides and a target."""
    write_params(tmp_path, crm())
    path = tmp_path / name
    project = open_project(str(path) if as_text else path, target="sql", overrides=("split.seed=7",))

    assert (project.target, project.places.params.split.seed) == ("sql", 7)
    assert project.places.root == tmp_path.resolve()
    assert project.progress is ignore_progress


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"overrides": "a.b=1"},
            ParamsError,
            r'^overrides must be a list of texts such as \["split.seed=1"\], got \'a.b',
        ),
        ({"overrides": [1]}, ParamsError, r"^overrides must be a list of texts such as .*, got '\[1\]'$"),
        ({"path": 5}, LeadmlError, "^path must be a path, got int$"),
        ({"path": "nowhere"}, ParamsError, "nowhere: there is no such file; make one with leadml init"),
        ({"target": "other"}, ParamsError, r"target \(--target\) must be one of mql, sql, got 'other'"),
        ({}, ParamsError, r"target \(--target\) must name one of the targets mql, sql, got none"),
    ],
)
def test_arguments_that_open_no_project_are_refused(
    tmp_path: Path, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The message names the argument."""
    with pytest.raises(error, match=message):
        open_project(**{"path": write_params(tmp_path, crm()), **arguments})


@pytest.mark.slow
def test_a_project_of_a_file_is_the_one_that_init_would_propose(bank_file: Path) -> None:
    """It is written nowhere, and its check reads the file."""
    before = sorted(bank_file.parent.iterdir())
    steps: list[str] = []
    project = proposed_project(str(bank_file), steps.append)
    result = project.check(bank_file)

    assert project.places.root == bank_file.parent.resolve()
    assert result.is_ready
    assert "looking for leaks" in steps
    assert sorted(bank_file.parent.iterdir()) == before


def test_the_current_instant_is_one_of_now_in_utc() -> None:
    """To the second."""
    found = dt.datetime.fromisoformat(current_instant())

    assert abs(dt.datetime.now(dt.UTC) - found) < dt.timedelta(seconds=10)
    assert (found.utcoffset(), found.microsecond) == (dt.timedelta(0), 0)


def test_a_project_is_shown_in_one_line(project: Project) -> None:
    """With its target, its folder and the number of its versions."""
    assert repr(project) == f"<leadml project of subscribed, {project.places.root.name}, 1 versions>"


def test_a_report_lies_in_the_folder_of_reports_by_default(trained_project: TrainedProject, tmp_path: Path) -> None:
    """Under the name of the target."""
    project = open_project(shutil.copytree(trained_project[0].root, tmp_path / "p", symlinks=True))

    assert project.report() == tmp_path / "p" / "reports" / "subscribed.html"
    assert project.report().read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("as_of", [20260131, 1.5, ["2026-01-31"]])
def test_an_instant_is_a_date_or_a_text(trained_dated: TrainedProject, as_of: Any) -> None:
    """A date is as good as its text; a number is none."""
    project = open_project(trained_dated[0].root, target="mql")
    name = type(as_of).__name__
    for method in (
        project.snapshots,
        lambda day: project.explain("L", as_of=day),
        lambda day: project.score(as_of=day),
    ):
        with pytest.raises(LeadmlError, match=f"^as_of must be a date or a text such as 2026-01-31, got {name}$"):
            method(as_of)


def test_snapshots_of_a_date_are_those_of_its_text(trained_dated: TrainedProject) -> None:
    """The first instant of the day."""
    project = open_project(trained_dated[0].root, target="mql")

    pd.testing.assert_frame_equal(project.snapshots(dt.date(2024, 5, 30)), project.snapshots("2024-05-30T00:00Z"))


def test_a_lead_that_is_not_there_has_no_explanation(project: Project) -> None:
    """The message names the file."""
    with pytest.raises(DataError, match=r"bank\.csv: must contain the lead 'nobody', got no such id"):
        project.explain("nobody")


def test_a_project_stays_where_it_was_opened(
    trained_project: TrainedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later change of the working folder moves nothing."""
    monkeypatch.chdir(trained_project[0].root)
    project = open_project("params.yaml")
    monkeypatch.chdir(tmp_path)
    assert project.model().version == "1"


def test_a_model_of_dated_leads_scores_its_snapshots(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """The frame of snapshots as of a date gets the probabilities that scoring as of that date writes."""
    project = open_project(trained_dated[0].root / "params.yaml", target="mql")
    project.score(out=tmp_path / "s.parquet", as_of="2024-05-30")
    written = pd.read_parquet(tmp_path / "s.parquet")

    snapshots = project.snapshots("2024-05-30")
    scored = project.model().score(snapshots)

    assert snapshots["as_of"].unique().tolist() == ["2024-05-30T00:00:00+00:00"]
    assert scored.columns.tolist() == written.columns.tolist()
    assert scored["lead_id"].tolist() == written["lead_id"].tolist()
    assert scored["as_of"].tolist() == written["as_of"].astype(str).tolist()
    assert scored["probability"].tolist() == written["probability"].tolist()
    assert scored["reason_1"].tolist() == written["reason_1"].tolist()
    lead = written["lead_id"][3]
    assert project.explain(lead, as_of="2024-05-30").probability == written["probability"][3]


def test_flat_leads_have_no_snapshots(trained_project: TrainedProject) -> None:
    """The message says why."""
    project = open_project(trained_project[0].root / "params.yaml")
    with pytest.raises(LeadmlError, match="flat leads have one snapshot each"):
        project.snapshots("2024-05-30")


def test_a_project_takes_values_of_the_types_that_people_have(trained_project: TrainedProject, tmp_path: Path) -> None:
    """Numbers for ids and versions, a folder for its params; what cannot be meant is refused in words."""
    steps: list[str] = []
    project = open_project(trained_project[0].root, overrides=["tracking.enabled=false"], progress=steps.append)

    assert project.explain(12).probability == project.explain("12").probability
    assert steps
    assert project.model(1).version == project.model("1").version == project.model().version
    with pytest.raises(BundleError, match="got none of this name"):
        project.model(99)
    with pytest.raises(LeadmlError, match=r"file must be a path, got DataFrame; score a frame with project\.model"):
        project.score(pd.DataFrame({"id": [1]}), out=tmp_path / "s.csv")  # type: ignore[arg-type]
    with pytest.raises(LeadmlError, match=r"r\.pdf: must end in \.html"):
        project.report(tmp_path / "r.pdf")
    with pytest.raises(LeadmlError, match="as_of must be a date or a text such as 2026-01-31, got int"):
        project.snapshots(20260131)  # type: ignore[arg-type]
    with pytest.raises(LeadmlError, match=r"overrides must be a list of texts such as"):
        open_project(trained_project[0].root, overrides="split.seed=1")


def test_a_project_has_the_methods_of_the_commands(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path
) -> None:
    """Check, score, report, status and explain return values."""
    project = open_project(trained_project[0].root / "params.yaml", overrides=["tracking.enabled=false"])
    result = project.check()
    summary = project.score(bank_file, out=tmp_path / "s.csv")

    assert result.is_ready
    assert "ready to train" in repr(result)
    assert "<table" in result._repr_html_()
    assert (summary.scored, summary.not_scored) == (4521, 0)
    assert project.report(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert project.status()["target"] == "subscribed"
    assert project.explain("12").probability == pytest.approx(0.1, abs=0.2)
