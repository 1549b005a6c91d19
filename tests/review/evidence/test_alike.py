"""Outcomes that stopped coming in are told from leads that happen not to convert."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.review.evidence.alike import LEAST_EXPECTED, AlikeOutcomes, alike_outcomes

DAYS = np.repeat(np.arange(60), 20)


def _outcomes(seed: int, rate: float) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(DAYS)) < rate).astype(np.int8)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5, 0.9])
def test_outcomes_of_right_probabilities_are_never_doubted(rate: float) -> None:
    """On no day of 60 in 20 streams; also if half as many leads convert, or fail to, as were expected to."""
    for seed in range(20):
        for truth in (rate, rate / 2 if rate <= 0.5 else (1 + rate) / 2):
            label = _outcomes(seed, truth)
            for last in range(60):
                rows = last + 1 >= DAYS + 1
                assert alike_outcomes(DAYS[rows], np.full(rows.sum(), rate), label[rows]) is None


@pytest.mark.parametrize("label", [0, 1])
def test_outcomes_that_stop_are_found_as_soon_as_enough_are_expected(label: int) -> None:
    """From the day on which they stop; of 20 leads a day 2.2 should have the other outcome, so seven days do."""
    probability = np.full(len(DAYS), 0.89 if label else 0.11)
    outcomes = np.where(DAYS < 30, np.arange(len(DAYS)) % 2, label).astype(np.int8)
    found = {}
    for last in range(30, 60):
        rows = last >= DAYS
        found[last] = alike_outcomes(DAYS[rows], probability[rows], outcomes[rows])
    days = [last for last, each in found.items() if each is not None]

    assert days == list(range(29 + int(np.ceil(LEAST_EXPECTED / 2.2)), 60))
    assert found[59] == AlikeOutcomes(30, 600, label, pytest.approx(66.0))


def test_the_words_name_the_day_and_the_leads() -> None:
    """Both kinds of outcomes."""
    assert str(AlikeOutcomes(20_000, 1200, 0, 40.4)) == (
        "none of the 1,200 judged leads that were scored since 2024-10-04 converted, where 40 were expected to"
    )
    assert str(AlikeOutcomes(20_000, 1200, 1, 40.4)) == (
        "all of the 1,200 judged leads that were scored since 2024-10-04 converted, and 40 should not have"
    )


def test_outcomes_that_never_came_are_found_too() -> None:
    """All outcomes since the first day are alike; without any outcome nothing is found."""
    found = alike_outcomes(DAYS, np.full(len(DAYS), 0.1), np.zeros(len(DAYS), np.int8))

    assert found is not None
    assert (found.since, found.leads) == (0, len(DAYS))
    assert alike_outcomes(DAYS[:0], np.empty(0), np.empty(0, np.int8)) is None
