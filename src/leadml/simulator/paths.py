"""Simulate the paths of a chunk of leads, day by day: interest, activities, state transitions and restatements.

Random numbers are drawn in the order of days, so that a drift changes nothing before its first day. For the same reason
`crm_tables` draws the hours and channels afterwards, from other streams of random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leadml.simulator import market
from leadml.simulator.categorical import sample_categories
from leadml.simulator.rates import activity_rates, transition_probabilities
from leadml.simulator.world import (
    CLOSED,
    DEMO_REQUEST,
    FORM,
    GROUP_OF_STATE,
    LEAD,
    LOST,
    MQL,
    OPPORTUNITY,
    REJECTED,
    SAL,
    SQL,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulator.lead_attributes import LeadAttributes
    from leadml.simulator.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

WORKABLE = (LEAD, MQL, SAL, SQL, OPPORTUNITY)
DAYS_PER_WEEK = 7  # sales chooses the leads that it works each Monday


@dataclass(frozen=True)
class Activities:
    """Activities of leads: position of the lead, day, kind, days until the record, interest of the lead on the day."""

    lead: Integers
    day: Integers
    kind: Integers
    lag: Integers
    interest: Integers


@dataclass(frozen=True)
class Transitions:
    """State transitions of leads: position of the lead, day, new state, days until the record, reason (-1 for none)."""

    lead: Integers
    day: Integers
    state: Integers
    lag: Integers
    reason: Integers


@dataclass(frozen=True)
class Restatements:
    """Restated timelines, in the order of days.

    Parameters
    ----------
    activity
        Position of the form or demo request that restates it.
    lead, day
        Those of the activity.
    timeline
        The new answer, from 1.
    budget
        The new answer to the question of budget, 0 where it does not change.
    """

    activity: Integers
    lead: Integers
    day: Integers
    timeline: Integers
    budget: Integers


@dataclass(frozen=True)
class LeadPaths:
    """The paths of a chunk of leads.

    Parameters
    ----------
    activities, transitions, restatements
        The events.
    work_starts
        Shape (rows, 2): position of the lead, and the Monday on which sales begins to work it.
    """

    activities: Activities
    transitions: Transitions
    restatements: Restatements
    work_starts: Integers


@dataclass
class _Simulation:
    """The current values of all leads of a chunk, and the events up to now."""

    state: Integers
    interest: Integers
    fit_level: Integers
    work_start: Integers
    last_activity_day: Integers
    activities: list[tuple[Integers, ...]] = field(default_factory=list)
    transitions: list[tuple[Integers, ...]] = field(default_factory=list)
    work_starts: list[tuple[Integers, ...]] = field(default_factory=list)


def simulate_paths(world: World, attributes: LeadAttributes, rng: Generator) -> LeadPaths:
    """Return the paths of leads, from the day after their creation to the end of the simulation.

    Parameters
    ----------
    world
        The parameters of the simulation.
    attributes
        The leads.
    rng
        Source of random numbers.
    """
    leads, (restatement_rng,) = len(attributes.created), rng.spawn(1)
    simulation = _Simulation(
        state=np.zeros(leads, np.int64),
        interest=attributes.interest.copy(),
        fit_level=attributes.fit_level,
        work_start=np.full(leads, -world.work_days),
        last_activity_day=attributes.created_day.copy(),
    )
    created_before = np.searchsorted(attributes.created_day, np.arange(world.days + 1))
    active = np.arange(0)
    for day in range(world.days):
        new = np.arange(created_before[max(day - 1, 0)], created_before[day])
        active = np.concatenate([active[~np.isin(simulation.state[active], CLOSED)], new])
        if world.worked_share and day % DAYS_PER_WEEK == 0 and day < world.worked_until:
            _start_work(world, simulation, active, day, rng)
        _step_interest(world, simulation, active, rng)
        _step_activities(world, simulation, active, day, rng)
        _step_state(world, simulation, active, day, rng)
    activities = Activities(*_concatenate(simulation.activities, 5))
    return LeadPaths(
        activities,
        Transitions(*_concatenate(simulation.transitions, 5)),
        _sample_restatements(world, attributes, activities, restatement_rng),
        np.stack(_concatenate(simulation.work_starts, 2), axis=1),
    )


def _step_interest(world: World, simulation: _Simulation, active: Integers, rng: Generator) -> None:
    group, interest = GROUP_OF_STATE[simulation.state[active]], simulation.interest[active]
    interests = range(world.interest_transition.shape[1])
    stays = world.interest_transition[:, interests, interests]
    changes = rng.random(len(active)) >= stays[group, interest]
    group, interest = group[changes], interest[changes]
    probabilities = world.interest_transition[group, interest]
    probabilities[np.arange(len(probabilities)), interest] = 0.0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    simulation.interest[active[changes]] = sample_categories(rng.random(len(probabilities)), probabilities)


def _step_activities(world: World, simulation: _Simulation, active: Integers, day: int, rng: Generator) -> None:
    rates = activity_rates(world, day)
    total = rates.sum(axis=2)
    count = rng.poisson(total[GROUP_OF_STATE[simulation.state[active]], simulation.interest[active]])
    lead = np.repeat(active, count)
    group, interest = GROUP_OF_STATE[simulation.state[lead]], simulation.interest[lead]
    kind = sample_categories(rng.random(len(lead)), (rates / total[:, :, None])[group, interest])
    lag = sample_categories(rng.random(len(lead)), world.activity_lag[kind])
    simulation.activities.append((lead, np.full(len(lead), day), kind, lag, interest))


def _step_state(world: World, simulation: _Simulation, active: Integers, day: int, rng: Generator) -> None:
    probabilities = transition_probabilities(world, day)
    states = range(len(probabilities))
    state, interest, level = simulation.state[active], simulation.interest[active], simulation.fit_level[active]
    stay_probability = probabilities[states, states][state, level, interest]
    if world.worked_share:
        worked = simulation.work_start[active] > day - world.work_days
        if_worked = transition_probabilities(world, day, worked=True)
        stay_probability = np.where(worked, if_worked[states, states][state, level, interest], stay_probability)
    changes = rng.random(len(active)) >= stay_probability
    state, interest, level = state[changes], interest[changes], level[changes]
    to_state = probabilities[state, :, level, interest]
    if world.worked_share:
        to_state = np.where(worked[changes, None], if_worked[state, :, level, interest], to_state)
    to_state[np.arange(len(to_state)), state] = 0.0
    lead = active[changes]
    uniform = rng.random((3, len(lead)))
    new_state = sample_categories(uniform[0], to_state / to_state.sum(axis=1, keepdims=True))
    lag = sample_categories(uniform[1], world.outcome_lag[new_state])
    rejected = (new_state == REJECTED)[:, None]
    reason_probability = np.where(rejected, world.rejected_reason[interest], world.lost_reason[interest])
    has_reason = np.isin(new_state, (REJECTED, LOST))
    reason = np.where(has_reason, sample_categories(uniform[2], reason_probability), -1)
    simulation.state[lead] = new_state
    simulation.transitions.append((lead, np.full(len(lead), day), new_state, lag, reason))


def _start_work(world: World, simulation: _Simulation, active: Integers, day: int, rng: Generator) -> None:
    """Start to work the open leads with the newest recorded activity; the order of ties is random."""
    for lead, occurred, _, lag, _ in simulation.activities[-(DAYS_PER_WEEK + world.activity_lag.shape[1]) :]:
        recorded = occurred + lag < day
        np.maximum.at(simulation.last_activity_day, lead[recorded], occurred[recorded])
    workable = active[np.isin(simulation.state[active], WORKABLE)]
    order = np.lexsort((rng.random(len(workable)), -simulation.last_activity_day[workable]))
    capacity = round(world.worked_share * len(simulation.state))
    lead = np.sort(workable[order[:capacity]])
    simulation.work_start[lead] = day
    simulation.work_starts.append((lead, np.full(len(lead), day)))


def _sample_restatements(
    world: World, attributes: LeadAttributes, activities: Activities, rng: Generator
) -> Restatements:
    """Return the timelines that are restated on days with a form or demo request, in the order of days."""
    forms = np.flatnonzero(np.isin(activities.kind, (FORM, DEMO_REQUEST)))
    lead_day = activities.day[forms] * len(attributes.created) + activities.lead[forms]
    _, first_of_day = np.unique(lead_day, return_index=True)
    uniform = rng.random((len(first_of_day), 4))
    restates = uniform[:, 0] < world.restate_probability
    activity, uniform = forms[first_of_day[restates]], uniform[restates]
    lead, interest = activities.lead[activity], activities.interest[activity]
    answer_probabilities = market.QUESTIONS[market.TIMELINE].probabilities_if_answered()[0, interest]
    timeline = 1 + sample_categories(uniform[:, 1], answer_probabilities)
    blank = attributes.answers[lead, market.BUDGET] == 0
    fills = (uniform[:, 2] < world.fill_probability) & blank
    group = attributes.answer_groups[market.BUDGET][lead]
    budget_probabilities = np.array(market.QUESTIONS[market.BUDGET].weight)[group]
    budget = np.where(fills, 1 + sample_categories(uniform[:, 3], budget_probabilities), 0)
    return Restatements(activity, lead, activities.day[activity], timeline, _first_per_lead(lead, budget))


def _first_per_lead(lead: Integers, value: Integers) -> Integers:
    """Return the first value above 0 of each lead, and 0 in all other rows."""
    result = np.zeros_like(value)
    rows = np.flatnonzero(value)
    _, first = np.unique(lead[rows], return_index=True)
    result[rows[first]] = value[rows[first]]
    return result


def _concatenate(rows: Iterable[tuple[Integers, ...]], columns: int) -> list[Integers]:
    """Return the columns of some rows; without rows, empty columns."""
    empty = [np.arange(0)] * columns
    return [np.concatenate(column) for column in zip(empty, *rows, strict=True)]
