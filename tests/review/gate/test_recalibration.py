"""When the level of a version is corrected, and by how much."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.judge.null_interval import NullInterval
from leadml.review.gate.recalibration import TYPICAL, PeriodOutcomes, has_lasted, shrunk_shift

NULL = NullInterval(-0.1, 0.1)


def _period(shift: float, leads: int = 4000, seed: int = 0) -> PeriodOutcomes:
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1.5, 1, leads)
    label = (random.random(leads) < expit(log_odds + shift)).astype(np.int8)
    return PeriodOutcomes(log_odds, label, np.arange(leads))


@pytest.mark.parametrize(
    ("shifts", "lasted"),
    [
        ((0.4, 0.4), True),
        ((-0.4, -0.4), True),
        ((0.4, -0.4), False),
        ((0.0, 0.4), False),
        ((0.4, 0.0), False),
        ((0.4, 0.1), False),
    ],
)
def test_an_error_has_lasted_if_two_periods_have_it(shifts: tuple[float, float], lasted: bool) -> None:  # noqa: FBT001
    """Of one sign, each surely outside the null interval; the newest two decide."""
    periods = [_period(shift, seed=seed) for seed, shift in enumerate(shifts)]
    assert has_lasted(periods, NULL) == lasted
    assert has_lasted([_period(-1.0, seed=9), *periods], NULL) == lasted
    assert not has_lasted(periods[:1], NULL)


def test_of_levels_that_hold_few_seem_wrong() -> None:
    """Two periods at 90% each with one sign: one in two hundred by chance."""
    found = [has_lasted([_period(0.0, 500, seed), _period(0.0, 500, seed + 1000)], NULL) for seed in range(400)]
    assert np.mean(found) <= 0.02


def test_a_correction_is_smaller_than_the_error_that_was_found() -> None:
    """Much smaller where few leads tell it, and nearly all of it where many do."""
    for leads, at_least, at_most in ((20_000, 0.97, 1.0), (100, 0.3, 0.95)):
        period = _period(0.4, leads)
        shift, error = period.error()
        found = shrunk_shift([period])
        assert at_least < found / shift < at_most
        assert found == pytest.approx(shift * TYPICAL**2 / (TYPICAL**2 + error**2))


def test_periods_are_taken_together() -> None:
    """As if they were one, with groups of their own."""
    one, two = _period(0.3, 3000, 1), _period(0.5, 3000, 2)
    both = PeriodOutcomes(
        np.concatenate([one.log_odds, two.log_odds]), np.concatenate([one.label, two.label]), np.arange(6000)
    )
    assert shrunk_shift([one, two]) == pytest.approx(shrunk_shift([both]))
