"""The level that probabilities lack, and how surely it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from leadml.review.performance.level_shift import shift_error, shift_of


def test_a_shift_brings_probabilities_to_the_conversions():
    """Also where all or none convert, as far as it is tried."""
    log_odds = np.random.default_rng(1).normal(size=50)
    label = (np.arange(50) < 20).astype(np.int8)
    assert expit(log_odds + shift_of(log_odds, label)).sum() == pytest.approx(20)
    assert shift_of(log_odds, np.zeros(50, np.int8)) == -shift_of(log_odds, np.ones(50, np.int8)) == -30.0


def test_the_error_of_a_shift_is_what_it_varies_by():
    """Over many draws of outcomes, of leads alone and of groups that convert together."""
    random = np.random.default_rng(2)
    for size in (1, 4):
        log_odds = np.repeat(random.normal(-1, 1, 400), size)
        groups = np.repeat(np.arange(400), size)
        shifts, errors = [], []
        for _ in range(200):
            label = np.repeat(random.random(400) < expit(log_odds[::size] + 0.3), size).astype(np.int8)
            shift = shift_of(log_odds, label)
            shifts.append(shift)
            errors.append(shift_error(log_odds, label, shift, groups))
        assert np.mean(shifts) == pytest.approx(0.3, abs=0.03)
        assert np.mean(errors) == pytest.approx(np.std(shifts), rel=0.15)


def test_where_nothing_can_vary_nothing_is_known():
    """The shift that is tried last is no estimate."""
    log_odds, label = np.full(10, 700.0), np.zeros(10, np.int8)
    assert shift_error(log_odds, label, 0.0, np.arange(10)) == np.inf
