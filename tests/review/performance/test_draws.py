from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.review.performance.draws import debiased, percentiles

NUMBERS = st.lists(st.floats(0, 1), min_size=5, max_size=40)


@pytest.mark.slow
@given(NUMBERS, st.floats(0.1, 0.8), st.floats(0.01, 0.19))
def test_a_higher_confidence_widens_the_interval(drawn: list[float], confidence: float, more: float) -> None:
    """And it holds at least that share of the draws, but for those that lie between two."""
    values = np.array(drawn)[:, None]
    (low,), (high,) = percentiles(values, confidence=confidence)
    (wide_low,), (wide_high,) = percentiles(values, confidence=confidence + more)

    assert wide_low <= low + 1e-12
    assert wide_high >= high - 1e-12
    assert ((values >= low - 1e-12) & (values <= high + 1e-12)).mean() >= confidence - 2 / len(drawn)


def test_draws_that_define_no_figure_are_left_out() -> None:
    """A figure that none defines has no interval."""
    drawn = np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, np.nan]])
    low, high = percentiles(drawn, confidence=0.5)

    np.testing.assert_allclose([low, high], [[1.25, np.nan], [1.75, np.nan]])


@given(NUMBERS, st.floats(0, 1), st.floats(0, 1))
def test_a_debiased_interval_holds_the_figure_and_nothing_below_0(
    drawn: list[float], value: float, excess: float
) -> None:
    """Whatever the draws and the excess are."""
    (low,), (high,) = debiased(np.array([value]), np.array(drawn)[:, None], np.array([excess]), confidence=0.9)

    assert 0 <= low <= value <= high


@pytest.mark.parametrize("excess", [0.0, 0.5])
def test_the_excess_moves_the_interval_down(excess: float) -> None:
    """It is as wide as that of the draws unless it is cut off at 0 or at the figure."""
    drawn = 3.0 + np.linspace(-1, 1, 101)[:, None]
    (low,), (high,) = debiased(np.array([2.0]), drawn, np.array([excess]), confidence=0.9)

    assert (low, high) == pytest.approx((2.0 - excess - 0.9, 2.0 - excess + 0.9))
