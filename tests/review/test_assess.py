"""What scores and outcomes say of a version: each lead counts as often as it may, and only what is known counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.reviews import CHOICES, MATURITY, SINCE, array_scores, reference, rows_of, version

from leadml.model.predict.parts import from_bytes, to_bytes
from leadml.review.assess import MOST_LEADS, Assessment, ReviewedScores, assess, period_name
from leadml.review.evidence.looks import are_apart


def _assess(scores: ReviewedScores, today: int = 200, **changed: object) -> Assessment:
    return assess(scores, version(today, **changed), CHOICES, seed=0)


def _same(one: Assessment, other: Assessment, *, leave: tuple[str, ...] = ()) -> None:
    """See that all figures of two assessments are the same to the bit, but for some."""
    for name in {"level", "ranking"} - set(leave):
        assert np.array_equal(getattr(one, name).log_value, getattr(other, name).log_value), name
    for name in {"estimated", "realised", "beside", "promises", "slices"} - set(leave):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    for name in {"alike", "domain", "conversions", "expected_a_day", "first_known"} - set(leave):
        assert getattr(one, name) == getattr(other, name), name


def test_outcomes_that_are_not_known_change_nothing() -> None:
    """Whatever they are: labels of leads that are not due, or that the version was fitted on, are never read."""
    scores = array_scores(80, 1, today=60)
    known = scores.known & (np.arange(len(scores.day)) % 5 > 0)
    scores = replace(scores, known=known)
    other = replace(scores, label=np.where(known, scores.label, 1 - scores.label))

    _same(_assess(scores, 79), _assess(other, 79))
    assert 0 < known.sum() < len(known)


@pytest.mark.slow
def test_scores_that_come_later_change_no_evidence_of_earlier_days() -> None:
    """Nor do their outcomes: of two reviews the later one repeats what the earlier one said."""
    early, late = array_scores(60, 2), array_scores(120, 2)
    late = rows_of(late, np.flatnonzero(late.day < SINCE + 120))
    late = replace(
        late, **{name: _begins(getattr(late, name), getattr(early, name)) for name in ("probability", "label")}
    )
    late = replace(late, parts=_begins(late.parts, early.parts))
    before, after = _assess(early), _assess(late)

    for name in ("level", "ranking"):
        one, other = getattr(before, name), getattr(after, name)
        assert np.allclose(other.log_value[: len(one.day)], one.log_value)
        assert len(other.day) > len(one.day)
    of_both = after.realised[after.realised["period"].isin(before.realised["period"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_both, before.realised)


def _begins(whole: np.ndarray, first: np.ndarray) -> np.ndarray:
    return np.concatenate([first, whole[len(first) :]])


@pytest.mark.slow
def test_the_order_of_the_scores_of_a_day_changes_nothing_that_is_judged() -> None:
    """Leads have accounts of their own, so no lead stands for another; draws of intervals depend on the order."""
    scores = array_scores(70, 3)
    random = np.random.default_rng(0)
    order = np.concatenate([random.permutation(np.flatnonzero(scores.day == day)) for day in np.unique(scores.day)])
    one, other = _assess(scores), _assess(rows_of(scores, order))

    for name in ("level", "ranking"):
        assert np.allclose(getattr(one, name).log_value, getattr(other, name).log_value)
    pd.testing.assert_frame_equal(one.promises, other.promises)
    pd.testing.assert_frame_equal(one.slices, other.slices)
    values = ["period", "figure", "stage", "value"]
    is_drawn = one.realised["figure"].str.endswith("by_chance")
    pd.testing.assert_frame_equal(one.realised.loc[~is_drawn, values], other.realised.loc[~is_drawn, values])


@pytest.mark.slow
def test_of_an_account_one_score_in_each_interval_counts() -> None:
    """The outcomes of its other leads change neither the evidence nor the cuts, nor do scores of the same lead."""
    scores = array_scores(70, 4)
    scores = replace(scores, account=np.array([f"A{at % 700}" for at in range(len(scores.day))], dtype=object))
    is_look = are_apart(scores.day, scores.account, interval=MATURITY)
    looks = np.flatnonzero(is_look)
    other = replace(scores, label=np.where(is_look, scores.label, 1 - scores.label))
    one, two = _assess(scores), _assess(other)

    _same(one, two, leave=("estimated", "realised", "beside"))
    assert not one.realised.equals(two.realised)  # figures by period are of all leads
    counts = pd.Series(scores.account[looks]).value_counts()
    assert counts.max() <= 70 // MATURITY + 2


@pytest.mark.slow
def test_scores_without_parts_are_judged_by_their_level_alone() -> None:
    """The ranking is that of the others; without any there is no evidence of it."""
    scores = array_scores(70, 5)
    with_parts = np.arange(len(scores.day)) % 2 == 0
    some = replace(scores, parts=np.where(with_parts, scores.parts, None))
    none = replace(scores, parts=np.full(len(scores.day), None, dtype=object))
    whole, half, without = _assess(scores), _assess(some), _assess(none)

    assert np.array_equal(whole.level.log_value, half.level.log_value)
    assert np.array_equal(whole.level.log_value, without.level.log_value)
    of_half = _assess(rows_of(scores, np.flatnonzero(with_parts)))
    assert np.allclose(half.ranking.log_value, of_half.ranking.log_value)
    assert (without.ranking.is_known, without.domain) == (False, None)


def test_counts_are_those_of_the_rows() -> None:
    """Conversions of the newest two periods of outcomes, conversions expected a day, and the promises, by hand."""
    scores = array_scores(100, 6, today=99)
    found = _assess(scores, 99)
    known = scores.day + MATURITY <= SINCE + 99
    last = scores.day[known].max()
    newest = scores.day >= SINCE + 90

    assert found.conversions == scores.label[known & (scores.day > last - 60)].sum()
    inside = scores.day > SINCE + 99 - MATURITY
    assert found.expected_a_day == pytest.approx(scores.probability[inside].sum() / MATURITY)
    assert found.first_known == SINCE + MATURITY
    above = known & (scores.probability >= 0.3)
    row = found.promises.set_index("stage").loc["SQL"]
    assert (row["leads"], row["precision"]) == (above.sum(), pytest.approx(scores.label[above].mean()))
    assert found.promises["share"].tolist() == [(scores.probability[newest] >= cut).mean() for cut in (0.15, 0.3)]


@pytest.mark.slow
def test_a_period_is_judged_when_all_its_outcomes_are_known() -> None:
    """On the very day, not before; estimates are of all periods."""
    scores = array_scores(60, 7)
    ends = [_assess(scores, today).realised["period"].unique().tolist() for today in (58, 59, 88, 89)]
    first, second = (period_name(number, SINCE, 30) for number in (0, 1))

    assert ends == [[], [first], [first], [first, second]]
    found = _assess(scores, 59)
    assert found.estimated["period"].unique().tolist() == [first, second]
    assert set(found.beside["period"]) == {first}


def test_without_outcomes_only_estimates_are_made() -> None:
    """And without a calibration line no estimates either; neither is an error, and one score is enough."""
    scores = array_scores(40, 8, today=0)
    found = _assess(scores, 39)

    assert (found.level.is_known, found.ranking.is_known, found.conversions) == (False, False, 0)
    assert found.realised.empty
    assert found.slices.empty
    assert len(found.estimated)
    whole = _assess(array_scores(60, 8), reference=reference(line=None))
    assert (len(whole.estimated), len(whole.beside)) == (0, 0)
    assert len(whole.realised)
    alone = _assess(rows_of(scores, np.array([0])), 39, promises=())
    assert (alone.domain, alone.conversions, len(alone.promises)) == (None, 0, 0)


def test_the_days_until_there_are_enough_conversions() -> None:
    """What is missing by what is expected a day, after the first outcomes; None if two periods never have as many."""
    found = Assessment(*[None] * 9, conversions=40, expected_a_day=2.0, first_known=130, idle=0, idle_limit=30)  # type: ignore[arg-type]

    assert found.days_until(100, today=100, period_days=30) == 30 + 30
    assert found.days_until(100, today=200, period_days=30) == 30
    assert found.days_until(40, today=200, period_days=30) == 0
    assert found.days_until(120, today=200, period_days=30) == 40
    assert found.days_until(121, today=200, period_days=30) is None


@pytest.mark.slow
def test_the_newest_leads_are_compared_with_as_many_days_of_the_first_period() -> None:
    """Leads whose field has moved are told apart; with one period there is nothing to compare."""
    scores = array_scores(40, 9)
    moved = np.where(scores.day >= SINCE + 30, 2.0, 0.0)[:, None]
    values = from_bytes(scores.parts.tolist(), 1)

    later = replace(scores, parts=to_bytes(np.clip(values + moved, -3.9, 3.9)))
    same, other = _assess(scores).domain, _assess(later).domain

    assert same is not None
    assert other is not None
    assert same.low <= 0.5 + 0.02
    assert other.low > 0.85
    assert _assess(rows_of(scores, np.flatnonzero(scores.day < SINCE + 30))).domain is None


def test_figures_of_a_large_period_are_those_of_some_leads() -> None:
    """The same ones whatever the order: they are drawn by their ids."""
    scores = array_scores(2, 10, leads=30_000, today=0)
    leads = _assess(scores, 2, promises=()).estimated.set_index("figure")["value"]

    assert leads["leads"] == MOST_LEADS
