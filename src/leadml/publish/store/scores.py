"""The scores of a batch, and the changes of stages that it brings, until they are stored together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.instants import from_shown, shown_instant
from leadml.publish.store.memory import (
    ENDED,
    Memory,
    manual_stages,
    memory_of,
    recorded_columns,
    stored_outcomes,
)
from leadml.publish.store.tables import SCORES, STAGE_CHANGES
from leadml.publish.store.waiting import WaitingRows
from leadml.stages.changes import LeadState, changes_by_outcomes
from leadml.stages.facts import Fact, Recorded, outcomes_by_lead, recorded_after
from leadml.stages.ladder import NONE, STAGES, ranks_of, stages_of
from leadml.stages.lifecycle import KnownStages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.opening import Store
    from leadml.stages.exploring import Marks
    from leadml.stages.ladder import Ranks
    from leadml.types import Integers, Objects

PARTS = "parts"
EXPLORED = ("propensity", "explored")
SCORE_NAMES = ("lead_id", "probability", "probability_low", "probability_high", "stage")
CHANGE_NAMES = ("lead_id", "number", "at", "stage", "stage_source", "advised", "recorded", "rejected_at")


@dataclass(frozen=True)
class BatchPlace:
    """Where a batch stands among the others.

    Parameters
    ----------
    since
        The newest ``as_of`` of the batches before, in ISO 8601; None if they have none.
    is_past
        Whether the target was scored as of a later instant already: then no stage changes.
    """

    since: str | None = None
    is_past: bool = False


class BatchScores:
    """Collects the scores and the changes of stages of one batch.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    batch
        The batch.
    place
        Where it stands among the others.
    recycle_days
        As in the params.
    """

    _chunk: _Chunk

    def __init__(self, store: Store, batch: StoredBatch, place: BatchPlace, *, recycle_days: int) -> None:
        """Begin without rows."""
        self._store, self._batch, self._place, self._recycle_days = store, batch, place, recycle_days
        self._scores = WaitingRows(SCORES, (*SCORE_NAMES, PARTS))
        self._explored = WaitingRows(SCORES, (*SCORE_NAMES, PARTS, *EXPLORED))  # scores of batches that draw leads
        self._changes = WaitingRows(STAGE_CHANGES, CHANGE_NAMES)
        self._by_outcomes: dict[str, list[tuple[str | None, ...]]] = {}
        self._recorded: dict[str, Recorded] = {}
        self._manual: dict[str, int] = {}

    def note_outcomes(self, frames: Iterable[pd.DataFrame]) -> None:
        """Note the outcomes that are known at the instant; keep the changes that the new ones of them bring."""
        scored_at = self._batch.scored_at
        self._manual = self._store.read(lambda connection: manual_stages(connection, scored_at))
        stored = self._store.read(lambda connection: stored_outcomes(connection, scored_at))
        since = None if self._place.since is None else from_shown(self._place.since)
        for facts in outcomes_by_lead(frames, stored, since=since):
            for lead_id, outcomes in facts.items():
                self._recorded[lead_id] = recorded_after(outcomes)
            new = {lead_id: outcomes for lead_id, outcomes in facts.items() if any(fact.is_new for fact in outcomes)}
            if new and not self._place.is_past:
                self._change_by_outcomes(new)

    def known(self, lead_ids: Sequence[str]) -> KnownStages:
        """Return what is known of the stages of the leads of a chunk."""
        self._chunk = chunk = self._read(lead_ids)
        at = from_shown(self._batch.at)
        nothing = KnownStages.nothing(len(lead_ids))
        nurtured, manual = nothing.nurtured, nothing.manual
        if self._recorded:
            recorded = (self._recorded.get(lead_id) for lead_id in lead_ids)
            nurtured = np.array(
                [each is not None and each.is_nurtured(at, self._recycle_days) for each in recorded], dtype=bool
            )
        if self._manual:
            manual = np.array([self._manual.get(lead_id, NONE) for lead_id in lead_ids], dtype=np.int8)
        stage = nothing.stage if self._place.is_past else chunk.stage_before
        return KnownStages(stage, chunk.advised, chunk.others, chunk.recorded, nurtured, manual)

    def add(self, scored: pd.DataFrame, parts: Objects, marks: Marks | None = None) -> None:
        """Keep the scored rows of the chunk that `known` was asked for last, and the changes that they bring."""
        if scored.empty:
            return
        columns = {name: scored[name].to_numpy() for name in SCORE_NAMES} | {PARTS: parts}
        if marks is None:
            self._scores.add(columns)
        else:
            self._explored.add(columns | dict(zip(EXPLORED, (marks.propensity, marks.explored), strict=True)))
        if self._place.is_past or (scored["stage"] == "").all():
            return
        chunk = self._chunk
        stage, source, advised = (scored[name].to_numpy() for name in ("stage", "stage_source", "advised_stage"))
        changed = (
            (stage != chunk.last_stage)
            | (source != chunk.last_source)
            | (ranks_of(advised) != chunk.advised)
            | (chunk.recorded != chunk.last_recorded)
        )
        columns = {
            "lead_id": scored[LEAD_ID].to_numpy(),
            "number": chunk.number,
            "at": np.full(len(scored), self._batch.at, dtype=object),
            "stage": stage,
            "stage_source": source,
            "advised": advised,
            "recorded": _recorded_names(chunk.recorded),
            "rejected_at": chunk.rejected_at,
        }
        self._changes.add({name: column[changed] for name, column in columns.items()})

    def insert(self, connection: Connection) -> None:
        """Insert all rows into the tables."""
        for rows in (self._scores, self._explored, self._changes):
            rows.insert(connection, {"batch": self._batch.batch})

    def _read(self, lead_ids: Sequence[str]) -> _Chunk:
        """Return what is known of leads, as arrays."""
        before = self._remember(lead_ids)
        recorded, changes = self._recorded, self._by_outcomes
        later = [row for lead_id in lead_ids for row in changes.get(lead_id, ())] if changes else []
        after, target, zeros = before.then(Memory.of(later)), self._batch.target, [0] * len(lead_ids)
        ranks = [recorded[lead_id].rank if lead_id in recorded else 0 for lead_id in lead_ids] if recorded else zeros
        rejected_at = [self._rejected_at(lead_id) for lead_id in lead_ids] if recorded else [None] * len(lead_ids)
        numbers = [len(changes.get(lead_id, ())) for lead_id in lead_ids] if later else zeros
        last = before.last(lead_ids)
        stage_before = ranks_of(last.stage)
        last = after.last(lead_ids) if later else last
        return _Chunk(
            stage_before=stage_before,
            last_stage=last.stage,
            last_source=last.stage_source,
            last_recorded=np.maximum(ranks_of(last.recorded), 0),
            advised=after.advised_by(target, lead_ids),
            others=after.advised_by_others(target, lead_ids),
            recorded=np.array(ranks, dtype=np.int8),
            rejected_at=np.array(rejected_at, dtype=object),
            number=np.array(numbers, dtype=np.int64),
        )

    def _rejected_at(self, lead_id: str) -> str | None:
        recorded = self._recorded.get(lead_id)
        return None if recorded is None else recorded_columns(recorded)["rejected_at"]

    def _remember(self, lead_ids: Sequence[str]) -> Memory:
        """Return what is remembered of leads before the batch."""
        if self._place.is_past:
            return Memory.of(())
        return self._store.read(lambda connection: memory_of(connection, self._batch.batch, lead_ids))

    def _change_by_outcomes(self, outcomes: dict[str, list[Fact]]) -> None:
        """Keep the changes that outcomes bring to leads."""
        lead_ids, target, rows = list(outcomes), self._batch.target, []
        memory = self._remember(lead_ids)
        last = memory.last(lead_ids)
        advised, others = memory.advised_by(target, lead_ids), memory.advised_by_others(target, lead_ids)
        for at, lead_id in enumerate(lead_ids):
            own, manual = int(advised[at]), self._manual.get(lead_id, NONE)
            highest = max(own, int(others[at]))
            state = LeadState(last.stage[at], last.stage_source[at], last.recorded_of(at), highest, manual)
            changes = changes_by_outcomes(state, outcomes[lead_id], self._recycle_days)
            for number, change in enumerate(changes):
                own = 0 if change.ends_advice else own
                advice = ENDED if change.ends_advice else STAGES[own]
                row = (change.stage, change.source, advice, *recorded_columns(change.recorded).values())
                self._by_outcomes.setdefault(lead_id, []).append((lead_id, target, *row))
                rows.append((lead_id, number, shown_instant(change.at), *row))
        if rows:
            self._changes.add(dict(zip(CHANGE_NAMES, zip(*rows, strict=True), strict=True)))


@dataclass(frozen=True)
class _Chunk:
    """What is known of the leads of a chunk before it is scored; arrays of shape (n_leads,).

    Parameters
    ----------
    stage_before
        The stage before the batch.
    last_stage, last_source, last_recorded
        The last change of the stage, by an outcome that became known with the batch or before it.
    advised, others
        What the target advised last, and the highest that other targets advise.
    recorded
        The stage that people have recorded.
    rejected_at
        When the lead was rejected, in ISO 8601; None if it was not, or a stage was recorded since.
    number
        How many changes of the batch the lead has already.
    """

    stage_before: Ranks
    last_stage: Objects
    last_source: Objects
    last_recorded: Ranks
    advised: Ranks
    others: Ranks
    recorded: Ranks
    rejected_at: Objects
    number: Integers


def _recorded_names(ranks: Ranks) -> Objects:
    return np.where(ranks > 0, stages_of(ranks), "")
