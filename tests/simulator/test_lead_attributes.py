"""Attributes of simulated leads: as their distributions say, the same for a seed, and sorted by creation."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from leadml.simulator import market
from leadml.simulator.lead_attributes import (
    FIRST_HOUR,
    HOURS,
    Accounts,
    fit_level,
    initial_interest_prior,
    sample_leads,
    sample_second_of_day,
)
from leadml.simulator.world import FIT_LEVELS, INTERESTS, SPAM, standard_world

WORLD = standard_world(400)


def _same(one, other) -> bool:
    return all(
        np.array_equal(getattr(one, entry.name), getattr(other, entry.name))
        for entry in fields(one)
        if entry.name != "accounts"
    )


def test_a_seed_gives_the_same_leads() -> None:
    """Another gives others."""
    one, again, other = (sample_leads(WORLD, 300, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert _same(one, again)
    assert _same(one.accounts, again.accounts)
    assert not _same(one, other)


@pytest.mark.parametrize("leads", [1, 2, 500])
def test_every_attribute_has_a_value_of_its_list(leads: int) -> None:
    """Also of a single lead; there is at least one account."""
    found = sample_leads(WORLD, leads, np.random.default_rng(3))
    bounds = {
        "source": (0, len(market.SOURCES)),
        "rank": (0, len(market.RANKS)),
        "department": (0, len(market.DEPARTMENTS)),
        "free_mail": (-1, len(market.FREE_MAIL)),
        "fit_level": (0, FIT_LEVELS),
        "interest": (0, len(INTERESTS)),
        "account": (0, len(found.accounts.industry)),
        "created_day": (0, WORLD.days),
    }
    for name, (low, high) in bounds.items():
        values = getattr(found, name)
        assert len(values) == leads
        assert low <= values.min() <= values.max() < high, name
    for column, question in enumerate(market.QUESTIONS):
        assert 0 <= found.answers[:, column].min() <= found.answers[:, column].max() <= len(question.values)
    np.testing.assert_allclose(found.interest_prior.sum(axis=1), 1)


def test_only_leads_of_the_campaign_are_spam() -> None:
    """Those of paid search with free mail, created in its days; without a campaign there is none."""
    world = replace(WORLD, campaign=(100, 160))
    found = sample_leads(world, 20_000, np.random.default_rng(2))
    spam = found.interest == SPAM
    may_be = (found.created_day >= 100) & (found.created_day < 160) & (found.source == market.PAID_SEARCH)
    may_be &= found.free_mail >= 0

    assert spam.any()
    assert not (spam & ~may_be).any()
    assert binomtest(int(spam.sum()), int(may_be.sum()), market.SPAM_PRIOR).pvalue > 0.001
    assert not (sample_leads(replace(WORLD, campaign=(0, 0)), 5000, np.random.default_rng(4)).interest == SPAM).any()


@pytest.mark.parametrize("employees", [1, 19, 20, 199, 200, 1999, 2000, 400_000])
def test_the_size_of_an_account_is_that_of_its_employees(employees: int) -> None:
    """An account at an edge is in the larger class."""
    zero = np.zeros(1, dtype=np.int64)
    accounts = Accounts(zero, np.array([employees]), zero, zero)

    assert accounts.size.tolist() == [sum(edge <= employees for edge in market.SIZE_EDGES)]


def test_answers_are_likely_as_the_questions_say() -> None:
    """The log-likelihood is the sum over the questions of the logarithms of their probabilities."""
    found = sample_leads(WORLD, 200, np.random.default_rng(5))
    log_likelihood = found.answer_log_likelihood()
    groups = found.answer_groups

    assert log_likelihood.shape == (200, len(INTERESTS))
    for lead in (0, 57, 199):
        for interest in range(len(INTERESTS)):
            expected = sum(
                np.log(question.probabilities()[groups[at][lead], interest, found.answers[lead, at]])
                for at, question in enumerate(market.QUESTIONS)
            )
            assert log_likelihood[lead, interest] == pytest.approx(expected)


def test_seconds_of_the_day_are_within_working_hours() -> None:
    """Most of them near the middle, and the same for a seed."""
    seconds = sample_second_of_day(np.random.default_rng(6), 20_000)
    hours = seconds / 3600

    assert FIRST_HOUR <= hours.min() < FIRST_HOUR + 1
    assert FIRST_HOUR + HOURS - 1 < hours.max() <= FIRST_HOUR + HOURS
    assert hours.mean() == pytest.approx(FIRST_HOUR + HOURS / 2, abs=0.1)
    assert (np.abs(hours - 13) < HOURS / 4).mean() > 0.7
    assert np.array_equal(sample_second_of_day(np.random.default_rng(6), 20_000), seconds)


def test_attributes_follow_their_distributions():
    """Sources, ranks within a size, initial interests and answers agree with their shares by a chi-squared test."""
    leads = sample_leads(WORLD, 40_000, np.random.default_rng(1))
    large = leads.accounts.size[leads.account] == 2
    answers = leads.answers[:, market.NEED]
    hot = leads.interest == INTERESTS.index("hot")
    for counts, shares in (
        (np.bincount(leads.source, minlength=7), market.SOURCE_SHARE),
        (np.bincount(leads.rank[large], minlength=7), market.RANK_SHARE[2]),
        (np.bincount(answers[hot], minlength=4), market.QUESTIONS[market.NEED].probabilities()[0, 3]),
    ):
        assert chisquare(counts, np.array(shares) / sum(shares) * counts.sum()).pvalue > 0.001
    expected = leads.interest_prior.sum(axis=0)[:4]
    assert chisquare(np.bincount(leads.interest, minlength=4), expected).pvalue > 0.001
    assert (np.diff(leads.created) >= 0).all()
    assert leads.created_day.min() >= 0
    assert leads.created_day.max() < WORLD.days
    assert (np.bincount(leads.fit_level, minlength=9) > 300).all()


def _fit_level(*, industry="software", employees=50, source="organic", rank="specialist"):
    account = np.zeros(1, dtype=np.int64)
    accounts = replace(
        sample_leads(WORLD, 1, np.random.default_rng(0)).accounts,
        industry=np.array([market.INDUSTRIES.index(industry)]),
        employees=np.array([employees]),
        country=np.array([3]),
    )
    return fit_level(
        accounts,
        account,
        source=np.array([market.SOURCES.index(source)]),
        rank=np.array([market.RANKS.index(rank)]),
        department=np.array([2]),
        free_mail=np.zeros(1, bool),
    )[0]


def test_fit_has_an_interaction_of_rank_and_size_and_one_of_source_and_industry():
    """The rank of vice president raises fit more in a larger account, the source partner more in manufacturing."""
    by_size = {
        size: _fit_level(employees=size, rank="vice president") - _fit_level(employees=size, rank="specialist")
        for size in (10, 500)
    }
    assert by_size[500] >= by_size[10] + 1
    by_industry = {
        industry: _fit_level(industry=industry, source="partner") - _fit_level(industry=industry)
        for industry in ("retail", "manufacturing")
    }
    assert by_industry["manufacturing"] >= by_industry["retail"] + 1


@given(st.integers(0, 6), st.floats(-2, 2), st.booleans(), st.booleans())
def test_the_prior_of_interest_sums_to_1_and_rises_with_warmth(source, warmth, drifted, maybe_spam):
    """Warmer leads are more often hot and less often gone; only leads of the campaign are spam."""
    prior = initial_interest_prior(
        np.array([source, source]),
        np.array([warmth, warmth + 0.5]),
        drifted=np.array([drifted] * 2),
        maybe_spam=np.array([maybe_spam] * 2),
    )
    np.testing.assert_allclose(prior.sum(axis=1), 1.0)
    assert prior[1, 3] > prior[0, 3]
    assert prior[1, 0] < prior[0, 0]
    assert (prior[:, 4] == market.SPAM_PRIOR * maybe_spam).all()
