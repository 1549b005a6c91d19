from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from leadml.review.replay.level import SIZES, STILL, Followed, Level, Sizes, Step, chances, follow

NOTHING = np.empty(0), np.empty(0, dtype=np.int8)


def outcomes(random, size, shift=0.0):
    """Return log-odds of leads and outcomes whose level is shifted."""
    log_odds = random.normal(-1.5, 1.0, size)
    return log_odds, (random.random(size) < expit(log_odds + shift)).astype(np.int8)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 0.3), (0.8, 1.0), (-2.0, 0.05)])
def test_a_probability_is_the_mean_over_the_level(mean, deviation):
    """As numerical integration gives it."""
    level = Level(mean, 0.64 * deviation**2, Sizes(0.0, 0.0, 0.6 * deviation))
    for log_odds in (-4.0, 0.0, 1.5):
        expected, _ = quad(lambda b, z=log_odds: expit(z + b) * norm.pdf(b, mean, deviation), -15, 15, points=[mean])
        assert level.probability(np.array([log_odds]))[0] == pytest.approx(expected, abs=1e-7)


def test_a_level_that_does_not_move_learns_nothing():
    """Whatever the outcomes are."""
    level = Level.after_training(STILL[0])
    log_odds, label = outcomes(np.random.default_rng(0), 500, shift=2.0)
    assert level.after(log_odds, label).next_step() == level
    assert level.probability(log_odds).tolist() == expit(log_odds).tolist()


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_many_outcomes_tell_the_level(shift):
    """To within three standard errors, and the more the surer."""
    level = Level.after_training(Sizes(1.0, 0.0, 0.0))
    few, many = (level.after(*outcomes(np.random.default_rng(1), size, shift)) for size in (200, 20_000))
    assert abs(many.mean - shift) < 3 * np.sqrt(many.variance)
    assert many.variance < few.variance < level.variance


def test_the_level_is_the_likeliest_one():
    """The gradient of the log posterior is 0 there."""
    log_odds, label = outcomes(np.random.default_rng(2), 300, 0.5)
    before = Level(0.2, 0.25, STILL[0])
    after = before.after(log_odds, label)
    gradient = np.sum(label - expit(log_odds + after.mean)) - (after.mean - before.mean) / before.variance
    assert gradient == pytest.approx(0.0, abs=1e-6)


def test_what_a_step_has_for_itself_is_not_of_the_level():
    """As numerical integration over both gives it, where outcomes are many enough for Laplace's approximation."""
    log_odds, label = outcomes(np.random.default_rng(5), 2000, 0.8)
    after = Level(0.0, 0.36, Sizes(0.6, 0.0, 0.5)).after(log_odds, label)
    shifts = np.linspace(-3, 4, 701)
    likelihood = np.array([np.log(expit(np.where(label, 1, -1) * (log_odds + each))).sum() for each in shifts])
    of_step = np.exp(likelihood - likelihood.max())  # of the level and the noise of the step together
    levels = norm.pdf(shifts, 0, 0.6) * (norm.pdf(shifts[:, None] - shifts, 0, 0.5).T @ of_step)
    levels /= levels.sum()
    mean = levels @ shifts
    assert after.mean == pytest.approx(mean, abs=0.01)
    assert after.variance == pytest.approx(levels @ (shifts - mean) ** 2, rel=0.03)


@pytest.mark.parametrize("sizes", [Sizes(0.5, 0.2, 0.0), Sizes(0.5, 0.2, 0.25)])
def test_what_is_said_in_a_step_does_not_know_its_outcomes(sizes):
    """Nor those of later steps."""
    random = np.random.default_rng(3)
    steps = [Step(outcomes(random, 50, 1.0), outcomes(random, 50)[0]) for _ in range(4)]
    other = Step((steps[3].learnt[0], 1 - steps[3].learnt[1]), steps[3].said)
    one, two = follow(sizes, steps), follow(sizes, [*steps[:3], other])
    assert (one[:150] == two[:150]).all()
    assert not np.allclose(one[150:], two[150:])


def test_sizes_are_as_likely_as_they_were_and_as_they_make_outcomes():
    """Their chances add up to 1, and each size is 0 with a half beforehand."""
    prior = np.exp([each.log_prior for each in SIZES])
    assert prior.sum() == pytest.approx(1.0)
    for name in ("start", "step", "noise"):
        assert prior[[getattr(each, name) == 0 for each in SIZES]].sum() == pytest.approx(0.5)
    assert chances(np.log(prior)) == pytest.approx(prior)
    followed = Followed(np.array([[0.2, 0.2, 0.5], [0.4, 0.1, 0.9]]), np.array([1, 0, 1], dtype=np.int8))
    known = np.array([True, True, False])
    assert np.exp(followed.evidence(known)) == pytest.approx([0.2 * 0.8, 0.4 * 0.9])
    expected = (0.16 * 0.5 + 0.36 * 0.9) / (0.16 + 0.36)
    assert followed.mixed(followed.evidence(known), ~known) == pytest.approx(expected)


def drifting(seed, start, step, noise=0.0, *, days=20):
    """Return a period in which the level moves, whose outcomes are known the day after, and its outcomes."""
    random = np.random.default_rng(seed)
    shifts = random.normal(0, start) + np.cumsum(random.normal(0, step, days)) + random.normal(0, noise, days)
    said = [outcomes(random, 100, shift) for shift in shifts]
    steps = [Step(before, now[0]) for before, now in zip([NOTHING, *said[:-1]], said, strict=True)]
    return steps, np.concatenate([label for _, label in said])


def losses(said, label):
    """Return the sum of the log losses."""
    return -np.log(np.where(label == 1, said, 1 - said)).sum()


@pytest.mark.parametrize(
    ("moved", "most"),
    [((0.0, 0.0, 0.0), 2.0), ((0.5, 0.2, 0.0), 6.0), ((0.0, 0.0, 0.5), 10.0), ((1.0, 0.4, 0.5), 20.0)],
)
def test_the_mixture_loses_little_to_the_sizes_that_are_best_in_hindsight(moved, most):
    """On average over periods of 2,000 leads of which nothing was known beforehand, as a sum of log losses."""
    behind, still = [], []
    for seed in range(6):
        followed = Followed.of(*drifting(seed, *moved))
        prior, step = np.array([each.log_prior for each in SIZES]), np.repeat(np.arange(20), 100)
        said = np.empty(len(followed.label))
        for number in range(20):
            leads = step == number
            said[leads] = followed.mixed(prior + followed.evidence(step < number), leads)
        evidence = followed.evidence(step >= 0)
        behind.append(losses(said, followed.label) + evidence.max())
        still.append(losses(said, followed.label) + evidence[0])
    assert np.mean(behind) < most
    assert (np.mean(still) < -10) == (moved[1] > 0)
