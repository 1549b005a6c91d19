"""Figures with bootstrap intervals: paired, repeatable, and honest about few rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from leadml.leads.check.field import Field
from leadml.model.judge.bootstrap import COMPARED, DECILES, DIFFERENCES, figures_with_intervals
from leadml.model.judge.predictions import HoldoutPredictions
from leadml.params import EvaluationParams

PARAMS = EvaluationParams(draws=60, confidence=0.9)
ORACLES = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "log_loss": log_loss,
    "brier": brier_score_loss,
}


@pytest.fixture(scope="module")
def predictions() -> HoldoutPredictions:
    """Return predictions of 500 rows, with a baseline that is worse and one that is the same."""
    random = np.random.default_rng(3)
    logit = random.normal(-1, 1.2, 500)
    label = (random.random(500) < expit(logit)).astype(np.int8)
    baselines = {"same": expit(logit), "worse": expit(logit + random.normal(0, 2, 500))}
    points = np.column_stack([logit, -2 * logit])
    fields = (Field("age", "number", "fit"), Field("visits", "number", "engagement"))
    return HoldoutPredictions(label, expit(logit), points, fields, {"MQL": 0.3, "SQL": 0.9}, baselines)


@pytest.fixture(scope="module")
def table(predictions: HoldoutPredictions) -> pd.DataFrame:
    """Return their figures."""
    return figures_with_intervals(predictions, PARAMS, seed=1)


def _of(table: pd.DataFrame, *name: str) -> pd.Series:
    columns = ["table", "first", "second"][: len(name)]
    found = table[(table[columns] == list(name)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def test_models_have_the_metrics_of_scikit_learn(table: pd.DataFrame, predictions: HoldoutPredictions) -> None:
    """Of leadml and of each baseline."""
    for model, probability in {"leadml": predictions.probability, **predictions.baselines}.items():
        for name in COMPARED:
            expected = ORACLES[name](predictions.label, probability)
            assert _of(table, "models", model, name)["value"] == pytest.approx(expected, abs=1e-9)


def test_every_table_has_its_figures_each_once(table: pd.DataFrame) -> None:
    """Three of each decile, two of each stage, four of each model, one of each field."""
    counts = table.groupby("table").size().to_dict()

    assert not table.duplicated(["table", "first", "second"]).any()
    assert {name: counts[name] for name in ("deciles", "stages", "models", "importance")} == {
        "deciles": 3 * DECILES, "stages": 4, "models": 4 * 3, "importance": 2,
    }  # fmt: skip


def test_figures_are_those_of_a_sum_by_hand(table: pd.DataFrame, predictions: HoldoutPredictions) -> None:
    """Stages at or above the cut, the first decile, and the mean of absolute points."""
    inside = predictions.probability >= 0.3
    first = np.argsort(-predictions.probability)[:50]
    rate = predictions.label[first].mean()

    assert _of(table, "stages", "MQL", "share")["value"] == pytest.approx(inside.mean())
    assert _of(table, "stages", "MQL", "precision")["value"] == pytest.approx(predictions.label[inside].mean())
    assert _of(table, "deciles", "1", "rate")["value"] == pytest.approx(rate)
    assert _of(table, "deciles", "1", "lift")["value"] == pytest.approx(rate / predictions.label.mean())
    assert _of(table, "deciles", "1", "gain")["value"] == pytest.approx(50 * rate / predictions.label.sum())
    assert _of(table, "importance", "visits")["value"] == pytest.approx(np.abs(predictions.points[:, 1]).mean())


def test_only_models_have_differences_and_the_same_model_has_none(table: pd.DataFrame) -> None:
    """Differences are paired: equal probabilities differ in no draw, and the bounds enclose the value."""
    columns = list(DIFFERENCES)

    assert (table.loc[table["first"] == "same", columns] == 0).all(axis=None)
    assert table.loc[table["table"] != "models", columns].isna().all(axis=None)
    worse = table[table["first"] == "worse"]
    own = table[(table["table"] == "models") & (table["first"] == "leadml")]
    assert worse["difference"].to_numpy() == pytest.approx(own["value"].to_numpy() - worse["value"].to_numpy())
    assert worse["difference_low"].le(worse["difference"]).all()
    assert worse["difference"].le(worse["difference_high"]).all()


@pytest.mark.slow
def test_a_seed_repeats_the_intervals(predictions: HoldoutPredictions, table: pd.DataFrame) -> None:
    """Another seed and another confidence change intervals and no value."""
    pd.testing.assert_frame_equal(figures_with_intervals(predictions, PARAMS, seed=1), table, check_exact=True)
    other = figures_with_intervals(predictions, PARAMS, seed=2)
    wide = figures_with_intervals(predictions, PARAMS.model_copy(update={"confidence": 0.99}), seed=1)

    for changed in (other, wide):
        assert changed["value"].equals(table["value"])
        assert not changed["low"].equals(table["low"])
    assert ((wide["low"] <= table["low"]) | table["low"].isna()).all()
    assert ((wide["high"] >= table["high"]) | table["high"].isna()).all()


def test_a_rate_of_few_rows_has_an_interval_as_wide_as_that_of_wilson(predictions: HoldoutPredictions) -> None:
    """Where none of twelve rows converted all draws are 0, but the rate may be more."""
    label = predictions.label.copy()
    top = np.argsort(-predictions.probability)[:12]
    label[top] = 0
    cuts = {"TOP": float(predictions.probability[top[-1]])}
    row = _of(
        figures_with_intervals(replace(predictions, label=label, cuts=cuts), PARAMS, seed=1),
        "stages",
        "TOP",
        "precision",
    )
    wilson = binomtest(0, 12).proportion_ci(0.9, method="wilson")

    assert (row["value"], row["low"]) == (0, 0)
    assert row["high"] == pytest.approx(wilson.high)


def test_a_stage_without_rows_has_no_precision(predictions: HoldoutPredictions) -> None:
    """Its share is 0, surely."""
    table = figures_with_intervals(replace(predictions, cuts={"TOP": 1.0}), PARAMS, seed=1)

    assert _of(table, "stages", "TOP", "share")[["value", "low", "high"]].tolist() == [0, 0, 0]
    assert _of(table, "stages", "TOP", "precision")[["value", "low", "high"]].isna().all()


@pytest.mark.slow
def test_groups_are_drawn_as_a_whole(predictions: HoldoutPredictions, table: pd.DataFrame) -> None:
    """Groups of one row are rows; of one single group every draw has the same rows, and intervals are points."""
    single = replace(predictions, groups=np.array([f"g{at:03}" for at in range(500)]))
    pd.testing.assert_frame_equal(figures_with_intervals(single, PARAMS, seed=1), table, check_exact=True)
    one = figures_with_intervals(replace(predictions, groups=np.zeros(500)), PARAMS, seed=1)
    models = one[one["table"] == "models"]
    assert models["low"].tolist() == pytest.approx(models["value"].tolist())
    assert models["high"].tolist() == pytest.approx(models["value"].tolist())
