"""Compute the exact probability of each target, given what is recorded by a snapshot date.

One condition is added to the records: that the lead has not reached the target before the snapshot date.
The module does not read the interest of leads, activities that are not yet recorded, or anything from the snapshot date
on, except for the column ``reached``.

Notes
-----
The forward algorithm of hidden Markov models (Rabiner, "A tutorial on hidden Markov models and selected applications in
speech recognition", Proceedings of the IEEE 77, 1989) gives the posterior of the interest. The activities of a day are
Poisson. Those recorded by the snapshot date are Poisson too, with rates multiplied by the probability of the record.
They are independent of those not yet recorded, about which the records therefore say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.simulator import market
from leadml.simulator.rates import activity_rates, transition_probabilities
from leadml.simulator.target_probability import DAYS_PER_WEEK, hitting_probabilities, remaining_work_days
from leadml.simulator.world import (
    CLOSED,
    CUSTOMER,
    GROUP_OF_STATE,
    INTERESTS,
    LEAD,
    LONGEST_LAG,
    REJECTED,
    TARGETS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.simulator.lead_attributes import LeadAttributes
    from leadml.simulator.paths import LeadPaths
    from leadml.simulator.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SMALLEST_PROBABILITY = 1e-12  # so that log-odds are finite; rounding of the filter is not far below
NEVER = 1 << 40  # a day after the last of MOST_MONTHS, with room for sums


@dataclass(frozen=True)
class LeadHistory:
    """The history of some leads, without their interest: the input of the forward algorithm.

    Parameters
    ----------
    created_day, fit_level
        Shape (leads,).
    initial_posterior
        Shape (leads, interests): posterior of the interest at the end of the day of creation.
    state
        Shape (leads, days): position in ``STATES`` at the end of each day.
    at_risk
        Shape (leads, days): whether an event is possible on the day: the lead was created before it and not closed.
    work_end
        Shape (leads, days): first day after the work that has begun by each day, 0 where none has.
    customer_recorded
        Shape (leads,): day on which the outcome customer is recorded, ``NEVER`` where it is not.
    activities
        For each day: position of the lead, kind and lag of each activity.
    log_likelihoods
        For each day: position of the lead and log-likelihood by interest, for each reason of rejection and each
        restated timeline.
    """

    created_day: Integers
    fit_level: Integers
    initial_posterior: Floats
    state: Integers
    at_risk: Mask
    work_end: Integers
    customer_recorded: Integers
    activities: list[tuple[Integers, Integers, Integers]]
    log_likelihoods: list[tuple[Integers, Floats]]


@dataclass(frozen=True)
class TargetProbabilities:
    """Rows of the truth.

    Parameters
    ----------
    lead, snapshot_day, target
        Position of the lead, day of the snapshot, position in ``TARGETS``.
    probability
        In (0, 1).
    reached
        Whether the lead reaches the target within the horizon: 1 or 0; -1 where the horizon ends after the simulation.
    """

    lead: Integers
    snapshot_day: Integers
    target: Integers
    probability: Floats
    reached: Integers


@dataclass(frozen=True)
class HittingProbabilities:
    """The hitting probabilities on all weekly snapshot days.

    Parameters
    ----------
    snapshot_days
        Shape (snapshots,), ascending.
    work_days_left
        From `remaining_work_days`.
    by_target
        For each of ``TARGETS``, shape (work days left, snapshots, states, fit levels, interests).
    """

    snapshot_days: Integers
    work_days_left: list[int]
    by_target: tuple[Floats, ...]


def weekly_hitting_probabilities(world: World) -> HittingProbabilities:
    """Return the hitting probabilities of all targets on all weekly snapshot days."""
    snapshot_days = np.arange(DAYS_PER_WEEK, world.days + 1, DAYS_PER_WEEK)
    remaining = remaining_work_days(world)
    by_target = (
        np.stack([hitting_probabilities(world, target, snapshot_days, work_days_left=days) for days in remaining])
        for target in TARGETS
    )
    return HittingProbabilities(snapshot_days, remaining, tuple(by_target))


def target_probabilities(
    world: World, attributes: LeadAttributes, paths: LeadPaths, leads: Integers, hitting: HittingProbabilities
) -> TargetProbabilities:
    """Return the probability of each target for some leads, on all snapshot dates on which they are open.

    Parameters
    ----------
    world
        The parameters of the simulation.
    attributes, paths
        The leads of a chunk.
    leads
        Positions of the leads that get a probability, ascending.
    hitting
        From `weekly_hitting_probabilities` of the same world.

    Notes
    -----
    Sum over the interests of their posterior times the hitting probability, kept within [1e-12, 1 - 1e-12].
    """
    history = build_history(world, attributes, paths, leads)
    rows = []
    for snapshot, (day, lead, posterior) in enumerate(interest_posteriors(world, history, hitting.snapshot_days)):
        state = history.state[lead, day - 1]
        days_left = np.maximum(history.work_end[lead, day - 1] - day, 0)
        variant = np.searchsorted(hitting.work_days_left, days_left)
        for number, (target, table) in enumerate(zip(TARGETS, hitting.by_target, strict=True)):
            in_population = np.isin(state, target.population)
            if CUSTOMER in target.population:
                in_population &= history.customer_recorded[lead] < day
            row = lead[in_population]
            given_interest = table[variant[in_population], snapshot, state[in_population], history.fit_level[row]]
            probability = (posterior[in_population] * given_interest).sum(axis=1)
            horizon_end = day + target.horizon
            in_horizon = history.state[row, day : min(horizon_end, world.days)]
            reached = (in_horizon == target.state).any(axis=1).astype(np.int64)
            reached = reached if horizon_end <= world.days else np.full(len(row), -1)
            probability = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
            rows.append((leads[row], np.full(len(row), day), np.full(len(row), number), probability, reached))
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return TargetProbabilities(*(column[order] for column in columns))


def interest_posteriors(
    world: World, history: LeadHistory, snapshot_days: Integers
) -> Iterator[tuple[int, Integers, Floats]]:
    """Yield, for each snapshot day, the open leads and the posterior of their interest at the end of the day before.

    Parameters
    ----------
    world
        The parameters of the simulation.
    history
        The leads.
    snapshot_days
        Ascending.

    Yields
    ------
    tuple
        Snapshot day; positions of the open leads, shape (leads,); posteriors, shape (leads, interests).
    """
    # After the longest lag all activities of a day are recorded: its step is the same for all later snapshots.
    complete, complete_until = history.initial_posterior.copy(), 0
    for snapshot_day in snapshot_days.tolist():
        for day in range(complete_until, snapshot_day - LONGEST_LAG):
            lead = np.flatnonzero(history.at_risk[:, day])
            complete[lead] = _forward_step(world, history, complete[lead], lead, day=day, lag=LONGEST_LAG)
        complete_until = max(complete_until, snapshot_day - LONGEST_LAG)
        is_open = ~np.isin(history.state[:, snapshot_day - 1], (REJECTED, *CLOSED))
        open_leads = np.flatnonzero((history.created_day < snapshot_day) & is_open)
        posterior = complete.copy()
        for day in range(complete_until, snapshot_day):
            lead = np.flatnonzero(history.at_risk[:, day] & is_open)
            lag = snapshot_day - 1 - day
            posterior[lead] = _forward_step(world, history, posterior[lead], lead, day=day, lag=lag)
        yield snapshot_day, open_leads, posterior[open_leads]


def build_history(world: World, attributes: LeadAttributes, paths: LeadPaths, leads: Integers) -> LeadHistory:
    """Return the history of some leads of a chunk.

    Parameters
    ----------
    world
        The parameters of the simulation.
    attributes, paths
        The leads of the chunk.
    leads
        Positions of the leads in the chunk, ascending.
    """
    row_of_lead = np.full(len(attributes.created), -1)
    row_of_lead[leads] = np.arange(len(leads))
    transitions, activities, restatements = paths.transitions, paths.activities, paths.restatements
    transition_row = row_of_lead[transitions.lead]
    state = _state_by_day(world, transition_row, transitions.day, transitions.state, leads=len(leads))
    at_risk = np.arange(world.days) > attributes.created_day[leads, None]
    at_risk[:, 1:] &= ~np.isin(state[:, :-1], CLOSED)
    worked_lead, monday = paths.work_starts[row_of_lead[paths.work_starts[:, 0]] >= 0].T
    work_end = np.zeros((len(leads), world.days), dtype=np.int64)
    work_end[row_of_lead[worked_lead], monday] = monday + world.work_days
    customer_recorded = np.full(len(leads), NEVER)
    to_customer = (transitions.state == CUSTOMER) & (transition_row >= 0)
    customer_recorded[transition_row[to_customer]] = (transitions.day + transitions.lag)[to_customer]
    rejected = transitions.state == REJECTED
    reason_terms = np.log(world.rejected_reason)[:, transitions.reason[rejected]].T
    timeline_log_probability = np.log(market.QUESTIONS[market.TIMELINE].probabilities_if_answered()[0])
    timeline_terms = timeline_log_probability[:, restatements.timeline - 1].T
    return LeadHistory(
        created_day=attributes.created_day[leads],
        fit_level=attributes.fit_level[leads],
        initial_posterior=_initial_posterior(attributes)[leads],
        state=state,
        at_risk=at_risk,
        work_end=np.maximum.accumulate(work_end, axis=1),
        customer_recorded=customer_recorded,
        activities=_split_by_day(world, row_of_lead[activities.lead], activities.day, activities.kind, activities.lag),
        log_likelihoods=_split_by_day(
            world,
            np.concatenate([transition_row[rejected], row_of_lead[restatements.lead]]),
            np.concatenate([transitions.day[rejected], restatements.day]),
            np.concatenate([reason_terms, timeline_terms]),
        ),
    )


def _initial_posterior(attributes: LeadAttributes) -> Floats:
    """Return the posterior of the initial interest given the attributes and the answers, shape (leads, interests)."""
    prior = attributes.interest_prior
    log_joint = np.log(np.maximum(prior, 1e-300)) + attributes.answer_log_likelihood()
    joint = np.where(prior > 0, np.exp(log_joint - log_joint.max(axis=1, keepdims=True)), 0.0)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _forward_step(
    world: World, history: LeadHistory, posterior: Floats, lead: Integers, *, day: int, lag: int
) -> Floats:
    """Return the posterior of the interest after one more day, given its activities with at most this lag."""
    if not len(lead):
        return posterior
    before, after = history.state[lead, day - 1], history.state[lead, day]
    group, level = GROUP_OF_STATE[before], history.fit_level[lead]
    rates = activity_rates(world, day)
    probabilities = transition_probabilities(world, day)[before, after, level]
    if world.worked_share:
        if_worked = transition_probabilities(world, day, worked=True)[before, after, level]
        probabilities = np.where(history.work_end[lead, day, None] > day, if_worked, probabilities)
    recorded_rate = (rates * world.activity_lag[:, : lag + 1].sum(axis=1)).sum(axis=2)
    event_terms = np.zeros((len(history.fit_level), len(INTERESTS)))
    activity_lead, kind, activity_lag = history.activities[day]
    activity_lead, kind = activity_lead[activity_lag <= lag], kind[activity_lag <= lag]
    state_of_activity = history.state[activity_lead, day - 1]
    np.add.at(event_terms, activity_lead, np.log(rates)[GROUP_OF_STATE[state_of_activity], :, kind])
    np.add.at(event_terms, *history.log_likelihoods[day])
    with np.errstate(divide="ignore"):  # the log of an impossible event is minus infinity
        log_prior = np.log(np.einsum("ny,nyz->nz", posterior, world.interest_transition[group]))
        log_joint = log_prior + event_terms[lead] - recorded_rate[group] + np.log(probabilities)
    joint = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _state_by_day(world: World, row: Integers, day: Integers, new_state: Integers, *, leads: int) -> Integers:
    """Return the state of each lead at the end of each day, shape (leads, days); rows below 0 are of other leads."""
    ours = row >= 0
    row, day, new_state = row[ours], day[ours], new_state[ours]
    state = np.full((leads, world.days), LEAD)
    state[row, day] = new_state
    last_transition = np.zeros((leads, world.days), dtype=np.int64)
    last_transition[row, day] = day
    last_transition = np.maximum.accumulate(last_transition, axis=1)
    return np.take_along_axis(state, last_transition, axis=1)


def _split_by_day(world: World, row: Integers, day: Integers, *values: Any) -> list[Any]:
    """Return rows and values for each day, without rows below 0, which are of other leads."""
    order = np.argsort(day, kind="stable")
    order = order[row[order] >= 0]
    bounds = np.searchsorted(day[order], np.arange(world.days + 1))
    columns = [column[order] for column in (row, *values)]
    return [tuple(column[start:end] for column in columns) for start, end in pairwise(bounds.tolist())]
