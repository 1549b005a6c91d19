"""Intervals of true probabilities, and the information gap that they are derived from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.model.fit.information_gap import DIVISIONS, halve_topics, information_gap
from leadml.model.fit.selection import FitData
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals, deviation_of, gap_of, mean_log_odds
from leadml.model.parts.trees import BoosterData, TreeSettings, cross_validate
from leadml.params import ModelParams

PARAMS = ModelParams(max_rounds=400, patience=40, leaf_penalties=(5.0,), threads=1)
PROBABILITIES = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20).map(np.array)


@given(PROBABILITIES, st.floats(0.0, 3.0), st.floats(0.05, 0.99))
def test_the_ends_of_an_interval_rise_with_the_probability(probability, deviation, level):
    """They lie in [0, 1], and both are the probability where the deviation is 0."""
    low, high = Intervals(deviation, level).interval(np.sort(probability))
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    exact = np.concatenate(Intervals(0.0, level).interval(probability))
    assert exact == pytest.approx(np.tile(probability, 2), abs=1e-4)


@pytest.mark.parametrize("probability", [0.001, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("deviation", [0.3, 1.0, 2.0])
def test_simulated_true_probabilities_have_the_given_mean_and_coverage(probability, deviation):
    """Of a million normal log-odds the mean probability is the given one, and the level's share is in the interval."""
    mean = mean_log_odds(np.array([probability]), deviation)[0]
    true = expit(mean + deviation * np.random.default_rng(0).normal(size=1_000_000))
    assert true.mean() == pytest.approx(probability, rel=0.01)
    low, high = Intervals(deviation, 0.9).interval(np.array([probability]))
    assert ((true >= low) & (true <= high)).mean() == pytest.approx(0.9, abs=0.005)


def test_the_gap_is_the_log_loss_that_knowing_the_truth_would_save():
    """It is the loss of the probabilities less that of the true ones, on simulated true probabilities."""
    probability = np.array([0.02, 0.1, 0.3])
    normal = np.random.default_rng(1).normal(size=(1_000_000, 1))
    true = expit(mean_log_odds(probability, 0.9) + 0.9 * normal)

    def loss(predicted):
        return -(true * np.log(predicted) + (1 - true) * np.log1p(-predicted)).mean()

    assert gap_of(probability, 0.9) == pytest.approx(loss(probability) - loss(true), rel=0.01)


@settings(max_examples=20)
@given(PROBABILITIES, st.floats(0.1, 2.5))
def test_the_deviation_is_the_inverse_of_the_gap(probability, deviation):
    """A gap that is computed from a deviation gives that deviation."""
    assert deviation_of(probability, gap_of(probability, deviation)) == pytest.approx(deviation, abs=1e-6)


@pytest.mark.parametrize(("gap", "deviation"), [(0.0, 0.0), (-1.0, 0.0), (5.0, 3.0)])
def test_deviations_lie_from_0_to_3(gap, deviation):
    """Without a gap the deviation is 0, and of a gap that is too large it is 3."""
    assert deviation_of(np.full(5000, 0.1), gap) == pytest.approx(deviation)


@pytest.mark.parametrize("seed", range(5))
def test_halves_divide_topics_into_two_of_about_the_same_gain(seed):
    """Fields of a topic are in one half, and of each pair of topics with similar gains one is in the half."""
    fields = tuple(Field(f"f{index}", "number", "fit", "column", f"topic {index // 2}") for index in range(16))
    gains = np.random.default_rng(2).exponential(size=16)
    half = halve_topics(fields, gains, np.random.default_rng(seed))
    assert (half[::2] == half[1::2]).all()
    topic_gains = gains.reshape(8, 2).sum(axis=1)
    ranked = half[::2][np.argsort(-topic_gains)]
    assert (ranked[::2] != ranked[1::2]).all()
    assert gains[half].sum() / gains.sum() == pytest.approx(0.5, abs=0.3)


def _leads(size, *, hidden, seed=0):
    """Return leads whose probability depends on eight numbers, of which some are hidden, and the loss of the truth."""
    random = np.random.default_rng(seed)
    numbers, uniform = random.normal(size=(size, 8)), random.random(size)
    true = expit(0.6 * numbers.sum(axis=1) - 1)
    label = (uniform < true).astype(np.int8)
    count = 8 - hidden
    fields = tuple(Field(f"x{index}", "number", "fit") for index in range(count))
    rows = np.arange(size)
    folds = [(rows[rows % 5 != index], rows[rows % 5 == index]) for index in range(5)]
    encoder = Encoder(fields, ((),) * count)
    leads = FitData(
        encoder, numbers[:, :count], label, None, (0,) * count, folds, random.random((2 * DIVISIONS, size)) < 0.5
    )
    return leads, -(true * np.log(true) + (1 - true) * np.log1p(-true)).mean()


def _gap(leads, params=PARAMS):
    data = BoosterData(leads.fields, leads.label, leads.directions)
    best = cross_validate(data, leads.folds, None, TreeSettings(4, 5.0, on_linear=False), params, max_work=1.0)
    return information_gap(leads, best, params), best.loss


def test_the_estimated_gap_is_within_a_factor_of_two_of_the_true_one():
    """Half of the fields are hidden; the true gap is the loss less that of the true probabilities."""
    leads, true_loss = _leads(6000, hidden=4)
    gap, loss = _gap(leads)
    assert 0.5 < gap / (loss - true_loss) < 2


def test_more_leads_have_a_smaller_gap():
    """The part of the gap that comes from few leads falls."""
    few, many = (_gap(_leads(size, hidden=0)[0])[0] for size in (800, 12_000))
    assert many < few


def test_a_single_field_has_a_gap():
    """Where there are no two topics only the leads are halved."""
    gap, _ = _gap(_leads(1500, hidden=7)[0])
    assert 0 <= gap < 0.2


def test_constant_fields_do_not_change_the_gap():
    """A field that is the same for all leads is a topic that no tree uses."""
    leads, _ = _leads(1500, hidden=6)
    fields = (*leads.encoder.fields, *(Field(name, "number", "fit") for name in ("one", "missing", "zero")))
    constants = np.tile([1.0, np.nan, 0.0], (1500, 1))
    more = replace(
        leads,
        encoder=Encoder(fields, ((),) * 5),
        fields=np.column_stack([leads.fields, constants]),
        directions=(0,) * 5,
    )
    params = PARAMS.model_copy(update={"field_share": 1.0})  # no random draw of fields
    assert _gap(more, params)[0] == pytest.approx(_gap(leads, params)[0], rel=1e-9)


@pytest.mark.parametrize("half", [True, False])
def test_leads_of_one_group_have_a_gap(half):
    """Where a half of the groups is empty only the topics are halved."""
    leads, _ = _leads(400, hidden=4)
    assert _gap(replace(leads, halves=np.full((2 * DIVISIONS, 400), half)))[0] > 0
