"""The fitted model: the sum of its parts, the same for each lead whatever the other rows are."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ModelError
from leadml.model.fit.estimator import FitResult
from leadml.model.parts.calibration import Calibrator
from leadml.model.predict.lead_model import LeadModel, sum_by_owner, sum_contributions

STEEP = Calibrator(1.3, -0.2)


@pytest.mark.parametrize("fields", [0, 1, 5])
def test_contributions_are_added_to_the_start(fields: int) -> None:
    """One field after the other, so that a row has the same bits alone."""
    contributions = np.random.default_rng(0).normal(size=(20, fields))
    total = sum_contributions(0.5, contributions)

    assert total == pytest.approx(0.5 + contributions.sum(axis=1), abs=1e-12)
    assert [sum_contributions(0.5, row[None])[0] for row in contributions] == total.tolist()
    assert sum_contributions(0.5, contributions[:0]).shape == (0,)


def test_columns_are_summed_by_their_owners() -> None:
    """As pandas groups them; an owner without a column has 0."""
    columns = np.random.default_rng(1).normal(size=(30, 7))
    owners = np.array([2, 0, 2, 2, 0, 4, 4])
    total = sum_by_owner(columns, owners)
    expected = pd.DataFrame(columns.T).groupby(owners).sum().T

    assert total.shape == (30, 5)
    assert total[:, [0, 2, 4]] == pytest.approx(expected.to_numpy())
    assert (total[:, [1, 3]] == 0).all()
    assert sum_by_owner(np.empty((3, 0)), np.array([], dtype=np.intp)).shape == (3, 0)


def test_a_model_is_shown_in_one_line(toy_fitted: FitResult) -> None:
    """With the number of its fields."""
    assert repr(toy_fitted.model) == "<lead model of 4 fields>"


def test_probabilities_are_the_calibrated_log_odds(toy_fitted: FitResult, toy_leads: pd.DataFrame) -> None:
    """The start and the contributions of all fields, through the calibrator."""
    model = toy_fitted.model
    start, contributions = model.contributions(model.encoder.fields_of(toy_leads))
    expected = model.calibrator.probability(start + contributions.sum(axis=1))

    assert contributions.shape == (len(toy_leads), 4)
    assert model.predict(toy_leads) == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("calibrator", [None, STEEP], ids=["own", "steep"])
def test_probabilities_of_chunks_are_those_of_all_rows_to_the_bit(bank_fitted, bank_leads, size, calibrator):
    """The probability of a lead does not depend on the other rows."""
    fitted = bank_fitted.model
    model = LeadModel.of(
        fitted.encoder,
        fitted.linear,
        fitted.trees,
        calibrator=calibrator or fitted.calibrator,
        intervals=fitted.intervals,
    )
    frame = bank_leads.frame.iloc[:210]
    chunks = [model.predict(frame.iloc[first : first + size]) for first in range(0, len(frame), size)]
    assert np.array_equal(np.concatenate(chunks), model.predict(frame))


def test_permuted_leads_give_permuted_probabilities(bank_fitted, bank_leads):
    """Each lead has the same probability in any order of the rows."""
    order = np.random.default_rng(4).permutation(len(bank_leads.frame))
    scores = bank_fitted.model.predict(bank_leads.frame)
    assert np.array_equal(bank_fitted.model.predict(bank_leads.frame.iloc[order]), scores[order])


def test_an_empty_frame_has_no_probabilities(bank_fitted, bank_leads):
    """No rows give an array of length 0."""
    assert bank_fitted.model.predict(bank_leads.frame.iloc[:0]).shape == (0,)


def test_log_odds_are_the_sum_of_both_parts(toy_fitted, toy_leads):
    """The log-odds of the model are those of the linear part plus those of the trees."""
    model = toy_fitted.model
    fields = model.encoder.fields_of(toy_leads)
    expected = model.linear.margin(model.encoder.columns_of(fields)) + model.trees.margin(fields)
    assert np.abs(sum_contributions(*model.contributions(fields)) - expected).max() < 1e-12


def test_encoded_columns_are_refused_where_fields_are_expected(toy_fitted, toy_leads):
    """Look-up tables are read by fields, not by the columns of the encoder."""
    model = toy_fitted.model
    with pytest.raises(ModelError, match="fields must have a column for each of 4 fields, got 7"):
        model.contributions(model.encoder.encode(toy_leads))


@pytest.mark.parametrize(
    ("age", "job", "visits"), [(None, None, None), (1e300, "unheard of", -1e300), (-40.0, "chef", 1e15)]
)
def test_any_lead_has_a_probability_between_0_and_1(toy_fitted, age, job, visits):
    """Missing values, unknown levels and extreme numbers are scored too."""
    lead = pd.DataFrame({"age": [age], "job": pd.Series([job], dtype=object), "visits": [visits], "asked": [None]})
    assert 0 < toy_fitted.model.predict(lead)[0] < 1


def test_intervals_are_those_of_the_probability_and_of_the_values_that_are_new(toy_fitted, toy_leads):
    """Only a lead with a value that is new to the model has a wider one than its probability alone gives."""
    model = toy_fitted.model
    fields = model.encoder.fields_of(toy_leads.head(4).assign(job=["chef", "priest", None, "monk"]))
    probability = model.probability(fields)
    low, high = model.interval(probability, fields)
    plain = model.intervals.interval(probability)
    assert (low < plain[0]).tolist() == (high > plain[1]).tolist() == [False, True, False, False]


def test_a_model_is_the_same_after_json(toy_fitted, toy_leads):
    """Its tables are made again of what is stored, and give the same bits, also for values that are new."""
    model = toy_fitted.model
    again = LeadModel.from_json(json.loads(json.dumps(model.to_json())), model.trees)
    frame = toy_leads.assign(job=toy_leads["job"].where(toy_leads.index % 3 > 0, "priest"))
    assert again.to_json() == model.to_json()
    assert np.array_equal(again.predict(frame), model.predict(frame))
