"""Store what people say of leads between two batches: stages that they set by hand, and outcomes that they record.

What they say together is a batch of its own, without target and scores, so that the changes of stages keep one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from leadml.leads.check.instants import from_shown, shown_instant
from leadml.publish.store.memory import ENDED, listed_texts, manual_stages, memory_of, recorded_columns
from leadml.publish.store.tables import BATCHES, MANUAL_STAGES, OUTCOMES, STAGE_CHANGES
from leadml.stages.changes import LeadState, StageChange, changes_by_outcomes, stage_of
from leadml.stages.facts import Fact
from leadml.stages.ladder import NONE, STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from leadml.publish.store.opening import Store

PEOPLE = ""  # the target of a batch that people made


@dataclass(frozen=True)
class ManualStage:
    """A stage that is set by hand.

    Parameters
    ----------
    lead_id
        The lead.
    stage
        One of the eight stages; empty to end what was set.
    reason
        Why, in words.
    until
        The instant in ISO 8601 at which it ends; None for no end.
    """

    lead_id: str
    stage: str
    reason: str
    until: str | None = None


@dataclass(frozen=True)
class RecordedOutcome:
    """An outcome that people recorded.

    Parameters
    ----------
    lead_id
        The lead.
    occurred_at
        When, in ISO 8601, in UTC.
    outcome
        Its name.
    reason, owner, origin
        Why, in words; who works the lead; where the lead comes from. None if that is not known.
    hours_to_contact
        Hours from the hand-off to the first contact, or None.
    """

    lead_id: str
    occurred_at: str
    outcome: str
    reason: str | None = None
    owner: str | None = None
    origin: str | None = None
    hours_to_contact: float | None = None


def set_stage(store: Store, manual: ManualStage, *, now: str, recycle_days: int) -> str:
    """Set the stage of a lead by hand, or end what was set, and return the stage that it has now.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    manual
        The lead and its stage.
    now
        The instant in ISO 8601.
    recycle_days
        As in the params.
    """

    def write(connection: Connection) -> str:
        (state,) = _states(connection, [manual.lead_id], now)
        number = _next(connection, MANUAL_STAGES, manual.lead_id)
        row = {"lead_id": manual.lead_id, "number": number, "at": now, "stage": manual.stage, "until": manual.until}
        connection.execute(sa.insert(MANUAL_STAGES).values(**row, reason=manual.reason))
        rank = STAGES.index(manual.stage) if manual.stage else NONE
        at = from_shown(now)
        new = stage_of(state.recorded, state.advised, rank, at=at, recycle_days=recycle_days)
        if new != (state.stage, state.source):
            change = StageChange(at, *new, ends_advice=False, recorded=state.recorded)
            _store_changes(connection, {manual.lead_id: [change]}, now)
        return new[0]

    return store.write(write)


def record_outcomes(store: Store, outcomes: Sequence[RecordedOutcome], *, now: str, recycle_days: int) -> int:
    """Store outcomes that are not stored yet, and the changes of stages that they bring; return how many were new.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    outcomes
        The outcomes.
    now
        The instant in ISO 8601.
    recycle_days
        As in the params.
    """

    def write(connection: Connection) -> int:
        by_lead: dict[str, list[RecordedOutcome]] = {}
        for outcome in outcomes:
            by_lead.setdefault(outcome.lead_id, []).append(outcome)
        lead_ids = list(by_lead)
        known, numbers = _known_outcomes(connection, lead_ids)
        rows: list[dict[str, object]] = []
        moved: dict[str, Sequence[StageChange]] = {}
        for lead_id, state in zip(lead_ids, _states(connection, lead_ids, now), strict=True):
            found = {(each.occurred_at, each.outcome): each for each in by_lead[lead_id]}
            new = [each for (at, name), each in found.items() if (lead_id, at, name) not in known]
            number = numbers.get(lead_id, 0) + 1
            rows += [{"number": number + at, "recorded_at": now, **each.__dict__} for at, each in enumerate(new)]
            facts = [Fact(from_shown(each.occurred_at), each.outcome) for each in new]
            moved[lead_id] = changes_by_outcomes(state, facts, recycle_days, start=state.recorded)
        if rows:
            connection.execute(sa.insert(OUTCOMES), rows)
        _store_changes(connection, moved, now)
        return len(rows)

    return store.write(write)


def _states(connection: Connection, lead_ids: Sequence[str], now: str) -> list[LeadState]:
    """Return the present state of leads."""
    memory, manual = memory_of(connection, None, lead_ids), manual_stages(connection, now)
    last = memory.last(lead_ids)
    advised = memory.advised_by_others(PEOPLE, lead_ids).tolist()
    return [
        LeadState(last.stage[at], last.stage_source[at], last.recorded_of(at), advised[at], manual.get(lead_id, NONE))
        for at, lead_id in enumerate(lead_ids)
    ]


def _known_outcomes(
    connection: Connection, lead_ids: Sequence[str]
) -> tuple[set[tuple[str, str, str]], dict[str, int]]:
    """Return lead, instant and name of the outcomes that the store holds of leads, and the last number of each lead."""
    asked = listed_texts(connection, sorted(lead_ids))
    columns = OUTCOMES.c.lead_id, OUTCOMES.c.occurred_at, OUTCOMES.c.outcome, OUTCOMES.c.number
    query = sa.select(*columns).select_from(sa.join(asked, OUTCOMES, OUTCOMES.c.lead_id == asked.c.value))
    known: set[tuple[str, str, str]] = set()
    numbers: dict[str, int] = {}
    for lead_id, occurred_at, outcome, number in connection.execute(query):
        known.add((lead_id, occurred_at, outcome))
        numbers[lead_id] = max(number, numbers.get(lead_id, 0))
    return known, numbers


def _next(connection: Connection, table: sa.Table, lead_id: str) -> int:
    last = connection.scalar(sa.select(sa.func.max(table.c.number)).where(table.c.lead_id == lead_id))
    return (last or 0) + 1


def _store_changes(connection: Connection, moved: Mapping[str, Sequence[StageChange]], now: str) -> None:
    """Store the changes of leads as a batch that is complete, if there are any."""
    if not any(moved.values()):
        return
    number = (connection.scalar(sa.select(sa.func.max(BATCHES.c.batch))) or 0) + 1
    entry = {"batch_id": f"people-{number}", "target": PEOPLE, "version": "", "model_hash": "", "sha256": ""}
    counts = {"scored": 0, "not_scored": 0}
    connection.execute(sa.insert(BATCHES).values(batch=number, scored_at=now, state="complete", **entry, **counts))
    rows = [
        {
            "lead_id": lead_id,
            "batch": number,
            "number": at,
            "at": shown_instant(change.at),
            "stage": change.stage,
            "stage_source": change.source,
            "advised": ENDED if change.ends_advice else STAGES[0],
            **recorded_columns(change.recorded),
        }
        for lead_id, changes in moved.items()
        for at, change in enumerate(changes)
    ]
    connection.execute(sa.insert(STAGE_CHANGES), rows)
