"""Store the scores of a batch, which wait chunk by chunk, and the changes of stages that they bring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from leadml.publish.store.tables import BATCHES, SCORES, STAGE_CHANGES
from leadml.stages.lifecycle import LEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.opening import Store
    from leadml.types import Objects


WAITING = sa.Table(
    "leadml_waiting",
    sa.MetaData(),
    *(sa.Column(name, sa.Text) for name in ("lead_id", "stage", "stage_source", "previous_stage")),
    *(sa.Column(name, sa.Double) for name in ("probability", "probability_low", "probability_high")),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True)
class StageState:
    """What the store knows of the stages of some leads, before a batch.

    Parameters
    ----------
    stage
        The stage of each lead, shape (n_leads,); ``LEAD`` for one that the store does not know.
    advised
        The stage that the target of the batch advised last.
    """

    stage: Objects
    advised: Objects


def stages_before(store: Store, batch: StoredBatch, lead_ids: Sequence[str]) -> StageState:
    """Return the stages of leads as they were before a batch, whatever was written since."""
    stage, advised = (dict.fromkeys(lead_ids, LEAD) for _ in range(2))
    any_before = sa.select(STAGE_CHANGES.c.batch).where(STAGE_CHANGES.c.batch < batch.batch).limit(1)
    if store.read(lambda connection: connection.scalar(any_before)) is None:  # a new store has nothing to look up
        lead_ids = ()
    for lead_id, target, new_stage, new_advice in store.read(
        lambda connection: _changes_before(connection, batch, lead_ids)
    ):
        stage[lead_id] = new_stage
        if target == batch.target:
            advised[lead_id] = new_advice
    return StageState(*(np.array(list(found.values()), dtype=object) for found in (stage, advised)))


def add_scores(store: Store, batch: StoredBatch, scored: pd.DataFrame) -> None:
    """Let the scored rows of a chunk wait in a table of the session, until `store_scores`.

    Rows come in any order; if each chunk went to its places in the tree of all scores, every chunk would write most of
    the tree again.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    batch
        The batch; nothing is stored of one that is complete.
    scored
        The rows that are published, with ``previous_stage``.
    """
    if batch.state != "complete":
        store.write(lambda connection: _insert_waiting(connection, scored))


def begin_scores(connection: Connection) -> None:
    """Make the table of the session that rows wait in, without rows."""
    WAITING.drop(connection, checkfirst=True)
    WAITING.create(connection)


def store_scores(connection: Connection, batch: StoredBatch) -> None:
    """Store the rows that wait, and the changes of stages that they bring, in the order of the tables' trees."""
    number, at = sa.literal(batch.batch), sa.literal(batch.as_of or batch.scored_at)
    rows = WAITING.c
    names = ["lead_id", "probability", "probability_low", "probability_high", "stage"]
    scores = sa.select(number, *(rows[name] for name in names)).order_by(rows.lead_id)
    connection.execute(sa.insert(SCORES).from_select(["batch", *names], scores))
    changes = (
        sa.select(rows.lead_id, number, sa.literal(0), at, rows.stage, rows.stage_source, rows.stage)
        .where(rows.stage != rows.previous_stage)
        .order_by(rows.lead_id)
    )
    columns = ["lead_id", "batch", "number", "at", "stage", "stage_source", "advised"]
    connection.execute(sa.insert(STAGE_CHANGES).from_select(columns, changes))


def _changes_before(connection: Connection, batch: StoredBatch, lead_ids: Sequence[str]) -> Sequence[Any]:
    """Return lead, target, stage and advice of each change before a batch, oldest first."""
    before = sa.and_(BATCHES.c.batch == STAGE_CHANGES.c.batch, BATCHES.c.state == "complete")
    asked = _each(connection, lead_ids)
    query = (
        sa.select(STAGE_CHANGES.c.lead_id, BATCHES.c.target, STAGE_CHANGES.c.stage, STAGE_CHANGES.c.advised)
        .select_from(asked)
        .join(STAGE_CHANGES, STAGE_CHANGES.c.lead_id == asked.c.value)
        .join(BATCHES, before)
        .where(STAGE_CHANGES.c.batch < batch.batch)
        .order_by(STAGE_CHANGES.c.batch, STAGE_CHANGES.c.number)
    )
    return connection.execute(query).all()


def _each(connection: Connection, texts: Sequence[str]) -> Any:
    """Return a list of texts as a table with one column, ``value``."""
    listed = sa.bindparam("listed", json.dumps(list(texts)), type_=sa.Text)
    if connection.dialect.name == "sqlite":
        return sa.func.json_each(listed).table_valued("value")
    return sa.func.json_array_elements_text(sa.cast(listed, JSON)).table_valued("value")


def _insert_waiting(connection: Connection, frame: pd.DataFrame) -> None:
    """Let the rows of a frame wait."""
    columns = {column: frame[column.name].tolist() for column in WAITING.c}
    if frame.empty:
        return
    if connection.dialect.name == "sqlite":  # SQLAlchemy's own way would make a dict of each row
        names, places = ", ".join(column.name for column in columns), ", ".join("?" for _ in columns)
        text = f"INSERT INTO {WAITING.name} ({names}) VALUES ({places})"  # noqa: S608 - names of our own
        connection.exec_driver_sql(text, list(zip(*columns.values(), strict=True)))
        return
    arrays = [sa.bindparam(column.name, values, type_=ARRAY(column.type)) for column, values in columns.items()]
    rows = sa.func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived()
    connection.execute(sa.insert(WAITING).from_select([column.name for column in columns], sa.select(rows)))
