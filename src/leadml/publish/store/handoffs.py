"""Which leads are due for sales, which were handed over, and what became of them.

A lead is due if its stage is MQL or SQL by advice, by a rule or by hand, unless it was handed over before at this stage
or a higher one and has not fallen below MQL since. What people recorded, they know already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from leadml.leads.check.instants import from_shown
from leadml.publish.store.batch import StoredBatch
from leadml.publish.store.decisions import add_decision, decisions_of
from leadml.publish.store.memory import memory_of
from leadml.publish.store.tables import BATCHES, HANDOFFS, OUTCOMES, SCORES, STAGE_CHANGES
from leadml.stages.ladder import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from leadml.publish.store.opening import Store

KIND = "handoff"  # of the decision
HANDED_OVER = ("MQL", "SQL")
BELOW = ("LEAD", "IQL")
NEWS = ("advised", "rule", "manual")  # sources of a stage that sales do not know of
SCORE_COLUMNS = ("lead_id", "batch", "probability", "probability_low", "probability_high")
HANDOFF_COLUMNS = ("lead_id", "handoff", "at", "target", "stage", "batch")
CHANGE_COLUMNS = ("lead_id", "batch", "number", "recorded", "rejected_at")
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
        The newest batch of the target that was considered.
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
    """Return the leads of a target that are due for sales.

    The batches since the last hand-off of the target are read; a lead of several has the probability of the latest.
    """

    def read(connection: Connection) -> DueLeads:
        known = [details["batch"] for details in decisions_of(connection, KIND) if details["target"] == target]
        is_new = BATCHES.c.target == target, BATCHES.c.state == "complete", BATCHES.c.batch > max(known, default=0)
        found = [StoredBatch(**row) for row in connection.execute(sa.select(BATCHES).where(*is_new)).mappings()]
        batches = {each.batch: each for each in sorted(found, key=lambda each: (from_shown(each.at), each.batch))}
        is_due = SCORES.c.batch.in_(list(batches)), SCORES.c.stage.in_(HANDED_OVER)
        scores = _frame(connection, SCORES, SCORE_COLUMNS, *is_due)
        order = {number: at for at, number in enumerate(batches)}
        scores = scores.sort_values("batch", key=lambda column: column.map(order), kind="stable")
        scores = scores.drop_duplicates("lead_id", keep="last")
        leads = _with_stages(connection, scores)
        leads = leads.sort_values(["probability", "lead_id"], ascending=[False, True], ignore_index=True)
        return DueLeads(leads, batches, max(batches, default=0))

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
        newest = connection.scalar(sa.select(sa.func.max(BATCHES.c.batch)))
        same = {"handoff": number, "at": now, "target": target, "batch": newest}
        pairs = due.leads[["lead_id", "stage"]].to_numpy()
        rows = [{"lead_id": lead_id, "stage": stage, **same} for lead_id, stage in pairs]
        if rows:
            connection.execute(sa.insert(HANDOFFS), rows)
        return number

    return store.write(write)


def handoff_records(store: Store) -> HandoffRecords:
    """Return all hand-offs, and what became of their leads."""

    def read(connection: Connection) -> HandoffRecords:
        complete = sa.select(BATCHES.c.batch).where(BATCHES.c.state == "complete")
        handed = sa.select(HANDOFFS.c.lead_id)
        return HandoffRecords(
            _frame(connection, HANDOFFS, HANDOFF_COLUMNS),
            _frame(
                connection, STAGE_CHANGES, CHANGE_COLUMNS,
                STAGE_CHANGES.c.lead_id.in_(handed), STAGE_CHANGES.c.batch.in_(complete),
            ),
            _frame(connection, OUTCOMES, OUTCOME_COLUMNS, OUTCOMES.c.lead_id.in_(handed)),
        )  # fmt: skip

    return store.read(read)


def all_outcomes(store: Store) -> pd.DataFrame:
    """Return what sales gave back: ``lead_id, occurred_at, recorded_at, outcome, reason, owner, source``."""
    names = ("lead_id", "occurred_at", "recorded_at", "outcome", "reason", "owner", "origin")
    return store.read(lambda connection: _frame(connection, OUTCOMES, names)).rename(columns={"origin": "source"})


def _with_stages(connection: Connection, scores: pd.DataFrame) -> pd.DataFrame:
    """Return those leads that are due by their present stage, with it."""
    lead_ids = scores["lead_id"].tolist()
    last = memory_of(connection, None, lead_ids).last(lead_ids)
    handed = sa.select(HANDOFFS.c.lead_id, HANDOFFS.c.stage, HANDOFFS.c.batch).order_by(*HANDOFFS.primary_key)
    before = {row[0]: (row[1], row[2]) for row in connection.execute(handed)}  # the last hand-off of each lead
    fallen, is_due, stages = _last_fall(connection), [], []
    for lead_id, stage, source in zip(lead_ids, last.stage, last.stage_source, strict=True):
        known, batch = before.get(lead_id, ("", 0))
        is_higher = not known or STAGES.index(stage) > STAGES.index(known)
        is_new = is_higher or fallen.get(lead_id, 0) > batch
        is_due.append(stage in HANDED_OVER and source in NEWS and is_new)
        stages.append(known)
    return scores.assign(stage=last.stage, handed_before=stages)[np.array(is_due, dtype=bool)]


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
