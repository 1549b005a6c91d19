from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.bundle.storage import canonical_json
from leadml.leads.check.contract import Field
from leadml.model import metrics
from leadml.model.judge.evaluation import COMPARED, Evaluation, HoldoutPredictions, evaluate
from leadml.params import EvaluationParams

CHOICES = EvaluationParams(draws=60, confidence=0.9)
FIELDS = (Field("age", "number", "fit"), Field("visits", "number", "engagement"))
TABLES = Evaluation.TABLES


def _judged(size=900, *, digits=None):
    random = np.random.default_rng(11)
    logit = random.normal(-1.5, 1.2, size)
    probability = expit(logit) if digits is None else np.round(expit(logit), digits).clip(0.05, 0.95)
    label = (random.random(size) < expit(logit)).astype(np.int8)
    points = np.column_stack([logit * 2, -logit * 5])
    baselines = {"twin": probability, "rate": np.full(size, label.mean()), "worse": expit(logit / 3)}
    return HoldoutPredictions(label, probability, points, FIELDS, {"IQL": 0.1, "MQL": 0.3, "SQL": 0.999}, baselines)


@pytest.fixture(scope="module")
def judged():
    """Return leads to judge by."""
    return _judged()


@pytest.fixture(scope="module")
def found(judged):
    """Return their evaluation."""
    return evaluate(judged, CHOICES, seed=5)


def _permuted(judged, order):
    arrays = {name: getattr(judged, name)[order] for name in ("label", "probability", "points")}
    return replace(judged, **arrays, baselines={name: some[order] for name, some in judged.baselines.items()})


def _equal(left, right, *, exact):
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(left, name), getattr(right, name), check_exact=exact, check_like=True, check_dtype=False
        )


def test_every_figure_is_the_metric_of_that_name(found, judged):
    """Values are those of the leads as they are, each counted once."""
    expected = metrics.summary(judged.label, judged.probability, np.ones(len(judged.label)))
    for name, value in expected.items():
        assert found.metric(name)["value"] == pytest.approx(value, abs=1e-9)
    assert (found.leads, found.conversions) == (len(judged.label), int(judged.label.sum()))
    assert found.ece_by_chance == pytest.approx(metrics.ece_by_chance(np.sort(judged.probability), seed=5))


@pytest.mark.parametrize("table", ["metrics", "models", "deciles", "reliability", "importance"])
def test_intervals_hold_their_bounds_in_order(found, table):
    """A low bound is not above its high one, and both are there."""
    rows = getattr(found, table)
    assert (rows["low"] <= rows["high"]).all()


def test_every_value_lies_in_its_interval_and_shares_in_0_to_1():
    """Bounds enclose the figure, also where the model is nearly perfect, and no share passes 1."""
    sharp = _judged(600)
    probability = np.where(np.arange(600) % 50 == 7, 0.5, np.where(sharp.label == 1, 0.97, 0.03))
    found = evaluate(replace(sharp, probability=probability + sharp.probability / 100), CHOICES, seed=5)
    for name in ("metrics", "models", "deciles", "reliability", "stages", "importance"):
        rows = getattr(found, name).dropna(subset=["value"])
        assert ((rows["low"] <= rows["value"] + 1e-9) & (rows["value"] <= rows["high"] + 1e-9)).all(), name
    shares = ("roc_auc", "average_precision", "brier", "ece", "gain", "mean_probability", "rate")
    highs = [found.metric(name)["high"] for name in shares] + found.reliability["high"].tolist()
    highs += found.stages["high"].dropna().tolist()
    highs += found.deciles.loc[found.deciles["figure"] != "lift", "high"].tolist()
    assert max(highs) <= 1 + 1e-12


@pytest.mark.parametrize("digits", [None, 1])
def test_the_order_of_the_leads_changes_nothing(digits):
    """Shuffled leads have the same evaluation, also where many share a probability."""
    judged = _judged(600, digits=digits)
    order = np.random.default_rng(2).permutation(600)
    _equal(evaluate(_permuted(judged, order), CHOICES, seed=5), evaluate(judged, CHOICES, seed=5), exact=False)


def test_a_seed_repeats_the_draws_and_another_does_not(judged, found):
    """The values do not depend on the seed, the intervals do."""
    _equal(evaluate(judged, CHOICES, seed=5), found, exact=True)
    other = evaluate(judged, CHOICES, seed=6)
    assert other.metric("roc_auc")["value"] == found.metric("roc_auc")["value"]
    assert other.metric("roc_auc")["low"] != found.metric("roc_auc")["low"]


def test_more_confidence_gives_wider_intervals(judged, found):
    """99 % of the draws span more than 90 % of them."""
    wide = evaluate(judged, CHOICES.model_copy(update={"confidence": 0.99}), seed=5)
    spans = [table["high"] - table["low"] for table in (wide.metrics, found.metrics)]
    assert (spans[0] >= spans[1]).all()


def test_models_are_compared_on_the_same_leads(found):
    """A twin never differs, and leadml has no difference to itself."""
    table = found.models.set_index(["model", "metric"])
    twin = table.loc["twin", ["difference", "difference_low", "difference_high"]]
    assert (twin == 0).all(axis=None)
    assert table.loc["leadml", "difference"].isna().all()
    assert sorted(table.loc["worse"].index) == sorted(COMPARED)


def test_differences_are_leadml_less_the_baseline(found, judged):
    """A negative difference of log loss is leadml's advantage."""
    table = found.models.set_index(["model", "metric"])
    for name in ("rate", "worse"):
        for metric in COMPARED:
            expected = table.loc[("leadml", metric), "value"] - table.loc[(name, metric), "value"]
            assert table.loc[(name, metric), "difference"] == pytest.approx(expected, abs=1e-12)
    assert found.beaten() == (["rate", "worse"], ["twin"])


@pytest.mark.parametrize("digits", [None, 1])
def test_tenths_share_out_all_leads_and_all_converters(digits):
    """The mean rate of the tenths is the rate, the gain ends at 1 and never falls, and lift is rate over rate."""
    judged = _judged(600, digits=digits)
    table = evaluate(judged, CHOICES, seed=5).deciles.pivot_table(index="decile", columns="figure", values="value")
    assert table.index.tolist() == list(range(1, 11))
    assert table["rate"].mean() == pytest.approx(judged.label.mean())
    assert table["gain"].iloc[-1] == pytest.approx(1.0)
    assert (table["gain"].diff().dropna() >= -1e-12).all()
    assert table["lift"].to_numpy() == pytest.approx(table["rate"].to_numpy() / judged.label.mean())


def test_a_probability_that_all_share_lifts_nobody(judged):
    """Leads that cannot be told apart have one rate in each tenth, whatever became of them."""
    flat = replace(judged, probability=np.full(len(judged.label), judged.label.mean()))
    found = evaluate(flat, CHOICES, seed=5)
    lifts = found.deciles.loc[found.deciles["figure"] == "lift", "value"]
    assert lifts.to_numpy() == pytest.approx(np.ones(10))
    assert found.metric("ece")["value"] == pytest.approx(0.0, abs=1e-9)


def test_bins_of_reliability_are_those_of_the_metric(found, judged):
    """Leads, probability and rate of each bin, with an interval around the rate."""
    expected = np.array(list(metrics.reliability(judged.label, judged.probability, np.ones(len(judged.label)))))
    assert found.reliability[["leads", "probability", "value"]].to_numpy(float) == pytest.approx(expected)
    assert found.reliability["bin"].tolist() == list(range(1, 16))


def test_stages_say_what_is_at_or_above_the_cut(judged):
    """A lead at the cut is in; a stage that nobody reaches has a share of 0 and no precision."""
    cut = float(np.sort(judged.probability)[-100])
    table = evaluate(replace(judged, cuts={"MQL": cut, "SQL": 0.9999}), CHOICES, seed=5).stages
    value = {(row.stage, row.figure): row.value for row in table.itertuples()}
    assert value["MQL", "share"] == pytest.approx(100 / len(judged.label))
    assert value["MQL", "precision"] == pytest.approx(judged.label[judged.probability >= cut].mean())
    assert value["SQL", "share"] == 0
    assert np.isnan(value["SQL", "precision"])
    assert table["cut"].tolist() == [cut, cut, 0.9999, 0.9999]


def test_importance_is_the_mean_of_absolute_points(found, judged):
    """Strongest first, with the group of each field."""
    assert found.importance["field"].tolist() == ["visits", "age"]
    assert found.importance["group"].tolist() == ["engagement", "fit"]
    expected = np.abs(judged.points).mean(axis=0)[::-1]
    assert found.importance["value"].to_numpy() == pytest.approx(expected)


def test_an_evaluation_survives_json(found):
    """What is stored is what is read, undefined figures too, and writing it again gives the same text."""
    text = canonical_json(found.to_json())
    again = Evaluation.from_json(json.loads(text))
    _equal(again, found, exact=True)
    assert canonical_json(again.to_json()) == text
    assert again.beaten() == found.beaten()


def _grouped(size=900, each=3):
    return replace(_judged(size), groups=np.array([f"g{at // each}" for at in range(size)], dtype=object))


def test_groups_change_intervals_and_no_value(judged, found):
    """Figures are of all rows; only the draws are of groups."""
    grouped = evaluate(_grouped(), CHOICES, seed=5)
    for name in ("metrics", "models", "deciles", "stages", "importance"):
        one, other = (getattr(some, name)["value"].to_numpy(float) for some in (found, grouped))
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-12)
    assert not grouped.metrics["low"].equals(found.metrics["low"])


def test_a_group_for_each_row_is_no_group(judged, found):
    """Where no lead is looked at twice the draws are those of rows, up to their order."""
    single = evaluate(_grouped(each=1), CHOICES, seed=5)
    assert single.metrics.equals(found.metrics)


def test_looks_at_one_lead_are_no_news_of_each_other():
    """Every row four times, in groups of four, has the intervals of the rows once: not half as wide."""
    once = _judged(300)
    rows = np.repeat(np.arange(300), 4)
    four = replace(_permuted(once, rows), groups=np.repeat([f"g{at:03}" for at in range(300)], 4))
    alone, grouped, fooled = (
        evaluate(some, EvaluationParams(draws=200, confidence=0.9), seed=5)
        for some in (once, four, replace(four, groups=None))
    )
    widths = [some.metric("roc_auc")["high"] - some.metric("roc_auc")["low"] for some in (alone, grouped, fooled)]
    assert widths[1] == pytest.approx(widths[0], rel=0.35)
    assert widths[2] < 0.75 * widths[0]
    precision = [
        some.stages.loc[some.stages["figure"] == "precision", ["low", "high"]].iloc[0].diff().iloc[-1]
        for some in (alone, grouped, fooled)
    ]
    assert precision[1] == pytest.approx(precision[0], rel=0.35)
    assert precision[2] < precision[1]
    last = (alone.deciles["decile"] == 10) & (alone.deciles["figure"] == "rate")
    highs = [float(some.deciles.loc[last, "high"].iloc[0]) for some in (alone, grouped, fooled)]
    assert highs[1] == pytest.approx(highs[0], rel=0.35)
    assert highs[2] < 0.75 * highs[1]


@pytest.mark.parametrize("digits", [None, 1])
def test_the_order_of_grouped_looks_changes_nothing(digits):
    """Shuffled looks have the same evaluation, groups and all."""
    judged = replace(_judged(600, digits=digits), groups=np.array([f"g{at % 150}" for at in range(600)], dtype=object))
    order = np.random.default_rng(2).permutation(600)
    shuffled = replace(_permuted(judged, order), groups=judged.groups[order])
    _equal(evaluate(shuffled, CHOICES, seed=5), evaluate(judged, CHOICES, seed=5), exact=False)


def test_group_codes_number_the_groups_in_the_order_of_the_rows(judged):
    """Each row is its own group where none is given."""
    assert judged.group_codes.tolist() == list(range(900))
    assert replace(_judged(4), groups=np.array(["b", "a", "b", "c"])).group_codes.tolist() == [0, 1, 0, 2]
