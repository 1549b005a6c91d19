"""Write one scored batch to a store: what `leadml.publish.keeper.Keeper` asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leadml.publish.store.batches import batch_place, begin_batch, complete_batch, fill_batch
from leadml.publish.store.retention import remove_old_scores
from leadml.publish.store.scores import BatchScores
from leadml.publish.store.shadows import add_shadow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from leadml.publish.store.batch import BatchEntry, StoredBatch
    from leadml.publish.store.batches import Look
    from leadml.publish.store.opening import Store
    from leadml.stages.exploring import Marks
    from leadml.stages.lifecycle import KnownStages
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
    recycle_days
        As in the params.
    """

    not_kept = ""
    _batch: StoredBatch
    _scores: BatchScores

    def __init__(
        self, store: Store, entry: BatchEntry, look: Look, *, keep_days: int | None, recycle_days: int
    ) -> None:
        """Store the choices."""
        self._store, self._entry, self._look, self._keep_days = store, entry, look, keep_days
        self._recycle_days = recycle_days

    def begin(self, batch_id: str, *, now: str) -> str:
        """Begin the batch, after those that earlier jobs left unfinished are settled."""
        self._entry = replace(self._entry, batch_id=batch_id, scored_at=now)
        self._batch = begin_batch(self._store, self._entry, self._look)
        place = batch_place(self._store, self._batch)
        self._scores = BatchScores(self._store, self._batch, place, recycle_days=self._recycle_days)
        return self._batch.scored_at

    def note_outcomes(self, frames: Iterable[pd.DataFrame]) -> None:
        """Note the outcomes that are known at the instant, and the changes that they bring."""
        self._scores.note_outcomes(frames)

    def known(self, lead_ids: Sequence[str]) -> KnownStages:
        """Return what is known of the stages of leads before they are scored."""
        return self._scores.known(lead_ids)

    def add(self, scored: pd.DataFrame, parts: Objects, marks: Marks | None = None) -> None:
        """Let the scored rows of a chunk wait, unless the batch is complete already."""
        if self._batch.state != "complete":
            self._scores.add(scored, parts, marks)

    def fill(self, *, scored: int, not_scored: int, counts: str | None) -> None:
        """Store all rows that wait."""
        fill_batch(self._store, self._batch, self._scores, scored=scored, not_scored=not_scored, counts=counts)

    def complete(self) -> None:
        """Let the batch count, with the hash of its file; remove scores that were kept for long enough."""
        complete_batch(self._store, self._batch, self._entry, self._look)
        if self._keep_days is not None:
            remove_old_scores(self._store, keep_days=self._keep_days, now=self._entry.scored_at)

    def add_shadow(self, scored: pd.DataFrame, *, version: str, model_hash: str) -> None:
        """Store what a version that is not in use says of the leads of the batch."""
        add_shadow(self._store, self._batch.batch, scored, version=version, model_hash=model_hash)
