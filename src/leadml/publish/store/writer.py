"""Write one scored batch to a store: what `leadml.publish.keeper.Keeper` asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leadml.publish.store.batches import begin_batch, complete_batch, fill_batch
from leadml.publish.store.retention import remove_old_scores
from leadml.publish.store.scores import add_scores, stages_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.publish.store.batch import BatchEntry, StoredBatch
    from leadml.publish.store.batches import Look
    from leadml.publish.store.opening import Store
    from leadml.types import Objects


class BatchWriter:
    """Writes the scores of one batch to a store.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    entry
        The batch, whose ``batch_id`` and ``scored_at`` are given later.
    look
        As for `begin_batch`.
    keep_days
        Days after which scores are removed, or None.
    """

    not_kept = ""
    _batch: StoredBatch

    def __init__(self, store: Store, entry: BatchEntry, look: Look, *, keep_days: int | None) -> None:
        """Store the choices."""
        self._store, self._entry, self._look, self._keep_days = store, entry, look, keep_days

    def begin(self, batch_id: str, *, now: str) -> str:
        """Begin the batch, after those that earlier jobs left unfinished are settled."""
        self._entry = replace(self._entry, batch_id=batch_id, scored_at=now)
        self._batch = begin_batch(self._store, self._entry, self._look)
        return self._batch.scored_at

    def stages_before(self, lead_ids: Sequence[str]) -> Objects:
        """Return the stage of each lead before the batch."""
        return stages_before(self._store, self._batch, lead_ids).stage

    def add(self, scored: pd.DataFrame) -> None:
        """Let the scored rows of a chunk wait, unless the batch is complete already."""
        add_scores(self._store, self._batch, scored)

    def fill(self, *, scored: int, not_scored: int) -> None:
        """Store all rows that wait."""
        fill_batch(self._store, self._batch, scored=scored, not_scored=not_scored)

    def complete(self) -> None:
        """Let the batch count, with the hash of its file; remove scores that were kept for long enough."""
        complete_batch(self._store, self._batch, self._entry, self._look)
        if self._keep_days is not None:
            remove_old_scores(self._store, keep_days=self._keep_days, now=self._entry.scored_at)
