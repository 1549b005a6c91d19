"""The information gap: how much lower the log loss would be with unlimited rows and fields."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.model.fit.information_gap import DIVISIONS, halve_topics, information_gap
from leadml.model.fit.selection import FitData
from leadml.model.parts.encode import Encoder
from leadml.model.parts.trees import BoosterData, TreeSettings, cross_validate
from leadml.params import ModelParams

PARAMS = ModelParams(max_rounds=400, patience=40, leaf_penalties=(5.0,), threads=1)


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


@pytest.mark.slow
def test_the_estimated_gap_is_within_a_factor_of_two_of_the_true_one():
    """Half of the fields are hidden; the true gap is the loss less that of the true probabilities."""
    leads, true_loss = _leads(6000, hidden=4)
    gap, loss = _gap(leads)
    assert 0.5 < gap / (loss - true_loss) < 2


@pytest.mark.slow
def test_more_leads_have_a_smaller_gap():
    """The part of the gap that comes from few leads falls."""
    few, many = (_gap(_leads(size, hidden=0)[0])[0] for size in (800, 12_000))
    assert many < few


def test_a_single_field_has_a_gap():
    """Where there are no two topics only the leads are halved."""
    gap, _ = _gap(_leads(1500, hidden=7)[0])
    assert 0 <= gap < 0.2


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("half", [True, False])
def test_leads_of_one_group_have_a_gap(half):
    """Where a half of the groups is empty only the topics are halved."""
    leads, _ = _leads(400, hidden=4)
    assert _gap(replace(leads, halves=np.full((2 * DIVISIONS, 400), half)))[0] > 0


def test_the_gap_is_at_least_what_the_estimate_of_one_number_costs():
    """One half divided by the number of rows, where no half costs anything: all have the same rate and no field."""
    leads, _ = _leads(400, hidden=7)
    pairs = np.random.default_rng(1).random((2 * DIVISIONS, 200)) < 0.5
    same = replace(
        leads, fields=np.zeros((400, 1)), label=(np.arange(400) % 2).astype(np.int8), halves=np.repeat(pairs, 2, axis=1)
    )

    assert _gap(same)[0] == 0.5 / 400


def test_topics_without_gain_are_in_no_half():
    """An odd topic is in the half or not, and the other half of the same pairs is the rest."""
    fields = tuple(Field(f"f{index}", "number", "fit") for index in range(5))
    gains = np.array([3.0, 0.0, 2.0, 1.0, 0.0])
    seen = {tuple(halve_topics(fields, gains, np.random.default_rng(seed)).tolist()) for seed in range(40)}

    assert all(not half[1] and not half[4] for half in seen)
    assert all(half[0] != half[2] for half in seen)
    assert all(half[3] for half in seen)
    assert len(seen) == 2
