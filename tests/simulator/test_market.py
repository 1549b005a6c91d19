"""The market: distributions that are distributions, and answers that depend on interest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.simulator import market
from leadml.simulator.market import Question
from leadml.simulator.world import INTERESTS, KINDS

COLD, WARM, HOT = 1, 2, 3


@given(
    weight=st.lists(st.floats(0.1, 1), min_size=2, max_size=5),
    tilt=st.lists(st.floats(-2, 2), min_size=5, max_size=5),
    blank=st.lists(st.floats(0, 1), min_size=5, max_size=5),
)
def test_probabilities_of_any_question_sum_to_1(weight: list[float], tilt: list[float], blank: list[float]) -> None:
    """The first is that of no answer, and those of a lead that answers are in the same proportion."""
    values = tuple(str(at) for at in range(len(weight)))
    question = Question("q", values, tuple(blank), (tuple(weight),), tuple(tilt))
    answered, every = question.probabilities_if_answered(), question.probabilities()

    assert answered.shape == (1, 5, len(weight))
    assert every.shape == (1, 5, len(weight) + 1)
    np.testing.assert_allclose(answered.sum(axis=2), 1)
    np.testing.assert_allclose(every.sum(axis=2), 1)
    np.testing.assert_allclose(every[0, :, 0], blank)
    np.testing.assert_allclose(every[:, :, 1:], (1 - np.array(blank))[None, :, None] * answered)


def test_a_tilt_of_0_changes_no_answer_and_a_higher_one_raises_the_later_ones() -> None:
    """The mean answer rises with the tilt, and equal weights without tilt are equal."""
    tilt = (-1.0, 0.0, 0.5, 2.0, 0.0)
    answered = Question("q", ("a", "b", "c"), (0.5,) * 5, ((1.0, 1.0, 1.0),), tilt).probabilities_if_answered()[0]
    mean = answered @ np.arange(3)

    np.testing.assert_allclose(answered[[1, 4]], 1 / 3)
    assert mean[0] < mean[1] < mean[2] < mean[3]
    assert answered[0] == pytest.approx(np.exp([1, 0, -1]) / np.exp([1, 0, -1]).sum())


def test_hotter_leads_leave_fewer_questions_blank() -> None:
    """Of every question of the market, each of which has a number for each interest and a row for each group."""
    for question in market.QUESTIONS:
        assert len(question.blank) == len(question.tilt) == len(INTERESTS)
        assert (np.diff(question.blank[: HOT + 1]) < 0).all()
        assert {len(row) for row in question.weight} == {len(question.values)}
    groups = {question.name: len(question.weight) for question in market.QUESTIONS}
    assert groups["budget"] == len(market.SIZE_FIT)
    assert groups["authority"] == max(market.AUTHORITY_GROUP) + 1


def test_a_hot_lead_has_a_nearer_timeline_and_a_clearer_need() -> None:
    """The last answers are more likely than those of a cold lead."""
    for question in (market.QUESTIONS[market.NEED], market.QUESTIONS[market.TIMELINE]):
        answered = question.probabilities_if_answered()[0]
        assert answered[HOT, -1] > answered[WARM, -1] > answered[COLD, -1]


def test_each_list_has_an_entry_for_each_of_its_values() -> None:
    """Fits, warmths and answer groups are as long as their lists."""
    lengths = {
        len(market.INDUSTRIES): (market.INDUSTRY_FIT, market.LOG_EMPLOYEES),
        len(market.RANKS): (market.TITLES, market.RANK_WARMTH, market.AUTHORITY_GROUP, *market.RANK_FIT),
        len(market.SIZE_EDGES) + 1: (market.SIZE_FIT, market.RANK_FIT, market.RANK_SHARE, market.FREE_MAIL_SHARE),
        len(market.INTEREST_TILT): (INTERESTS, *market.INTEREST_BY_SOURCE),
        12: (market.MONTH_WARMTH, market.CREATED_BY_MONTH),
        7: (market.CREATED_BY_WEEKDAY,),
    }
    for length, lists in lengths.items():
        assert {len(each) for each in lists} == {length}
    assert len(market.DEPARTMENT_FIT) == len(market.DEPARTMENT_WARMTH) == len(market.DEPARTMENTS)
    assert len(market.COUNTRY_FIT) == len(market.COUNTRIES)
    assert len(market.SOURCE_FIT) == len(market.SOURCES)


def test_each_list_of_shares_sums_to_1_and_has_a_share_for_each_value():
    """Shares and rows of probabilities sum to 1, and each list of shares is as long as its list of values."""
    for name, values in (
        ("INDUSTRY_SHARE", market.INDUSTRIES),
        ("COUNTRY_SHARE", market.COUNTRIES),
        ("TECHNOLOGY_SHARE", market.TECHNOLOGIES),
        ("SOURCE_SHARE", market.SOURCES),
        ("DRIFTED_SOURCE_SHARE", market.SOURCES),
        ("CAMPAIGN_SOURCE_SHARE", market.SOURCES),
        ("DEPARTMENT_SHARE", market.DEPARTMENTS),
        ("FREE_MAIL_WEIGHT", market.FREE_MAIL),
    ):
        shares = getattr(market, name)
        assert len(shares) == len(values), name
        assert sum(shares) == pytest.approx(1.0), name
    for rows in (market.INTEREST_BY_SOURCE, market.DRIFTED_INTEREST_BY_SOURCE, market.RANK_SHARE):
        np.testing.assert_allclose(np.sum(rows, axis=1), 1.0)
    np.testing.assert_allclose(np.sum(market.CHANNEL_OF_KIND, axis=1), 1.0)
    assert len(market.CHANNEL_OF_KIND) == len(KINDS) + 1
    for question in market.QUESTIONS:
        np.testing.assert_allclose(question.probabilities().sum(axis=2), 1.0)
