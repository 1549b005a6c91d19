from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from leadml.errors import ModelError
from leadml.model.judge.calibration_line import CalibrationLine, cluster_codes, log_odds

EXACT = CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0)


def _leads(size: int, seed: int, *, level: float = 0.0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes, and probabilities that are wrong by a level and a slope."""
    random = np.random.default_rng(seed)
    true = random.normal(-2, 1, size)
    return (random.random(size) < expit(true)).astype(np.int8), expit((true - level) / slope)


@pytest.mark.parametrize("repeats", [2, 7])
def test_repeated_leads_of_an_account_add_no_information(repeats: int) -> None:
    """Line and covariance are those of one lead each, and conversions vary as many times as much."""
    label, probability = _leads(2000, 0)
    once = CalibrationLine.of(label, probability, cluster=np.arange(2000))
    repeated = CalibrationLine.of(
        np.repeat(label, repeats), np.repeat(probability, repeats), cluster=np.repeat(np.arange(2000), repeats)
    )

    assert (repeated.level, repeated.slope) == pytest.approx((once.level, once.slope), abs=1e-6)
    np.testing.assert_allclose(repeated.covariance, once.covariance, rtol=1e-6)
    assert repeated.design_effect == pytest.approx(repeats, rel=0.1)


def test_the_design_effect_is_one_without_accounts_and_never_less() -> None:
    """Accounts of which just one lead converts vary less than independent leads."""
    label, probability = np.tile([0, 1], 100).astype(np.int8), np.tile([0.3, 0.3, 0.6, 0.6], 50)

    assert CalibrationLine.of(*_leads(500, 1)).design_effect == 1.0
    assert CalibrationLine.of(label, probability, cluster=np.arange(200) // 2).design_effect == 1.0


def test_the_covariance_of_independent_leads_is_that_of_logistic_regression() -> None:
    """Where the line is true, it is the inverse of the information, within chance."""
    label, probability = _leads(40_000, 2, level=-0.3, slope=0.8)
    line = CalibrationLine.of(label, probability)
    design = np.column_stack([np.ones(len(label)), logit(probability)])
    fitted = line.recalibrated(probability)
    information = (design * (fitted * (1 - fitted))[:, None]).T @ design

    assert (line.level, line.slope) == pytest.approx((-0.3, 0.8), abs=0.1)
    np.testing.assert_allclose(line.covariance, np.linalg.inv(information), rtol=0.1)


@pytest.mark.slow
def test_the_standard_errors_are_the_spread_of_lines_of_other_references() -> None:
    """Of 200 references of 2,000 leads each."""
    lines = [CalibrationLine.of(*_leads(2000, seed)) for seed in range(200)]
    spread = np.std([(line.level, line.slope) for line in lines], axis=0)
    told = np.mean([np.sqrt(np.diag(line.covariance)) for line in lines], axis=0)

    np.testing.assert_allclose(told, spread, rtol=0.15)


def test_drawn_lines_have_the_mean_and_the_covariance() -> None:
    """The same seed draws the same lines."""
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    line = CalibrationLine(-0.5, 0.9, covariance, 2.0)
    drawn = line.drawn(4000, seed=3)
    values = np.array([(each.level, each.slope) for each in drawn])

    np.testing.assert_allclose(values.mean(axis=0), [-0.5, 0.9], atol=0.02)
    np.testing.assert_allclose(np.cov(values.T), covariance, atol=0.01)
    assert {each.design_effect for each in drawn} == {2.0}
    assert [each.level for each in line.drawn(5, seed=3)] == [each.level for each in line.drawn(5, seed=3)]
    assert line.drawn(1, seed=4)[0].level != drawn[0].level


def test_recalibration_keeps_the_order_and_the_exact_line_keeps_the_probabilities() -> None:
    """Probabilities of 0 and 1 have finite log-odds."""
    probability = np.array([0.0, 0.1, 0.5, 1.0])

    np.testing.assert_allclose(EXACT.recalibrated(probability), probability, atol=1e-12)
    assert np.isfinite(log_odds(probability)).all()
    assert (np.diff(CalibrationLine(-1.0, 0.5, np.zeros((2, 2)), 1.0).recalibrated(probability)) > 0).all()


@pytest.mark.parametrize(
    ("label", "probability", "got"),
    [
        ([0, 0], [0.1, 0.2], "2 leads with 0 conversions and 2 different"),
        ([0, 1], [0.1, 0.1], "2 leads with 1 conversions and 1 different"),
    ],
)
def test_a_reference_of_one_outcome_or_one_probability_is_refused(
    label: list[int], probability: list[float], got: str
) -> None:
    """It has no line."""
    with pytest.raises(ModelError, match=rf"the reference must have .* got {got} probabilities; take more leads"):
        CalibrationLine.of(np.array(label, dtype=np.int8), np.array(probability))


def test_clusters_are_numbered_in_the_order_of_the_leads() -> None:
    """Without clusters each lead is one."""
    assert cluster_codes(np.array(["b", "a", "b"], dtype=object), 3).tolist() == [0, 1, 0]
    assert cluster_codes(None, 3).tolist() == [0, 1, 2]


def test_lines_of_parts_make_the_line_of_the_whole() -> None:
    """Of two halves of many leads, whichever is first; a line that is not surely known counts for little."""
    label, probability = _leads(20_000, 5, level=-0.3, slope=0.8)
    one, other = (CalibrationLine.of(label[rows], probability[rows]) for rows in (slice(10_000), slice(10_000, None)))
    whole, both = CalibrationLine.of(label, probability), one.combined([other])
    unsure = CalibrationLine(5.0, 3.0, np.diag([1e6, 1e6]), 1.0)

    assert (both.level, both.slope) == pytest.approx((whole.level, whole.slope), abs=0.005)
    np.testing.assert_allclose(both.covariance, whole.covariance, rtol=0.05)
    assert other.combined([one]).level == pytest.approx(both.level)
    assert one.combined([unsure]).level == pytest.approx(one.level, abs=1e-3)
    positive = one.combined([unsure, other])
    assert np.linalg.eigvalsh(positive.covariance).min() > 0
    assert one.combined([]).level == pytest.approx(one.level)
