from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit

from leadml.bundle.contents import canonical_json
from leadml.errors import LeadmlError
from leadml.leads.check.contract import Field
from leadml.model import metrics
from leadml.model.judge.bootstrap import COMPARED, DIFFERENCES
from leadml.model.judge.evaluation import BETTER, FIGURES, UNCLEAR, Evaluation, evaluate, evaluate_holdout
from leadml.model.judge.predictions import HoldoutPredictions
from leadml.params import EvaluationParams

PARAMS = EvaluationParams(draws=60, confidence=0.9)
FIELDS = (Field("age", "number", "fit"), Field("visits", "number", "engagement"))
TABLES = Evaluation.TABLES


def _predictions(size=900, *, digits=None):
    random = np.random.default_rng(11)
    logit = random.normal(-1.5, 1.2, size)
    probability = expit(logit) if digits is None else np.round(expit(logit), digits).clip(0.05, 0.95)
    label = (random.random(size) < expit(logit)).astype(np.int8)
    points = np.column_stack([logit * 2, -logit * 5])
    baselines = {"same": probability, "rate": np.full(size, label.mean()), "worse": expit(logit / 3)}
    return HoldoutPredictions(label, probability, points, FIELDS, {"IQL": 0.1, "MQL": 0.3, "SQL": 0.999}, baselines)


@pytest.fixture(scope="module")
def predictions():
    """Return predictions of a holdout."""
    return _predictions()


@pytest.fixture(scope="module")
def evaluation(predictions):
    """Return their evaluation."""
    return evaluate_holdout(predictions, PARAMS, seed=5)


def _permuted(predictions, order):
    arrays = {name: getattr(predictions, name)[order] for name in ("label", "probability", "points")}
    baselines = {name: probability[order] for name, probability in predictions.baselines.items()}
    return replace(predictions, **arrays, baselines=baselines)


def _equal(left, right, *, exact):
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(left, name), getattr(right, name), check_exact=exact, check_like=True, check_dtype=False
        )


def test_every_figure_is_the_metric_of_that_name(evaluation, predictions):
    """Values are those of the rows with equal weights."""
    expected = metrics.summary(predictions.label, predictions.probability, np.ones(len(predictions.label)))
    for name, value in expected.items():
        assert evaluation.metric(name)["value"] == pytest.approx(value, abs=1e-9)
    assert (evaluation.leads, evaluation.conversions) == (len(predictions.label), int(predictions.label.sum()))
    assert evaluation.ece_by_chance == pytest.approx(metrics.ece_by_chance(np.sort(predictions.probability), seed=5))


@pytest.mark.parametrize("table", ["metrics", "models", "deciles", "reliability", "importance"])
def test_the_bounds_of_intervals_are_in_order(evaluation, table):
    """The low bound is not above the high one, and both are defined."""
    rows = getattr(evaluation, table)
    assert (rows["low"] <= rows["high"]).all()


@pytest.mark.slow
def test_every_value_lies_in_its_interval_and_shares_lie_from_0_to_1():
    """They do also where the model is nearly perfect."""
    sharp = _predictions(600)
    probability = np.where(np.arange(600) % 50 == 7, 0.5, np.where(sharp.label == 1, 0.97, 0.03))
    evaluation = evaluate_holdout(replace(sharp, probability=probability + sharp.probability / 100), PARAMS, seed=5)
    for name in ("metrics", "models", "deciles", "reliability", "stages", "importance"):
        rows = getattr(evaluation, name).dropna(subset=["value"])
        assert ((rows["low"] <= rows["value"] + 1e-9) & (rows["value"] <= rows["high"] + 1e-9)).all(), name
    shares = ("roc_auc", "average_precision", "brier", "ece", "gain", "mean_probability", "rate")
    highs = [evaluation.metric(name)["high"] for name in shares] + evaluation.reliability["high"].tolist()
    highs += evaluation.stages["high"].dropna().tolist()
    highs += evaluation.deciles.loc[evaluation.deciles["figure"] != "lift", "high"].tolist()
    assert max(highs) <= 1 + 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("digits", [None, 1])
def test_the_order_of_the_rows_changes_nothing(digits):
    """Shuffled rows have the same evaluation, also where many have the same probability."""
    predictions = _predictions(600, digits=digits)
    order = np.random.default_rng(2).permutation(600)
    _equal(
        evaluate_holdout(_permuted(predictions, order), PARAMS, seed=5),
        evaluate_holdout(predictions, PARAMS, seed=5),
        exact=False,
    )


@pytest.mark.slow
def test_a_seed_repeats_the_draws_and_another_does_not(predictions, evaluation):
    """The values do not depend on the seed, the intervals do."""
    _equal(evaluate_holdout(predictions, PARAMS, seed=5), evaluation, exact=True)
    other = evaluate_holdout(predictions, PARAMS, seed=6)
    assert other.metric("roc_auc")["value"] == evaluation.metric("roc_auc")["value"]
    assert other.metric("roc_auc")["low"] != evaluation.metric("roc_auc")["low"]


def test_more_confidence_gives_wider_intervals(predictions, evaluation):
    """Intervals of 99% confidence are not narrower than those of 90%."""
    wide = evaluate_holdout(predictions, PARAMS.model_copy(update={"confidence": 0.99}), seed=5)
    spans = [table["high"] - table["low"] for table in (wide.metrics, evaluation.metrics)]
    assert (spans[0] >= spans[1]).all()


def test_models_are_compared_on_the_same_rows(evaluation):
    """A baseline with equal probabilities never differs, and leadml has no difference to itself."""
    table = evaluation.models.set_index(["model", "metric"])
    same = table.loc["same", ["difference", "difference_low", "difference_high"]]
    assert (same == 0).all(axis=None)
    assert table.loc["leadml", "difference"].isna().all()
    assert sorted(table.loc["worse"].index) == sorted(COMPARED)


def test_differences_are_leadml_less_the_baseline(evaluation, predictions):
    """A negative difference in log loss means that leadml is better."""
    table = evaluation.models.set_index(["model", "metric"])
    for name in ("rate", "worse"):
        for metric in COMPARED:
            expected = table.loc[("leadml", metric), "value"] - table.loc[(name, metric), "value"]
            assert table.loc[(name, metric), "difference"] == pytest.approx(expected, abs=1e-12)
    assert evaluation.rivals() == {"rate": BETTER, "worse": BETTER, "same": UNCLEAR}


@pytest.mark.slow
@pytest.mark.parametrize("digits", [None, 1])
def test_deciles_divide_all_rows_and_all_conversions(digits):
    """The mean rate of the deciles is the rate, the gain never falls and ends at 1, and lift is rate over base rate."""
    predictions = _predictions(600, digits=digits)
    table = evaluate_holdout(predictions, PARAMS, seed=5).deciles.pivot_table(
        index="decile", columns="figure", values="value"
    )
    assert table.index.tolist() == list(range(1, 11))
    assert table["rate"].mean() == pytest.approx(predictions.label.mean())
    assert table["gain"].iloc[-1] == pytest.approx(1.0)
    assert (table["gain"].diff().dropna() >= -1e-12).all()
    assert table["lift"].to_numpy() == pytest.approx(table["rate"].to_numpy() / predictions.label.mean())


def test_a_constant_probability_has_lift_1_in_every_decile(predictions):
    """Rows of one probability are shared out evenly, whatever their outcomes."""
    flat = replace(predictions, probability=np.full(len(predictions.label), predictions.label.mean()))
    evaluation = evaluate_holdout(flat, PARAMS, seed=5)
    lifts = evaluation.deciles.loc[evaluation.deciles["figure"] == "lift", "value"]
    assert lifts.to_numpy() == pytest.approx(np.ones(10))
    assert evaluation.metric("ece")["value"] == pytest.approx(0.0, abs=1e-9)


def test_bins_of_reliability_are_those_of_the_metric(evaluation, predictions):
    """Rows, probability and rate of each bin are those of `metrics.reliability`."""
    expected = np.array(
        list(metrics.reliability(predictions.label, predictions.probability, np.ones(len(predictions.label))))
    )
    assert evaluation.reliability[["leads", "probability", "value"]].to_numpy(float) == pytest.approx(expected)
    assert evaluation.reliability["bin"].tolist() == list(range(1, 16))


def test_stages_have_the_share_and_precision_at_or_above_the_cut(predictions):
    """A row at the cut is in; a stage without rows has a share of 0 and no precision."""
    cut = float(np.sort(predictions.probability)[-100])
    table = evaluate_holdout(replace(predictions, cuts={"MQL": cut, "SQL": 0.9999}), PARAMS, seed=5).stages
    value = {(row.stage, row.figure): row.value for row in table.itertuples()}
    assert value["MQL", "share"] == pytest.approx(100 / len(predictions.label))
    assert value["MQL", "precision"] == pytest.approx(predictions.label[predictions.probability >= cut].mean())
    assert value["SQL", "share"] == 0
    assert np.isnan(value["SQL", "precision"])
    assert table["cut"].tolist() == [cut, cut, 0.9999, 0.9999]


def test_importance_is_the_mean_of_absolute_points(evaluation, predictions):
    """Strongest first, with the group of each field."""
    assert evaluation.importance["field"].tolist() == ["visits", "age"]
    assert evaluation.importance["group"].tolist() == ["engagement", "fit"]
    expected = np.abs(predictions.points).mean(axis=0)[::-1]
    assert evaluation.importance["value"].to_numpy() == pytest.approx(expected)


def test_an_evaluation_is_the_same_after_json(evaluation):
    """So are undefined figures, and writing it again gives the same text."""
    text = canonical_json(evaluation.to_json())
    again = Evaluation.from_json(json.loads(text))
    assert canonical_json(again.to_json()) == text
    assert again.rivals() == evaluation.rivals()
    _identical(again, evaluation)


def test_without_cuts_the_tables_have_the_same_columns(predictions):
    """A table without rows keeps its columns and their types, also after JSON."""
    evaluation = evaluate_holdout(replace(predictions, cuts={}), PARAMS, seed=5)
    assert evaluation.stages.empty
    _identical(Evaluation.from_json(json.loads(canonical_json(evaluation.to_json()))), evaluation)


def _identical(left, right):
    """Assert that tables have the same values, and the columns that are declared, in their order and of their types."""
    for name, columns in TABLES.items():
        assert tuple(getattr(right, name).columns) == columns
        numbers = [column for column in getattr(right, name) if column in (*FIGURES, *DIFFERENCES, "cut")]
        assert {str(dtype) for dtype in getattr(left, name)[numbers].dtypes} == {"float64"}
        pd.testing.assert_frame_equal(
            getattr(left, name), getattr(right, name), check_dtype=bool(len(getattr(right, name)))
        )


def _grouped(size=900, each=3):
    return replace(_predictions(size), groups=np.array([f"g{index // each}" for index in range(size)], dtype=object))


def test_groups_change_intervals_and_no_value(predictions, evaluation):
    """Figures are those of all rows; only the draws are of groups."""
    grouped = evaluate_holdout(_grouped(), PARAMS, seed=5)
    for name in ("metrics", "models", "deciles", "stages", "importance"):
        rows, groups = (getattr(each, name)["value"].to_numpy(float) for each in (evaluation, grouped))
        np.testing.assert_allclose(groups, rows, rtol=0, atol=1e-12)
    assert not grouped.metrics["low"].equals(evaluation.metrics["low"])


@pytest.mark.slow
def test_groups_of_one_row_give_the_intervals_of_rows(predictions, evaluation):
    """Where every group has one row the draws are those of rows."""
    single = evaluate_holdout(_grouped(each=1), PARAMS, seed=5)
    assert single.metrics.equals(evaluation.metrics)


@pytest.mark.slow
def test_copies_of_rows_in_one_group_do_not_narrow_the_intervals():
    """Every row four times, in groups of four, has intervals as wide as the rows once; without groups they are half."""
    once = _predictions(300)
    rows = np.repeat(np.arange(300), 4)
    four = replace(_permuted(once, rows), groups=np.repeat([f"g{index:03}" for index in range(300)], 4))
    evaluations = [
        evaluate_holdout(each, EvaluationParams(draws=200, confidence=0.9), seed=5)
        for each in (once, four, replace(four, groups=None))
    ]
    widths = [each.metric("roc_auc")["high"] - each.metric("roc_auc")["low"] for each in evaluations]
    assert widths[1] == pytest.approx(widths[0], rel=0.35)
    assert widths[2] < 0.75 * widths[0]
    precision = [
        each.stages.loc[each.stages["figure"] == "precision", ["low", "high"]].iloc[0].diff().iloc[-1]
        for each in evaluations
    ]
    assert precision[1] == pytest.approx(precision[0], rel=0.35)
    assert precision[2] < precision[1]
    deciles = evaluations[0].deciles
    last = (deciles["decile"] == 10) & (deciles["figure"] == "rate")
    highs = [float(each.deciles.loc[last, "high"].iloc[0]) for each in evaluations]
    assert highs[1] == pytest.approx(highs[0], rel=0.35)
    assert highs[2] < 0.75 * highs[1]


@pytest.mark.slow
@pytest.mark.parametrize("digits", [None, 1])
def test_the_order_of_grouped_rows_changes_nothing(digits):
    """Shuffled rows with their groups have the same evaluation."""
    predictions = replace(
        _predictions(600, digits=digits), groups=np.array([f"g{index % 150}" for index in range(600)], dtype=object)
    )
    order = np.random.default_rng(2).permutation(600)
    shuffled = replace(_permuted(predictions, order), groups=predictions.groups[order])
    _equal(evaluate_holdout(shuffled, PARAMS, seed=5), evaluate_holdout(predictions, PARAMS, seed=5), exact=False)


@pytest.fixture(scope="module")
def arrays(predictions):
    """Return outcomes and probabilities as a user has them."""
    return predictions.label.astype(bool), predictions.probability


@pytest.mark.slow
def test_plain_arrays_have_the_evaluation_of_a_holdout(arrays, predictions):
    """Outcomes, probabilities, cuts and baselines give the figures that the same predictions give."""
    plain = evaluate(*arrays, cuts=predictions.cuts, baselines=predictions.baselines, draws=60, confidence=0.9, seed=5)
    same = evaluate_holdout(replace(predictions, points=np.empty((900, 0)), fields=()), PARAMS, seed=5)
    _equal(plain, same, exact=True)
    assert plain.importance.empty
    assert plain.rivals() == {"rate": BETTER, "worse": BETTER, "same": UNCLEAR}


@pytest.mark.slow
@pytest.mark.parametrize("make", [list, pd.Series, pl.Series, lambda values: pd.Series(values).astype("Float64")])
def test_any_sequence_of_numbers_is_evaluated(arrays, make):
    """Lists and series of pandas and Polars, of booleans or of 0 and 1, give the same evaluation."""
    y, p = arrays
    expected = evaluate(y, p, draws=50).to_json()
    assert evaluate(make(y.astype(float)), make(p), draws=50).to_json() == expected
    assert evaluate(y.tolist(), make(p), draws=50).to_json() == expected


@pytest.mark.slow
def test_groups_of_plain_arrays_are_drawn_as_a_whole(arrays):
    """Groups change the intervals, and neither the order of the rows nor the type of the names changes anything."""
    y, p = arrays
    names = np.arange(900) // 3
    grouped = evaluate(y, p, groups=names, draws=50)
    assert grouped.metric("roc_auc")["low"] != evaluate(y, p, draws=50).metric("roc_auc")["low"]
    order = np.random.default_rng(1).permutation(900)
    _equal(evaluate(y[order], p[order], groups=names[order], draws=50), grouped, exact=False)
    assert evaluate(y, p, groups=pd.Series([f"g{name:03}" for name in names]), draws=50).metrics.equals(grouped.metrics)


@pytest.mark.parametrize("outcome", [0, 1])
def test_rows_of_one_outcome_have_no_roc_auc(outcome):
    """Metrics that need both outcomes are undefined; all others are numbers."""
    evaluation = evaluate([outcome] * 30, np.linspace(0.1, 0.9, 30), draws=50)
    assert np.isnan(evaluation.metric("roc_auc")["value"])
    assert evaluation.metric("log_loss")["value"] > 0
    assert "ROC AUC nan" in repr(evaluation)


def test_an_evaluation_is_shown_in_one_line_and_as_a_table_of_metrics(evaluation):
    """The line has rows, conversions, ROC AUC with its interval, log loss and the calibration error beside chance."""
    auc, ece = evaluation.metric("roc_auc"), evaluation.metric("ece")
    assert repr(evaluation) == (
        f"<evaluation of 900 rows, {evaluation.conversions} conversions: ROC AUC {auc['value']:.3f} "
        f"({auc['low']:.3f} to {auc['high']:.3f}), log loss {evaluation.metric('log_loss')['value']:.3f}, "
        f"ECE {ece['value']:.3f} (chance {evaluation.ece_by_chance:.3f})>"
    )
    shown = evaluation._repr_html_()
    assert shown.startswith("<p>evaluation of 900 rows")
    assert all(f"<td>{name}</td>" in shown for name in evaluation.metrics["metric"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": [0, 1, 2]}, "^y must hold 0 and 1 or booleans, got 2; write 1 for leads that converted"),
        ({"p": [0.1, 0.2]}, "^p must have one value for each of the 3 rows, got 2$"),
        ({"draws": 3}, "^draws must be a whole number, from 50 to 10,000, got 3$"),
        ({"confidence": 1.0}, "^confidence must lie between 0 and 1, such as 0.95, got 1.0$"),
        ({"seed": -1}, "^seed must be a whole number, 0 or more, got -1$"),
    ],
)
def test_arguments_that_cannot_be_evaluated_are_refused(change, message):
    """Each message says what must hold and what was got."""
    with pytest.raises(LeadmlError, match=message):
        evaluate(**({"y": [0, 1, 0], "p": [0.1, 0.9, 0.2]} | change))
