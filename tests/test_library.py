"""The Python library: the same jobs as the command line, on frames of several libraries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import leadml
from leadml.errors import BundleError, DataError
from leadml.jobs.places import Places
from leadml.jobs.score import ScoreRequest, score
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
    score(trained_project[1].model, request, project=trained_project[0], now=NOW, progress=lambda _: None)
    written = pd.read_parquet(tmp_path / "s.parquet").sort_values("lead_id", ignore_index=True)

    scored = model.score(leads, scored_at=NOW).sort_values("lead_id", ignore_index=True)

    pd.testing.assert_frame_equal(
        scored.drop(columns="batch_id").astype(object),
        written.drop(columns="batch_id").astype(object),
        check_exact=True,
    )


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "pandas with arrow"])
def test_results_are_frames_of_the_same_library(model: leadml.Model, leads: pd.DataFrame, library: str) -> None:
    """Every library gives the same numbers."""
    frame = {
        "pandas": leads,
        "polars": pl.from_pandas(leads),
        "pyarrow": pa.Table.from_pandas(leads, preserve_index=False),
        "pandas with arrow": leads.convert_dtypes(dtype_backend="pyarrow"),
    }[library]
    expected = model.score(leads, scored_at=NOW)

    for method in (lambda rows: model.score(rows, scored_at=NOW), model.refused, model.explain):
        assert type(method(frame)) is type(frame)
    probability = np.asarray(model.score(frame, scored_at=NOW)["probability"])
    assert probability.tolist() == expected["probability"].tolist()


def test_points_add_up_to_scores(model: leadml.Model, leads: pd.DataFrame) -> None:
    """The points of a lead sum to 100 times its probability."""
    some = leads.head(200)
    scored, contributions = model.score(some), model.explain(some)
    total = contributions.groupby("lead_id")["points"].sum().reindex(scored["lead_id"])

    assert contributions.columns.tolist() == ["lead_id", "field", "group", "value", "log_odds", "points"]
    assert (contributions.groupby("lead_id").size() == len(model.fields) + 1).all()
    assert np.abs(total.to_numpy() - scored["score"].to_numpy()).max() <= 1e-9


def test_faulty_rows_are_refused_with_a_reason(model: leadml.Model, leads: pd.DataFrame) -> None:
    """Each row is scored or refused; contradicting rows and text in a number column are refused."""
    some = leads.head(6).astype(object)
    some.loc[1, "age"] = "old"
    some = pd.concat([some, some.iloc[[3]].assign(balance=1), some.iloc[[4]]], ignore_index=True)

    with pytest.warns(UserWarning, match=r"^3 of 7 rows have no score; Model\.refused tells why$"):
        scored = model.score(some)
    refused = model.refused(some)

    assert sorted(scored["lead_id"]) == sorted(str(some["id"][row]) for row in (0, 2, 4, 5))
    assert set(refused["lead_id"]) == {str(some["id"][row]) for row in (1, 3)}
    assert refused["reason"].str.contains("must be a number").sum() == 1
    assert refused["where"].str.startswith("frame:").all()


def test_an_empty_frame_gives_an_empty_result(model: leadml.Model, leads: pd.DataFrame) -> None:
    """The result has every column."""
    empty = model.score(leads.head(0))

    assert empty.columns.tolist() == model.score(leads.head(3)).columns.tolist()
    assert len(empty) == len(model.refused(leads.head(0))) == len(model.explain(leads.head(0))) == 0


def test_a_value_that_is_no_frame_of_leads_is_refused(model: leadml.Model, leads: pd.DataFrame) -> None:
    """The message names what is missing."""
    with pytest.raises(DataError, match="frame: must have a column 'balance', got none"):
        model.score(leads.drop(columns="balance"))
    with pytest.raises(DataError, match="frame: must be a frame of pandas, Polars or PyArrow, got list"):
        model.score([1, 2])
    with pytest.raises(DataError, match="frame: every column must have a name of its own, got 'age' twice"):
        model.score(pd.concat([leads, leads["age"]], axis=1))
    with pytest.raises(DataError, match="frame: every column must have a name of its own, got 'age' twice"):
        model.score(leads.assign(**{" age": 1}))


def test_columns_that_are_not_needed_may_hold_anything(model: leadml.Model, leads: pd.DataFrame) -> None:
    """They are ignored, whatever their names and values."""
    some = leads.head(20)
    others = {0: 1, "huge": [10**30] * 20, "lists": [[1]] * 20, "mixed": [1, "a"] * 10}
    surrogate = pd.Series(["\ud800"] * 20, dtype=object)
    odd = pd.concat([some, pd.DataFrame(others), surrogate.rename("surrogate")], axis=1)
    assert model.score(odd)["probability"].tolist() == model.score(some)["probability"].tolist()


@pytest.mark.parametrize(
    "values",
    [
        pd.cut(pd.Series(range(20)), 3),
        pd.Series([10**30] * 20),
        pd.Series([Decimal("Infinity")] * 20),
        pd.Series(["\ud800"] * 20, dtype=object),
        pd.Series([[1]] * 20),
        pd.Series(pd.period_range("2024-01", periods=20, freq="M")),
        pd.Series([1j] * 20),
    ],
)
@pytest.mark.filterwarnings("ignore:.*rows have no score")
def test_odd_values_in_a_needed_column_are_scored_or_refused(
    model: leadml.Model, leads: pd.DataFrame, values: pd.Series
) -> None:
    """Every row is in exactly one of the two frames, and no other library's error is seen."""
    for column in ("age", "job", "housing", "id"):
        odd = leads.head(20).assign(**{column: values})
        assert len(model.score(odd)) + len(model.refused(odd)) == 20, column


def test_a_column_without_values_has_a_type(model: leadml.Model, leads: pd.DataFrame) -> None:
    """Texts of empty frames are texts in every library."""
    empty = pl.from_pandas(leads.head(0))
    assert model.score(empty).schema == model.score(pl.from_pandas(leads.head(3))).schema
    assert set(model.refused(pl.from_pandas(leads)).schema.values()) == {pl.String}
    assert set(model.refused(pa.Table.from_pandas(leads)).schema.types) == {pa.string()}


def test_a_batch_has_one_name_from_a_file_and_from_a_frame(
    model: leadml.Model, leads: pd.DataFrame, trained_project: TrainedProject, tmp_path: Path
) -> None:
    """It follows from the leads, the model and the number of reasons."""
    request = ScoreRequest(trained_project[0].data, out=tmp_path / "s.parquet")
    summary = score(trained_project[1].model, request, project=trained_project[0], now=NOW, progress=lambda _: None)
    assert set(model.score(leads)["batch_id"]) == {summary.batch_id}


def test_scores_stand_where_their_batch_cannot_be_recorded(trained_project: TrainedProject, tmp_path: Path) -> None:
    """The summary says so: the file is written, and what fails later must not undo that."""
    shutil.copytree(trained_project[0].root, tmp_path / "p")
    project = leadml.open_project(tmp_path / "p")
    project.places.registry.folder.joinpath("batches.jsonl").unlink(missing_ok=True)
    project.places.registry.folder.joinpath("batches.jsonl").mkdir()
    summary = project.score(project.places.data, out=tmp_path / "s.parquet")
    assert (tmp_path / "s.parquet").is_file()
    assert [doubt for doubt in summary.doubts if "leadml status will not know of them" in doubt]


def test_a_project_stays_where_it_was_opened(
    trained_project: TrainedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later change of the working folder moves nothing."""
    monkeypatch.chdir(trained_project[0].root)
    project = leadml.open_project("params.yaml")
    monkeypatch.chdir(tmp_path)
    assert project.model().version == "1"


@pytest.mark.parametrize(
    ("path", "threads", "message"),
    [
        (5, 0, "^path must be a path, got int$"),
        (None, 0, "^path must be a path, got NoneType$"),
        ("models", -1, "^threads must be a whole number, from 0 to 1,024, got -1$"),
        ("models", 100_000, "^threads must be a whole number, from 0 to 1,024, got 100000$"),
    ],
)
def test_arguments_of_load_are_checked(path: Any, threads: int, message: str) -> None:
    """Very many threads would end the process."""
    with pytest.raises(leadml.LeadmlError, match=message):
        leadml.load(path, threads=threads)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reasons": 0}, "^reasons must be a whole number, from 1 to 20, got 0$"),
        ({"reasons": -1}, "^reasons must be a whole number, from 1 to 20, got -1$"),
        ({"reasons": "3"}, "^reasons must be a whole number, from 1 to 20, got '3'$"),
        ({"reasons": 2.5}, r"^reasons must be a whole number, from 1 to 20, got 2\.5$"),
        ({"reasons": True}, "^reasons must be a whole number, from 1 to 20, got True$"),
        ({"scored_at": "yesterday"}, "^scored_at must be a date or a time in ISO 8601, got 'yesterday'"),
    ],
)
def test_arguments_that_cannot_be_followed_are_refused(
    model: leadml.Model, leads: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    """The message names the argument, what must hold and what was got."""
    with pytest.raises(leadml.LeadmlError, match=message):
        model.score(leads.head(3), **arguments)


@pytest.mark.parametrize("reasons", [np.int64(1), 2, 20])
def test_the_rounded_points_of_a_row_add_up_to_the_rounded_score(
    model: leadml.Model, leads: pd.DataFrame, reasons: int
) -> None:
    """Whatever the number of reasons: the start, the reasons and everything else."""
    scored = model.score(leads, reasons=reasons)
    points = [name for name in scored if name.startswith("reason_") and name.endswith("_points")]
    assert len(points) == min(reasons, len(model.fields))
    total = scored[["starting_point", *points, "everything_else"]].fillna(0.0).sum(axis=1)
    assert np.abs(total - scored["score"].round(1)).max() < 1e-9


def test_a_model_of_dated_leads_scores_its_snapshots(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """The frame of snapshots as of a date gets the probabilities that scoring as of that date writes."""
    project = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql")
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


def test_snapshots_of_two_instants_are_not_scored_together(trained_dated: TrainedProject) -> None:
    """A lead has one score as of an instant; a frame without the instant is scored and gets no such column."""
    project = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql")
    model, snapshots = project.model(), project.snapshots("2024-05-30")
    for instants in ([snapshots["as_of"][0], "2024-05-31"], [snapshots["as_of"][0], None]):
        mixed = snapshots.head(2).assign(as_of=instants)
        with pytest.raises(DataError, match="frame: as_of must be the same instant in all rows"):
            model.score(mixed)

    assert "as_of" not in model.score(snapshots.drop(columns="as_of"))


def test_flat_leads_have_no_snapshots(trained_project: TrainedProject) -> None:
    """The message says why."""
    project = leadml.open_project(trained_project[0].root / "params.yaml")
    with pytest.raises(leadml.LeadmlError, match="flat leads have one snapshot each"):
        project.snapshots("2024-05-30")


def test_leads_that_are_no_snapshots_are_refused_in_one_line(
    trained_dated: TrainedProject, leads: pd.DataFrame
) -> None:
    """The message says where snapshots come from."""
    model = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql").model()
    with pytest.raises(
        DataError, match=r"^frame: must be snapshots, as Project\.snapshots returns them.* for example$"
    ):
        model.score(leads)


def test_a_project_takes_values_of_the_types_that_people_have(trained_project: TrainedProject, tmp_path: Path) -> None:
    """Numbers for ids and versions, a folder for its params; what cannot be meant is refused in words."""
    steps: list[str] = []
    project = leadml.open_project(trained_project[0].root, overrides=["tracking.enabled=false"], progress=steps.append)

    assert project.explain(12).probability == project.explain("12").probability
    assert steps
    assert project.model(1).version == project.model("1").version == project.model().version
    with pytest.raises(BundleError, match="got none of this name"):
        project.model(99)
    with pytest.raises(
        leadml.LeadmlError, match=r"file must be a path, got DataFrame; score a frame with project\.model"
    ):
        project.score(pd.DataFrame({"id": [1]}), out=tmp_path / "s.csv")  # type: ignore[arg-type]
    with pytest.raises(leadml.LeadmlError, match=r"r\.pdf: must end in \.html"):
        project.report(tmp_path / "r.pdf")
    with pytest.raises(leadml.LeadmlError, match="as_of must be a date or a text such as 2026-01-31, got int"):
        project.snapshots(20260131)  # type: ignore[arg-type]
    with pytest.raises(leadml.LeadmlError, match=r"overrides must be a list of texts such as"):
        leadml.open_project(trained_project[0].root, overrides="split.seed=1")


def test_values_of_the_library_can_be_compared_and_hashed(trained_project: TrainedProject) -> None:
    """A model, a project and an evaluation are equal to themselves only."""
    project = leadml.open_project(trained_project[0].root)
    for value in (project, project.model(), project.model().evaluation, project.model().bundle, trained_project[1]):
        assert value == value  # noqa: PLR0124 - that is the law
        assert len({value}) == 1
    assert project.model() != project.model()


def test_a_project_has_the_methods_of_the_commands(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path
) -> None:
    """Check, score, report, status and explain return values."""
    project = leadml.open_project(trained_project[0].root / "params.yaml", overrides=["tracking.enabled=false"])
    result = project.check()
    summary = project.score(bank_file, out=tmp_path / "s.csv")

    assert result.is_ready
    assert "ready to train" in repr(result)
    assert "<table" in result._repr_html_()
    assert (summary.scored, summary.not_scored) == (4521, 0)
    assert project.report(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert project.status()["target"] == "subscribed"
    assert project.explain("12").probability == pytest.approx(0.1, abs=0.2)


def test_results_have_a_short_repr(model: leadml.Model, trained_project: TrainedProject, tmp_path: Path) -> None:
    """The repr of every result is one line; in notebooks results are shown as HTML."""
    project = leadml.open_project(trained_project[0].root / "params.yaml", overrides=["tracking.enabled=false"])
    summary = project.score(trained_project[0].data, out=tmp_path / "s.csv")
    for value in (model, model.bundle, trained_project[1], project, project.check(), summary, project.explain("12")):
        assert len(repr(value)) < 300, type(value)
        assert "\n" not in repr(value)
    for value in (model, project.check(), summary, trained_project[1], project.explain("12")):
        assert "<" in value._repr_html_()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names what is missing, and the models that are there."""
    with pytest.raises(BundleError, match=r"must be the folder of a target .*, got one without a model; train a model"):
        leadml.load(tmp_path)
    (tmp_path / "won").mkdir()
    (tmp_path / "won" / "champion").write_text("../x\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"got one without a model; .* has won$"):
        leadml.load(tmp_path)
    with pytest.raises(BundleError, match=r"lost: must be the folder .*, got none of this name; .* has won$"):
        leadml.load(tmp_path / "lost")
    with pytest.raises(BundleError, match=r"champion: must name a version, got '\.\./x'; train one first"):
        leadml.load(tmp_path / "won")


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
