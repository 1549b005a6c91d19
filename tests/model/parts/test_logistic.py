from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from leadml.model.parts.logistic import LogisticRegressions, Objective

ROWS, TERMS = 600, 7
FREE = [0] * TERMS


def drawn(seed, *, scale=1.0):
    """Return a design with correlated terms of very different size, and labels."""
    random = np.random.default_rng(seed)
    design = random.normal(size=(ROWS, TERMS)) @ random.normal(size=(TERMS, TERMS)) * scale ** np.arange(TERMS)
    design -= design.mean(axis=0)
    return design, (random.random(ROWS) < expit(design[:, 0] - 1)).astype(np.int8)


def gradient(design, label, solution, strength, weight):
    """Return the gradient of the mean penalised log loss, written out."""
    error = weight * (expit(design @ solution[:-1] + solution[-1]) - label)
    return np.append(design.T @ error + solution[:-1] / strength, error.sum()) / len(label)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strength", [1e-5, 0.03, 1.0, 1e6])
def test_the_gradient_is_zero_at_the_solution(seed, strength):
    """The loss is convex, so that this is the law of an optimum: for any penalty, weights and scales of terms."""
    design, label = drawn(seed, scale=3.0)
    weight = np.random.default_rng(seed + 100).exponential(size=ROWS)
    weight /= weight.mean()
    solution = LogisticRegressions(design, label, FREE).fit(strength, weight)
    largest = np.abs(design).max(axis=0, initial=1.0).max()
    assert np.abs(gradient(design, label, solution, strength, weight)).max() < 1e-9 * largest


def test_scikit_learn_finds_the_same():
    """Its ``C`` is the strength."""
    design, label = drawn(1)
    oracle = LogisticRegression(C=0.3, solver="newton-cholesky", tol=1e-12).fit(design, label)
    solution = LogisticRegressions(design, label, FREE).fit(0.3)
    np.testing.assert_allclose(solution, np.append(oracle.coef_, oracle.intercept_), rtol=1e-7, atol=1e-9)


def test_a_fit_that_starts_from_another_finds_the_same():
    """A kept Hessian of other penalties and weights changes the steps and not where they end."""
    design, label = drawn(2)
    age = np.arange(ROWS) / ROWS
    settings = [(s, np.exp2(-age / h) / np.exp2(-age / h).mean()) for h in (1.0, 0.1, 0.01) for s in (0.01, 1.0, 100.0)]
    one_after_the_other = LogisticRegressions(design, label, FREE)
    for strength, weight in settings:
        alone = LogisticRegressions(design, label, FREE).fit(strength, weight)
        np.testing.assert_allclose(one_after_the_other.fit(strength, weight), alone, rtol=1e-5, atol=1e-6)


def test_a_hessian_is_kept_while_steps_with_it_work():
    """Penalties that are close to each other share one; one that is far away does not."""
    design, label = drawn(3)
    fits = LogisticRegressions(design, label, FREE)
    fits.fit(1.0)
    kept = fits.hessian
    for strength in (0.9, 0.8, 0.7):
        fits.fit(strength)
        assert fits.hessian is kept
    fits.fit(1e-4)
    assert fits.hessian is not kept


def test_labels_that_a_term_divides_have_a_finite_solution():
    """Hardly a penalty, and probabilities of nearly 0 and 1: the Hessian is close to 0."""
    values = np.linspace(-1, 1, ROWS)
    label = (values > 0).astype(np.int8)
    strength = 1e9
    solution = LogisticRegressions(values[:, None], label, [0]).fit(strength)
    assert np.isfinite(solution).all()
    assert np.abs(gradient(values[:, None], label, solution, strength, np.ones(ROWS))).max() < 1e-9


@pytest.mark.parametrize("terms", [0, 3])
def test_without_a_term_that_varies_the_intercept_is_the_rate(terms):
    """As weighted."""
    label = np.array([1, 0, 0, 0, 1, 0], dtype=np.int8)
    weight = np.array([3.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    *coefficients, intercept = LogisticRegressions(np.zeros((6, terms)), label, [0] * terms).fit(1.0, weight)
    assert coefficients == [0.0] * terms
    assert intercept == pytest.approx(0.0, abs=1e-8)


@pytest.fixture(scope="module")
def objective():
    """Return the loss of leads of equal weight."""
    design, label = drawn(4)
    penalty = np.append(np.full(TERMS, 1 / ROWS), 0.0)
    return Objective(np.column_stack([design, np.ones(ROWS)]), label.astype(float), np.full(ROWS, 1 / ROWS), penalty)


@pytest.mark.parametrize("times", [1, 3, 20, 1000])
def test_a_step_that_is_too_long_is_halved(objective, times):
    """Until the loss falls by a ten-thousandth of what the gradient promises, and no further."""
    start = objective.at(np.zeros(TERMS + 1))
    step = times * objective.inverse(objective.hessian(start))(-start.gradient)

    def is_low_enough(share):
        return objective.at(share * step).loss <= start.loss - 1e-4 * share * float(-start.gradient @ step)

    share = next(0.5**number for number in range(20) if is_low_enough(0.5**number))
    assert (share < 1) == (times > 3)
    np.testing.assert_allclose(objective.lower(start, step, 2.0**-20).solution, share * step)


def test_no_step_leads_uphill(objective):
    """Nor does a step that is still too long where it may be no shorter."""
    start = objective.at(np.zeros(TERMS + 1))
    newton = objective.inverse(objective.hessian(start))(-start.gradient)
    assert objective.lower(start, 1e6 * start.gradient, 2.0**-10) is None
    assert objective.lower(start, 1000 * newton, 1.0) is None


@pytest.mark.parametrize("slope", [1.0, 2.0])
@pytest.mark.parametrize("seed", range(10))
def test_a_strong_penalty_after_weights_of_the_newest_rows_finds_its_optimum(seed, slope):
    """The newest leads have not converted yet: an intercept of -14 is left behind for one of -2."""
    random, rows = np.random.default_rng(seed), 1000
    values = random.normal(size=(rows, 1))
    label = (random.random(rows) < expit(slope * values[:, 0] - 3)).astype(np.int8)
    label[700:] = 0
    newest = np.exp2(-np.arange(rows)[::-1] / (0.0625 * rows))
    fits = LogisticRegressions(values, label, [0])
    fits.fit(1.0, newest / newest.mean())
    solution = fits.fit(1e-5)
    assert np.abs(gradient(values, label, solution, 1e-5, np.ones(rows))).max() < 1e-8


@pytest.mark.parametrize("half_life", [0.001, 0.005, 0.01, 0.0625])
def test_weights_of_rows_of_one_outcome_do_not_spoil_the_next_fit(half_life):
    """The optimum of the first fit is nearly infinite."""
    random, rows = np.random.default_rng(0), 1000
    design = random.normal(size=(rows, 2))
    label = (random.random(rows) < expit(design[:, 0] - 2)).astype(np.int8)
    label[750:] = 0
    newest = np.exp2(-np.arange(rows)[::-1] / (half_life * rows))
    fits = LogisticRegressions(design, label, [0, 0])
    fits.fit(1.0, newest / newest.mean())
    assert np.abs(gradient(design, label, fits.fit(1.0), 1.0, np.ones(rows))).max() < 1e-8


def test_weights_of_some_rows_and_then_of_others():
    """Of rows with one outcome, of a single row, of ten rows and of ten others, with penalties far apart."""
    random = np.random.default_rng(1)
    design = random.normal(size=(ROWS, 5))
    label = (random.random(ROWS) < expit(design[:, 0] - 1)).astype(np.int8)
    number = np.arange(ROWS)
    chosen = (label == 1, number == ROWS - 1, number // 10 == 1, number // 10 == 0, number >= 0)
    fits = LogisticRegressions(design, label, [0] * 5)
    for strength in (1.0, 1e8, 1e-5, 1.0):
        for each in chosen:
            weight = each / each.mean()
            solution = fits.fit(strength, weight)
            assert np.isfinite(solution).all()
            assert np.abs(gradient(design, label, solution, strength, weight)).max() < 1e-8


@pytest.mark.parametrize("strength", [0.01, 1.0, 1e5])
@pytest.mark.parametrize("scales", [(1e3, 1.0, 1e-6, 1.0, 1e-3), (1e6,) * 5, (1e-5,) * 5])
def test_terms_of_any_scale(scales, strength):
    """A ridge that one term does not notice would be all of another one's Hessian."""
    random = np.random.default_rng(1)
    plain = random.normal(size=(ROWS, 5))
    label = (random.random(ROWS) < expit(plain[:, 0] + plain[:, 2] - 1)).astype(np.int8)
    design = plain * np.array(scales)
    solution = LogisticRegressions(design, label, [0] * 5).fit(strength)
    found = gradient(design, label, solution, strength, np.ones(ROWS)) / np.append(np.maximum(scales, 1e-3), 1.0)
    assert np.abs(found).max() < 1e-8


def test_a_coefficient_keeps_its_sign():
    """One that would have the other sign is 0; all others are those of a regression without its term."""
    design, label = drawn(5)
    free = LogisticRegressions(design, label, FREE).fit(1.0)
    signs = [int(-np.sign(free[0])), *[0] * (TERMS - 1)]
    solution = LogisticRegressions(design, label, signs).fit(1.0)
    without = LogisticRegressions(design[:, 1:], label, FREE[1:]).fit(1.0)
    assert solution[0] == 0
    np.testing.assert_allclose(solution[1:], without, atol=1e-4)
