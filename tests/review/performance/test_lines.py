"""Estimates learn from the outcomes that were known by then, and from no later ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.judge.calibration_line import CalibrationLine
from leadml.review.performance.lines import lines_as_known, period_lag
from leadml.review.performance.realised import JudgedLeads

EVALUATED = CalibrationLine(0.5, 1.0, np.diag([0.04, 0.01]), 2.0)


def _judged(periods: int, seed: int = 0, *, leads: int = 1000, level: float = 0.0) -> JudgedLeads:
    random = np.random.default_rng(seed)
    period, margin = np.repeat(np.arange(periods), leads), random.normal(-2, 1, periods * leads)
    label = (random.random(len(margin)) < expit(margin + level)).astype(np.int8)
    return JudgedLeads(period, expit(margin), label)


def test_no_outcome_is_used_before_it_is_known() -> None:
    """With a lag of two, the line of a period hangs on outcomes of the periods up to two before it."""
    judged = _judged(8)
    lines = lines_as_known(EVALUATED, judged, range(10), lag=2)
    for number in range(10):
        is_later = judged.period > number - 2
        other = JudgedLeads(judged.period, judged.probability, np.where(is_later, 1 - judged.label, judged.label))
        assert lines_as_known(EVALUATED, other, [number], lag=2)[number].level == lines[number].level
    assert lines[0].level == lines[1].level == pytest.approx(EVALUATED.level)
    assert len({lines[number].level for number in range(1, 10)}) == 9


def test_the_more_outcomes_are_known_the_surer_the_line() -> None:
    """It goes from that of the evaluation to that of the outcomes, and its design effect stays."""
    lines = lines_as_known(EVALUATED, _judged(20), range(21), lag=1)
    deviations = [np.sqrt(line.covariance[0, 0]) for line in lines.values()]

    assert deviations[20] < deviations[10] < deviations[1] < deviations[0]
    assert lines[20].level == pytest.approx(0.0, abs=0.06)
    assert lines[20].slope == pytest.approx(1.0, abs=0.06)
    assert {line.design_effect for line in lines.values()} == {2.0}


def test_periods_that_differ_make_wider_intervals() -> None:
    """By as much as their levels vary; the line is their mean, however many leads each has."""
    levels = np.random.default_rng(1).normal(0, 0.5, 20)
    many = [_judged(1, seed, leads=4000 if seed % 2 else 1000, level=level) for seed, level in enumerate(levels)]
    period = np.repeat(np.arange(20), [len(each.label) for each in many])
    judged = JudgedLeads(
        period, *(np.concatenate([getattr(each, at) for each in many]) for at in ("probability", "label"))
    )
    line = lines_as_known(EVALUATED, judged, [20], lag=1)[20]

    assert np.sqrt(line.covariance[0, 0]) == pytest.approx(levels.std(ddof=1), rel=0.15)
    assert line.level == pytest.approx(np.append(levels, EVALUATED.level).mean(), abs=0.1)


def test_periods_with_few_outcomes_of_one_kind_are_left_out() -> None:
    """Fewer than 20 conversions, no outcome at all, or one probability for all."""
    judged = _judged(3, level=-6.0)
    same = JudgedLeads(np.zeros(1000, int), np.full(1000, 0.1), (np.arange(1000) % 10 == 0).astype(np.int8))
    nothing = judged.at(judged.period > 5)

    assert judged.label.sum() < 60
    for leads in (judged, same, nothing):
        assert lines_as_known(EVALUATED, leads, [9], lag=1)[9].level == pytest.approx(EVALUATED.level)


@pytest.mark.parametrize(("maturity", "lag"), [(0, 1), (1, 1), (30, 1), (31, 2), (40, 2), (60, 2), (61, 3)])
def test_the_lag_is_as_long_as_outcomes_take(maturity: int, lag: int) -> None:
    """In whole periods; outcomes of the period itself are never known."""
    assert period_lag(maturity, 30) == lag
