"""How far a score would be another one, against trainings with other leads."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import spearmanr
from tests.frames import rows, split_of
from tests.linear_leads import fit_linear

from leadml.leads.check.field import Field
from leadml.model.fit.estimator import fit_model
from leadml.model.fit.selection import FitData, Selection
from leadml.model.fit.uncertainty import (
    importance_correlation,
    sampling_deviation,
    score_deviation,
    with_deviations_of_new,
)
from leadml.model.parts.encode import Encoder
from leadml.model.parts.linear import make_terms

FIELDS = tuple(Field(name, "number", "fit") for name in "abcd")
ENCODER = Encoder(FIELDS, ((),) * 4)
EFFECTS = np.array([1.0, -0.5, 0.3, 0.0])
DIFFERENCES = st.lists(st.floats(-2, 2), min_size=12, max_size=40).map(np.array)


def _leads(seed, size):
    random = np.random.default_rng(seed)
    fields = random.normal(size=(size, 4))
    label = (random.random(size) < expit(fields @ EFFECTS - 1)).astype(np.int8)
    return FitData(ENCODER, fields, label, None, (0,) * 4, _folds(size, 5))


def _folds(size, count):
    fold = np.arange(size) % count
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(count)]


def _linear(leads, rows):
    """Return the linear part of some rows, with a line for each field and hardly any penalty."""
    terms = [term for term in make_terms(leads.fields[rows], ENCODER.is_flag) if term.shape == "line"]
    return fit_linear(leads.fields[rows], leads.label[rows], tuple(terms), strength=100.0)


def _selection(margin):
    return Selection((), (), 0.0, margin, 0.0, {}, 0.0, np.ones((1, 1)))


def _estimated(leads):
    """Return the deviation that the folds of leads tell of their linear part."""
    out_of_fold = np.full(len(leads.label), np.nan)
    for fit, evaluate in leads.folds:
        out_of_fold[evaluate] = _linear(leads, fit).margin(leads.fields[evaluate])
    return sampling_deviation(leads, _selection(out_of_fold), _linear(leads, slice(None)).margin(leads.fields))


def _of(differences, folds, cluster=None):
    """Return the deviation where log-odds of folds differ so much from those of the model."""
    size = len(differences)
    data = FitData(ENCODER, np.zeros((size, 4)), np.zeros(size, dtype=np.int8), None, (0,) * 4, folds, cluster)
    return sampling_deviation(data, _selection(differences), np.zeros(size))


@pytest.mark.slow
@pytest.mark.parametrize("size", [500, 2000])
def test_the_deviation_is_about_that_of_trainings_with_other_leads(size):
    """Of linear parts it is that of 40 simulated trainings, on average over some of them, to within a third."""
    some = _leads(10_000, 300).fields
    margins = np.array(
        [_linear(leads, slice(None)).margin(some) for leads in (_leads(seed, size) for seed in range(40))]
    )
    simulated = np.sqrt(margins.var(axis=0, ddof=1).mean())
    estimated = np.sqrt(np.mean([_estimated(_leads(seed, size)) ** 2 for seed in range(8)]))
    assert 0.67 < estimated / simulated < 1.5


@given(st.floats(0.01, 3), st.integers(2, 10))
def test_equal_differences_of_a_larger_share_give_a_larger_deviation(difference, count):
    """A model of half the leads differs by as much as the whole varies, one of nine tenths by a third of that."""
    half, most = (_of(np.full(2520, difference), _folds(2520, each)) for each in (2, count))
    assert most == pytest.approx(half * (count - 1) ** 0.5)


@given(st.floats(0.01, 3), st.integers(1, 20), st.integers(1, 5))
def test_of_leads_with_several_rows_the_share_is_that_of_leads(difference, count, rows):
    """A fold of half the leads is a half, whatever number of rows the others have."""
    fit, evaluate = np.arange(count), np.arange(count, count + count * rows)
    cluster = np.append(fit, count + np.repeat(fit, rows))
    several = _of(np.full(len(cluster), difference), [(fit, evaluate)], cluster)
    assert several == pytest.approx(_of(np.full(2 * count, difference), [(fit, fit + count)]))


@given(DIFFERENCES, st.floats(0.1, 5))
def test_the_deviation_is_in_proportion_to_the_differences(differences, factor):
    """It is 0 where no lead would have other log-odds, and the sign of a difference does not matter."""
    folds = _folds(len(differences), 3)
    expected = factor * _of(differences, folds)
    assert _of(-factor * differences, folds) == pytest.approx(expected)
    assert _of(0.0 * differences, folds) == 0


def test_rows_that_no_fold_is_evaluated_on_tell_nothing():
    """They have no out-of-fold log-odds."""
    fit, evaluate = np.arange(30), np.arange(30, 60)
    differences = np.full(100, np.nan)
    differences[evaluate] = 0.5
    assert _of(differences, [(fit, evaluate)]) == pytest.approx(
        _of(np.full(10, 0.5), [(np.arange(3), np.arange(3, 10))])
    )


@given(st.floats(0, 3), st.floats(0.001, 3), st.floats(1.1, 3))
def test_parts_that_agree_add_nothing_and_others_add_a_variance(sampling, between, factor):
    """Whatever the sampling is, the same is added to its square, in proportion to the variance between the parts."""
    assert score_deviation(sampling, 0.0) == pytest.approx(sampling, abs=1e-12)
    added = score_deviation(sampling, between) ** 2 - sampling**2
    assert added == pytest.approx(score_deviation(0.0, between) ** 2, abs=1e-9)
    more = score_deviation(sampling, factor * between) ** 2 - sampling**2
    assert more == pytest.approx(factor * added, abs=1e-9)
    assert added > 0


@pytest.mark.slow
def test_the_intervals_of_a_fit_have_the_deviation_that_it_tells(toy_fitted):
    """It is that of the folds and the parts, which differ where effects are not of one kind."""
    choices = toy_fitted.choices
    assert toy_fitted.model.intervals.deviation == choices["log_odds_deviation"]
    assert 0 < choices["sampling_deviation"] < choices["log_odds_deviation"] < 1


@pytest.mark.slow
@settings(max_examples=10)
@given(st.sets(st.sampled_from(["age", "job", "visits", "asked"])))
def test_a_value_that_is_new_is_as_uncertain_as_what_its_field_says(toy_fitted, toy_leads, names):
    """What the values of a field add to log-odds varies by so much; a field without new values has none."""
    fitted = toy_fitted.model
    new = tuple(("missing",) if field.name in names else () for field in fitted.encoder.fields)
    encoder = replace(fitted.encoder, new=new)
    model = type(fitted).of(
        encoder, fitted.linear, fitted.trees, calibrator=fitted.calibrator, intervals=fitted.intervals
    )
    fields = encoder.fields_of(toy_leads)
    found = np.array(with_deviations_of_new(model, fields).intervals.of_new)
    expected = model.contributions(fields)[1].std(axis=0)
    assert found == pytest.approx(np.where([field.name in names for field in encoder.fields], expected, 0.0))
    assert found.all() == (len(names) == 4)


@pytest.mark.slow
def test_a_lead_with_a_new_value_has_a_wider_interval(toy_leads, toy_fields, quick_params):
    """By the spread of what the field says; leads without such a value have the interval of the model."""
    fitted = fit_model(toy_leads, toy_fields, quick_params, split=split_of(toy_leads, quick_params.split)).model
    known = toy_leads[toy_leads["job"].notna()].head(50)
    new = known.assign(job="never seen before")
    place = [field.name for field in toy_fields].index("job")
    assert fitted.encoder.new[place] == ("other",)
    widths = []
    for frame in (known, new):
        rows = fitted.encoder.fields_of(frame)
        low, high = fitted.interval(fitted.probability(rows), rows)
        widths.append((logit(high) - logit(low)) ** 2)
    deviation, of_new = fitted.intervals.deviation, fitted.intervals.of_new[place]
    assert of_new > 0
    assert widths[1] / widths[0] == pytest.approx(np.full(50, 1 + (of_new / deviation) ** 2))


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=2, max_size=5))
def test_the_agreement_of_models_is_their_mean_rank_correlation(importance):
    """As scipy has it; models for which all fields matter the same are left out."""
    varied = [values for values in importance if len(set(values)) > 1]
    pairs = [spearmanr(one, other).statistic for one, other in combinations(varied, 2)]
    expected = np.mean(pairs) if pairs else 1.0
    assert importance_correlation(np.array(importance, dtype=float)) == pytest.approx(expected)


def test_folds_agree_on_strong_fields_and_not_on_noise(quick_params):
    """Four effects of different sizes have one order in all folds, four fields of noise have none."""
    random = np.random.default_rng(3)
    fields = random.normal(size=(3000, 4))
    agreement = {}
    for name, effects in (("effects", [1.6, 0.8, 0.4, 0.2]), ("noise", [0.0] * 4)):
        label = (random.random(3000) < expit(fields @ np.array(effects) - 1)).astype(np.int8)
        frame = pd.DataFrame(fields, columns=list("abcd")).assign(converted=label)
        frame = rows(frame.assign(lead_id=[f"L{number}" for number in range(3000)]))
        split = split_of(frame, quick_params.split)
        agreement[name] = fit_model(frame, FIELDS, quick_params, split=split).choices["importance_correlation"]
    assert agreement["effects"] > 0.9
    assert agreement["noise"] < 0.7


def test_many_leads_are_as_good_as_all(toy_fitted, toy_leads):
    """Of many rows some are taken at even distances: repeated leads change nothing but for chance."""
    model = toy_fitted.model
    fields = model.encoder.fields_of(toy_leads)
    once, often = (
        np.array(with_deviations_of_new(model, rows).intervals.of_new) for rows in (fields, np.tile(fields, (7, 1)))
    )
    assert often == pytest.approx(once, rel=0.1)
