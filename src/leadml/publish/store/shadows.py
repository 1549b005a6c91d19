"""The scores of shadows: versions that score the same leads as the one in use, so that both can be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from leadml.leads.check.instants import from_shown
from leadml.publish.store.batches import stored_batches
from leadml.publish.store.tables import BATCHES, SHADOW_SCORES
from leadml.publish.store.waiting import WaitingRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadml.publish.store.opening import Store

ROWS = ("lead_id", "probability", "stage")
READ = ("version", "model_hash", "lead_id", "probability")


def add_shadow(store: Store, batch: int, scored: pd.DataFrame, *, version: str, model_hash: str) -> None:
    """Store what a shadow says of the leads of a batch, in place of what it said before.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    batch
        Number of the batch.
    scored
        ``lead_id, probability, stage``.
    version, model_hash
        The version.
    """
    rows = WaitingRows(SHADOW_SCORES, ROWS)
    rows.add({name: scored[name].to_numpy() for name in ROWS})

    def write(connection: Connection) -> None:
        same = SHADOW_SCORES.c.batch == batch, SHADOW_SCORES.c.model_hash == model_hash
        connection.execute(sa.delete(SHADOW_SCORES).where(*same))
        rows.insert(connection, {"batch": batch, "model_hash": model_hash, "version": version})

    store.write(write)


def shadow_scores(store: Store, target: str, model_hash: str, *, until: str) -> pd.DataFrame:
    """Return what shadows said of the leads of the batches of a version.

    Parameters
    ----------
    store
        The store.
    target
        Name of the target.
    model_hash
        Hash of the version in use.
    until
        The instant in ISO 8601, in UTC: batches that were scored later are left out.

    Returns
    -------
    DataFrame
        ``version, model_hash`` (of the shadow), ``lead_id, probability``, and ``at``, the instant of the leads in
        microseconds.
    """

    def read(connection: Connection) -> pd.DataFrame:
        of_version = BATCHES.c.target == target, BATCHES.c.model_hash == model_hash, BATCHES.c.state == "complete"
        parts = [pd.DataFrame(columns=[*READ, "at"])]
        for batch in stored_batches(connection, *of_version):
            if from_shown(batch.at) > from_shown(until):
                continue
            query = sa.select(*(SHADOW_SCORES.c[name] for name in READ)).where(SHADOW_SCORES.c.batch == batch.batch)
            rows = [tuple(row) for row in connection.execute(query)]
            if rows:
                parts.append(pd.DataFrame(rows, columns=list(READ)).assign(at=from_shown(batch.at)))
        return pd.concat(parts[1:] or parts, ignore_index=True)

    return store.read(read)
