"""Write a scored batch to the store, so that the store and the file of the scores agree whatever happens.

A batch is *begun* before its leads are scored, *filled* when all its scores are stored, and *complete* once its file
has been moved into place; only a complete batch counts. The next job that writes finds a batch that is not complete:
if it was filled and its file is in place, it becomes complete, else it is removed. The module writes no file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from leadml.leads.check.instants import from_shown
from leadml.publish.store.batch import StoredBatch
from leadml.publish.store.scores import BatchPlace
from leadml.publish.store.tables import BATCHES, SCORES, SHADOW_SCORES, STAGE_CHANGES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadml.publish.store.batch import BatchEntry
    from leadml.publish.store.opening import Store
    from leadml.publish.store.scores import BatchScores


@dataclass(frozen=True)
class Published:
    """What a file or table holds of a batch.

    Parameters
    ----------
    sha256
        Of the file; empty for a table, and for a file that is a folder.
    """

    sha256: str


Look: TypeAlias = Callable[[StoredBatch], Published | None]
"""Returns what the file or table of a batch holds of it, or None where it is not there."""


def begin_batch(store: Store, entry: BatchEntry, look: Look) -> StoredBatch:
    """Return the batch to write: a new one, or the one with the same id that was written before.

    Batches that an earlier job left unfinished are settled first. Where one of them is the batch to write, its number
    and its ``scored_at`` are kept.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    entry
        The batch.
    look
        Function that returns what the file or table of a batch holds of it, or None where it holds none of its rows.
    """

    def begin(connection: Connection) -> StoredBatch:
        settle(connection, look, keep=entry.batch_id)
        same = BATCHES.c.target == entry.target, BATCHES.c.batch_id == entry.batch_id
        found = next(iter(stored_batches(connection, *same)), None)
        if found is None:
            number = (connection.scalar(sa.select(sa.func.max(BATCHES.c.batch))) or 0) + 1
            connection.execute(sa.insert(BATCHES).values(batch=number, state="begun", **asdict(entry)))
        elif found.state != "complete":
            place = {"file": entry.file, "output_table": entry.output_table}
            _change(connection, found.batch, state="begun", **place)
        elif found.file == entry.file:
            _change(connection, found.batch, sha256=None)  # until the new file is in place
        return stored_batches(connection, *same)[0]

    return store.write(begin)


def settle(connection: Connection, look: Look, *, keep: str = "") -> None:
    """Complete or remove the batches that earlier jobs left unfinished.

    Parameters
    ----------
    connection
        Connection to a store that no other job writes to.
    look
        As for `begin_batch`.
    keep
        Id of a batch of which only the rows are removed.
    """
    for batch in stored_batches(connection, BATCHES.c.state != "complete"):
        published = look(batch) if batch.state == "filled" else None
        if published is not None:
            _change(connection, batch.batch, state="complete", sha256=published.sha256)
            continue
        for table in (SCORES, SHADOW_SCORES, STAGE_CHANGES, *([] if batch.batch_id == keep else [BATCHES])):
            connection.execute(sa.delete(table).where(table.c.batch == batch.batch))
    for batch in stored_batches(connection, BATCHES.c.state == "complete", BATCHES.c.sha256.is_(None)):
        published = look(batch)
        if published is not None:
            _change(connection, batch.batch, sha256=published.sha256)


def batch_place(store: Store, batch: StoredBatch) -> BatchPlace:
    """Return where a batch stands among those that were begun before it."""
    before = BATCHES.c.state == "complete", BATCHES.c.batch < batch.batch, BATCHES.c.as_of.is_not(None)
    batches = store.read(lambda connection: stored_batches(connection, *before))
    instants = [(from_shown(str(other.as_of)), other) for other in batches]
    if not instants:
        return BatchPlace()
    newest = max(instants, key=lambda pair: pair[0])[1].as_of
    as_of = from_shown(batch.at)
    return BatchPlace(newest, any(at > as_of and other.target == batch.target for at, other in instants))


def fill_batch(store: Store, batch: StoredBatch, scores: BatchScores, **counted: Any) -> None:
    """Store all scores of a batch, in one transaction; its file may be moved into place from now on.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    batch
        The batch.
    scores
        Its scores.
    **counted
        Values of the columns of the batch that are known now: ``scored``, ``not_scored``, ``counts``.
    """

    def fill(connection: Connection) -> None:
        scores.insert(connection)
        _change(connection, batch.batch, state="filled", **counted)

    if batch.state != "complete":
        store.write(fill)


def complete_batch(store: Store, batch: StoredBatch, entry: BatchEntry, look: Look) -> None:
    """Let a batch count, whose file is in place."""
    place = {"file": entry.file, "output_table": entry.output_table}
    published = look(replace(batch, file=entry.file, output_table=entry.output_table))
    sha256 = published.sha256 if published is not None else None
    store.write(lambda connection: _change(connection, batch.batch, state="complete", sha256=sha256, **place))


def last_batch(store: Store, target: str) -> StoredBatch | None:
    """Return the batch of a target that was begun last and is complete, or None."""
    complete = BATCHES.c.target == target, BATCHES.c.state == "complete"
    return next(iter(store.read(lambda connection: stored_batches(connection, *complete))[::-1]), None)


def stored_batches(connection: Connection, *conditions: Any) -> list[StoredBatch]:
    """Return the batches for which conditions hold, in their order."""
    columns = (BATCHES.c[field.name] for field in fields(StoredBatch))
    rows = connection.execute(sa.select(*columns).where(*conditions).order_by(BATCHES.c.batch)).mappings()
    return [StoredBatch(**row) for row in rows]


def _change(connection: Connection, batch: int, **values: Any) -> None:
    connection.execute(sa.update(BATCHES).where(BATCHES.c.batch == batch).values(**values))
