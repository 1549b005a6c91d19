"""The rows that scoring publishes: the same for the same leads, with the values that a batch shares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.bundle.contents import Bundle
from leadml.bundle.scoring import REFUSED_COLUMNS, Batch, batch_id, refused_rows, scored_rows, stage_names
from leadml.errors import Fault
from leadml.leads.check.load import LoadedLeads
from leadml.leads.sources.leads_as_of import LeadsAsOf
from leadml.model.predict.explain import explain_leads
from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.ladder import ranks_of
from leadml.stages.lifecycle import KnownStages
from leadml.stages.plan import StagePlan

BATCH = Batch("b" * 16, "7", "2026-01-01T00:00:00Z", 3, {"as_of": "2025-12-31T00:00:00+00:00"})
LEADS = LeadsAsOf(
    "h", rows_read=5, merged=0, left_out=0, reason_left_out="", chunks=lambda: iter(()), stamp={"as_of": "2026-01-01"}
)


@pytest.fixture(scope="module")
def frame(bank_leads: LoadedLeads) -> pd.DataFrame:
    """Return 300 of the bundled leads."""
    return bank_leads.frame.head(300)


@pytest.fixture(scope="module")
def scored(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """Return their rows."""
    return scored_rows(bundle, frame, BATCH)[0]


def test_a_batch_has_the_id_of_its_leads_version_and_instant() -> None:
    """Equal parts give the same id, and each other part another; counts and time change nothing."""
    first = batch_id(LEADS, "m", "1")
    others = [
        batch_id(replace(LEADS, content_hash="i"), "m", "1"),
        batch_id(replace(LEADS, stamp={}), "m", "1"),
        batch_id(LEADS, "n", "1"),
        batch_id(LEADS, "m", "2"),
        batch_id(LEADS, "m", "1", held_out=True),
    ]

    assert len({first, *others}) == 6
    assert {len(each) for each in others} == {16}
    assert batch_id(replace(LEADS, rows_read=9, merged=3), "m", "1") == first


def test_the_stage_before_is_in_the_row_where_it_is_known(bundle: Bundle, frame: pd.DataFrame) -> None:
    """A target that drives no stage has none before either."""
    before = replace(KnownStages.nothing(2), stage=ranks_of(["IQL", "SQL"]))
    without = replace(bundle, stages=replace(bundle.stages, cuts=()))

    assert scored_rows(bundle, frame.head(2), BATCH, before)[0]["previous_stage"].tolist() == ["IQL", "SQL"]
    assert scored_rows(bundle, frame.head(2), BATCH)[0]["previous_stage"].tolist() == ["", ""]
    assert scored_rows(without, frame.head(2), BATCH, before)[0]["previous_stage"].tolist() == ["", ""]


def test_rows_have_the_probabilities_of_the_model(bundle: Bundle, frame: pd.DataFrame, scored: pd.DataFrame) -> None:
    """The score is a hundred times as much, and the interval encloses it."""
    assert scored["lead_id"].tolist() == frame["lead_id"].tolist()
    assert scored["probability"].tolist() == bundle.model.predict(frame).tolist()
    assert scored["score"].tolist() == (100 * scored["probability"]).tolist()
    assert (scored["probability_low"] <= scored["probability"]).all()
    assert (scored["probability"] <= scored["probability_high"]).all()


def test_the_explanation_is_that_of_the_rows(bundle: Bundle, frame: pd.DataFrame, scored: pd.DataFrame) -> None:
    """The points of both groups and the starting point make the score."""
    explanation = scored_rows(bundle, frame, BATCH)[1]
    expected = explain_leads(bundle.model, bundle.model.encoder.fields_of(frame))

    assert np.array_equal(explanation.points, expected.points)
    total = explanation.start_points + scored["fit"] + scored["engagement"]
    assert np.abs(total - scored["score"]).max() < 1e-9


def test_all_rows_have_the_values_of_their_batch(scored: pd.DataFrame) -> None:
    """The stamp and the target come before the probability, version, batch and instant at the end."""
    shared = {
        "as_of": "2025-12-31T00:00:00+00:00",
        "target": "subscribed",
        "stage_source": "advised",
        "model_version": "7",
        "batch_id": "b" * 16,
        "scored_at": "2026-01-01T00:00:00Z",
    }

    for name, value in shared.items():
        assert set(scored[name]) == {value}
    assert scored.columns[:4].tolist() == ["lead_id", "as_of", "target", "probability"]
    assert scored.columns[-3:].tolist() == ["model_version", "batch_id", "scored_at"]


@pytest.mark.parametrize("reasons", [1, 5])
def test_rows_have_as_many_reasons_as_the_batch_asks_for(bundle: Bundle, frame: pd.DataFrame, reasons: int) -> None:
    """Rounded to tenths they add up to the rounded score, with the start and everything else."""
    rows, _ = scored_rows(bundle, frame, replace(BATCH, reasons=reasons))
    points = [name for name in rows if name.startswith("reason_") and name.endswith("_points")]
    total = rows[["starting_point", *points, "everything_else"]].sum(axis=1)

    assert len(points) == reasons
    assert np.abs(total - rows["score"].round(1)).max() < 1e-9


def test_a_stage_begins_at_its_cut(bundle: Bundle, frame: pd.DataFrame, scored: pd.DataFrame) -> None:
    """A lead at the cut is in; without cuts there is neither a stage nor who advised it."""
    cut = float(np.sort(scored["probability"])[-10])
    plan = StagePlan((Cut("MQL", cut, ""),), GradeBands((), ()))
    rows, _ = scored_rows(replace(bundle, stages=plan), frame, BATCH)
    none, _ = scored_rows(replace(bundle, stages=StagePlan((), GradeBands((), ()))), frame, BATCH)

    assert (rows["stage"] == "MQL").tolist() == (rows["probability"] >= cut).tolist()
    assert set(none["stage"]) == set(none["stage_source"]) == set(none["grade"]) == {""}
    assert (stage_names(replace(bundle, stages=plan)), stage_names(bundle)) == (("LEAD", "MQL"), ("LEAD", "MQL"))
    assert stage_names(replace(bundle, stages=StagePlan((), GradeBands((), ())))) == ()


def test_no_leads_give_no_rows_with_all_columns(bundle: Bundle, frame: pd.DataFrame, scored: pd.DataFrame) -> None:
    """So that an empty file has a header."""
    rows, _ = scored_rows(bundle, frame.head(0), BATCH)

    assert len(rows) == 0
    assert rows.columns.tolist() == scored.columns.tolist()


@pytest.mark.parametrize(
    ("faults", "rows"),
    [
        ([], []),
        ([Fault("x.csv:3", "must be a number", "age", "7"), Fault("x.csv:4", "must be an id")],
         [["x.csv:3", "7", "age", "must be a number"], ["x.csv:4", "", "", "must be an id"]]),
    ],
)  # fmt: skip
def test_a_refused_row_has_place_lead_column_and_reason(faults: list[Fault], rows: list[list[Any]]) -> None:
    """Each fault is a row; without one there are the columns alone."""
    table = refused_rows(faults)

    assert table.columns.tolist() == list(REFUSED_COLUMNS)
    assert table.to_numpy().tolist() == rows
    assert set(table.dtypes) == {np.dtype(object)}
