"""The null interval contains what the evaluation cannot rule out, and the margin at least."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from leadml.model.judge.null_interval import (
    ERRORS,
    LEVEL_MARGIN,
    PART_MARGIN,
    SLOPE_MARGIN,
    Reference,
    fit_direction,
    part_scores,
)


def _leads(rows: int, seed: int, *, shift: float = 0.0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    log_odds = random.normal(-2, 1, rows)
    label = (random.random(rows) < expit(shift + slope * log_odds)).astype(np.int8)
    return log_odds, label


def test_the_level_is_found_where_the_means_agree() -> None:
    """The estimate makes the mean probability the share that converted."""
    log_odds, label = _leads(3000, 1, shift=0.4)
    estimate, error = fit_direction(log_odds, label, None)

    assert expit(log_odds + estimate).mean() == pytest.approx(label.mean())
    mean = expit(log_odds + estimate)
    assert error == pytest.approx(1 / np.sqrt((mean * (1 - mean)).sum()), rel=0.05)  # that of the model, if it holds


def test_the_slope_is_that_of_logistic_regression() -> None:
    """scikit-learn fits the slope itself, which is 1 more than the error."""
    log_odds, label = _leads(3000, 2, slope=0.7)
    estimate, _ = fit_direction(log_odds, label, log_odds - log_odds.mean())
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], label)

    assert estimate == pytest.approx(oracle.coef_[0, 0] - 1, abs=1e-4)


def test_errors_are_those_of_repeated_samples() -> None:
    """The standard deviation of 200 estimates is what one sample says."""
    found = [fit_direction(*_leads(1000, seed), None) for seed in range(200)]
    estimates, errors = np.array(found).T

    assert errors.mean() == pytest.approx(estimates.std(), rel=0.15)


def test_rows_of_one_account_count_as_one() -> None:
    """Each row four times, in groups of four: twice the error that four times as many rows would claim."""
    log_odds, label = _leads(500, 3)
    alone = fit_direction(log_odds, label, None)[1]
    copies = fit_direction(np.repeat(log_odds, 4), np.repeat(label, 4), None)[1]
    grouped = fit_direction(np.repeat(log_odds, 4), np.repeat(label, 4), None, np.repeat(np.arange(500), 4))[1]

    assert grouped == pytest.approx(alone)
    assert copies == pytest.approx(alone / 2)


def test_the_interval_is_never_narrower_than_the_margin() -> None:
    """Of a large and exact reference the margins are left; an error of the version widens one end."""
    log_odds, label = _leads(200_000, 4)
    random = np.random.default_rng(5)
    reference = Reference.of(log_odds, label, {"noise": random.normal(size=len(label))})

    assert (reference.level.low, reference.level.high) == (-LEVEL_MARGIN, LEVEL_MARGIN)
    assert (reference.slope.low, reference.slope.high) == (-SLOPE_MARGIN, SLOPE_MARGIN)
    assert reference.edges(np.array([[1.0], [-0.5]])) == pytest.approx([PART_MARGIN, 2 * PART_MARGIN])
    off = Reference.of(log_odds, _leads(200_000, 4, shift=0.5)[1], {})
    assert off.level.low == -LEVEL_MARGIN
    assert off.level.high > 0.5


def test_the_edge_of_an_error_is_that_of_its_direction() -> None:
    """One step of Newton's from no error, which is near the fit of the direction itself; for any mixture of parts."""
    log_odds, label = _leads(4000, 6)
    random = np.random.default_rng(7)
    parts = random.normal(size=(4000, 3))
    parts[:, 1] += 0.7 * parts[:, 0]
    reference = Reference.of(log_odds, label, {"a": parts[:, 0], "b": parts[:, 1], "c": parts[:, 2]})
    errors = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.5, 0.5, -0.7]])
    for error, edge in zip(errors, reference.edges(errors), strict=True):
        estimate, spread = fit_direction(log_odds, label, parts @ error)
        assert edge == pytest.approx(max(estimate + ERRORS * spread, PART_MARGIN / np.abs(error).max()), abs=0.005)


def test_twice_an_error_has_half_of_the_edge() -> None:
    """What counts as no change is the same error, in other units."""
    log_odds, label = _leads(3000, 8)
    reference = Reference.of(log_odds, label, {"a": np.random.default_rng(9).normal(size=3000)})

    assert reference.edges(np.array([[2.0]])) == pytest.approx(reference.edges(np.array([[1.0]])) / 2)
    assert reference.edges(np.array([[0.0]])) == [np.inf]


def test_scores_are_those_of_the_likelihood() -> None:
    """By differences of the log likelihood, whose level is the best for each error."""
    log_odds, label = _leads(800, 10)
    parts = np.random.default_rng(11).normal(size=(800, 2))

    def likelihood(error: np.ndarray) -> float:
        shifted = log_odds + parts @ error
        shifted = shifted + fit_direction(shifted, label, None)[0]
        return -np.logaddexp(0, np.where(label == 1, -shifted, shifted)).sum()

    scores, information = part_scores(log_odds, parts, label)
    step = 1e-3
    for at, unit in enumerate(np.eye(2) * step):
        up, here, down = (likelihood(sign * unit) for sign in (1, 0, -1))
        assert scores[:, at].sum() == pytest.approx((up - down) / (2 * step), abs=1e-3)
        assert information[at, at] == pytest.approx(-(up - 2 * here + down) / step**2, rel=1e-3)


def test_what_cannot_be_estimated_alarms_of_nothing() -> None:
    """Outcomes that are all alike, and a part that does not vary."""
    log_odds = np.zeros(10)
    alike = Reference.of(log_odds, np.zeros(10, np.int8), {"a": np.arange(10.0)})
    assert (alike.level.low, alike.level.high) == (-np.inf, np.inf)
    assert alike.edges(np.array([[1.0]])) == [np.inf]

    label = np.array([0, 1] * 5, np.int8)
    constant = Reference.of(logit(np.linspace(0.1, 0.9, 10)), label, {"same": np.ones(10)})
    assert constant.edges(np.array([[1.0]]))[0] > 1e6  # rounding alone keeps it from infinity


@pytest.mark.parametrize("number", [0, 2])
def test_a_reference_comes_back_from_json(number: int) -> None:
    """To the bit, also without parts and without ends."""
    log_odds, label = _leads(300, 12)
    parts = {f"part {at}": np.random.default_rng(at).normal(size=300) for at in range(number)}
    for outcome in (label, np.zeros_like(label)):
        reference = Reference.of(log_odds, outcome, parts)
        found = Reference.from_json(json.loads(json.dumps(reference.to_json())))
        assert (found.level, found.slope, found.parts, found.center) == (
            reference.level,
            reference.slope,
            reference.parts,
            reference.center,
        )
        for name in ("score", "information", "variance"):
            assert np.array_equal(getattr(found, name), getattr(reference, name))
        assert (found.line is None) == (reference.line is None) == (outcome.sum() == 0)
        if found.line is not None and reference.line is not None:
            for name in ("level", "slope", "covariance", "design_effect"):
                assert np.array_equal(getattr(found.line, name), getattr(reference.line, name))
