"""Turn lives into the dated tables that a CRM would export.

What enters is `People`, a `Life` and generators for hours and channels; what leaves is Arrow tables of leads,
activities and outcomes, as recorded by the end of the simulation.
It refuses to show what nobody would see: interest stays out, and so does what is recorded after the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.simulate import market
from leadml.simulate.draw import pick
from leadml.simulate.people import SECONDS_A_DAY, START, second_of_day
from leadml.simulate.world import FORM, KINDS, REASONS, STATES, TARGETS, WORKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulate.paths import Life
    from leadml.simulate.people import People
    from leadml.simulate.truth import Truths
    from leadml.simulate.world import World

    Integers = NDArray[np.int64]

INSTANT = pa.timestamp("us", tz="UTC")
TRUTH = pa.schema(
    {
        "lead_id": pa.string(),
        "as_of": INSTANT,
        "target": pa.string(),
        "probability": pa.float64(),
        "reached": pa.bool_(),
    }
)
EVENING, EVENING_HOURS = 20, 2  # moves come after the last act of their day
MORNING = 5
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"][:64]
BITS, PARTS = 6, 5
SCATTER = 0x2545F491  # odd, so that each number has its own token
CAME_BY_FORM = ("organic", "paid_search")


def lead_ids(first: int, count: int) -> pa.Array:
    """Return the ids of a chunk's leads.

    Examples
    --------
    >>> lead_ids(25_000, 2).to_pylist()
    ['L00025000', 'L00025001']
    """
    return _numbered("L", first, count)


def instants(seconds: Integers) -> pa.Array:
    """Return seconds since the start as instants.

    Examples
    --------
    >>> str(instants(np.array([90]))[0])
    '2024-01-01 00:01:30+00:00'
    """
    start = START.astype("datetime64[us]").astype(np.int64)
    return pa.array(start + seconds * 1_000_000, pa.int64()).cast(INSTANT)


def act_seconds(life: Life, rng: Generator) -> Integers:
    """Return when each act happens, in seconds since the start."""
    return life.acts.day * SECONDS_A_DAY + second_of_day(rng, len(life.acts.day))


def leads_table(people: People, life: Life, seconds: Integers, *, first: int) -> pa.Table:
    """Return one row a state of a lead: one as it came, and one for each timeline stated anew.

    Parameters
    ----------
    people, life
        The chunk.
    seconds
        When each act of ``life`` happened, from `act_seconds`.
    first
        Number of the chunk's first lead.
    """
    restated, firms = life.restated, people.firms
    lead = np.concatenate([np.arange(len(people.created)), restated.lead])
    order = np.argsort(lead, kind="stable")
    lead = lead[order]
    since = np.concatenate([people.created, seconds[restated.act]])[order]
    answers = people.answers[lead]
    answers[:, market.TIMELINE] = np.concatenate([people.answers[:, market.TIMELINE], restated.timeline])[order]
    budget = np.concatenate([people.answers[:, market.BUDGET], restated.budget])[order]
    answers[:, market.BUDGET] = np.maximum.accumulate(lead * 8 + budget) - lead * 8  # once filled, it stays
    firm = people.firm[lead]
    title = [form.format(department) for form in market.TITLES for department in market.DEPARTMENTS]
    columns = {
        "lead_id": lead_ids(first, len(people.created)).take(pa.array(lead)),
        "account_id": _numbered("A", first, len(firms.industry)).take(pa.array(firm)),
        "created_at": instants(people.created[lead]),
        "recorded_at": instants(since),
        "valid_from": instants(since),
        "source": _words(market.SOURCES, people.source[lead]),
        "industry": _words(market.INDUSTRIES, firms.industry[firm]),
        "employees": pa.array(firms.employees[firm]),
        "country": _words(market.COUNTRIES, firms.country[firm]),
        "technology": _words(market.TECHNOLOGIES, firms.technology[firm]),
        "job_title": _words(title, people.rank[lead] * len(market.DEPARTMENTS) + people.department[lead]),
        "email": emails(people, first=first).take(pa.array(lead)),
    }
    for at, question in enumerate(market.QUESTIONS):
        columns[question.name] = _words((None, *question.values), answers[:, at])
    return pa.table(columns)


def activities_table(
    world: World, people: People, life: Life, seconds: Integers, *, first: int, rng: Generator
) -> pa.Table:
    """Return one row an act, with the forms by which leads came and the flags of sales among them."""
    acts, (worked, monday) = life.acts, life.worked.T
    drawn, hours = rng.spawn(2)
    channel = pick(drawn.random(len(acts.kind)), np.array(market.CHANNEL_OF_KIND)[acts.kind])
    late = acts.lag > 0
    recorded = (acts.day + acts.lag) * SECONDS_A_DAY + second_of_day(hours, len(acts.day))
    came = np.flatnonzero(np.isin(np.array(market.SOURCES)[people.source], CAME_BY_FORM))
    at_work = monday * SECONDS_A_DAY + MORNING * 3600
    lead = np.concatenate([came, acts.lead, worked])
    occurred = np.concatenate([people.created[came], seconds, at_work])
    recorded = np.concatenate([people.created[came], np.where(late, recorded, seconds), at_work])
    kind = np.concatenate([np.full(len(came), FORM), acts.kind, np.full(len(worked), WORKED)])
    channel = np.concatenate([np.zeros(len(came), np.int64), channel, np.full(len(worked), market.BY_PHONE)])
    order = np.lexsort((kind, occurred, lead))
    order = order[recorded[order] < world.days * SECONDS_A_DAY]
    return pa.table(
        {
            "lead_id": lead_ids(first, len(people.created)).take(pa.array(lead[order])),
            "occurred_at": instants(occurred[order]),
            "recorded_at": instants(recorded[order]),
            "kind": _words((*KINDS, "worked"), kind[order]),
            "channel": _words(market.CHANNELS, channel[order]),
        }
    )


def outcomes_table(world: World, people: People, life: Life, *, first: int, rng: Generator) -> pa.Table:
    """Return one row a move, in the order of leads and days."""
    moves = life.moves
    random = rng.random((len(moves.day), 2))
    occurred = moves.day * SECONDS_A_DAY + ((EVENING + EVENING_HOURS * random[:, 0]) * 3600).astype(np.int64)
    later = (moves.day + moves.lag) * SECONDS_A_DAY + (SECONDS_A_DAY * (0.3 + 0.5 * random[:, 1])).astype(np.int64)
    recorded = np.where(moves.lag > 0, later, occurred)
    order = np.lexsort((moves.day, moves.lead))
    order = order[recorded[order] < world.days * SECONDS_A_DAY]
    return pa.table(
        {
            "lead_id": lead_ids(first, len(people.created)).take(pa.array(moves.lead[order])),
            "occurred_at": instants(occurred[order]),
            "recorded_at": instants(recorded[order]),
            "outcome": _words(STATES, moves.to[order]),
            "reason": _words((*REASONS, None), moves.reason[order] % (len(REASONS) + 1)),
        }
    )


def truth_table(found: Truths, *, first: int) -> pa.Table:
    """Return one row a lead, look date and target."""
    columns = [
        lead_ids(first, 1 + int(found.lead.max(initial=0))).take(pa.array(found.lead)),
        instants(found.look * SECONDS_A_DAY),
        _words([target.name for target in TARGETS], found.target),
        pa.array(found.probability),
        pa.array(found.reached == 1, pa.bool_(), mask=found.reached < 0),
    ]
    return pa.table(columns, schema=TRUTH)


def emails(people: People, *, first: int) -> pa.Array:
    """Return a made-up address for each lead, at its firm's made-up domain or at a provider of free mail."""
    local = _tokens(np.arange(first, first + len(people.created)))
    firm = pc.binary_join_element_wise(_tokens(first + people.firm), "example", ".")
    free = _words((*market.FREE_MAIL, None), people.free_mail % (len(market.FREE_MAIL) + 1))
    return pc.binary_join_element_wise(local, pc.coalesce(free, firm), "@")


def _tokens(numbers: Integers) -> pa.Array:
    scattered = numbers * SCATTER % (1 << (BITS * PARTS))
    syllables = [(scattered >> (BITS * part)) % (1 << BITS) for part in range(PARTS)]
    return pc.binary_join_element_wise(*(_words(SYLLABLES, part) for part in syllables), "")


def _numbered(letter: str, first: int, count: int) -> pa.Array:
    return pa.array([f"{letter}{number:08d}" for number in range(first, first + count)], pa.string())


def _words(words: Sequence[str | None], positions: Integers) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(positions))
