"""What the store remembers of leads before a batch: their stages, advice, outcomes, and what was set by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from leadml.leads.check.instants import from_shown, shown_instant
from leadml.publish.store.tables import BATCHES, MANUAL_STAGES, OUTCOMES, STAGE_CHANGES
from leadml.stages.facts import Fact, Recorded
from leadml.stages.ladder import LEAD, STAGES, ranks_of
from leadml.stages.lifecycle import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from leadml.stages.ladder import Ranks
    from leadml.types import Objects, Rows

ENDED = ""  # the advice of all targets has ended, because the lead was closed
NEW_LEAD = {
    "target": "", "stage": LEAD, "stage_source": SOURCES[0], "advised": LEAD, "recorded": "", "rejected_at": None
}  # fmt: skip
NAMES = ("lead_id", *NEW_LEAD)


@dataclass(frozen=True)
class Memory:
    """Changes of the stages of some leads, oldest first; arrays of shape (n_changes,).

    Parameters
    ----------
    lead_id
        The lead of each change.
    target
        The target of its batch; empty for a change that people made.
    stage, stage_source
        The stage and its source.
    advised
        What the target advises; `ENDED` where the advice of all targets ends.
    recorded
        The stage that people have recorded; empty if there is none.
    rejected_at
        When the lead was rejected, in ISO 8601; None if it was not, or a stage was recorded since.
    """

    lead_id: Objects
    target: Objects
    stage: Objects
    stage_source: Objects
    advised: Objects
    recorded: Objects
    rejected_at: Objects

    @classmethod
    def of(cls, rows: Sequence[Sequence[str | None]]) -> Memory:
        """Return the changes of rows: the lead, then those of `NEW_LEAD`."""
        columns = zip(*rows, strict=True) if rows else ((),) * len(NAMES)
        return cls(*(np.array(column, dtype=object) for column in columns))

    def then(self, later: Memory) -> Memory:
        """Return these changes and later ones."""
        if not len(later.lead_id):
            return self
        return Memory(*(np.concatenate([getattr(each, name) for each in (self, later)]) for name in NAMES))

    def last(self, lead_ids: Sequence[str]) -> Memory:
        """Return the last change of each lead, arrays of shape (n_leads,); that of a new lead where it has none."""
        rows = self._last(lead_ids, range(len(self.lead_id)))
        columns = [
            np.append(getattr(self, name), np.array([new], dtype=object))[rows] for name, new in NEW_LEAD.items()
        ]
        return Memory(np.array(lead_ids, dtype=object), *columns)

    def recorded_of(self, at: int) -> Recorded:
        """Return what people have recorded, by the change at a position."""
        rank = STAGES.index(self.recorded[at]) if self.recorded[at] else 0
        rejected_at = self.rejected_at[at]
        return Recorded(rank, None if rejected_at is None else from_shown(rejected_at))

    def advised_by(self, target: str, lead_ids: Sequence[str]) -> Ranks:
        """Return what a target advised last for each lead, as ranks of shape (n_leads,); 0 where it advised nothing."""
        rows = np.flatnonzero((self.target == target) | (self.advised == ENDED)).tolist()
        ranks = np.append(np.maximum(ranks_of(self.advised), 0), 0)
        return np.asarray(ranks[self._last(lead_ids, rows)], dtype=np.int8)

    def advised_by_others(self, target: str, lead_ids: Sequence[str]) -> Ranks:
        """Return the highest stage that other targets advise for each lead, as ranks of shape (n_leads,)."""
        highest = np.zeros(len(lead_ids), dtype=np.int8)
        for other in sorted(set(self.target.tolist()) - {target, ""}):
            highest = np.maximum(highest, self.advised_by(other, lead_ids))
        return highest

    def _last(self, lead_ids: Sequence[str], rows: Sequence[int]) -> Rows:
        """Return which of some rows is the last of each lead; -1 where it has none."""
        ids = self.lead_id.tolist()
        at = {ids[row]: row for row in rows}
        return np.array([at.get(lead_id, -1) for lead_id in lead_ids] if at else [-1] * len(lead_ids), dtype=np.intp)


def memory_of(connection: Connection, before: int | None, lead_ids: Sequence[str]) -> Memory:
    """Return the changes of leads in the complete batches before one, by its number; in all of them for None."""
    complete = sa.select(BATCHES.c.batch, BATCHES.c.target).where(BATCHES.c.state == "complete")
    if before is not None:
        complete = complete.where(BATCHES.c.batch < before)
    targets = {row.batch: row.target for row in connection.execute(complete)}
    if not targets:  # a new store has nothing to look up
        return Memory.of(())
    rows = _changes(connection, lead_ids)
    if not rows:
        return Memory.of(())
    batches, numbers, leads, *columns = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    order = np.lexsort((numbers.astype(np.int64), batches.astype(np.int64)))
    order = order[np.isin(batches[order].astype(np.int64), list(targets))]
    target = np.array([targets[number] for number in batches[order]], dtype=object)
    return Memory(leads[order], target, *(column[order] for column in columns))


def stored_outcomes(connection: Connection, until: str) -> dict[str, list[Fact]]:
    """Return the outcomes that the store itself holds, by lead: those that were recorded up to an instant."""
    found: dict[str, list[Fact]] = {}
    query = sa.select(OUTCOMES.c.lead_id, OUTCOMES.c.occurred_at, OUTCOMES.c.outcome).where(
        OUTCOMES.c.recorded_at <= until
    )
    for lead_id, occurred_at, outcome in connection.execute(query):
        found.setdefault(lead_id, []).append(Fact(from_shown(occurred_at), outcome, is_new=False))
    return found


def manual_stages(connection: Connection, at: str) -> dict[str, int]:
    """Return the stages that are set by hand at an instant, as ranks by lead."""
    found: dict[str, int] = {}
    query = sa.select(MANUAL_STAGES).where(MANUAL_STAGES.c.at <= at).order_by(*MANUAL_STAGES.primary_key)
    for row in connection.execute(query).mappings():
        if row["stage"] and (row["until"] is None or row["until"] > at):
            found[row["lead_id"]] = STAGES.index(row["stage"])
        else:
            found.pop(row["lead_id"], None)
    return found


def recorded_columns(recorded: Recorded) -> dict[str, str | None]:
    """Return the columns of a change that say what people have recorded."""
    rejected_at = None if recorded.rejected_at is None else shown_instant(recorded.rejected_at)
    return {"recorded": STAGES[recorded.rank] if recorded.rank else "", "rejected_at": rejected_at}


def _changes(connection: Connection, lead_ids: Sequence[str]) -> Sequence[Any]:
    """Return batch, number, lead and `NAMES` from the third on of all changes of some leads, in any order."""
    # In the order of the tree, so that each of its pages is read once.
    asked, changes = listed_texts(connection, sorted(lead_ids)), STAGE_CHANGES.c
    columns = (changes[name] for name in ("batch", "number", "lead_id", *NAMES[2:]))
    joined = sa.join(asked, STAGE_CHANGES, changes.lead_id == asked.c.value)
    return connection.execute(sa.select(*columns).select_from(joined)).all()


def listed_texts(connection: Connection, texts: Sequence[str]) -> Any:
    """Return a list of texts as a table with one column, ``value``."""
    listed = sa.bindparam("listed", json.dumps(list(texts)), type_=sa.Text)
    if connection.dialect.name == "sqlite":
        return sa.func.json_each(listed).table_valued("value")
    return sa.func.json_array_elements_text(sa.cast(listed, JSON)).table_valued("value")
