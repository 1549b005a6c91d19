from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

import leadml.simulate
from leadml.errors import LeadmlError
from leadml.simulate import market
from leadml.simulate.draw import pick
from leadml.simulate.people import draw_people, first_interest, fit_level
from leadml.simulate.rates import act_rates, move_chances
from leadml.simulate.world import INTERESTS, KINDS, MOVES, STATES, standard_world

WORLD = standard_world(400)
FOLDER = Path(leadml.simulate.__file__).parent


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 1500), st.booleans(), st.sampled_from(["none", "base_rate"]))
def test_chances_of_moves_are_chances_and_go_legal_ways(day, worked, drift):
    """Every state's chances sum to 1, and only the moves of the world have any."""
    chances = move_chances(replace(WORLD, drift=drift, drift_day=100), day, worked=worked)
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    legal = {(move.origin, move.to) for move in MOVES} | {(state, state) for state in range(len(STATES))}
    assert {(int(a), int(b)) for a, b in np.argwhere(chances.any(axis=(2, 3)))} <= legal


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 1500))
def test_rates_rise_with_interest(day):
    """On any day hotter leads do more than colder ones, and those that are gone hardly anything."""
    total = act_rates(WORLD, day).sum(axis=2)
    assert (np.diff(total[:, :4], axis=1) > 0).all()
    assert total[:, 0].max() < 0.01


@pytest.mark.parametrize("name", ["transition", "kinds", "drifted_kinds", "lag", "outcome_lag", "lost_reason"])
def test_tables_that_are_no_chances_are_refused(name):
    """Rows must sum to 1 and hold nothing below 0."""
    table = getattr(WORLD, name).copy()
    table.reshape(-1)[0] += 0.01
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more that sum to 1"):
        replace(WORLD, **{name: table})
    table = getattr(WORLD, name).copy()
    row = table.reshape(-1, table.shape[-1])[0]
    row[0], row[1] = -0.5, row[0] + row[1] + 0.5
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more"):
        replace(WORLD, **{name: table})


def test_acts_that_cannot_be_are_refused():
    """A rate of 0 would leave what is seen without a likelihood."""
    with pytest.raises(LeadmlError, match=r"world.rate and world.kinds must be above 0, got 0"):
        replace(WORLD, rate=np.zeros_like(WORLD.rate))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6).filter(lambda w: sum(w) > 0.1), st.integers(0, 99))
def test_pick_draws_one_table_as_it_draws_many(weights, seed):
    """A table for all gives what the same table for each gives, and never a category of no chance."""
    chances = np.array(weights) / sum(weights)
    random = np.random.default_rng(seed).random(200)
    picked = pick(random, chances)
    np.testing.assert_array_equal(picked, pick(random, np.tile(chances, (200, 1))))
    assert (chances[picked] > 0).all()


def test_people_are_as_common_as_the_market_says():
    """Sources, ranks within a size, first interests and answers are drawn by their shares."""
    people = draw_people(WORLD, 40_000, np.random.default_rng(1))
    large = people.firms.size[people.firm] == 2
    answers = people.answers[:, market.NEED]
    hot = people.interest == INTERESTS.index("hot")
    for counts, shares in (
        (np.bincount(people.source, minlength=7), market.SOURCE_SHARE),
        (np.bincount(people.rank[large], minlength=7), market.RANK_SHARE[2]),
        (np.bincount(answers[hot], minlength=4), market.QUESTIONS[market.NEED].chances()[0, 3]),
    ):
        assert chisquare(counts, np.array(shares) / sum(shares) * counts.sum()).pvalue > 0.001
    expected = people.prior.sum(axis=0)[:4]
    assert chisquare(np.bincount(people.interest, minlength=4), expected).pvalue > 0.001
    assert (np.diff(people.created) >= 0).all()
    assert people.created_day.min() >= 0
    assert people.created_day.max() < WORLD.days
    assert (np.bincount(people.level, minlength=9) > 300).all()


def _level(**changes):
    firm = np.zeros(1, dtype=np.int64)
    people = draw_people(WORLD, 1, np.random.default_rng(0))
    names = {"industry": "software", "employees": 50, **changes}
    industry = np.array([market.INDUSTRIES.index(names["industry"])])
    firms = replace(people.firms, industry=industry, employees=np.array([names["employees"]]), country=firm + 3)
    source = np.array([market.SOURCES.index(names.get("source", "organic"))])
    rank = np.array([market.RANKS.index(names.get("rank", "specialist"))])
    return fit_level(firms, firm, source=source, rank=rank, department=firm + 2, free_mail=np.zeros(1, bool))[0]


def test_seniority_counts_in_larger_firms_and_partners_in_some_industries():
    """The two interactions: a vice president is worth more in a larger firm, a partner's lead in manufacturing."""
    gain = {
        size: _level(employees=size, rank="vice president") - _level(employees=size, rank="specialist")
        for size in (10, 500)
    }
    assert gain[500] >= gain[10] + 1
    partner = {
        industry: _level(industry=industry, source="partner") - _level(industry=industry)
        for industry in ("retail", "manufacturing")
    }
    assert partner["manufacturing"] >= partner["retail"] + 1


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 6), st.floats(-2, 2), st.booleans(), st.booleans())
def test_first_interests_are_chances_and_rise_with_warmth(source, warmth, drifted, bait):
    """They sum to 1; warmer leads are more often hot; spam is of the campaign's bait alone."""
    alone = np.array([source, source])
    both = np.array([warmth, warmth + 0.5])
    prior = first_interest(alone, both, drifted=np.array([drifted] * 2), bait=np.array([bait] * 2))
    np.testing.assert_allclose(prior.sum(axis=1), 1.0)
    assert prior[1, 3] > prior[0, 3]
    assert prior[1, 0] < prior[0, 0]
    assert (prior[:, 4] == market.SPAM_PRIOR * bait).all()


def test_every_table_of_the_market_has_the_length_of_what_it_is_about():
    """Shares sum to 1, and each list is as long as the words it belongs to."""
    for name, words in (
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
        assert len(shares) == len(words), name
        assert sum(shares) == pytest.approx(1.0), name
    for rows in (market.INTEREST_BY_SOURCE, market.DRIFTED_INTEREST_BY_SOURCE, market.RANK_SHARE):
        np.testing.assert_allclose(np.sum(rows, axis=1), 1.0)
    np.testing.assert_allclose(np.sum(market.CHANNEL_OF_KIND, axis=1), 1.0)
    assert len(market.CHANNEL_OF_KIND) == len(KINDS) + 1
    for question in market.QUESTIONS:
        np.testing.assert_allclose(question.chances().sum(axis=2), 1.0)


def test_the_simulator_shares_no_code_with_what_is_judged_by_it():
    """It imports NumPy, SciPy, PyArrow, the standard library, its own modules and the errors."""
    known = {"numpy", "scipy", "pyarrow", "__future__"}
    standard = {"dataclasses", "typing", "json", "collections", "concurrent", "contextlib", "multiprocessing"}
    standard |= {"pathlib", "functools", "itertools"}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                ours = name.startswith("leadml.simulate") or name == "leadml.errors"
                assert ours or name.split(".")[0] in known | standard, f"{path.name}: {name}"
