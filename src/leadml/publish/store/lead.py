"""What the store holds of one lead: read it, or forget it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from leadml.publish.store.decisions import OUTCOME_FILE, add_decision, decisions_of
from leadml.publish.store.tables import (
    BATCHES,
    DECISIONS,
    HANDOFFS,
    MANUAL_STAGES,
    OUTCOMES,
    SCORES,
    SHADOW_SCORES,
    STAGE_CHANGES,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

    from leadml.publish.store.opening import Store


IDS_AT_A_TIME = 500  # databases limit how many values a statement may have; SQLite's limit is 32,766
SCORE_COLUMNS = (
    "as_of", "scored_at", "target", "probability", "probability_low", "probability_high", "stage", "version", "batch_id"
)  # fmt: skip
STAGE_COLUMNS = ("at", "stage", "stage_source", "target", "version", "batch_id")
OUTCOME_COLUMNS = ("occurred_at", "recorded_at", "outcome", "reason", "owner", "origin", "hours_to_contact")
MANUAL_COLUMNS = ("at", "stage", "until", "reason")
HANDOFF_COLUMNS = ("at", "stage", "target")


@dataclass(frozen=True)
class LeadHistory:
    """What the store holds of one lead.

    Parameters
    ----------
    scores
        One row per batch, oldest first: ``as_of`` (missing for flat leads), ``scored_at, target, probability,
        probability_low, probability_high, stage, version, batch_id``.
    stages
        One row per change of its stage, oldest first: ``at, stage, stage_source, target, version, batch_id``.
    outcomes
        One row per outcome that sales gave back: ``occurred_at, recorded_at, outcome, reason, owner, origin,
        hours_to_contact``.
    manual
        One row per stage that was set by hand, or ended (empty stage): ``at, stage, until, reason``.
    handoffs
        One row per time it was handed over to sales: ``at, stage, target``.
    """

    scores: pd.DataFrame
    stages: pd.DataFrame
    outcomes: pd.DataFrame
    manual: pd.DataFrame
    handoffs: pd.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether the store knows nothing of the lead."""
        return all(table.empty for table in (self.scores, self.stages, self.outcomes, self.manual, self.handoffs))


@dataclass(frozen=True)
class Receipt:
    """What was removed of a lead. It does not name the lead.

    Parameters
    ----------
    number
        Number of the decision in the store.
    at
        The instant in ISO 8601.
    scores, stage_changes, outcomes, manual_stages, handoffs
        How many were removed.
    files
        Files of scores and for sales that had the lead, which people must remove or score again.
    """

    number: int
    at: str
    scores: int
    stage_changes: int
    outcomes: int
    manual_stages: int
    handoffs: int
    files: tuple[str, ...]


def lead_history(store: Store, lead_id: str) -> LeadHistory:
    """Return the scores and the changes of stages of a lead, those of complete batches."""

    def read(connection: Connection) -> LeadHistory:
        complete = sa.select(BATCHES).where(BATCHES.c.state == "complete")
        batches = {row["batch"]: row for row in connection.execute(complete).mappings()}
        tables = []
        for table, columns in ((SCORES, SCORE_COLUMNS), (STAGE_CHANGES, STAGE_COLUMNS)):
            query = sa.select(table).where(*_rows_of(table, lead_id, batches)).order_by(*table.primary_key)
            found = [{**batches[row["batch"]], **row} for row in connection.execute(query).mappings()]
            tables.append(pd.DataFrame([[row[name] for name in columns] for row in found], columns=list(columns)))
        others = (OUTCOMES, OUTCOME_COLUMNS), (MANUAL_STAGES, MANUAL_COLUMNS), (HANDOFFS, HANDOFF_COLUMNS)
        for table, names in others:
            chosen = sa.select(*(table.c[name] for name in names)).where(table.c.lead_id == lead_id)
            rows = connection.execute(chosen.order_by(*table.primary_key)).all()
            tables.append(pd.DataFrame([tuple(row) for row in rows], columns=list(names), dtype=object))
        return LeadHistory(*tables)

    return store.read(read)


def forget_lead(store: Store, lead_id: str, *, now: str) -> Receipt:
    """Remove all rows of a lead and return a receipt, which the store keeps.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    lead_id
        The id of the lead.
    now
        The instant in ISO 8601.
    """

    def forget(connection: Connection) -> Receipt:
        batches = connection.scalars(sa.select(BATCHES.c.batch)).all()
        with_lead = connection.scalars(sa.select(SCORES.c.batch).where(*_rows_of(SCORES, lead_id, batches))).all()
        named = sa.select(BATCHES.c.file).where(BATCHES.c.batch.in_(with_lead), BATCHES.c.file.is_not(None)).distinct()
        files = set(connection.scalars(named)) | _files_for_sales(connection, lead_id)
        counts: dict[str, Any] = {"files": sorted(files)}
        for name, table in (("scores", SCORES), ("stage_changes", STAGE_CHANGES), ("shadows", SHADOW_SCORES)):
            counts[name] = connection.execute(sa.delete(table).where(*_rows_of(table, lead_id, batches))).rowcount
        counts["scores"] += counts.pop("shadows")  # scores, too, whoever gave them
        for name, table in (("outcomes", OUTCOMES), ("manual_stages", MANUAL_STAGES), ("handoffs", HANDOFFS)):
            counts[name] = connection.execute(sa.delete(table).where(table.c.lead_id == lead_id)).rowcount
        number = add_decision(connection, "forget", counts, now)
        return Receipt(number, now, **{**counts, "files": tuple(counts["files"])})

    return store.write(forget)


def remove_leads(store: Store, lead_ids: Collection[str], *, now: str) -> int:
    """Remove all rows of suppressed leads, with one receipt for them all, and return how many rows that were.

    If the same leads were removed before, only the batches since then are searched. The receipt has a hash of the ids,
    which names none of them.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    lead_ids
        Ids of leads, whether the store knows them or not.
    now
        The instant in ISO 8601.
    """
    listed = sorted(lead_ids)
    digest = hashlib.sha256("\0".join(listed).encode()).hexdigest()

    def remove(connection: Connection) -> int:
        found = decisions_of(connection, "suppress")
        before = found[-1] if found else {"ids_sha256": "", "batch": 0}
        is_same = before["ids_sha256"] == digest
        since = BATCHES.c.batch > (before["batch"] if is_same else 0)
        batches = list(connection.scalars(sa.select(BATCHES.c.batch).where(since).order_by(BATCHES.c.batch)).all())
        removed = 0
        for first in range(0, len(listed), IDS_AT_A_TIME):
            part = listed[first : first + IDS_AT_A_TIME]
            for table in (SCORES, SHADOW_SCORES, STAGE_CHANGES, OUTCOMES, MANUAL_STAGES, HANDOFFS):
                within = [table.c.batch.in_(batches)] if table in {SCORES, SHADOW_SCORES, STAGE_CHANGES} else []
                removed += connection.execute(sa.delete(table).where(*within, table.c.lead_id.in_(part))).rowcount
        if removed or not is_same:
            newest = batches[-1] if batches else before["batch"]
            add_decision(connection, "suppress", {"ids_sha256": digest, "rows": removed, "batch": newest}, now)
        return removed

    return store.write(remove) if listed else 0


def _files_for_sales(connection: Connection, lead_id: str) -> set[str]:
    """Return the files in which a lead was handed over, and those with outcomes since its first outcome."""
    handed = sa.select(HANDOFFS.c.handoff).where(HANDOFFS.c.lead_id == lead_id)
    first = sa.select(sa.func.min(OUTCOMES.c.recorded_at)).where(OUTCOMES.c.lead_id == lead_id).scalar_subquery()
    has_outcomes = (DECISIONS.c.kind == OUTCOME_FILE) & (DECISIONS.c.at >= first)
    chosen = sa.select(DECISIONS.c.details).where(DECISIONS.c.decision.in_(handed) | has_outcomes)
    return {json.loads(details)["file"] for details in connection.scalars(chosen)}


def _rows_of(table: sa.Table, lead_id: str, batches: Iterable[int]) -> tuple[Any, Any]:
    """Return the conditions for the rows of a lead in some batches.

    The batches are listed, so that the database looks the lead up in each. By the lead alone, or by a join, it would
    read all scores of all leads.
    """
    return table.c.batch.in_(list(batches)), table.c.lead_id == lead_id
