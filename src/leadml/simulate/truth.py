"""The exact probability of each target, given what is recorded and that it has not been reached yet.

What enters is a `World`, some leads and their `Life`; what leaves is, for each weekly look date, what the records say
of the interest of each open lead, and from it the probability of each target.
It refuses to look at interest itself, at acts that are not yet recorded, and at anything from the look date on.

Notes
-----
The forward algorithm of hidden Markov models (Rabiner, "A tutorial on hidden Markov models and selected applications in
speech recognition", Proceedings of the IEEE 77, 1989). Acts of a day are Poisson; those recorded by the look date are
Poisson with rates thinned by the chance of having been recorded, and say nothing of those that are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.simulate import market
from leadml.simulate.rates import act_rates, move_chances
from leadml.simulate.target_probability import WEEK, reach, work_left
from leadml.simulate.world import (
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

    from leadml.simulate.paths import Life
    from leadml.simulate.people import People
    from leadml.simulate.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SMALLEST = 1e-12
NEVER = 1 << 40


@dataclass(frozen=True)
class Past:
    """What has happened to some leads, as a filter needs it: no interest is in here.

    Parameters
    ----------
    created, level
        Of each lead.
    first
        Shape (leads, interests): what is believed at the end of the day on which the lead comes.
    state
        Shape (leads, days): position in the funnel at the end of each day.
    awake
        Shape (leads, days): whether a day can say something of a lead: it had come, and was not closed, before it.
    work_ends
        Shape (leads, days): first day on which work begun by a day no longer shows, 0 where there was none.
    customer_known
        Day on whose end each lead is recorded as a customer, a far one where never.
    acts
        For each day, what its acts say: positions of leads, kinds and lags.
    said
        For each day, positions of leads and log-likelihoods of the reasons and timelines that are recorded on it.
    """

    created: Integers
    level: Integers
    first: Floats
    state: Integers
    awake: Mask
    work_ends: Integers
    customer_known: Integers
    acts: list[tuple[Integers, Integers, Integers]]
    said: list[tuple[Integers, Floats]]


@dataclass(frozen=True)
class Truths:
    """Rows of truth: position of the lead, look day, position in ``TARGETS``, probability, and what came of it.

    ``reached`` is 1 or 0, -1 where the horizon ends after the simulation.
    """

    lead: Integers
    look: Integers
    target: Integers
    probability: Floats
    reached: Integers


@dataclass(frozen=True)
class Reaches:
    """The tables of `reach` for all look days: one for each target, first axis as in `work_left`."""

    looks: Integers
    left: list[int]
    tables: tuple[Floats, ...]


def all_reaches(world: World) -> Reaches:
    """Return the probability of all targets from every state on every weekly look date."""
    looks, left = np.arange(WEEK, world.days + 1, WEEK), work_left(world)
    tables = (np.stack([reach(world, target, looks, worked=days) for days in left]) for target in TARGETS)
    return Reaches(looks, left, tuple(tables))


def truths(world: World, people: People, life: Life, chosen: Integers, reaches: Reaches) -> Truths:
    """Return the probability of each target for some leads on all look dates of their open lives.

    Parameters
    ----------
    world, people, life
        The chunk.
    chosen
        Positions of the leads, rising.
    reaches
        From `all_reaches` of the same world.
    """
    past = past_of(world, people, life, chosen)
    rows = []
    for at, (look, who, belief) in enumerate(beliefs(world, past, reaches.looks)):
        state = past.state[who, look - 1]
        left = np.maximum(past.work_ends[who, look - 1] - look, 0)
        variant = np.searchsorted(reaches.left, left)
        for number, (target, table) in enumerate(zip(TARGETS, reaches.tables, strict=True)):
            asked = np.isin(state, target.population)
            if CUSTOMER in target.population:
                asked &= past.customer_known[who] < look
            lead = who[asked]
            from_here = table[variant[asked], at, state[asked], past.level[lead]]
            probability = np.clip((belief[asked] * from_here).sum(axis=1), SMALLEST, 1 - SMALLEST)
            until = min(look + target.horizon, world.days)
            reached = (past.state[lead, look:until] == target.state).any(axis=1).astype(np.int64)
            reached = reached if look + target.horizon <= world.days else np.full(len(lead), -1)
            same = np.ones(len(lead), np.int64)
            rows.append((chosen[lead], look * same, number * same, probability, reached))
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return Truths(*(column[order] for column in columns))


def beliefs(world: World, past: Past, looks: Integers) -> Iterator[tuple[int, Integers, Floats]]:
    """Yield for each look day the open leads and what is believed of their interest at the end of the day before.

    Parameters
    ----------
    world
        The numbers.
    past
        The leads.
    looks
        Look days, rising.

    Yields
    ------
    tuple
        Look day, positions of the leads, shape (leads,), and beliefs, shape (leads, interests).
    """
    settled, until = past.first.copy(), 0
    for look in looks.tolist():
        for day in range(until, look - LONGEST_LAG):
            who = np.flatnonzero(past.awake[:, day])
            settled[who] = _step(world, past, settled[who], who, day=day, lag=LONGEST_LAG)
        until = max(until, look - LONGEST_LAG)
        open_now = ~np.isin(past.state[:, look - 1], (REJECTED, *CLOSED))
        who = np.flatnonzero((past.created < look) & open_now)
        belief = settled.copy()
        for day in range(until, look):
            awake = np.flatnonzero(past.awake[:, day] & open_now)
            belief[awake] = _step(world, past, belief[awake], awake, day=day, lag=look - 1 - day)
        yield look, who, belief[who]


def past_of(world: World, people: People, life: Life, chosen: Integers) -> Past:
    """Return what has happened to some leads of a chunk."""
    place = np.full(len(people.created), -1)
    place[chosen] = np.arange(len(chosen))
    moves, acts, restated = life.moves, life.acts, life.restated
    state = _states(world, place[moves.lead], moves.day, moves.to, leads=len(chosen))
    awake = np.arange(world.days) > people.created_day[chosen, None]
    awake[:, 1:] &= ~np.isin(state[:, :-1], CLOSED)
    worked, monday = life.worked[place[life.worked[:, 0]] >= 0].T
    work_ends = np.zeros((len(chosen), world.days), dtype=np.int64)
    work_ends[place[worked], monday] = monday + world.work_days
    known = np.full(len(chosen), NEVER)
    bought = (moves.to == CUSTOMER) & (place[moves.lead] >= 0)
    known[place[moves.lead[bought]]] = (moves.day + moves.lag)[bought]
    why = moves.to == REJECTED
    timeline = np.log(market.QUESTIONS[market.TIMELINE].given()[0])
    lead = np.concatenate([place[moves.lead[why]], place[restated.lead]])
    day = np.concatenate([moves.day[why], restated.day])
    said = np.concatenate([np.log(world.rejected_reason)[:, moves.reason[why]].T, timeline[:, restated.timeline - 1].T])
    first = np.log(np.maximum(people.prior, 1e-300)) + people.evidence()
    first = np.where(people.prior > 0, np.exp(first - first.max(axis=1, keepdims=True)), 0.0)[chosen]
    return Past(
        created=people.created_day[chosen],
        level=people.level[chosen],
        first=first / first.sum(axis=1, keepdims=True),
        state=state,
        awake=awake,
        work_ends=np.maximum.accumulate(work_ends, axis=1),
        customer_known=known,
        acts=_by_day(world, place[acts.lead], acts.day, acts.kind, acts.lag),
        said=_by_day(world, lead, day, said),
    )


def _step(world: World, past: Past, belief: Floats, who: Integers, *, day: int, lag: int) -> Floats:
    """Return what is believed after one more day, of which acts recorded within ``lag`` days are known."""
    if not len(who):
        return belief
    before, after = past.state[who, day - 1], past.state[who, day]
    group, level = GROUP_OF_STATE[before], past.level[who]
    rates = act_rates(world, day)
    chances = move_chances(world, day)[before, after, level]
    if world.worked_share:
        pushed = move_chances(world, day, worked=True)[before, after, level]
        chances = np.where(past.work_ends[who, day, None] > day, pushed, chances)
    recorded = (rates * world.lag[:, : lag + 1].sum(axis=1)).sum(axis=2)
    known = np.zeros((len(past.level), len(INTERESTS)))
    lead, kind, late = past.acts[day]
    lead, kind = lead[late <= lag], kind[late <= lag]
    np.add.at(known, lead, np.log(rates)[GROUP_OF_STATE[past.state[lead, day - 1]], :, kind])
    lead, said = past.said[day]
    np.add.at(known, lead, said)
    with np.errstate(divide="ignore"):  # what cannot be has a log of minus infinity
        turned = np.log(np.einsum("ny,nyz->nz", belief, world.transition[group]))
        found = turned + known[who] - recorded[group] + np.log(chances)
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _states(world: World, lead: Integers, day: Integers, to: Integers, *, leads: int) -> Integers:
    """Return the state of each lead at the end of each day, shape (leads, days)."""
    ours = lead >= 0
    lead, day, to = lead[ours], day[ours], to[ours]
    state = np.full((leads, world.days), LEAD)
    state[lead, day] = to
    newest = np.zeros((leads, world.days), dtype=np.int64)
    newest[lead, day] = day
    newest = np.maximum.accumulate(newest, axis=1)
    return np.take_along_axis(state, newest, axis=1)


def _by_day(world: World, lead: Integers, day: Integers, *values: Any) -> list[Any]:
    """Return the rows of our leads, cut by day."""
    order = np.argsort(day, kind="stable")
    order = order[lead[order] >= 0]
    cuts = np.searchsorted(day[order], np.arange(world.days + 1))
    columns = [column[order] for column in (lead, *values)]
    return [tuple(column[start:end] for column in columns) for start, end in pairwise(cuts.tolist())]
