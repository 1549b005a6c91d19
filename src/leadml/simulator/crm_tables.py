"""Turn simulated leads into the dated tables of a CRM (leads, activities, outcomes) and into the table of the truth.

The tables of the CRM hold only what is recorded by the end of the simulation, and never the interest of a lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.simulator import market
from leadml.simulator.categorical import sample_categories
from leadml.simulator.lead_attributes import SECONDS_PER_DAY, START, sample_second_of_day
from leadml.simulator.world import FORM, KINDS, REASONS, STATES, TARGETS, WORKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulator.lead_attributes import LeadAttributes
    from leadml.simulator.paths import LeadPaths
    from leadml.simulator.truth import TargetProbabilities
    from leadml.simulator.world import World

    Integers = NDArray[np.int64]

INSTANT = pa.timestamp("us", tz="UTC")
TRUTH_SCHEMA = pa.schema(
    {
        "lead_id": pa.string(),
        "as_of": INSTANT,
        "target": pa.string(),
        "probability": pa.float64(),
        "reached": pa.bool_(),
    }
)
TRANSITION_HOUR, TRANSITION_HOURS = 20, 2  # outcomes occur after the last activity of their day
WORK_HOUR = 5  # before the first activity of the day, which is at FIRST_HOUR or later
FORM_SOURCES = ("organic", "paid_search")  # their leads are created by a form
# 2^6, so that six bits of a hash choose one.
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"][:64]
BITS_PER_SYLLABLE, SYLLABLES_PER_NAME = 6, 5  # 2^30 names: more than accounts of MOST_LEADS leads
HASH_MULTIPLIER = 0x2545F491  # odd, so that different numbers have different names


def lead_ids(first: int, count: int) -> pa.Array:
    """Return the ids of the leads of a chunk.

    Parameters
    ----------
    first
        Number of the first lead.
    count
        How many.

    Examples
    --------
    >>> lead_ids(25_000, 2).to_pylist()
    ['L00025000', 'L00025001']
    """
    return _numbered_ids("L", first, count)


def instants(seconds: Integers) -> pa.Array:
    """Return instants from seconds since the start of the simulation.

    Examples
    --------
    >>> str(instants(np.array([90]))[0])
    '2024-01-01 00:01:30+00:00'
    """
    start = START.astype("datetime64[us]").astype(np.int64)
    return pa.array(start + seconds * 1_000_000, pa.int64()).cast(INSTANT)


def sample_activity_seconds(paths: LeadPaths, rng: Generator) -> Integers:
    """Return the instant of each activity, in seconds since the start of the simulation.

    Parameters
    ----------
    paths
        The paths of a chunk of leads, which say the day.
    rng
        Source of random numbers, for the time of day.
    """
    return paths.activities.day * SECONDS_PER_DAY + sample_second_of_day(rng, len(paths.activities.day))


def leads_table(attributes: LeadAttributes, paths: LeadPaths, activity_seconds: Integers, *, first: int) -> pa.Table:
    """Return the table of leads: one row for a lead at its creation, and one for each restated timeline.

    Parameters
    ----------
    attributes, paths
        The leads of a chunk.
    activity_seconds
        From `sample_activity_seconds`.
    first
        Number of the first lead of the chunk.
    """
    restatements, accounts = paths.restatements, attributes.accounts
    lead = np.concatenate([np.arange(len(attributes.created)), restatements.lead])
    order = np.argsort(lead, kind="stable")
    lead = lead[order]
    valid_from = np.concatenate([attributes.created, activity_seconds[restatements.activity]])[order]
    answers = attributes.answers[lead]
    timeline = np.concatenate([attributes.answers[:, market.TIMELINE], restatements.timeline])
    answers[:, market.TIMELINE] = timeline[order]
    budget = np.concatenate([attributes.answers[:, market.BUDGET], restatements.budget])[order]
    # Later rows of a lead keep its budget: lead * 8 makes the running maximum start anew with each lead.
    answers[:, market.BUDGET] = np.maximum.accumulate(lead * 8 + budget) - lead * 8
    account = attributes.account[lead]
    titles = [template.format(department) for template in market.TITLES for department in market.DEPARTMENTS]
    title = attributes.rank[lead] * len(market.DEPARTMENTS) + attributes.department[lead]
    columns = {
        "lead_id": lead_ids(first, len(attributes.created)).take(pa.array(lead)),
        "account_id": _numbered_ids("A", first, len(accounts.industry)).take(pa.array(account)),
        "created_at": instants(attributes.created[lead]),
        "recorded_at": instants(valid_from),
        "valid_from": instants(valid_from),
        "source": _take(market.SOURCES, attributes.source[lead]),
        "industry": _take(market.INDUSTRIES, accounts.industry[account]),
        "employees": pa.array(accounts.employees[account]),
        "country": _take(market.COUNTRIES, accounts.country[account]),
        "technology": _take(market.TECHNOLOGIES, accounts.technology[account]),
        "job_title": _take(titles, title),
        "email": email_addresses(attributes, first=first).take(pa.array(lead)),
    }
    for column, question in enumerate(market.QUESTIONS):
        columns[question.name] = _take((None, *question.values), answers[:, column])
    return pa.table(columns)


def activities_table(
    world: World,
    attributes: LeadAttributes,
    paths: LeadPaths,
    activity_seconds: Integers,
    *,
    first: int,
    rng: Generator,
) -> pa.Table:
    """Return the table of activities, with the forms that create leads and the work of sales.

    Parameters
    ----------
    world
        The parameters of the simulation.
    attributes, paths
        The leads of a chunk.
    activity_seconds
        From `sample_activity_seconds`.
    first
        Number of the first lead of the chunk.
    rng
        Source of random numbers, for channels and for the time of late records.
    """
    activities, (worked_lead, monday) = paths.activities, paths.work_starts.T
    channel_rng, hour_rng = rng.spawn(2)
    channel_probability = np.array(market.CHANNEL_OF_KIND)[activities.kind]
    channel = sample_categories(channel_rng.random(len(activities.kind)), channel_probability)
    late_record = (activities.day + activities.lag) * SECONDS_PER_DAY
    late_record += sample_second_of_day(hour_rng, len(activities.day))
    recorded = np.where(activities.lag > 0, late_record, activity_seconds)
    by_form = np.flatnonzero(np.isin(np.array(market.SOURCES)[attributes.source], FORM_SOURCES))
    work_seconds = monday * SECONDS_PER_DAY + WORK_HOUR * 3600
    lead = np.concatenate([by_form, activities.lead, worked_lead])
    occurred = np.concatenate([attributes.created[by_form], activity_seconds, work_seconds])
    recorded = np.concatenate([attributes.created[by_form], recorded, work_seconds])
    kind = np.concatenate([np.full(len(by_form), FORM), activities.kind, np.full(len(worked_lead), WORKED)])
    website, phone = np.zeros(len(by_form), np.int64), np.full(len(worked_lead), market.PHONE_CHANNEL)
    channel = np.concatenate([website, channel, phone])
    order = np.lexsort((kind, occurred, lead))
    order = order[recorded[order] < world.days * SECONDS_PER_DAY]
    return pa.table(
        {
            "lead_id": lead_ids(first, len(attributes.created)).take(pa.array(lead[order])),
            "occurred_at": instants(occurred[order]),
            "recorded_at": instants(recorded[order]),
            "kind": _take((*KINDS, "worked"), kind[order]),
            "channel": _take(market.CHANNELS, channel[order]),
        }
    )


def outcomes_table(
    world: World, attributes: LeadAttributes, paths: LeadPaths, *, first: int, rng: Generator
) -> pa.Table:
    """Return the table of outcomes: one row per state transition, in the order of leads and days.

    Parameters
    ----------
    world
        The parameters of the simulation.
    attributes, paths
        The leads of a chunk.
    first
        Number of the first lead of the chunk.
    rng
        Source of random numbers, for the times of day.
    """
    transitions = paths.transitions
    uniform = rng.random((len(transitions.day), 2))
    second_of_day = ((TRANSITION_HOUR + TRANSITION_HOURS * uniform[:, 0]) * 3600).astype(np.int64)
    occurred = transitions.day * SECONDS_PER_DAY + second_of_day
    second_of_record = (SECONDS_PER_DAY * (0.3 + 0.5 * uniform[:, 1])).astype(np.int64)
    late_record = (transitions.day + transitions.lag) * SECONDS_PER_DAY + second_of_record
    recorded = np.where(transitions.lag > 0, late_record, occurred)
    order = np.lexsort((transitions.day, transitions.lead))
    order = order[recorded[order] < world.days * SECONDS_PER_DAY]
    return pa.table(
        {
            "lead_id": lead_ids(first, len(attributes.created)).take(pa.array(transitions.lead[order])),
            "occurred_at": instants(occurred[order]),
            "recorded_at": instants(recorded[order]),
            "outcome": _take(STATES, transitions.state[order]),
            "reason": _take((*REASONS, None), transitions.reason[order] % (len(REASONS) + 1)),
        }
    )


def truth_table(rows: TargetProbabilities, *, first: int) -> pa.Table:
    """Return the table of the truth: one row per lead, snapshot date and target.

    Parameters
    ----------
    rows
        From `target_probabilities`.
    first
        Number of the first lead of the chunk.
    """
    columns = [
        lead_ids(first, 1 + int(rows.lead.max(initial=0))).take(pa.array(rows.lead)),
        instants(rows.snapshot_day * SECONDS_PER_DAY),
        _take([target.name for target in TARGETS], rows.target),
        pa.array(rows.probability),
        pa.array(rows.reached == 1, pa.bool_(), mask=rows.reached < 0),
    ]
    return pa.table(columns, schema=TRUTH_SCHEMA)


def email_addresses(attributes: LeadAttributes, *, first: int) -> pa.Array:
    """Return an invented address for each lead, at a domain of its account or at a provider of free mail.

    Parameters
    ----------
    attributes
        The leads of a chunk.
    first
        Number of the first lead of the chunk.
    """
    local_part = _invented_names(np.arange(first, first + len(attributes.created)))
    account_domain = pc.binary_join_element_wise(_invented_names(first + attributes.account), "example", ".")
    free_mail_domain = _take((*market.FREE_MAIL, None), attributes.free_mail % (len(market.FREE_MAIL) + 1))
    return pc.binary_join_element_wise(local_part, pc.coalesce(free_mail_domain, account_domain), "@")


def _invented_names(numbers: Integers) -> pa.Array:
    """Return a name for each number, from the syllables of its hash."""
    hashed = numbers * HASH_MULTIPLIER % (1 << (BITS_PER_SYLLABLE * SYLLABLES_PER_NAME))
    positions = [
        (hashed >> (BITS_PER_SYLLABLE * number)) % (1 << BITS_PER_SYLLABLE) for number in range(SYLLABLES_PER_NAME)
    ]
    return pc.binary_join_element_wise(*(_take(SYLLABLES, position) for position in positions), "")


def _numbered_ids(letter: str, first: int, count: int) -> pa.Array:
    return pa.array([f"{letter}{number:08d}" for number in range(first, first + count)], pa.string())


def _take(values: Sequence[str | None], positions: Integers) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(positions))
