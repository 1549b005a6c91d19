"""Paths of simulated leads: each event is one that the world allows, on a day after the lead was created."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadml.simulator import market
from leadml.simulator.lead_attributes import LeadAttributes, sample_leads
from leadml.simulator.paths import WORKABLE, LeadPaths, simulate_paths
from leadml.simulator.world import CLOSED, DEMO_REQUEST, FORM, KINDS, LOST, REJECTED, STATE_TRANSITIONS, standard_world

WORLD = standard_world(200)
EVENTS = ("activities", "transitions", "restatements")


@pytest.fixture(scope="module")
def chunk() -> tuple[LeadAttributes, LeadPaths]:
    """Return 3,000 leads and their paths over 200 days."""
    attributes = sample_leads(WORLD, 3000, np.random.default_rng(1))
    return attributes, simulate_paths(WORLD, attributes, np.random.default_rng(2))


def _states_before(paths: LeadPaths, leads: int) -> list[tuple[int, int, int]]:
    """Return lead, origin and destination of each transition, in the order of days."""
    state, found = [0] * leads, []
    for lead, destination in zip(paths.transitions.lead.tolist(), paths.transitions.state.tolist(), strict=True):
        found.append((lead, state[lead], destination))
        state[lead] = destination
    return found


def _equal(one: LeadPaths, other: LeadPaths) -> bool:
    return all(
        np.array_equal(column, getattr(getattr(other, name), key))
        for name in EVENTS
        for key, column in vars(getattr(one, name)).items()
    )


def test_a_seed_gives_the_same_paths(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """Another gives others."""
    attributes, paths = chunk

    assert _equal(simulate_paths(WORLD, attributes, np.random.default_rng(2)), paths)
    assert not _equal(simulate_paths(WORLD, attributes, np.random.default_rng(3)), paths)


@pytest.mark.parametrize("name", EVENTS)
def test_events_come_after_the_day_of_creation_and_in_the_order_of_days(
    chunk: tuple[LeadAttributes, LeadPaths], name: str
) -> None:
    """None is on a day after the simulation."""
    attributes, paths = chunk
    events = getattr(paths, name)

    assert len(events.day) > 100
    assert (np.diff(events.day) >= 0).all()
    assert (events.day > attributes.created_day[events.lead]).all()
    assert events.day.max() < WORLD.days


def test_transitions_are_those_of_the_world_at_most_one_a_day(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """Each begins in the state that the one before ended in; only rejected and lost have a reason."""
    attributes, paths = chunk
    transitions = paths.transitions
    possible = {(each.origin, each.destination) for each in STATE_TRANSITIONS}

    assert {pair[1:] for pair in _states_before(paths, len(attributes.created))} <= possible
    pairs = np.stack([transitions.lead, transitions.day], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert ((transitions.reason >= 0) == np.isin(transitions.state, (REJECTED, LOST))).all()


def test_a_closed_lead_has_no_more_events(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """It may still act on the day on which it is closed, before it is."""
    attributes, paths = chunk
    closed = np.full(len(attributes.created), WORLD.days)
    ends = np.isin(paths.transitions.state, CLOSED)
    closed[paths.transitions.lead[ends]] = paths.transitions.day[ends]

    assert (closed < WORLD.days).sum() > 200
    for name in EVENTS:
        events = getattr(paths, name)
        assert (events.day <= closed[events.lead]).all()


def test_lags_are_those_of_their_kinds(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """None has a probability of 0, and shares agree with the distribution."""
    activities = chunk[1].activities
    assert (WORLD.activity_lag[activities.kind, activities.lag] > 0).all()
    call = activities.kind == KINDS.index("call")
    shares = np.bincount(activities.lag[call], minlength=WORLD.activity_lag.shape[1]) / call.sum()
    assert np.abs(shares - WORLD.activity_lag[KINDS.index("call")]).max() < 0.1
    transitions = chunk[1].transitions
    assert (WORLD.outcome_lag[transitions.state, transitions.lag] > 0).all()


def test_restatements_are_of_forms_and_demo_requests_at_most_one_a_day(
    chunk: tuple[LeadAttributes, LeadPaths],
) -> None:
    """They have lead and day of the activity; a budget is filled once, and only where it was blank."""
    attributes, paths = chunk
    restatements, activities = paths.restatements, paths.activities
    pairs = np.stack([restatements.lead, restatements.day], axis=1)
    filled = restatements.lead[restatements.budget > 0]

    assert set(activities.kind[restatements.activity].tolist()) <= {FORM, DEMO_REQUEST}
    assert np.array_equal(activities.lead[restatements.activity], restatements.lead)
    assert np.array_equal(activities.day[restatements.activity], restatements.day)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert restatements.timeline.min() >= 1
    assert len(filled) == len(set(filled.tolist())) > 0
    assert (attributes.answers[filled, market.BUDGET] == 0).all()


@pytest.mark.slow
def test_a_drift_changes_nothing_before_its_first_day(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """Activities and transitions until then are the same, and later ones are not."""
    attributes, plain = chunk
    for drift in ("behaviour", "base_rate"):
        drifted = simulate_paths(replace(WORLD, drift=drift, drift_day=120), attributes, np.random.default_rng(2))
        for name in ("activities", "transitions"):
            one, other = getattr(plain, name), getattr(drifted, name)
            before = [np.stack([events.lead, events.day], axis=1)[events.day < 120].tolist() for events in (one, other)]
            assert before[0] == before[1]
        assert not _equal(plain, drifted)


def test_sales_begins_work_on_mondays_within_its_capacity(chunk: tuple[LeadAttributes, LeadPaths]) -> None:
    """Of leads that can be worked; without a share nobody is worked."""
    attributes, plain = chunk
    world = replace(WORLD, worked_share=0.01)
    paths = simulate_paths(world, attributes, np.random.default_rng(2))
    lead, monday = paths.work_starts.T

    assert plain.work_starts.shape == (0, 2)
    assert set((monday % 7).tolist()) == {0}
    assert np.bincount(monday).max() <= round(0.01 * 3000)
    assert (attributes.created_day[lead] < monday).all()
    assert not set(WORKABLE) & set(CLOSED)
    forward = np.isin(paths.transitions.state, (1, 2, 4, 5, 6)).sum()
    assert forward > np.isin(plain.transitions.state, (1, 2, 4, 5, 6)).sum()


def test_a_world_of_one_day_has_no_events() -> None:
    """A lead can do something on the day after its creation only."""
    world = standard_world(1)
    paths = simulate_paths(world, sample_leads(world, 50, np.random.default_rng(1)), np.random.default_rng(2))

    assert [len(getattr(paths, name).day) for name in EVENTS] == [0, 0, 0]
