"""Evidence: a bet that is fair as long as the version holds, and grows where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.judge.null_interval import NullInterval, Reference, part_scores
from leadml.review.evidence.e_detectors import (
    EXPECTED_ERROR,
    LARGEST,
    MIN_EXPECTED,
    PRECISION_STAKES,
    STAKES,
    YEAR,
    Evidence,
    JudgedScores,
    level_evidence,
    precision_evidence,
    ranking_evidence,
)
from leadml.review.evidence.likelihood import level_ratios, part_ratios, slope_ratios

REFERENCE = Reference(
    rows=5000,
    conversions=600,
    center=-2.0,
    level=NullInterval(-0.1, 0.1),
    slope=NullInterval(-0.05, 0.05),
    parts=("a",),
    score=np.zeros(1),
    information=np.array([[500.0]]),
    variance=np.array([[500.0]]),
)
ROWS = ("day", "log_odds", "parts", "label", "rank")


def _scores(days: int, seed: int, *, leads: int = 60, shift: float = 0.0, weaker: float = 0.0) -> JudgedScores:
    """Return leads whose log-odds are one field and noise; of the field, a share is not true any more."""
    random = np.random.default_rng(seed)
    field, rest = random.normal(0, 1, (2, days * leads))
    log_odds = -2 + field + 0.5 * rest
    label = random.random(days * leads) < expit(log_odds + shift - weaker * field)
    day, rank = np.repeat(np.arange(days), leads), random.permutation(days * leads)
    return JudgedScores(day, log_odds, field[:, None], label.astype(np.int8), rank, 0)


def _some(scores: JudgedScores, rows: np.ndarray) -> JudgedScores:
    """Return some of the rows, in their order or another."""
    return JudgedScores(*(getattr(scores, name)[rows] for name in ROWS), scores.since)


def test_evidence_of_the_level_is_the_sum_of_the_bets_of_all_starts() -> None:
    """By its definition, day by day, with a loop over weeks."""
    scores = _scores(30, 1, shift=0.4)
    ratios = [level_ratios(scores.log_odds[day], scores.label[day], REFERENCE) for day in _days(scores)]
    found = level_evidence(scores, REFERENCE)
    for last in range(30):
        values = [np.mean(np.exp(np.sum(ratios[start : last + 1], axis=0))) for start in range(0, last + 1, 7)]
        assert found.log_value[last] == pytest.approx(np.log(np.sum(values) / STAKES))


def test_evidence_of_the_ranking_is_the_sum_of_the_bets_of_all_starts() -> None:
    """Half on the slope, half on the error that the days before suggest: by its definition, with two loops."""
    scores = _scores(24, 1, weaker=0.4)
    days = [np.flatnonzero(day) for day in _days(scores)]
    sums = [part_scores(scores.log_odds[day], scores.parts[day], scores.label[day]) for day in days]
    slope = [slope_ratios(scores.log_odds[day], scores.label[day], REFERENCE) for day in days]
    found = ranking_evidence(scores, REFERENCE)
    for last in range(24):
        values = []
        for start in range(0, last + 1, 7):
            learnt = 0.0
            for at in range(start, last + 1):
                score = sum(sums[day][0].sum() for day in range(start, at))
                known = sum(sums[day][1].sum() for day in range(start, at))
                error = np.array([[score / (known + EXPECTED_ERROR**-2)]])
                rows = days[at]
                learnt += part_ratios(
                    scores.log_odds[rows], scores.parts[rows], scores.label[rows], error, REFERENCE.edges(error)
                )[0]
            values.append((np.mean(np.exp(np.sum(slope[start : last + 1], axis=0))) + np.exp(learnt)) / 2)
        assert found.log_value[last] == pytest.approx(np.log(np.sum(values) / STAKES))


def _days(scores: JudgedScores) -> list[np.ndarray]:
    return [scores.day == day for day in np.unique(scores.day)]


def test_the_order_of_rows_changes_nothing() -> None:
    """A block is in the order of ranks, wherever the rows stand."""
    scores = _scores(20, 2)
    order = np.random.default_rng(0).permutation(len(scores.day))
    mixed = _some(scores, order)

    assert np.allclose(level_evidence(mixed, REFERENCE).log_value, level_evidence(scores, REFERENCE).log_value)
    assert np.allclose(ranking_evidence(mixed, REFERENCE).log_value, ranking_evidence(scores, REFERENCE).log_value)


def test_the_days_before_decide_what_a_day_says() -> None:
    """Later days change no evidence of earlier ones: a daily look and one look at the end agree."""
    scores = _scores(25, 3)
    some = _some(scores, scores.day < 15)

    assert np.allclose(level_evidence(some, REFERENCE).log_value, level_evidence(scores, REFERENCE).log_value[:15])
    assert np.allclose(ranking_evidence(some, REFERENCE).log_value, ranking_evidence(scores, REFERENCE).log_value[:15])


def test_days_with_few_leads_are_put_together() -> None:
    """Until three conversions are expected, whatever the outcomes are; the newest days may have to wait."""
    scores = _scores(20, 4, leads=9)
    days = level_evidence(scores, REFERENCE).day
    expected = np.bincount(scores.day, weights=expit(scores.log_odds))
    first = 0
    for day in days:
        assert expected[first : day + 1].sum() >= MIN_EXPECTED > expected[first:day].sum()
        first = day + 1
    other = replace(scores, label=np.zeros_like(scores.label))
    assert level_evidence(other, REFERENCE).day.tolist() == days.tolist()


@pytest.mark.slow
def test_a_version_that_holds_seldom_reaches_much_evidence() -> None:
    """At the edge of the null interval, in 100 quarters: 10 or more at most once in ten, by Ville's inequality."""
    exact = NullInterval(0.0, 0.0)
    edge = replace(REFERENCE, level=exact, slope=exact, variance=np.zeros((1, 1)))
    found = []
    for seed in range(100):
        scores = _scores(90, seed, leads=30)
        found.append((level_evidence(scores, edge).log_value.max(), ranking_evidence(scores, edge).log_value.max()))
    reached = (np.array(found) >= np.log(10)).mean(axis=0)

    assert (reached <= 0.1).all()
    assert (np.array(found).max(axis=0) > -2).all()  # the bets do move


def test_a_change_of_the_level_is_evidence_about_the_level_alone() -> None:
    """And one of an effect is evidence about the ranking."""
    shifted = _scores(60, 5, shift=0.6)
    weaker = _scores(90, 6, weaker=0.6)

    assert level_evidence(shifted, REFERENCE).first_day(100) is not None
    assert ranking_evidence(shifted, REFERENCE).first_day(2) is None
    assert ranking_evidence(weaker, REFERENCE).first_day(100) is not None


def test_a_year_of_service_begins_anew() -> None:
    """Its bets are those of the days in it, as if nothing had been before."""
    scores = _scores(YEAR + 30, 7, leads=30, shift=0.3, weaker=0.2)
    second = replace(_some(scores, scores.day >= YEAR), since=YEAR)

    for evidence in (level_evidence, ranking_evidence):
        whole, part = evidence(scores, REFERENCE), evidence(second, REFERENCE)
        assert np.allclose(whole.log_value[-30:], part.log_value)
    assert (np.unique(scores.day[scores.day < YEAR]) // 7).max() + 1 == STAKES


def test_no_leads_are_no_evidence() -> None:
    """And the largest evidence of no days is none."""
    nothing = _scores(1, 8, leads=0)
    found = level_evidence(nothing, REFERENCE)

    assert len(found.day) == len(ranking_evidence(nothing, REFERENCE).day) == 0
    assert found.first_day(1.0) is None
    assert found.most(0, 100) == -np.inf


def test_the_first_day_and_the_most_are_those_of_the_values() -> None:
    """Both ends of a span belong to it."""
    evidence = Evidence(np.array([3, 5, 9]), np.log([1.0, 20.0, 4.0]))

    assert [evidence.first_day(least) for least in (0.5, 1.5, 20.0, 21.0)] == [3, 5, 5, None]
    assert np.exp(evidence.most(3, 5)) == pytest.approx(20.0)
    assert np.exp(evidence.most(6, 9)) == pytest.approx(4.0)


def test_the_value_is_the_number_whose_logarithm_is_kept() -> None:
    """At most 1e300, so that it stays a number; of no outcomes nothing is known."""
    evidence = Evidence(np.array([1, 2, 3, 4]), np.array([-np.inf, np.log(2.0), 700.0, 5000.0]))

    assert evidence.value == pytest.approx([0.0, 2.0, LARGEST, LARGEST])
    assert np.isfinite(evidence.value).all()
    assert evidence.is_known
    assert not Evidence(evidence.day[:1], evidence.log_value[:1]).is_known
    assert not Evidence(evidence.day[:0], evidence.log_value[:0]).is_known


def _above_a_cut(days: int, seed: int, *, leads: int = 4, rate: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return np.repeat(np.arange(days), leads), (random.random(days * leads) < rate).astype(np.int8)


def test_evidence_against_a_precision_is_the_sum_of_the_bets_of_all_starts() -> None:
    """By its definition, lead by lead, with loops over weeks and stakes; the order of the leads changes nothing."""
    day, label = _above_a_cut(30, 9, rate=0.3)
    found = precision_evidence(day, label, floor=0.4, since=0)
    for last in range(30):
        bets = []
        for start in range(0, last + 1, 7):
            outcomes = label[(day >= start) & (day <= last)]
            bets.append(np.mean([np.prod(1 + stake / 0.6 * (0.4 - outcomes)) for stake in PRECISION_STAKES]))
        assert found.log_value[last] == pytest.approx(np.log(np.sum(bets) / STAKES))
    order = np.random.default_rng(0).permutation(len(day))
    mixed = precision_evidence(day[order], label[order], floor=0.4, since=0)
    assert np.allclose(mixed.log_value, found.log_value)
    assert mixed.day.tolist() == found.day.tolist()


@pytest.mark.parametrize("floor", [0.02, 0.4, 0.9])
def test_a_precision_that_holds_is_a_fair_bet(floor: float) -> None:
    """Over all outcomes of six leads of a week, weighted by their chances, the evidence is that of no lead."""
    outcomes = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    chance = np.prod(np.where(outcomes == 1, floor, 1 - floor), axis=1)
    last = [precision_evidence(np.arange(6), each, floor=floor, since=0).value[-1] for each in outcomes]

    assert chance @ last == pytest.approx(1 / STAKES)


def test_fewer_conversions_are_more_evidence_against_a_precision() -> None:
    """One conversion less on any day; many fewer are noticed within weeks."""
    day, label = _above_a_cut(40, 10, rate=0.5)
    found = precision_evidence(day, label, floor=0.5, since=0)
    fewer = label.copy()
    fewer[np.flatnonzero(label)[3]] = 0

    assert (precision_evidence(day, fewer, floor=0.5, since=0).log_value >= found.log_value).all()
    assert precision_evidence(*_above_a_cut(60, 11, rate=0.25), floor=0.5, since=0).first_day(50) is not None
    assert not len(precision_evidence(day[:0], label[:0], floor=0.5, since=0).day)


@pytest.mark.slow
def test_a_precision_that_holds_is_seldom_called_broken() -> None:
    """In 50 years of service with a daily look, 10 or more at most once in ten, by Ville's inequality."""
    reached = [
        precision_evidence(*_above_a_cut(YEAR, seed, rate=0.3), floor=0.3, since=0).log_value.max() >= np.log(10)
        for seed in range(50)
    ]

    assert np.mean(reached) <= 0.1
