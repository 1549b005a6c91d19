from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.frames import rows, split_of
from tests.linear_leads import fit_linear

from leadml.errors import ModelError
from leadml.leads.check.contract import Field
from leadml.model.fit.estimator import fit_model
from leadml.model.fit.selection import FitData, select_parts
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.linear import make_terms
from leadml.model.parts.trees import BoosterData, Trees, fit_boosters


def _fit(frame, fields, params):
    """Return the model of a training set, with the split that a source of such rows has."""
    return fit_model(frame, fields, params, split=split_of(frame, params.split))


def _parts(fitted):
    return (fitted.model.trees.text, *(getattr(fitted.model, name) for name in ("encoder", "linear", "calibrator")))


def _loss(probability, label):
    return -np.log(np.where(label == 1, probability, 1 - probability)).mean()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 2)])
def test_row_order_and_threads_change_nothing(bank_leads, bank_contract, quick_params, seed, threads):
    """Shuffled rows, with one thread or two, give the same model and the same numbers to the bit."""
    reference = _fit(bank_leads.frame, bank_contract.fields, quick_params)
    model = quick_params.model.model_copy(update={"threads": threads})
    shuffled = bank_leads.frame.sample(frac=1, random_state=seed)
    again = _fit(shuffled, bank_contract.fields, quick_params.model_copy(update={"model": model}))
    assert _parts(again) == _parts(reference)
    assert again.choices == reference.choices
    assert np.array_equal(again.probability, reference.probability)


def test_the_model_has_no_more_out_of_fold_loss_than_its_best_part(bank_fitted, bank_params):
    """Its weights add up to 1, and each candidate is named with its loss."""
    choices = bank_fitted.choices
    losses = {name: loss for name, loss in choices.items() if name.startswith("log_loss_")}
    parts = [loss for name, loss in losses.items() if name.removeprefix("log_loss_").split("_")[0] != "together"]
    assert choices["log_loss_together"] <= min(parts)
    weights = [weight for name, weight in choices.items() if name.startswith("weight_")]
    assert sum(weights) == pytest.approx(1.0)
    assert choices["linear_weight"] + choices["trees_weight"] == pytest.approx(1.0)
    assert choices["newest_weight"] == 0
    assert {"weight_linear_strength_0.1_reach_3", "log_loss_linear_strength_1_reach_8"} <= choices.keys()
    sizes = [f"{count}_leaves_penalty_20" for count in bank_params.model.leaves]
    assert {f"{what}_{size}" for size in sizes for what in ("weight", "rounds", "log_loss")} <= choices.keys()
    for size in sizes:
        assert choices[f"weight_{size}"] == 0 or 25 <= choices[f"rounds_{size}"] <= bank_params.model.max_rounds


@pytest.mark.slow
def test_the_model_is_the_weighted_sum_of_its_parts_on_all_rows(toy_leads, toy_fields, quick_params):
    """Each part is fitted on all rows, trees with more rounds in proportion, and weighed as selected."""
    model_params, split = quick_params.model, split_of(toy_leads, quick_params.split)
    fitted = fit_model(toy_leads, toy_fields, quick_params, split=split).model
    frame = toy_leads.sort_values(list(split.order), kind="stable", ignore_index=True)
    label = frame["converted"].to_numpy(dtype=np.int8)
    fields, matrix = fitted.encoder.fields_of(frame), fitted.encoder.columns_of(fitted.encoder.fields_of(frame))
    data = FitData(fitted.encoder, fields, label, None, (0,) * fields.shape[1], split.folds(frame))
    selection = select_parts(data, model_params, lambda _: None)
    margin = np.full(len(frame), selection.intercept_shift)
    for each, weight in selection.linear:
        terms = make_terms(matrix, fitted.encoder.is_flag, reach=each.reach)
        margin += weight * fit_linear(matrix, label, terms, strength=each.strength).margin(matrix)
    for each, by_rounds in selection.trees:
        for count, weight in by_rounds.items():
            rounds = round(count * data.refit_factor)
            [text] = fit_boosters([(BoosterData(fields, label, data.directions), each, rounds)], model_params)
            margin += weight * Trees.of([(text, [1.0] * rounds)]).margin(fields)
    assert fitted.linear.margin(matrix) + fitted.trees.margin(fields) == pytest.approx(margin, abs=1e-6)


def test_out_of_fold_loss_lies_between_the_training_loss_and_that_of_the_base_rate(bank_fitted, bank_leads):
    """The mean out-of-fold probability is the rate."""
    label = bank_fitted.label
    assert np.array_equal(label, bank_leads.frame["converted"])
    fitted = bank_fitted.model.predict(bank_leads.frame)
    out_of_fold = _loss(bank_fitted.probability, label)
    assert _loss(fitted, label) < out_of_fold < _loss(np.full(len(label), label.mean()), label)
    assert bank_fitted.probability.mean() == pytest.approx(label.mean(), abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_with_shuffled_labels_probabilities_are_near_the_base_rate(toy_leads, toy_fields, quick_params, seed):
    """Where fields tell nothing of the label, the out-of-fold log loss is about that of the rate."""
    noise = toy_leads.sample(frac=1, random_state=seed)["converted"].to_numpy()
    fitted = _fit(toy_leads.assign(converted=noise), toy_fields, quick_params)
    rate = np.full(len(noise), noise.mean())
    assert _loss(fitted.probability, fitted.label) < _loss(rate, fitted.label) + 0.01


@pytest.mark.slow
def test_with_instants_folds_are_evaluated_on_later_rows(toy_leads, toy_fields, quick_params):
    """No fold is evaluated on the earliest rows; all others have a probability. Intervals come from the folds alone."""
    frame = rows(toy_leads.drop(columns="split_key").assign(created_at=np.arange(len(toy_leads)) * 3_600_000_000))
    fitted = _fit(frame, toy_fields, quick_params)
    evaluated = sum(len(evaluate) for _, evaluate in split_of(frame, quick_params.split).folds(frame))
    assert len(fitted.probability) == len(fitted.label) == evaluated < len(frame)
    assert np.isfinite(fitted.probability).all()
    assert fitted.choices["log_odds_deviation"] == pytest.approx(fitted.choices["sampling_deviation"])


@pytest.mark.parametrize("outcome", [0, 1])
def test_leads_of_one_outcome_are_refused(toy_leads, toy_fields, quick_params, outcome):
    """Each fold must be fitted on both outcomes."""
    with pytest.raises(
        ModelError,
        match=rf"got fold 1 of 5 fitted on 640 leads, of which {640 * outcome} converted, and evaluated on 160; "
        "bring more leads of the rarer outcome",
    ):
        _fit(toy_leads.assign(converted=np.int8(outcome)), toy_fields, quick_params)


@pytest.mark.slow
@pytest.mark.parametrize("field", [Field("empty", "number", "fit"), Field("empty", "category", "fit")])
@pytest.mark.parametrize("value", [7.0, None])
def test_a_constant_field_gives_every_lead_the_base_rate(toy_leads, quick_params, field, value):
    """A model whose only field is constant or missing has a single probability."""
    constant = str(value) if value and field.kind == "category" else value
    frame = toy_leads.assign(empty=pd.Series([constant] * len(toy_leads), dtype=object))
    frame = frame.astype({"empty": float}) if field.kind == "number" else frame
    probability = _fit(frame, [field], quick_params).model.predict(frame)
    assert np.ptp(probability) < 1e-9
    assert probability[0] == pytest.approx(toy_leads["converted"].mean(), abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("value", [1e150, 1e200, 1e308])
def test_extreme_numbers_do_not_break_the_fit(toy_leads, toy_fields, quick_params, value):
    """A typing error among the values may spoil that field, but not the model."""
    frame = toy_leads.copy()
    frame.loc[::50, "age"] = value
    frame.loc[1::50, "age"] = -value
    fitted = _fit(frame, toy_fields, quick_params)
    assert np.isfinite(fitted.probability).all()
    assert _loss(fitted.probability, fitted.label) < 0.6


def test_out_of_fold_probabilities_add_up_to_the_conversions(bank_fitted):
    """The intercept is shifted until they do, and nothing else calibrates."""
    assert bank_fitted.model.calibrator == Calibrator()
    assert bank_fitted.probability.sum() == pytest.approx(bank_fitted.label.sum(), abs=1e-6)
    assert bank_fitted.choices["intercept_shift"] != 0


def test_a_model_without_a_linear_part_has_trees_alone(toy_leads, toy_fields, quick_params):
    """Its probabilities still add up to the conversions."""
    model = quick_params.model.model_copy(update={"linear_strengths": ()})
    fitted = _fit(toy_leads, toy_fields, quick_params.model_copy(update={"model": model}))
    assert fitted.model.linear.terms == ()
    assert not [name for name in fitted.choices if name.startswith("linear, ")]
    assert fitted.probability.sum() == pytest.approx(fitted.label.sum(), rel=0.02)
    assert _loss(fitted.probability, fitted.label) < _loss(fitted.label.mean(), fitted.label)
