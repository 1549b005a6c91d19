from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ParamsError
from leadml.model.judge.baselines import BASE_RATE, LOGISTIC, ODOO, POINTS, baseline_probabilities, lead_points
from leadml.model.metrics import log_loss
from leadml.params import BaselineParams, PointsRule, load_params


@pytest.fixture(scope="module")
def halves(bank_leads):
    """Return leads to learn from and leads to judge by."""
    return bank_leads.frame.iloc[::2].reset_index(drop=True), bank_leads.frame.iloc[1::2].reset_index(drop=True)


@pytest.fixture(scope="module")
def found(halves, bank_contract, bank_params):
    """Return what the baselines give the leads to judge by."""
    return baseline_probabilities(*halves, bank_contract.fields, bank_params)


def test_the_base_rate_is_that_of_the_leads_learned_from(found, halves):
    """It is one number, and not the rate of the leads judged."""
    assert set(found[BASE_RATE]) == {halves[0]["converted"].mean()}


def test_each_baseline_beats_the_base_rate_on_the_bundled_leads(found, halves):
    """All are probabilities of the leads judged, and those that look at them lose less."""
    label, ones = halves[1]["converted"].to_numpy(), np.ones(len(halves[1]))
    losses = {name: log_loss(label, probability, ones) for name, probability in found.items()}
    assert list(losses) == [BASE_RATE, POINTS, ODOO, LOGISTIC]
    assert max(losses[POINTS], losses[LOGISTIC]) < losses[BASE_RATE]


def test_logistic_regression_is_that_of_a_plain_pipeline(found, halves, bank_contract):
    """scikit-learn's own steps give the same probabilities where no level is rare and nothing is missing."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    kinds = {kind: [f.name for f in bank_contract.fields if (f.kind == "category") == kind] for kind in (True, False)}
    onehot = OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False)
    columns = ColumnTransformer([("flags", onehot, kinds[True]), ("numbers", StandardScaler(), kinds[False])])
    pipeline = make_pipeline(columns, LogisticRegression(solver="newton-cholesky"))
    learn, judge = halves
    expected = pipeline.fit(learn, learn["converted"]).predict_proba(judge)[:, 1]
    assert np.abs(found[LOGISTIC] - expected).max() < 1e-3


def test_baselines_follow_their_leads(found, halves, bank_contract, bank_params):
    """Permuted leads to judge by have permuted probabilities."""
    order = np.random.default_rng(0).permutation(len(halves[1]))
    again = baseline_probabilities(halves[0], halves[1].iloc[order], bank_contract.fields, bank_params)
    for name, probability in found.items():
        assert again[name] == pytest.approx(probability[order], abs=1e-12)


def test_without_rules_there_is_no_points_rule(halves, bank_contract, bank_params):
    """A team without points is not judged by them."""
    params = bank_params.model_copy(update={"baselines": BaselineParams()})
    assert list(baseline_probabilities(*halves, bank_contract.fields, params)) == [BASE_RATE, ODOO, LOGISTIC]


@pytest.mark.parametrize("unit", [0.01, 100.0, 100_000.0])
def test_the_points_rule_does_not_depend_on_the_unit_of_its_points(found, halves, bank_contract, bank_params, unit):
    """Thirty points or three million of a larger scale say the same."""
    rules = [rule.model_copy(update={"points": rule.points * unit}) for rule in bank_params.baselines.points]
    params = bank_params.model_copy(update={"baselines": BaselineParams(points=tuple(rules))})
    again = baseline_probabilities(*halves, bank_contract.fields, params)
    assert np.abs(again[POINTS] - found[POINTS]).max() < 1e-3


@pytest.mark.parametrize(
    ("rule", "points"),
    [
        ({"at_least": 40}, [0, 5, 5, 0]),
        ({"at_most": 40}, [5, 5, 0, 0]),
        ({"at_least": 40, "at_most": 40}, [0, 5, 0, 0]),
        ({"field": "job", "any_of": ("chef", "monk")}, [5, 0, 5, 0]),
        ({"at_least": 40, "points": -5}, [0, -5, -5, 0]),
    ],
)
def test_a_rule_gives_its_points_where_it_holds(rule, points):
    """Bounds are in, a missing value never holds, and points may be taken away."""
    frame = pd.DataFrame({"age": [39.0, 40.0, 41.0, np.nan], "job": ["chef", "cook", "monk", None]})
    assert lead_points(frame, [PointsRule(**{"field": "age", "points": 5} | rule)]).tolist() == points


@pytest.mark.parametrize(
    "rule", ["{field: balance, any_of: ['30'], points: 3}", "{field: job, at_least: 3, points: 3}"]
)
def test_a_rule_that_its_field_cannot_meet_is_refused(bank_file, rule):
    """Words of a number, and bounds of a word, would give no lead its points, or end in a bug."""
    with pytest.raises(ParamsError, match=rule.split(", ")[0].removeprefix("{field: ")):
        load_params(bank_file.parents[2] / "params.yaml", [f"baselines.points=[{rule}]"])
