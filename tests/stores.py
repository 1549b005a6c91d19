"""Batches for the tests of the store, and their files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from leadml.publish.store.batch import BatchEntry, StoredBatch
from leadml.publish.store.batches import Published
from leadml.publish.store.opening import Store
from leadml.publish.store.writer import BatchWriter
from leadml.stages.ladder import stages_of

NOW = "2026-01-31T08:00:00+00:00"


def silent(_: str) -> None:
    """Report no progress."""


def entry(**changed: Any) -> BatchEntry:
    """Return a batch of flat leads that is written to ``scored.csv``."""
    values: dict[str, Any] = {
        "batch_id": "", "target": "sql", "version": "1", "model_hash": "m", "as_of": None, "matures_at": None,
        "scored_at": NOW, "file": "scored.csv", "output_table": None,
    }  # fmt: skip
    return BatchEntry(**{**values, **changed})


def scored(stages: dict[str, str], before: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of some leads with their stages."""
    size = len(stages)
    return pd.DataFrame(
        {
            "lead_id": list(stages),
            "probability": [(at + 1) / (size + 1) for at in range(size)],
            "probability_low": 0.0,
            "probability_high": 1.0,
            "stage": list(stages.values()),
            "stage_source": "advised",
            "previous_stage": list(before) or "LEAD",
            "advised_stage": list(stages.values()),
        }
    )


def no_parts(rows: int) -> Any:
    """Return the parts of scores of which none are kept."""
    return np.full(rows, None, dtype=object)


def look_in(folder: Path) -> Any:
    """Return a function that looks for the files of batches; a file holds the id of its batch."""

    def look(batch: StoredBatch) -> Published | None:
        path = folder / str(batch.file)
        if not path.exists() or path.read_text(encoding="utf-8").split()[0] != batch.batch_id:
            return None
        return Published(hashlib.sha256(path.read_bytes()).hexdigest())

    return look


def write_batch(
    store: Store, folder: Path, batch_id: str, stages: dict[str, str], *, now: str = NOW, until: str = "complete",
    **changed: Any,
) -> str:  # fmt: skip
    """Write a batch up to a step: begun, added, filled, published or complete; return its ``scored_at``."""
    keep_days, counts, marks = (changed.pop(name, None) for name in ("keep_days", "counts", "marks"))
    parts = np.array([*changed.pop("parts", no_parts(len(stages))), None], dtype=object)[:-1]
    made = entry(**changed)
    writer = BatchWriter(store, made, look_in(folder), keep_days=keep_days, recycle_days=90)
    scored_at = writer.begin(batch_id, now=now)
    if until == "begun":
        return scored_at
    writer.note_outcomes([])
    writer.add(scored(stages, stages_of(writer.known(list(stages)).stage).tolist()), parts, marks)
    if until == "added":
        return scored_at
    writer.fill(scored=len(stages), not_scored=0, counts=counts)
    if until == "filled":
        return scored_at
    (folder / str(made.file)).write_text(f"{batch_id} {scored_at}\n", encoding="utf-8")
    if until == "complete":
        writer.complete()
    return scored_at


def rows(store: Store, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of all rows of a table, in the order of the table's key."""
    chosen = [table.c[name] for name in columns] or list(table.c)
    query = sa.select(*chosen).order_by(*table.primary_key)
    return [tuple(row) for row in store.read(lambda connection: connection.execute(query).all())]
