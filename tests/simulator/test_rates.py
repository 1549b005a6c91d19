"""Rates of a day: activities by interest and season, and transitions that compete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.simulator.rates import (
    ACTIVITY_BY_WEEKDAY,
    DAYS_PER_YEAR,
    TRANSITION_BY_WEEKDAY,
    activity_rates,
    activity_season,
    transition_probabilities,
    transition_season,
)
from leadml.simulator.world import DRIFTS, STATE_TRANSITIONS, STATES, standard_world

WORLD = standard_world(400)


@pytest.mark.parametrize(
    ("season", "weekday", "amplitude"),
    [(activity_season, ACTIVITY_BY_WEEKDAY, 0.15), (transition_season, TRANSITION_BY_WEEKDAY, 0.12)],
)
def test_a_season_is_the_factor_of_the_weekday_times_a_wave_over_the_year(season, weekday, amplitude) -> None:
    """Over many years its mean is that of the weekdays, and it never leaves the wave."""
    days = np.arange(round(28 * DAYS_PER_YEAR))
    factors = np.array([season(int(day)) for day in days])
    wave = factors / weekday[days % 7]

    assert factors.mean() == pytest.approx(weekday.mean(), rel=1e-3)
    assert wave.min() == pytest.approx(1 - amplitude, abs=1e-3)
    assert wave.max() == pytest.approx(1 + amplitude, abs=1e-3)
    assert (factors > 0).all()


def test_weekends_are_quiet() -> None:
    """Of both kinds of events, in every week."""
    for season in (activity_season, transition_season):
        for monday in range(0, 364, 7):
            week = [season(monday + day) for day in range(7)]
            assert max(week[5:]) < 0.5 * min(week[:5])


@given(st.integers(0, 1500))
def test_rates_of_all_kinds_add_up_to_the_rate_of_the_day(day: int) -> None:
    """The season scales all of them alike."""
    rates = activity_rates(WORLD, day)

    assert (rates > 0).all()
    np.testing.assert_allclose(rates.sum(axis=2), activity_season(day) * WORLD.activity_rate)
    np.testing.assert_allclose(rates / rates.sum(axis=2, keepdims=True), WORLD.kind_probability)


@given(st.integers(0, 700))
def test_transitions_compete_with_their_hazards(day: int) -> None:
    """A lead stays with the exponential of minus the sum of its hazards; ratios of the others are those of hazards."""
    probabilities = transition_probabilities(WORLD, day)
    hazards = transition_season(day) * (WORLD.hazards[0] + WORLD.hazards[1])
    for state in range(len(STATES)):
        np.testing.assert_allclose(probabilities[state, state], np.exp(-hazards[state].sum(axis=0)))
    for one, other in ((0, 1), (2, 3)):
        first, second = STATE_TRANSITIONS[one], STATE_TRANSITIONS[other]
        assert first.origin == second.origin
        np.testing.assert_allclose(
            probabilities[first.origin, first.destination, 4, 1] * second.hazard[1],
            probabilities[second.origin, second.destination, 4, 1] * first.hazard[1],
        )


def test_work_raises_forward_transitions_only() -> None:
    """For every fit and interest that has any; others become less likely, because transitions compete."""
    plain, worked = transition_probabilities(WORLD, 30), transition_probabilities(WORLD, 30, worked=True)
    for transition in STATE_TRANSITIONS:
        states = transition.origin, transition.destination
        possible = plain[states] > 0
        if transition.forward:
            assert (worked[states][possible] > plain[states][possible]).all()
        else:
            assert (worked[states][possible] <= plain[states][possible] + 1e-15).all()


def test_a_closed_lead_stays_closed() -> None:
    """Lost and churned have no way out."""
    probabilities = transition_probabilities(WORLD, 30)
    for state in (STATES.index("lost"), STATES.index("churned")):
        assert (probabilities[state, state] == 1).all()
        assert probabilities[state].sum() == probabilities[state, state].sum()


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


def test_each_drift_changes_its_own_parameters_from_its_first_day_on():
    """Behaviour changes activity rates only, base rate forward transitions only, and mix neither of them."""
    standard = standard_world(60)
    for drift in DRIFTS:
        world = replace(standard, drift=drift, drift_day=30)
        for day in (29, 30):
            same_rates = (activity_rates(world, day) == activity_rates(standard, day)).all()
            same_transitions = (transition_probabilities(world, day) == transition_probabilities(standard, day)).all()
            assert same_rates == (drift != "behaviour" or day < 30)
            assert same_transitions == (drift != "base_rate" or day < 30)
    plain = transition_probabilities(standard, 30)
    drifted = transition_probabilities(replace(standard, drift="base_rate", drift_day=0), 30)
    for transition in STATE_TRANSITIONS:
        states = transition.origin, transition.destination
        possible = plain[states] > 0
        ratio = drifted[states][possible] / plain[states][possible]
        assert ((ratio < 1).all() and (ratio > 0.5).all()) if transition.forward else (ratio >= 1 - 1e-12).all()
    np.testing.assert_allclose(drifted.sum(axis=1), 1.0, atol=1e-12)
    assert drifted.shape[:2] == (len(STATES), len(STATES))
