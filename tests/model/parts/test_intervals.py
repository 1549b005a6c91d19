"""Intervals for probabilities: what they hold, and what they are made of."""

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
from leadml.model.parts.intervals import Intervals, centers, deviation_of, information
from leadml.model.parts.trees import BoosterData, TreeSettings, grow
from leadml.params import ModelParams

CHOICES = ModelParams(max_rounds=400, patience=40, leaf_penalties=(5.0,), threads=1)
PROBABILITIES = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20).map(np.array)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(PROBABILITIES, st.floats(0.0, 3.0), st.floats(0.05, 0.99))
def test_an_interval_holds_the_probability_and_keeps_the_order(probability, deviation, level):
    """Ends lie in [0, 1] on both sides, rise with the probability, and are the probability where nothing is unseen."""
    low, high = Intervals(deviation, level).interval(np.sort(probability))
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    exact = np.concatenate(Intervals(0.0, level).interval(probability))
    assert exact == pytest.approx(np.tile(probability, 2), abs=1e-4)


@pytest.mark.parametrize("said", [0.001, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("deviation", [0.3, 1.0, 2.0])
def test_drawn_truths_have_the_mean_said_and_lie_inside_as_often_as_promised(said, deviation):
    """A million true log-odds around the center: their mean is what was said, and the level's share is inside."""
    center = centers(np.array([said]), deviation)[0]
    true = expit(center + deviation * np.random.default_rng(0).normal(size=1_000_000))
    assert true.mean() == pytest.approx(said, rel=0.01)
    low, high = Intervals(deviation, 0.9).interval(np.array([said]))
    assert ((true >= low) & (true <= high)).mean() == pytest.approx(0.9, abs=0.005)


def test_information_is_what_knowing_the_truth_would_save():
    """The log loss of what was said, less that of the truth, on drawn truths."""
    said = np.array([0.02, 0.1, 0.3])
    normal = np.random.default_rng(1).normal(size=(1_000_000, 1))
    true = expit(centers(said, 0.9) + 0.9 * normal)

    def loss(of):
        return -(true * np.log(of) + (1 - true) * np.log1p(-of)).mean()

    assert information(said, 0.9) == pytest.approx(loss(said) - loss(true), rel=0.01)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(PROBABILITIES, st.floats(0.1, 2.5))
def test_the_deviation_is_found_from_the_information(probability, deviation):
    """One undoes the other, also where only quantiles of many leads are looked at."""
    assert deviation_of(probability, information(probability, deviation)) == pytest.approx(deviation, abs=1e-6)


@pytest.mark.parametrize(("lacking", "deviation"), [(0.0, 0.0), (-1.0, 0.0), (5.0, 3.0)])
def test_deviations_have_bounds(lacking, deviation):
    """Where nothing is lacking there is none, and of more than can be told it is the widest."""
    assert deviation_of(np.full(5000, 0.1), lacking) == pytest.approx(deviation)


@pytest.mark.parametrize("seed", range(5))
def test_halves_divide_topics_and_weigh_about_the_same(seed):
    """Fields of a topic stay together, and of each two topics that bring about as much one is in the half."""
    fields = tuple(Field(f"f{at}", "number", "fit", "column", f"topic {at // 2}") for at in range(16))
    gains = np.random.default_rng(2).exponential(size=16)
    half = halve_topics(fields, gains, np.random.default_rng(seed))
    assert (half[::2] == half[1::2]).all()
    brought = gains.reshape(8, 2).sum(axis=1)
    ranked = half[::2][np.argsort(-brought)]
    assert (ranked[::2] != ranked[1::2]).all()
    assert gains[half].sum() / gains.sum() == pytest.approx(0.5, abs=0.3)


def _leads(size, *, hidden, seed=0):
    """Return leads whose truth depends on eight numbers, of which some are hidden, and how much knowing it is worth."""
    random = np.random.default_rng(seed)
    numbers, label_of = random.normal(size=(size, 8)), random.random(size)
    true = expit(0.6 * numbers.sum(axis=1) - 1)
    label = (label_of < true).astype(np.int8)
    shown = 8 - hidden
    fields = tuple(Field(f"x{at}", "number", "fit") for at in range(shown))
    rows = np.arange(size)
    folds = [(rows[rows % 5 != at], rows[rows % 5 == at]) for at in range(5)]
    encoder = Encoder(fields, ((),) * shown)
    leads = FitData(
        encoder, numbers[:, :shown], label, None, (0,) * shown, folds, random.random((2 * DIVISIONS, size)) < 0.5
    )
    return leads, -(true * np.log(true) + (1 - true) * np.log1p(-true)).mean()


def _lacking(leads, choices=CHOICES):
    soil = BoosterData(leads.fields, leads.label, leads.directions)
    best = grow(soil, leads.folds, None, TreeSettings(4, 5.0, on_linear=False), choices, budget=1.0)
    return information_gap(leads, best, choices), best.loss


def test_what_is_lacking_is_told_within_a_factor_of_two():
    """With half of the fields hidden, beside what knowing the truth would save."""
    leads, least = _leads(6000, hidden=4)
    lacking, loss = _lacking(leads)
    assert 0.5 < lacking / (loss - least) < 2


def test_more_leads_lack_less():
    """The share that comes of few leads falls."""
    few, many = (_lacking(_leads(size, hidden=0)[0])[0] for size in (800, 12_000))
    assert many < few


def test_a_single_field_can_be_learned_from():
    """Where there are no two topics only the leads are halved."""
    lacking, _ = _lacking(_leads(1500, hidden=7)[0])
    assert 0 <= lacking < 0.2


def test_fields_that_tell_nothing_change_nothing():
    """A field that is the same for all leads is a topic that no tree uses."""
    leads, _ = _leads(1500, hidden=6)
    fields = (*leads.encoder.fields, *(Field(name, "number", "fit") for name in ("flat", "gaps", "zero")))
    constants = np.tile([1.0, np.nan, 0.0], (1500, 1))
    more = replace(
        leads,
        encoder=Encoder(fields, ((),) * 5),
        fields=np.column_stack([leads.fields, constants]),
        directions=(0,) * 5,
    )
    every = CHOICES.model_copy(update={"field_share": 1.0})  # no draw of fields, which would fall on others
    assert _lacking(more, every)[0] == pytest.approx(_lacking(leads, every)[0], rel=1e-9)


@pytest.mark.parametrize("half", [True, False])
def test_leads_that_cannot_be_halved_are_not(half):
    """Where all leads are of a few accounts a half may be empty; then the topics alone tell."""
    leads, _ = _leads(400, hidden=4)
    assert _lacking(replace(leads, halves=np.full((2 * DIVISIONS, 400), half)))[0] > 0
