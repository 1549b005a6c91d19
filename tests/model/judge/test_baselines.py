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
    """Return leads to learn from and a holdout."""
    return bank_leads.frame.iloc[::2].reset_index(drop=True), bank_leads.frame.iloc[1::2].reset_index(drop=True)


@pytest.fixture(scope="module")
def probabilities(halves, bank_contract, bank_params):
    """Return the probabilities of the baselines for the holdout."""
    return baseline_probabilities(*halves, bank_contract.fields, bank_params)


def test_the_base_rate_is_that_of_the_training_set(probabilities, halves):
    """It is one number, and not the rate of the holdout."""
    assert set(probabilities[BASE_RATE]) == {halves[0]["converted"].mean()}


def test_points_and_logistic_regression_beat_the_base_rate_on_the_bundled_leads(probabilities, halves):
    """Their log loss on the holdout is lower."""
    label, ones = halves[1]["converted"].to_numpy(), np.ones(len(halves[1]))
    losses = {name: log_loss(label, probability, ones) for name, probability in probabilities.items()}
    assert list(losses) == [BASE_RATE, POINTS, ODOO, LOGISTIC]
    assert max(losses[POINTS], losses[LOGISTIC]) < losses[BASE_RATE]


def test_logistic_regression_is_that_of_a_scikit_learn_pipeline(probabilities, halves, bank_contract):
    """The steps of scikit-learn give the same probabilities where no level is rare and nothing is missing."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categories = [field.name for field in bank_contract.fields if field.kind == "category"]
    numbers = [field.name for field in bank_contract.fields if field.kind != "category"]
    onehot = OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False)
    columns = ColumnTransformer([("flags", onehot, categories), ("numbers", StandardScaler(), numbers)])
    pipeline = make_pipeline(columns, LogisticRegression(solver="newton-cholesky"))
    learn, holdout = halves
    expected = pipeline.fit(learn, learn["converted"]).predict_proba(holdout)[:, 1]
    assert np.abs(probabilities[LOGISTIC] - expected).max() < 1e-3


def test_permuted_holdouts_have_permuted_probabilities(probabilities, halves, bank_contract, bank_params):
    """The probability of a lead does not depend on the other rows of the holdout."""
    order = np.random.default_rng(0).permutation(len(halves[1]))
    again = baseline_probabilities(halves[0], halves[1].iloc[order], bank_contract.fields, bank_params)
    for name, probability in probabilities.items():
        assert again[name] == pytest.approx(probability[order], abs=1e-12)


def test_without_rules_there_is_no_points_rule(halves, bank_contract, bank_params):
    """The params may have no points."""
    params = bank_params.model_copy(update={"baselines": BaselineParams()})
    assert list(baseline_probabilities(*halves, bank_contract.fields, params)) == [BASE_RATE, ODOO, LOGISTIC]


@pytest.mark.slow
@pytest.mark.parametrize("unit", [0.01, 100.0, 100_000.0])
def test_the_points_rule_does_not_depend_on_the_unit_of_its_points(
    probabilities, halves, bank_contract, bank_params, unit
):
    """A hundred times as many points for every rule give the same probabilities."""
    rules = [rule.model_copy(update={"points": rule.points * unit}) for rule in bank_params.baselines.points]
    params = bank_params.model_copy(update={"baselines": BaselineParams(points=tuple(rules))})
    again = baseline_probabilities(*halves, bank_contract.fields, params)
    assert np.abs(again[POINTS] - probabilities[POINTS]).max() < 1e-3


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
    """A bound is included, a missing value never meets a rule, and points may be negative."""
    frame = pd.DataFrame({"age": [39.0, 40.0, 41.0, np.nan], "job": ["chef", "cook", "monk", None]})
    assert lead_points(frame, [PointsRule(**{"field": "age", "points": 5} | rule)]).tolist() == points


@pytest.mark.parametrize(
    "rule", ["{field: balance, any_of: ['30'], points: 3}", "{field: job, at_least: 3, points: 3}"]
)
def test_a_rule_that_does_not_fit_its_field_is_refused(bank_file, rule):
    """A number has no levels, and a category has no bounds."""
    with pytest.raises(ParamsError, match=rule.split(", ")[0].removeprefix("{field: ")):
        load_params(bank_file.parents[2] / "params.yaml", [f"baselines.points=[{rule}]"])
