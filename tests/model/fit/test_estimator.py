from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ModelError
from leadml.leads.check.contract import Field
from leadml.leads.split import make_folds
from leadml.model.fit.estimator import fit_model
from leadml.model.parts.calibration import Calibrator
from leadml.model.predict.lead_model import LeadModel, summed

SIGMOID = Calibrator("sigmoid", (1.3, -0.2))
BETA = Calibrator("beta", (0.7, 1.4, 0.1))
ISOTONIC = Calibrator("isotonic", (-3.0, -2.0, 0.5, -4.0, -1.5, -1.0))


def _parts(fitted):
    return (fitted.model.trees.text, *(getattr(fitted.model, name) for name in ("encoder", "linear", "calibrator")))


def _loss(probability, label):
    return -np.log(np.where(label == 1, probability, 1 - probability)).mean()


@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 2)])
def test_row_order_and_threads_change_nothing(bank_leads, bank_contract, quick_params, seed, threads):
    """Shuffled bundled leads, with one thread or two, give one model and the same numbers to the bit."""
    reference = fit_model(bank_leads.frame, bank_contract.fields, quick_params)
    model = quick_params.model.model_copy(update={"threads": threads})
    shuffled = bank_leads.frame.sample(frac=1, random_state=seed)
    again = fit_model(shuffled, bank_contract.fields, quick_params.model_copy(update={"model": model}))
    assert _parts(again) == _parts(reference)
    assert again.choices == reference.choices
    assert np.array_equal(again.probability, reference.probability)


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("calibrator", [None, SIGMOID, BETA, ISOTONIC], ids=lambda some: getattr(some, "method", "own"))
def test_a_chunk_gives_the_bits_of_the_whole(bank_fitted, bank_leads, rows, calibrator):
    """A lead's probability does not depend on the leads beside it."""
    fitted = bank_fitted.model
    chosen = calibrator or fitted.calibrator
    model = LeadModel.of(fitted.encoder, fitted.linear, fitted.trees, calibrator=chosen, spread=fitted.spread)
    frame = bank_leads.frame.iloc[:210]
    chunks = [model.predict(frame.iloc[first : first + rows]) for first in range(0, len(frame), rows)]
    assert np.array_equal(np.concatenate(chunks), model.predict(frame))


def test_permuted_leads_give_permuted_probabilities(bank_fitted, bank_leads):
    """Scores follow their leads to the bit."""
    order = np.random.default_rng(4).permutation(len(bank_leads.frame))
    scores = bank_fitted.model.predict(bank_leads.frame)
    assert np.array_equal(bank_fitted.model.predict(bank_leads.frame.iloc[order]), scores[order])


def test_no_leads_get_no_probabilities(bank_fitted, bank_leads):
    """An empty frame is scored."""
    assert bank_fitted.model.predict(bank_leads.frame.iloc[:0]).shape == (0,)


def test_log_odds_are_the_sum_of_both_parts(toy_fitted, toy_leads):
    """The linear part's and the trees', to the last bits."""
    model = toy_fitted.model
    fields = model.encoder.fields_of(toy_leads)
    expected = model.linear.margin(model.encoder.columns_of(fields)) + model.trees.margin(fields)
    assert np.abs(summed(*model.contributions(fields)) - expected).max() < 1e-12


def test_columns_are_not_taken_for_fields(toy_fitted, toy_leads):
    """The flags of a category are not what tables are read by."""
    model = toy_fitted.model
    with pytest.raises(ModelError, match="fields must have a column for each of 4 fields, got 7"):
        model.contributions(model.encoder.encode(toy_leads))


@pytest.mark.parametrize(
    ("age", "job", "visits"), [(None, None, None), (1e300, "unheard of", -1e300), (-40.0, "chef", 1e15)]
)
def test_any_lead_has_a_probability_between_0_and_1(toy_fitted, age, job, visits):
    """Missing, unknown and absurd values are scored too."""
    lead = pd.DataFrame({"age": [age], "job": pd.Series([job], dtype=object), "visits": [visits], "asked": [None]})
    assert 0 < toy_fitted.model.predict(lead)[0] < 1


def test_parts_together_lose_no_more_than_any_alone(bank_fitted):
    """Weights are chosen on leads kept from all parts, and add up to 1."""
    choices = bank_fitted.choices
    kinds = (("trees", ""), ("trees_on_linear", "_on_the_linear_part"))
    names = [f"{choices[f'{name}_leaves']}_leaves_penalty_{choices[f'{name}_penalty']:g}{end}" for name, end in kinds]
    alone = [choices[f"log_loss_{name}"] for name in ("linear", *names)]
    assert choices["log_loss_together"] <= min(alone) + 1e-9
    weights = [choices[f"{name}_weight"] for name in ("linear", "trees", "trees_on_linear")]
    assert sum(weights) == pytest.approx(1.0)
    assert choices["base_weight"] == weights[2]
    assert {choices["linear_strength"], choices["base_strength"]} <= {0.01, 0.1, 1.0}


def test_numbers_of_leads_kept_aside_are_honest(bank_fitted, bank_leads):
    """Out-of-fold probabilities lose more than fitted ones, less than the rate, and come true in total."""
    label = bank_fitted.label
    assert np.array_equal(label, bank_leads.frame["converted"])
    fitted = bank_fitted.model.predict(bank_leads.frame)
    aside = _loss(bank_fitted.probability, label)
    assert _loss(fitted, label) < aside < _loss(np.full(len(label), label.mean()), label)
    assert bank_fitted.probability.mean() == pytest.approx(label.mean(), abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_nothing_explains_give_the_base_rate(toy_leads, toy_fields, quick_params, seed):
    """On shuffled labels no lead kept aside strays far from the rate."""
    noise = toy_leads.sample(frac=1, random_state=seed)["converted"].to_numpy()
    fitted = fit_model(toy_leads.assign(converted=noise), toy_fields, quick_params)
    rate = np.full(len(noise), noise.mean())
    assert _loss(fitted.probability, fitted.label) < _loss(rate, fitted.label) + 0.01


def test_with_instants_leads_are_judged_by_models_of_earlier_ones(toy_leads, toy_fields, quick_params):
    """The earliest leads judge no fold; all others have a number."""
    frame = toy_leads.assign(created_at=np.arange(len(toy_leads)) * 3_600_000_000)
    fitted = fit_model(frame, toy_fields, quick_params)
    judged = sum(len(judge) for _, judge in make_folds(frame, quick_params.split))
    assert len(fitted.probability) == len(fitted.label) == judged < len(frame)
    assert np.isfinite(fitted.probability).all()


@pytest.mark.parametrize("kind", [0, 1])
def test_leads_of_one_kind_only_are_refused(toy_leads, toy_fields, quick_params, kind):
    """No fold can be fitted."""
    with pytest.raises(
        ModelError,
        match=rf"got {640 * kind} of 640 that converted and 160 that judge in fold 1 of 5; lower split.folds",
    ):
        fit_model(toy_leads.assign(converted=np.int8(kind)), toy_fields, quick_params)


@pytest.mark.parametrize("field", [Field("empty", "number", "fit"), Field("empty", "category", "fit")])
@pytest.mark.parametrize("value", [7.0, None])
def test_a_field_that_says_nothing_gives_every_lead_the_rate(toy_leads, quick_params, field, value):
    """A model whose only field is the same for all leads has one probability."""
    held = str(value) if value and field.kind == "category" else value
    frame = toy_leads.assign(empty=pd.Series([held] * len(toy_leads), dtype=object))
    frame = frame.astype({"empty": float}) if field.kind == "number" else frame
    probability = fit_model(frame, [field], quick_params).model.predict(frame)
    assert np.ptp(probability) < 1e-9
    assert probability[0] == pytest.approx(toy_leads["converted"].mean(), abs=0.005)


@pytest.mark.parametrize("value", [1e150, 1e200, 1e308])
def test_a_huge_number_does_not_stop_the_fit(toy_leads, toy_fields, quick_params, value):
    """A slip of the keyboard among the values costs that field, not the model."""
    frame = toy_leads.copy()
    frame.loc[::50, "age"] = value
    frame.loc[1::50, "age"] = -value
    fitted = fit_model(frame, toy_fields, quick_params)
    assert np.isfinite(fitted.probability).all()
    assert _loss(fitted.probability, fitted.label) < 0.6


def test_probabilities_of_leads_kept_aside_add_up_to_the_conversions(bank_fitted):
    """What folds say of leads that they did not see is as many conversions as there were, calibrated or not."""
    assert bank_fitted.choices["calibration"] == "none"
    assert bank_fitted.probability.sum() == pytest.approx(bank_fitted.label.sum(), abs=1e-6)
    assert bank_fitted.choices["lift"] != 0
