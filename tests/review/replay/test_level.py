from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from leadml.review.replay.level import Level, Step, fitted_level, follow

NOTHING = np.empty(0), np.empty(0, dtype=np.int8)


def outcomes(random, size, shift=0.0):
    """Return log-odds of leads and outcomes whose level is shifted."""
    log_odds = random.normal(-1.5, 1.0, size)
    return log_odds, (random.random(size) < expit(log_odds + shift)).astype(np.int8)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 0.3), (0.8, 1.0), (-2.0, 0.05)])
def test_a_probability_is_the_mean_over_the_level(mean, deviation):
    """As numerical integration gives it."""
    level = Level(mean, deviation**2, 0.0, 0.0)
    for log_odds in (-4.0, 0.0, 1.5):
        expected, _ = quad(lambda b, z=log_odds: expit(z + b) * norm.pdf(b, mean, deviation), -15, 15, points=[mean])
        assert level.probability(np.array([log_odds]))[0] == pytest.approx(expected, abs=1e-7)


def test_a_level_that_does_not_move_learns_nothing():
    """Whatever the outcomes are."""
    level = Level.after_training(0.0, 0.0)
    log_odds, label = outcomes(np.random.default_rng(0), 500, shift=2.0)
    assert level.after(log_odds, label).next_step() == level
    assert level.probability(log_odds).tolist() == expit(log_odds).tolist()


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_many_outcomes_tell_the_level(shift):
    """To within three standard errors, and the more the surer."""
    level = Level.after_training(1.0, 0.0)
    few, many = (level.after(*outcomes(np.random.default_rng(1), size, shift)) for size in (200, 20_000))
    assert abs(many.mean - shift) < 3 * np.sqrt(many.variance)
    assert many.variance < few.variance < level.variance


def test_the_level_is_the_likeliest_one():
    """The gradient of the log posterior is 0 there."""
    log_odds, label = outcomes(np.random.default_rng(2), 300, 0.5)
    before = Level(0.2, 0.25, 0.0, 0.0)
    after = before.after(log_odds, label)
    gradient = np.sum(label - expit(log_odds + after.mean)) - (after.mean - before.mean) / before.variance
    assert gradient == pytest.approx(0.0, abs=1e-6)


def test_what_is_said_in_a_step_does_not_know_its_outcomes():
    """Nor those of later steps."""
    random = np.random.default_rng(3)
    steps = [Step(outcomes(random, 50, 1.0), outcomes(random, 50, 1.0)) for _ in range(4)]
    said, _ = follow(Level.after_training(0.5, 0.2), steps)
    other = Step((steps[3].learnt[0], 1 - steps[3].learnt[1]), steps[3].said)
    turned = [*steps[:2], Step(steps[2].learnt, (steps[2].said[0], 1 - steps[2].said[1])), other]
    again, _ = follow(Level.after_training(0.5, 0.2), turned)
    assert all((one == two).all() for one, two in zip(said[:3], again[:3], strict=True))
    assert not np.allclose(said[3], again[3])


def drifting(seed, start, step, *, periods=8, days=20):
    """Return periods in which the level moves, whose outcomes are known the day after."""
    random, found = np.random.default_rng(seed), []
    for _ in range(periods):
        shifts = random.normal(0, start) + np.cumsum(random.normal(0, step, days))
        said = [outcomes(random, 100, shift) for shift in shifts]
        found.append([Step(before, now) for before, now in zip([NOTHING, *said[:-1]], said, strict=True)])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_sizes_follow_how_far_the_level_moved(seed):
    """None where it did not move, about the true ones where it did."""
    still, moving = fitted_level(drifting(seed, 0.0, 0.0)), fitted_level(drifting(seed, 0.5, 0.2))
    assert (still.start, still.step) == (0.0, 0.0)
    assert moving.step in {0.1, 0.2, 0.4}


def test_there_is_nothing_to_follow_where_outcomes_come_at_the_end():
    """The level is 0 then, however far periods differ."""
    random = np.random.default_rng(4)
    periods = [[Step(NOTHING, outcomes(random, 500, shift))] for shift in (-1.0, 1.0, -1.0, 1.0)]
    assert fitted_level(periods) == Level.after_training(0.0, 0.0)
