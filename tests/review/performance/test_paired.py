from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from leadml.review.performance.paired import BOUND, LEAST_DAYS, Gain, losses


def test_a_loss_is_bounded():
    """Nobody who is sure of the wrong outcome decides alone."""
    found = losses(np.array([1, 0, 1], np.int8), np.array([0.0, 1.0, 0.25]))
    assert found == pytest.approx([BOUND, BOUND, np.log(4)], abs=1e-5)


def test_without_groups_the_error_is_that_of_a_mean():
    """Of independent leads."""
    differences = np.random.default_rng(0).normal(0.1, 1.0, 400)
    gain = Gain.of(differences)
    assert gain.value == differences.mean()
    assert gain.error == pytest.approx(differences.std(ddof=1) / 20)


def test_leads_that_are_repeated_in_their_group_say_nothing_new():
    """Three copies of each lead have the gain and the error of one."""
    differences = np.random.default_rng(1).normal(0.1, 1.0, 300)
    one, three = Gain.of(differences), Gain.of(np.repeat(differences, 3), np.repeat(np.arange(300), 3))
    assert (three.value, three.error) == (pytest.approx(one.value), pytest.approx(one.error))
    assert three.needed(0.1, confidence=0.95, power=0.8) == pytest.approx(
        3 * one.needed(0.1, confidence=0.95, power=0.8), rel=0.01
    )
    assert three.low(0.95) == pytest.approx(one.low(0.95))


def test_the_lower_end_holds_the_truth_as_often_as_it_says():
    """Of groups of different sizes, 95 of 100 to within three standard errors."""
    held = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        groups = np.repeat(np.arange(150), 1 + random.poisson(1.5, 150))
        differences = random.normal(size=150)[groups] + random.normal(size=len(groups))
        held += Gain.of(differences, groups).low(0.95, seed=seed) <= 0
    assert 0.95 - 3 * 0.0109 <= held / 400 <= 0.95 + 3 * 0.0109


@pytest.mark.parametrize("power", [0.5, 0.8])
def test_a_true_gain_is_found_with_the_planned_number_as_often_as_planned(power):
    """By the interval that decides."""
    random = np.random.default_rng(2)
    needed = Gain.of(random.normal(0, 1.0, 5000)).needed(0.1, confidence=0.95, power=power)
    found = np.mean([Gain.of(random.normal(0.1, 1.0, needed)).low(0.95, seed=seed) > 0 for seed in range(300)])
    assert found == pytest.approx(power, abs=3 * np.sqrt(power * (1 - power) / 300) + 0.01)


@pytest.mark.parametrize(
    ("mean", "margin", "answer"), [(-0.2, 0.0, True), (-0.2, 0.3, False), (-0.02, 0.0, False), (0.2, 0.0, False)]
)
def test_a_loss_is_sure_and_beyond_the_margin(mean, margin, answer):
    """Both."""
    differences = np.random.default_rng(3).normal(size=400)
    gain = Gain.of(differences - differences.mean() + mean)
    assert gain.is_surely_below(margin, confidence=0.95) == answer


def test_one_group_proves_nothing():
    """Its spread is not known."""
    gain = Gain.of(np.full(50, 1.0), np.zeros(50, int))
    assert gain.low(0.95) == -np.inf
    assert not Gain.of(np.full(50, -1.0), np.zeros(50, int)).is_surely_below(0.0, confidence=0.95)


def test_bets_do_not_grow_without_a_gain_and_grow_with_one():
    """In at most 1 of 20 the capital reaches 20 at the end; the mean of all is at most 1, but for chance."""

    def capital(seed, extra):
        random = np.random.default_rng(seed)
        true = random.normal(-1.5, 1.0, 4000)
        label = (random.random(4000) < expit(true)).astype(np.int8)
        champion, challenger = (expit(true + random.normal(0, each, 4000)) for each in (0.35 + extra, 0.35))
        return Gain.of(losses(label, champion) - losses(label, challenger)).e_value()

    without = [capital(seed, 0.0) for seed in range(100)]
    assert np.mean([each >= 20 for each in without]) <= 0.05
    assert np.mean(without) <= 1.5
    assert np.median([capital(seed, 0.6) for seed in range(20)]) > 20


def test_what_comes_later_does_not_change_the_capital_so_far():
    """However large the later groups are: else looking often would not be free."""
    random = np.random.default_rng(5)
    sizes = np.concatenate([np.ones(300, int), np.full(20, 30)])
    groups, differences = np.repeat(np.arange(320), sizes), random.normal(0.02, 0.3, sizes.sum())
    later = np.where(groups < 300, differences, 0.0)  # a bet on nothing neither wins nor loses
    assert Gain.of(later, groups).e_value() == pytest.approx(Gain.of(differences[:300], groups[:300]).e_value())


def test_days_that_move_all_losses_make_a_gain_less_sure():
    """As much as they vary; where they do not, and where there are few, the groups decide."""
    random = np.random.default_rng(6)
    day, own = np.repeat(np.arange(20), 100), random.normal(0, 0.3, 2000)
    moved = own + random.normal(0, 0.2, 20)[day]
    without, by_day = Gain.of(moved), Gain.of(moved, days=day)
    assert by_day.error > 2 * without.error
    assert by_day.value == without.value
    assert by_day.error == pytest.approx(np.sqrt(0.2**2 / 20 + 0.3**2 / 2000), rel=0.3)
    assert Gain.of(own, days=day).error == pytest.approx(Gain.of(own).error, rel=0.4)
    few = day < LEAST_DAYS - 1
    assert Gain.of(moved[few], days=day[few]).error == Gain.of(moved[few]).error
