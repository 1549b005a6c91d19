"""Likelihood ratios: their expectation is at most 1 in the null interval, and no common shift raises the ranking's."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.judge.null_interval import NullInterval, Reference
from leadml.review.evidence.likelihood import (
    BLOCK_LEADS,
    LEVEL_STEPS,
    SLOPE_STEPS,
    blocks,
    level_ratios,
    log_chance,
    part_ratios,
    slope_ratios,
)

REFERENCE = Reference(
    rows=5000,
    conversions=600,
    center=-2.0,
    level=NullInterval(-0.1, 0.2),
    slope=NullInterval(-0.05, 0.08),
    parts=("a", "b"),
    score=np.zeros(2),
    information=np.eye(2),
    variance=np.eye(2),
)
ERRORS, EDGES = np.array([[0.6, 0.0], [-0.5, 0.4], [0.2, 0.1]]), np.array([0.3, 0.5, 1.0])


def _leads(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(-1, 1, rows), random.normal(0, 1, (rows, 2))


def _all_outcomes(rows: int) -> np.ndarray:
    return np.array(np.meshgrid(*[[0, 1]] * rows)).reshape(rows, -1).T.astype(np.int8)


@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.2])
def test_the_level_is_expected_to_gain_nothing_inside_the_null_interval(shift: float) -> None:
    """Summed over all outcomes of seven leads; at an edge, the bets beyond it expect exactly 1."""
    log_odds, _ = _leads(7, 1)
    expected = np.zeros(len(LEVEL_STEPS))
    for label in _all_outcomes(7):
        chance = np.where(label == 1, expit(log_odds + shift), expit(-log_odds - shift)).prod()
        expected += chance * np.exp(level_ratios(log_odds, label, REFERENCE))
    at_edge = [shift == (0.2 if step > 0 else -0.1) for step in LEVEL_STEPS]

    assert (expected < 1 + 1e-9).all()
    assert expected[at_edge] == pytest.approx(1)


@pytest.mark.parametrize("error", [-0.05, 0.0, 0.08])
def test_the_slope_is_expected_to_gain_nothing_inside_the_null_interval(error: float) -> None:
    """For each number of conversions of seven leads; at an edge, the bets beyond it expect exactly 1."""
    log_odds, _ = _leads(7, 2)
    outcomes = _all_outcomes(7)
    weights = np.exp(outcomes @ (log_odds + error * (log_odds - REFERENCE.center)))
    at_edge = [error == (0.08 if step > 0 else -0.05) for step in SLOPE_STEPS]
    for converted in range(8):
        some = outcomes.sum(axis=1) == converted
        ratios = np.exp([slope_ratios(log_odds, label, REFERENCE) for label in outcomes[some]])
        expected = weights[some] @ ratios / weights[some].sum()
        assert (expected < 1 + 1e-9).all()
        assert expected[at_edge] == pytest.approx(1)


@pytest.mark.parametrize("share", [-1.0, 0.0, 1.0])
def test_parts_are_expected_to_gain_nothing_up_to_the_edge(share: float) -> None:
    """For each number of conversions of seven leads, with a true error that is a share of the edge."""
    log_odds, parts = _leads(7, 2)
    outcomes = _all_outcomes(7)
    for at, (error, edge) in enumerate(zip(ERRORS, EDGES, strict=True)):
        weights = np.exp(outcomes @ (log_odds + share * edge * parts @ error))
        for converted in range(8):
            some = outcomes.sum(axis=1) == converted
            ratios = [part_ratios(log_odds, parts, label, ERRORS, EDGES)[at] for label in outcomes[some]]
            expected = weights[some] @ np.exp(ratios) / weights[some].sum()
            assert expected < 1 + 1e-9
            assert share < 1 or expected == pytest.approx(1)


def test_the_chance_of_a_choice_is_that_of_all_choices() -> None:
    """By counting all ways in which three of eight leads can convert."""
    log_odds, parts = _leads(8, 3)
    label = np.array([1, 0, 0, 1, 0, 1, 0, 0], np.int8)

    def chance(values: np.ndarray) -> float:
        ways = sum(np.exp(values[list(chosen)].sum()) for chosen in combinations(range(8), 3))
        return float(values[label == 1].sum() - np.log(ways))

    assert log_chance(log_odds[:, None], label) == pytest.approx([chance(log_odds)])
    slope = log_odds - REFERENCE.center
    expected = []
    for step in SLOPE_STEPS:
        edge = 0.08 if step > 0 else -0.05
        expected.append(chance(log_odds + (edge + step) * slope) - chance(log_odds + edge * slope))
    assert slope_ratios(log_odds, label, REFERENCE) == pytest.approx(expected)
    moved = [parts @ error for error in ERRORS]
    expected = [
        chance(log_odds + each) - chance(log_odds + edge * each) for each, edge in zip(moved, EDGES, strict=True)
    ]
    assert part_ratios(log_odds, parts, label, ERRORS, EDGES) == pytest.approx(expected)


def test_a_shift_of_all_leads_changes_nothing_of_the_ranking() -> None:
    """Whatever it is, and however large."""
    log_odds, parts = _leads(150, 4)
    label = (np.random.default_rng(0).random(150) < 0.2).astype(np.int8)

    assert slope_ratios(log_odds + 3.0, label, REFERENCE) == pytest.approx(slope_ratios(log_odds, label, REFERENCE))
    found = [part_ratios(log_odds + shift, parts, label, ERRORS, EDGES) for shift in (0.0, -5.0)]
    assert found[0] == pytest.approx(found[1])


def test_the_ranking_knows_the_more_frequent_outcome_as_well() -> None:
    """Most leads converted: the chance is that of those that did not."""
    log_odds, _ = _leads(9, 5)
    label = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1], np.int8)

    assert log_chance(log_odds[:, None], label) == pytest.approx(log_chance(-log_odds[:, None], 1 - label))


def test_the_largest_block_stays_in_the_range_of_numbers() -> None:
    """Two hundred leads with log-odds from -12 to 12, half of which converted."""
    log_odds = np.linspace(-12, 12, BLOCK_LEADS)[:, None]
    found = log_chance(log_odds, (np.arange(BLOCK_LEADS) % 2).astype(np.int8))

    assert np.isfinite(found).all()
    assert found[0] < 0


def test_a_day_on_which_none_or_all_converted_says_nothing_of_the_ranking() -> None:
    """There is only one way in which it can happen."""
    log_odds, parts = _leads(20, 6)
    for label in (np.zeros(20, np.int8), np.ones(20, np.int8)):
        assert (slope_ratios(log_odds, label, REFERENCE) == 0).all()
        assert (part_ratios(log_odds, parts, label, ERRORS, EDGES) == 0).all()


def test_blocks_have_each_row_once() -> None:
    """And at most 200 of them, in the order of ranks."""
    random = np.random.default_rng(1)
    rows, ranks = np.arange(100, 1600), random.permutation(1500)
    found = blocks(rows, ranks)

    assert sorted(np.concatenate(found).tolist()) == rows.tolist()
    assert max(len(each) for each in found) <= BLOCK_LEADS
    assert (np.diff(ranks[np.concatenate(found) - 100]) > 0).all()
    assert [len(each) for each in blocks(rows[:0], ranks[:0])] == [0]


def test_of_a_reference_that_told_nothing_there_is_no_bet() -> None:
    """Level and slope that could not be estimated."""
    log_odds, _ = _leads(30, 7)
    label = np.array([0, 0, 1] * 10, np.int8)
    blind = Reference.of(np.zeros(4), np.zeros(4, np.int8), {})

    assert (level_ratios(log_odds, label, blind) == 0).all()
    assert (slope_ratios(log_odds, label, blind) == 0).all()
