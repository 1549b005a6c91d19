from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, logit

from leadml.review.performance.score_parts import Outcomes, score_parts

LEADS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.02, 0.1, 0.3, 0.5, 0.75, 0.9, 1.0]), st.integers(1, 3)),
    min_size=2,
    max_size=40,
)


def _arrays(rows: list[tuple[int, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    label, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    return label.astype(np.int8), probability.astype(float), weight


def _leads(size: int, seed: int, *, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    true = random.normal(-2, 1, size)
    return (random.random(size) < expit(true)).astype(np.int8), np.round(expit(slope * true + shift), 3)


def _loss(label: np.ndarray, probability: np.ndarray) -> float:
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return float(-np.log(np.where(label == 1, clipped, 1 - clipped)).mean())


@pytest.mark.slow
@given(LEADS)
def test_the_parts_add_up_and_none_is_below_0(rows: list[tuple[int, float, int]]) -> None:
    """The log loss is uncertainty less discrimination plus both miscalibrations."""
    label, probability, _ = _arrays(rows)
    parts = score_parts(label, probability)

    assert parts.log_loss == pytest.approx(_loss(label, probability), rel=1e-6)
    assert parts.uncertainty - parts.discrimination + parts.miscalibration == pytest.approx(parts.log_loss, abs=1e-9)
    assert parts.miscalibration == parts.global_miscalibration + parts.local_miscalibration
    assert parts.as_array().min() > -1e-9


@pytest.mark.slow
@given(LEADS, st.randoms(use_true_random=False))
def test_whole_weights_equal_repeated_rows_in_any_order(rows: list[tuple[int, float, int]], random: object) -> None:
    """A lead of weight 3 counts as three leads, and one of weight 0 as none."""
    label, probability, weight = _arrays(rows)
    repeated = [np.repeat(array, weight) for array in (label, probability)]
    order = list(range(weight.sum()))
    random.shuffle(order)
    absent = Outcomes.of(np.append(label, 1).astype(np.int8), np.append(probability, 0.6))
    weighted, _ = absent.parts(np.append(weight, 0).astype(float), shift=0.0)

    np.testing.assert_allclose(
        weighted.as_array(), score_parts(*(array[order] for array in repeated)).as_array(), atol=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_recalibration_is_scikit_learn_s_isotonic_regression(seed: int) -> None:
    """The log loss of its probabilities is what is left beside the miscalibration."""
    from sklearn.isotonic import IsotonicRegression

    label, probability = _leads(800, seed, slope=0.6, shift=0.4)
    recalibrated = IsotonicRegression().fit(probability, label).predict(probability)
    parts, best = score_parts(label, probability), _loss(label, recalibrated)

    assert parts.miscalibration == pytest.approx(parts.log_loss - best, abs=1e-9)
    assert parts.discrimination == pytest.approx(_loss(label, np.full(800, label.mean())) - best, abs=1e-9)


@pytest.mark.parametrize("shift", [-6.0, -1.0, 0.0, 0.3, 7.0])
def test_the_global_part_is_what_the_shift_gains_that_makes_the_mean_right(shift: float) -> None:
    """The shift is found as by bisection, wherever the search begins."""
    label, probability = _leads(800, 7)
    wrong = expit(logit(np.clip(probability, 1e-3, 1 - 1e-3)) + shift)
    found = brentq(lambda by: expit(logit(wrong) + by).mean() - label.mean(), -20, 20)
    gained = _loss(label, wrong) - _loss(label, expit(logit(wrong) + found))

    assert score_parts(label, wrong).global_miscalibration == pytest.approx(gained, abs=1e-9)
    for start in (-30.0, 0.0, 30.0):
        parts, by = Outcomes.of(label, wrong).parts(np.ones(800), shift=start)
        assert by == pytest.approx(found, abs=1e-4)
        assert parts.global_miscalibration == pytest.approx(gained, abs=1e-9)


def test_an_error_of_the_level_is_global_and_one_of_the_slope_is_local() -> None:
    """A shift of all log-odds changes the global part alone."""
    (label, right), (_, shifted), (_, flat) = (
        _leads(20_000, 3, slope=slope, shift=shift) for slope, shift in ((1, 0), (1, 0.5), (0.5, -1))
    )
    of_right, of_shifted, of_flat = (score_parts(label, said) for said in (right, shifted, flat))

    assert of_right.global_miscalibration < 0.0003
    assert of_shifted.global_miscalibration > 0.01
    assert of_shifted.local_miscalibration == pytest.approx(of_right.local_miscalibration, abs=0.0005)
    assert of_flat.local_miscalibration > of_right.local_miscalibration + 0.005
    assert of_flat.discrimination == pytest.approx(of_right.discrimination, abs=0.0005)


@pytest.mark.parametrize("outcome", [0, 1])
def test_with_one_outcome_all_is_miscalibration_of_the_level(outcome: int) -> None:
    """Recalibrated probabilities are the outcome."""
    label = np.full(4, outcome, dtype=np.int8)
    parts = score_parts(label, np.array([0.2, 0.4, 0.4, 0.9]))

    assert parts.global_miscalibration == parts.log_loss > 0
    assert (parts.uncertainty, parts.discrimination, parts.local_miscalibration) == (0, 0, 0)
