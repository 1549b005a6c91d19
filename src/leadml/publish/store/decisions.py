"""Decisions that the store keeps: what was done, when, with details as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from leadml.publish.store.tables import DECISIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection

OUTCOME_FILE = "outcome file"  # kind of the decision that names a file with outcomes of leads


def add_decision(connection: Connection, kind: str, details: dict[str, Any], now: str) -> int:
    """Store a decision and return its number: decisions are counted in their order."""
    number = (connection.scalar(sa.select(sa.func.max(DECISIONS.c.decision))) or 0) + 1
    row = {"decision": number, "at": now, "kind": kind, "details": json.dumps(details, sort_keys=True)}
    connection.execute(sa.insert(DECISIONS).values(**row))
    return number


def decisions_of(connection: Connection, kind: str) -> list[dict[str, Any]]:
    """Return the details of all decisions of a kind, oldest first."""
    query = sa.select(DECISIONS.c.details).where(DECISIONS.c.kind == kind).order_by(DECISIONS.c.decision)
    return [json.loads(details) for details in connection.scalars(query)]
