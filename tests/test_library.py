"""The Python library: the same jobs as the command line, on frames of several libraries."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import leadml
from leadml.jobs.places import Places
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from tests.dated import NOW

TrainedProject = tuple[Places, Trained]


@pytest.fixture(scope="module")
def model(trained_project: TrainedProject) -> leadml.Model:
    """Return the loaded model of the bundled leads."""
    return leadml.load(trained_project[0].registry.folder)


@pytest.fixture(scope="module")
def leads(bank_file: Path) -> pd.DataFrame:
    """Return the bundled leads as pandas reads them."""
    return pd.read_csv(bank_file)


def test_a_frame_gets_the_scores_of_its_file(
    model: leadml.Model, leads: pd.DataFrame, trained_project: TrainedProject, tmp_path: Path
) -> None:
    """Every published column is equal to the bit, except the id of the batch."""
    request = ScoreRequest(trained_project[0].data, out=tmp_path / "s.parquet")
    without = trained_project[0].params.model_copy(update={"store": None})  # a frame knows no stage before either
    project = replace(trained_project[0], params=without)
    score(trained_project[1].model, request, project=project, now=NOW, progress=lambda _: None)
    written = pd.read_parquet(tmp_path / "s.parquet").sort_values("lead_id", ignore_index=True)

    scored = model.score(leads, scored_at=NOW).sort_values("lead_id", ignore_index=True)

    pd.testing.assert_frame_equal(
        scored.drop(columns="batch_id").astype(object),
        written.drop(columns="batch_id").astype(object),
        check_exact=True,
    )


def test_a_batch_has_one_name_from_a_file_and_from_a_frame(
    model: leadml.Model, leads: pd.DataFrame, trained_project: TrainedProject, tmp_path: Path
) -> None:
    """It follows from the leads and the version."""
    request = ScoreRequest(trained_project[0].data, out=tmp_path / "s.parquet")
    summary = score(trained_project[1].model, request, project=trained_project[0], now=NOW, progress=lambda _: None)
    assert set(model.score(leads)["batch_id"]) == {summary.batch_id}


def test_values_of_the_library_can_be_compared_and_hashed(trained_project: TrainedProject) -> None:
    """A model, a project and an evaluation are equal to themselves only."""
    project = leadml.open_project(trained_project[0].root)
    for value in (project, project.model(), project.model().evaluation, project.model().bundle, trained_project[1]):
        assert value == value  # noqa: PLR0124 - that is the law
        assert len({value}) == 1
    assert project.model() != project.model()


def test_results_have_a_short_repr(model: leadml.Model, trained_project: TrainedProject, tmp_path: Path) -> None:
    """The repr of every result is one line; in notebooks results are shown as HTML."""
    project = leadml.open_project(trained_project[0].root / "params.yaml", overrides=["tracking.enabled=false"])
    summary = project.score(trained_project[0].data, out=tmp_path / "s.csv")
    for value in (model, model.bundle, trained_project[1], project, project.check(), summary, project.explain("12")):
        assert len(repr(value)) < 300, type(value)
        assert "\n" not in repr(value)
    for value in (model, project.check(), summary, trained_project[1], project.explain("12")):
        assert "<" in value._repr_html_()


def test_every_public_name_is_importable_and_documented() -> None:
    """Other names raise an AttributeError."""
    for name in leadml.__all__:
        assert getattr(leadml, name).__doc__
    assert set(leadml.__all__) <= set(dir(leadml))
    with pytest.raises(AttributeError, match="module 'leadml' has no attribute 'nothing'"):
        leadml.nothing  # noqa: B018 - must raise


def test_simulate_is_a_function_after_the_simulator_package_was_imported() -> None:
    """The package has another name than the function."""
    import leadml.simulator.write

    assert callable(leadml.simulate)
    assert leadml.simulator.write.simulate is leadml.simulate


def test_importing_leadml_imports_no_heavy_library() -> None:
    """Names of the library are imported when they are used."""
    heavy = {"pandas", "numpy", "sklearn", "lightgbm", "mlflow", "pyarrow", "matplotlib", "scipy", "pydantic"}
    code = f"import sys, leadml; dir(leadml); sys.exit(bool({heavy!r} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
