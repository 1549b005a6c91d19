"""Live the lives of a chunk of leads, day by day.

What enters is a `World`, `People` and a generator; what leaves is a `Life`: acts, moves and restatements by day.
It refuses nothing; hours, channels and texts are added by `tables`, and what is not drawn in the order of days is not
drawn here, so that a change from some day on leaves what was before as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leadml.simulate import market
from leadml.simulate.draw import pick
from leadml.simulate.rates import act_rates, move_chances
from leadml.simulate.world import (
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

    from leadml.simulate.people import People
    from leadml.simulate.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

WORKABLE = (LEAD, MQL, SAL, SQL, OPPORTUNITY)
WEEK = 7


@dataclass(frozen=True)
class Acts:
    """What leads do: position of the lead, day, kind, days until recorded, and the interest behind it."""

    lead: Integers
    day: Integers
    kind: Integers
    lag: Integers
    interest: Integers


@dataclass(frozen=True)
class Moves:
    """Where leads go: position of the lead, day, new state, days until recorded, reason (-1 for none)."""

    lead: Integers
    day: Integers
    to: Integers
    lag: Integers
    reason: Integers


@dataclass(frozen=True)
class Restated:
    """Timelines stated anew, in the order of days.

    Parameters
    ----------
    act
        Position of the act with which it was said.
    lead, day
        Those of the act.
    timeline
        The answer, from 1.
    budget
        The answer to the budget, 0 where it is left as it was.
    """

    act: Integers
    lead: Integers
    day: Integers
    timeline: Integers
    budget: Integers


@dataclass(frozen=True)
class Life:
    """All that happens to a chunk of leads; ``worked`` is pairs of lead and Monday."""

    acts: Acts
    moves: Moves
    restated: Restated
    worked: Integers


@dataclass
class _Now:
    """Where all leads of a chunk are, and what happened so far."""

    state: Integers
    interest: Integers
    level: Integers
    worked_on: Integers
    last_seen: Integers
    acts: list[tuple[Integers, ...]] = field(default_factory=list)
    moves: list[tuple[Integers, ...]] = field(default_factory=list)
    worked: list[tuple[Integers, ...]] = field(default_factory=list)


def live(world: World, people: People, rng: Generator) -> Life:
    """Return what happens to the leads from the day after they come to the end of the simulation."""
    leads, (restating,) = len(people.created), rng.spawn(1)
    never = np.full(leads, -world.work_days)
    now = _Now(np.zeros(leads, np.int64), people.interest.copy(), people.level, never, people.created_day.copy())
    known = np.searchsorted(people.created_day, np.arange(world.days + 1))
    active = np.arange(0)
    for day in range(world.days):
        came = np.arange(known[max(day - 1, 0)], known[day])
        active = np.concatenate([active[~np.isin(now.state[active], CLOSED)], came])
        if world.worked_share and day % WEEK == 0 and day < world.worked_until:
            _work(world, now, active, day, rng)
        _change_interest(world, now, active, rng)
        _act(world, now, active, day, rng)
        _move(world, now, active, day, rng)
    acts = Acts(*_columns(now.acts, 5))
    restated = _restate(world, people, acts, restating)
    return Life(acts, Moves(*_columns(now.moves, 5)), restated, np.stack(_columns(now.worked, 2), axis=1))


def _change_interest(world: World, now: _Now, active: Integers, rng: Generator) -> None:
    group, interest = GROUP_OF_STATE[now.state[active]], now.interest[active]
    stays = world.transition[:, range(world.transition.shape[1]), range(world.transition.shape[1])]
    left = rng.random(len(active)) >= stays[group, interest]
    group, interest = group[left], interest[left]
    chances = world.transition[group, interest]
    chances[np.arange(len(chances)), interest] = 0.0
    now.interest[active[left]] = pick(rng.random(len(chances)), chances / chances.sum(axis=1, keepdims=True))


def _act(world: World, now: _Now, active: Integers, day: int, rng: Generator) -> None:
    rates = act_rates(world, day)
    total = rates.sum(axis=2)
    count = rng.poisson(total[GROUP_OF_STATE[now.state[active]], now.interest[active]])
    lead = np.repeat(active, count)
    group, interest = GROUP_OF_STATE[now.state[lead]], now.interest[lead]
    kind = pick(rng.random(len(lead)), (rates / total[:, :, None])[group, interest])
    lag = pick(rng.random(len(lead)), world.lag[kind])
    now.acts.append((lead, np.full(len(lead), day), kind, lag, interest))


def _move(world: World, now: _Now, active: Integers, day: int, rng: Generator) -> None:
    chances = move_chances(world, day)
    state, interest, level = now.state[active], now.interest[active], now.level[active]
    stays = chances[range(len(chances)), range(len(chances))]
    stay = stays[state, level, interest]
    if world.worked_share:
        worked = now.worked_on[active] > day - world.work_days
        pushed = move_chances(world, day, worked=True)
        stay = np.where(worked, pushed[range(len(pushed)), range(len(pushed))][state, level, interest], stay)
    left = rng.random(len(active)) >= stay
    state, interest, level = state[left], interest[left], level[left]
    ways = chances[state, :, level, interest]
    if world.worked_share:
        ways = np.where(worked[left, None], pushed[state, :, level, interest], ways)
    ways[np.arange(len(ways)), state] = 0.0
    lead = active[left]
    random = rng.random((3, len(lead)))
    to = pick(random[0], ways / ways.sum(axis=1, keepdims=True))
    lag = pick(random[1], world.outcome_lag[to])
    why = np.where((to == REJECTED)[:, None], world.rejected_reason[interest], world.lost_reason[interest])
    reason = np.where(np.isin(to, (REJECTED, LOST)), pick(random[2], why), -1)
    now.state[lead] = to
    now.moves.append((lead, np.full(len(lead), day), to, lag, reason))


def _work(world: World, now: _Now, active: Integers, day: int, rng: Generator) -> None:
    """Work the open leads whose newest recorded act is the newest, ties by lot."""
    for lead, done, _, lag, _ in now.acts[-(WEEK + world.lag.shape[1]) :]:
        seen = done + lag < day
        np.maximum.at(now.last_seen, lead[seen], done[seen])
    known = active[np.isin(now.state[active], WORKABLE)]
    order = np.lexsort((rng.random(len(known)), -now.last_seen[known]))
    chosen = np.sort(known[order[: round(world.worked_share * len(now.state))]])
    now.worked_on[chosen] = day
    now.worked.append((chosen, np.full(len(chosen), day)))


def _restate(world: World, people: People, acts: Acts, rng: Generator) -> Restated:
    """Return the timelines stated anew on days with a form, in the order of days."""
    asked = np.flatnonzero(np.isin(acts.kind, (FORM, DEMO_REQUEST)))
    _, first = np.unique(acts.day[asked] * len(people.created) + acts.lead[asked], return_index=True)
    random = rng.random((len(first), 4))
    said = random[:, 0] < world.restated
    act, random = asked[first[said]], random[said]
    lead, interest = acts.lead[act], acts.interest[act]
    timeline = 1 + pick(random[:, 1], market.QUESTIONS[market.TIMELINE].given()[0, interest])
    blank = people.answers[lead, market.BUDGET] == 0
    filled = (random[:, 2] < world.filled) & blank
    shares = np.array(market.QUESTIONS[market.BUDGET].weight)[people.groups[market.BUDGET][lead]]
    budget = np.where(filled, 1 + pick(random[:, 3], shares), 0)
    return Restated(act, lead, acts.day[act], timeline, _once(lead, budget))


def _once(lead: Integers, value: Integers) -> Integers:
    """Return the values with all but the first that is above 0 of each lead set to 0."""
    kept = np.zeros_like(value)
    at = np.flatnonzero(value)
    _, first = np.unique(lead[at], return_index=True)
    kept[at[first]] = value[at[first]]
    return kept


def _columns(rows: Iterable[tuple[Integers, ...]], count: int) -> list[Integers]:
    parts = [*rows]
    empty = [np.arange(0)] * count
    return [np.concatenate(column) for column in zip(empty, *parts, strict=True)]
