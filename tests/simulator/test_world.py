from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

import leadml.simulator
from leadml.errors import LeadmlError
from leadml.simulator import market
from leadml.simulator.categorical import sample_categories
from leadml.simulator.lead_attributes import fit_level, initial_interest_prior, sample_leads
from leadml.simulator.rates import activity_rates, transition_probabilities
from leadml.simulator.world import INTERESTS, KINDS, STATE_TRANSITIONS, STATES, standard_world

WORLD = standard_world(400)
FOLDER = Path(leadml.simulator.__file__).parent


@given(st.integers(0, 1500), st.booleans(), st.sampled_from(["none", "base_rate"]))
def test_transition_probabilities_sum_to_1_and_are_0_for_impossible_transitions(day, worked, drift):
    """The probabilities of each state sum to 1, and only the transitions of the world have any."""
    probabilities = transition_probabilities(replace(WORLD, drift=drift, drift_day=100), day, worked=worked)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)
    possible = {(transition.origin, transition.destination) for transition in STATE_TRANSITIONS}
    possible |= {(state, state) for state in range(len(STATES))}
    assert {(int(a), int(b)) for a, b in np.argwhere(probabilities.any(axis=(2, 3)))} <= possible


@given(st.integers(0, 1500))
def test_activity_rates_rise_with_interest(day):
    """On any day hotter leads have higher rates than colder ones; the rate of gone leads is below 0.01."""
    total = activity_rates(WORLD, day).sum(axis=2)
    assert (np.diff(total[:, :4], axis=1) > 0).all()
    assert total[:, 0].max() < 0.01


@pytest.mark.parametrize(
    "name",
    [
        "interest_transition",
        "kind_probability",
        "drifted_kind_probability",
        "activity_lag",
        "outcome_lag",
        "lost_reason",
    ],
)
def test_distributions_that_are_no_probabilities_are_refused(name):
    """Rows must sum to 1 and hold nothing below 0."""
    distribution = getattr(WORLD, name).copy()
    distribution.reshape(-1)[0] += 0.01
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more that sum to 1"):
        replace(WORLD, **{name: distribution})
    distribution = getattr(WORLD, name).copy()
    row = distribution.reshape(-1, distribution.shape[-1])[0]
    row[0], row[1] = -0.5, row[0] + row[1] + 0.5
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more"):
        replace(WORLD, **{name: distribution})


def test_activity_rates_of_0_are_refused():
    """An activity of rate 0 has no log-likelihood."""
    message = "world.activity_rate and world.kind_probability must be above 0, got 0; give a small positive number"
    with pytest.raises(LeadmlError, match=message):
        replace(WORLD, activity_rate=np.zeros_like(WORLD.activity_rate))


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6).filter(lambda w: sum(w) > 0.1), st.integers(0, 99))
def test_one_distribution_for_all_gives_the_same_categories_as_one_per_row(weights, seed):
    """Both forms give the same categories, and never one of probability 0."""
    probabilities = np.array(weights) / sum(weights)
    uniform = np.random.default_rng(seed).random(200)
    categories = sample_categories(uniform, probabilities)
    np.testing.assert_array_equal(categories, sample_categories(uniform, np.tile(probabilities, (200, 1))))
    assert (probabilities[categories] > 0).all()


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


def test_the_simulator_imports_of_leadml_only_errors_and_checks_of_arguments():
    """It imports NumPy, SciPy, PyArrow, the standard library, itself, the errors and the checks of arguments."""
    third_party = {"numpy", "scipy", "pyarrow", "__future__"}
    standard = {"dataclasses", "typing", "json", "collections", "concurrent", "contextlib", "multiprocessing"}
    standard |= {"pathlib", "functools", "itertools"}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                allowed = name.startswith("leadml.simulator") or name in {"leadml.errors", "leadml.arguments"}
                assert allowed or name.split(".")[0] in third_party | standard, f"{path.name}: {name}"
