"""Which leads are due for sales, which were handed over, and what became of them.

A lead is due if its stage is MQL or SQL by advice, by a rule or by hand, unless it was handed over before at this stage
or a higher one and has not fallen below MQL since. What people recorded, they know already. A lead below MQL that is
marked to be explored is due once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from leadml.leads.check.instants import from_shown
from leadml.publish.store.batches import stored_batches
from leadml.publish.store.decisions import OUTCOME_FILE, add_decision, decisions_of
from leadml.publish.store.memory import listed_texts, memory_of
from leadml.publish.store.tables import BATCHES, HANDOFFS, OUTCOMES, SCORES, STAGE_CHANGES
from leadml.stages.ladder import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.opening import Store

KIND = "handoff"  # of the decision
HANDED_OVER = ("MQL", "SQL")
EXPLORE = "EXPLORE"  # the stage of a lead that sales are given to be worked although it is below MQL
BELOW = ("LEAD", "IQL")
NEWS = ("advised", "rule", "manual")  # sources of a stage that sales do not know of
SCORE_COLUMNS = ("lead_id", "batch", "probability", "probability_low", "probability_high")
HANDOFF_COLUMNS = ("lead_id", "handoff", "at", "target", "stage", "batch")
CHANGE_COLUMNS = ("lead_id", "batch", "number", "recorded", "rejected_at", "known_at")
OUTCOME_COLUMNS = ("lead_id", "number", "recorded_at", "outcome", "reason", "owner", "origin", "hours_to_contact")


@dataclass(frozen=True)
class DueLeads:
    """The leads of a target that are due for sales.

    Parameters
    ----------
    leads
        One row per lead, the highest probability first: ``lead_id, batch, probability, probability_low,
        probability_high, stage, handed_before`` (the stage at which it was handed over before, or empty).
    batches
        The batches that the probabilities are of, by number.
    seen
        The newest batch that was considered, of any target or of people.
    """

    leads: pd.DataFrame
    batches: Mapping[int, StoredBatch]
    seen: int


@dataclass(frozen=True)
class HandoffRecords:
    """What the store knows of leads that were handed over; their columns are the constants of this module.

    Parameters
    ----------
    handoffs
        One row per lead and hand-off.
    changes
        The changes of the stages of these leads, oldest first.
    outcomes
        The outcomes that sales gave back.
    """

    handoffs: pd.DataFrame
    changes: pd.DataFrame
    outcomes: pd.DataFrame


def due_leads(store: Store, target: str) -> DueLeads:
    """Return the leads of a target that are due for sales, with their latest score by the target.

    Only a change of its stage since the last hand-off of the target can make a lead due.
    """

    def read(connection: Connection) -> DueLeads:
        known = [details["batch"] for details in decisions_of(connection, KIND) if details["target"] == target]
        all_batches = stored_batches(connection, BATCHES.c.state == "complete")
        changes, since = STAGE_CHANGES.c, max(known, default=0)
        new = [each.batch for each in all_batches if each.batch > since]
        risen = sa.select(changes.lead_id).where(changes.batch.in_(new), changes.stage.in_(HANDED_OVER)).distinct()
        due = _with_stages(connection, sorted(connection.scalars(risen)))
        due = pd.concat([due, _marked(connection, due, target, new)], ignore_index=True)
        of_target = [each for each in all_batches if each.target == target]
        newest_first = sorted(of_target, key=lambda each: (from_shown(each.at), each.batch), reverse=True)
        scores = _latest_scores(connection, due["lead_id"].tolist(), [each.batch for each in newest_first])
        leads = scores.merge(due, on="lead_id")
        leads = leads.sort_values(["probability", "lead_id"], ascending=[False, True], ignore_index=True)
        return DueLeads(leads, {each.batch: each for each in of_target}, max(new, default=since))

    return store.read(read)


def add_handoff(store: Store, target: str, due: DueLeads, *, file: str, now: str) -> int:
    """Remember that leads were handed over, and return the number of the decision.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    target
        The target.
    due
        The leads.
    file
        The file that they were written to, which `forget_lead` names.
    now
        The instant in ISO 8601.
    """

    def write(connection: Connection) -> int:
        details = {"target": target, "batch": due.seen, "leads": len(due.leads), "file": file}
        number = add_decision(connection, KIND, details, now)
        same = {"handoff": number, "at": now, "target": target, "batch": due.seen}
        pairs = due.leads[["lead_id", "stage"]].to_numpy()
        rows = [{"lead_id": lead_id, "stage": stage, **same} for lead_id, stage in pairs]
        if rows:
            connection.execute(sa.insert(HANDOFFS), rows)
        return number

    return store.write(write)


def note_file(store: Store, file: str, *, now: str) -> None:
    """Remember a file that has outcomes of leads, so that whoever is forgotten can be removed from it."""
    store.write(lambda connection: add_decision(connection, OUTCOME_FILE, {"file": file}, now))


def handoff_records(store: Store) -> HandoffRecords:
    """Return all hand-offs, and what became of their leads."""

    def read(connection: Connection) -> HandoffRecords:
        handed, changes = sa.select(HANDOFFS.c.lead_id), STAGE_CHANGES.c
        joined = sa.join(STAGE_CHANGES, BATCHES, BATCHES.c.batch == changes.batch)
        columns = *(changes[name] for name in CHANGE_COLUMNS[:-1]), BATCHES.c.scored_at
        of_handed = changes.lead_id.in_(handed), BATCHES.c.state == "complete"
        query = sa.select(*columns).select_from(joined).where(*of_handed).order_by(*STAGE_CHANGES.primary_key)
        rows = [tuple(row) for row in connection.execute(query)]
        return HandoffRecords(
            _frame(connection, HANDOFFS, HANDOFF_COLUMNS),
            pd.DataFrame(rows, columns=list(CHANGE_COLUMNS)),
            _frame(connection, OUTCOMES, OUTCOME_COLUMNS, OUTCOMES.c.lead_id.in_(handed)),
        )

    return store.read(read)


def all_outcomes(store: Store) -> pd.DataFrame:
    """Return what sales gave back: ``lead_id, occurred_at, recorded_at, outcome, reason, owner, source``."""
    names = ("lead_id", "occurred_at", "recorded_at", "outcome", "reason", "owner", "origin")
    return store.read(lambda connection: _frame(connection, OUTCOMES, names)).rename(columns={"origin": "source"})


def _latest_scores(connection: Connection, lead_ids: list[str], batches: Sequence[int]) -> pd.DataFrame:
    """Return the score of each lead in the first of some batches that has one; leads without one are left out."""
    found, left = [], lead_ids
    for batch in batches:
        if not left:
            break
        asked = listed_texts(connection, left)
        columns = [SCORES.c[name] for name in SCORE_COLUMNS]
        joined = sa.join(asked, SCORES, (SCORES.c.lead_id == asked.c.value) & (SCORES.c.batch == batch))
        rows = [tuple(row) for row in connection.execute(sa.select(*columns).select_from(joined))]
        found += rows
        scored = {row[0] for row in rows}
        left = [lead_id for lead_id in left if lead_id not in scored]
    return pd.DataFrame(found, columns=list(SCORE_COLUMNS)).astype({"lead_id": object})


def _with_stages(connection: Connection, lead_ids: list[str]) -> pd.DataFrame:
    """Return those leads that are due by their present stage: ``lead_id, stage, handed_before``."""
    last = memory_of(connection, None, lead_ids).last(lead_ids)
    handed = sa.select(HANDOFFS.c.lead_id, HANDOFFS.c.stage, HANDOFFS.c.batch).order_by(*HANDOFFS.primary_key)
    before = {row[0]: (row[1], row[2]) for row in connection.execute(handed)}  # the last hand-off of each lead
    fallen, due = _last_fall(connection), []
    for lead_id, stage, source in zip(lead_ids, last.stage, last.stage_source, strict=True):
        known, batch = before.get(lead_id, ("", 0))
        is_higher = known in {"", EXPLORE} or STAGES.index(stage) > STAGES.index(known)
        is_new = is_higher or fallen.get(lead_id, 0) > batch
        if stage in HANDED_OVER and source in NEWS and is_new:
            due.append((lead_id, stage, known))
    return pd.DataFrame(due, columns=["lead_id", "stage", "handed_before"], dtype=object)


def _marked(connection: Connection, due: pd.DataFrame, target: str, batches: Sequence[int]) -> pd.DataFrame:
    """Return the leads that some batches of a target marked to be explored, unless they are due or were handed over."""
    of_target = sa.select(BATCHES.c.batch).where(BATCHES.c.target == target, BATCHES.c.batch.in_(batches))
    is_marked = SCORES.c.batch.in_(of_target), SCORES.c.explored == 1
    is_new = SCORES.c.lead_id.not_in(sa.select(HANDOFFS.c.lead_id))
    found = connection.scalars(sa.select(SCORES.c.lead_id).where(*is_marked, is_new).distinct())
    rows = [(lead_id, EXPLORE, "") for lead_id in sorted(set(found) - set(due["lead_id"]))]
    return pd.DataFrame(rows, columns=["lead_id", "stage", "handed_before"], dtype=object)


def _last_fall(connection: Connection) -> dict[str, int]:
    """Return the last batch with which each lead that was handed over fell below MQL."""
    complete = sa.select(BATCHES.c.batch).where(BATCHES.c.state == "complete")
    changes = STAGE_CHANGES.c
    query = sa.select(changes.lead_id, sa.func.max(changes.batch)).where(
        changes.lead_id.in_(sa.select(HANDOFFS.c.lead_id)), changes.stage.in_(BELOW), changes.batch.in_(complete)
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(changes.lead_id))}


def _frame(connection: Connection, table: sa.Table, columns: Sequence[str], *conditions: Any) -> pd.DataFrame:
    """Return columns of the rows of a table that meet conditions, in the order of the table's key."""
    query = sa.select(*(table.c[name] for name in columns)).where(*conditions).order_by(*table.primary_key)
    rows = [tuple(row) for row in connection.execute(query)]
    return pd.DataFrame(rows, columns=list(columns))
