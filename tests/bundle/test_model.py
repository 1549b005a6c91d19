"""A loaded model: it scores frames of several libraries, explains every score, and refuses what it cannot score."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.dated import NOW

import leadml
from leadml.bundle.model import Model, load
from leadml.errors import BundleError, DataError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained

TrainedProject = tuple[Places, Trained]


@pytest.fixture(scope="module")
def model(trained_project: TrainedProject) -> Model:
    """Return the loaded model of the bundled leads."""
    return load(trained_project[0].registry.folder)


@pytest.fixture(scope="module")
def leads(bank_file: Path) -> pd.DataFrame:
    """Return the bundled leads as pandas reads them."""
    return pd.read_csv(bank_file)


def test_a_model_has_the_facts_of_its_bundle(model: Model, trained_project: TrainedProject) -> None:
    """Version, target, fields, cuts, evaluation and importance."""
    bundle = model.bundle

    assert (model.version, model.target) == ("1", "subscribed")
    assert model.folder == trained_project[0].registry.path("1").resolve()
    assert model.fields == tuple(field.name for field in bundle.leads.contract.fields)
    assert model.cuts == {cut.stage: cut.probability for cut in bundle.stages.cuts}
    assert list(model.cuts.values()) == sorted(model.cuts.values())
    assert model.importance is model.evaluation.importance is bundle.evaluation.importance
    assert model.importance["value"].is_monotonic_decreasing


def test_the_folder_of_a_target_has_the_model_of_its_champion(trained_project: TrainedProject, tmp_path: Path) -> None:
    """A text is a path too, and the number of threads changes no score."""
    folder = shutil.copytree(trained_project[0].registry.folder, tmp_path / "subscribed", symlinks=True)
    by_target, by_version = load(str(folder)), load(folder / "1", threads=1)

    assert by_target.folder == by_version.folder
    assert by_target.manifest == by_version.manifest
    (folder / "champion").write_text("2\n", encoding="utf-8")
    with pytest.raises(BundleError, match="must name versions that exist, got '2', which does not exist"):
        load(folder)


def test_a_model_is_shown_in_one_line_and_with_its_most_important_fields(model: Model) -> None:
    """The page has three of them."""
    line = repr(model)

    assert line.startswith(f"<leadml model of subscribed, version 1, {len(model.fields)} fields, ROC AUC 0.")
    shown = model._repr_html_()
    assert all(f"<td>{name}</td>" in shown for name in model.importance["field"].head(3))
    assert shown.count("<tr") == 4


def test_a_row_has_one_score_whatever_the_other_rows_are(model: Model, leads: pd.DataFrame) -> None:
    """Rows in another order, or alone, have the same numbers."""
    some = leads.head(30)
    whole = model.score(some, scored_at=NOW).set_index("lead_id")
    turned = model.score(some[::-1], scored_at=NOW).set_index("lead_id")
    alone = model.score(some.iloc[[7]], scored_at=NOW).set_index("lead_id")
    columns = ["probability", "probability_low", "probability_high", "stage", "grade", "reason_1", "reason_1_points"]

    pd.testing.assert_frame_equal(turned.loc[whole.index, columns], whole[columns], check_exact=True)
    pd.testing.assert_frame_equal(alone[columns], whole.loc[alone.index, columns], check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "pandas with arrow"])
def test_results_are_frames_of_the_same_library(model: Model, leads: pd.DataFrame, library: str) -> None:
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


def test_points_add_up_to_scores(model: Model, leads: pd.DataFrame) -> None:
    """The points of a lead sum to 100 times its probability."""
    some = leads.head(200)
    scored, contributions = model.score(some), model.explain(some)
    total = contributions.groupby("lead_id")["points"].sum().reindex(scored["lead_id"])

    assert contributions.columns.tolist() == ["lead_id", "field", "group", "value", "log_odds", "points"]
    assert (contributions.groupby("lead_id").size() == len(model.fields) + 1).all()
    assert np.abs(total.to_numpy() - scored["score"].to_numpy()).max() <= 1e-9


def test_faulty_rows_are_refused_with_a_reason(model: Model, leads: pd.DataFrame) -> None:
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


def test_an_empty_frame_gives_an_empty_result(model: Model, leads: pd.DataFrame) -> None:
    """The result has every column."""
    empty = model.score(leads.head(0))

    assert empty.columns.tolist() == model.score(leads.head(3)).columns.tolist()
    assert len(empty) == len(model.refused(leads.head(0))) == len(model.explain(leads.head(0))) == 0


def test_a_value_that_is_no_frame_of_leads_is_refused(model: Model, leads: pd.DataFrame) -> None:
    """The message names what is missing."""
    with pytest.raises(DataError, match="frame: must have a column 'balance', got none"):
        model.score(leads.drop(columns="balance"))
    with pytest.raises(DataError, match="frame: must be a frame of pandas, Polars or PyArrow, got list"):
        model.score([1, 2])
    with pytest.raises(DataError, match="frame: every column must have a name of its own, got 'age' twice"):
        model.score(pd.concat([leads, leads["age"]], axis=1))
    with pytest.raises(DataError, match="frame: every column must have a name of its own, got 'age' twice"):
        model.score(leads.assign(**{" age": 1}))


def test_columns_that_are_not_needed_may_hold_anything(model: Model, leads: pd.DataFrame) -> None:
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
    model: Model, leads: pd.DataFrame, values: pd.Series
) -> None:
    """Every row is in exactly one of the two frames, and no other library's error is seen."""
    for column in ("age", "job", "housing", "id"):
        odd = leads.head(20).assign(**{column: values})
        assert len(model.score(odd)) + len(model.refused(odd)) == 20, column


def test_a_column_without_values_has_a_type(model: Model, leads: pd.DataFrame) -> None:
    """Texts of empty frames are texts in every library."""
    empty = pl.from_pandas(leads.head(0))
    assert model.score(empty).schema == model.score(pl.from_pandas(leads.head(3))).schema
    assert set(model.refused(pl.from_pandas(leads)).schema.values()) == {pl.String}
    assert set(model.refused(pa.Table.from_pandas(leads)).schema.types) == {pa.string()}


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
        load(path, threads=threads)


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
    model: Model, leads: pd.DataFrame, arguments: dict[str, Any], message: str
) -> None:
    """The message names the argument, what must hold and what was got."""
    with pytest.raises(leadml.LeadmlError, match=message):
        model.score(leads.head(3), **arguments)


@pytest.mark.parametrize("reasons", [np.int64(1), 2, 20])
def test_the_rounded_points_of_a_row_add_up_to_the_rounded_score(
    model: Model, leads: pd.DataFrame, reasons: int
) -> None:
    """Whatever the number of reasons: the start, the reasons and everything else."""
    scored = model.score(leads, reasons=reasons)
    points = [name for name in scored if name.startswith("reason_") and name.endswith("_points")]
    assert len(points) == min(reasons, len(model.fields))
    total = scored[["starting_point", *points, "everything_else"]].fillna(0.0).sum(axis=1)
    assert np.abs(total - scored["score"].round(1)).max() < 1e-9


def test_snapshots_of_two_instants_are_not_scored_together(trained_dated: TrainedProject) -> None:
    """A lead has one score as of an instant; a frame without the instant is scored and gets no such column."""
    project = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql")
    model, snapshots = project.model(), project.snapshots("2024-05-30")
    for instants in ([snapshots["as_of"][0], "2024-05-31"], [snapshots["as_of"][0], None]):
        mixed = snapshots.head(2).assign(as_of=instants)
        with pytest.raises(DataError, match="frame: as_of must be the same instant in all rows"):
            model.score(mixed)

    assert "as_of" not in model.score(snapshots.drop(columns="as_of"))


def test_leads_that_are_no_snapshots_are_refused_in_one_line(
    trained_dated: TrainedProject, leads: pd.DataFrame
) -> None:
    """The message says where snapshots come from."""
    model = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql").model()
    with pytest.raises(
        DataError, match=r"^frame: must be snapshots, as Project\.snapshots returns them.* for example$"
    ):
        model.score(leads)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names what is missing, and the models that are there."""
    with pytest.raises(BundleError, match=r"must be the folder of a target .*, got one without a model; train a model"):
        load(tmp_path)
    (tmp_path / "won").mkdir()
    (tmp_path / "won" / "champion").write_text("../x\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"got one without a model; .* has won$"):
        load(tmp_path)
    with pytest.raises(BundleError, match=r"lost: must be the folder .*, got none of this name; .* has won$"):
        load(tmp_path / "lost")
    with pytest.raises(BundleError, match=r"must name a version by its number, got '\.\./x'; correct it, or remove"):
        load(tmp_path / "won")
