"""Remove scores that were kept for long enough."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from leadml.publish.store.tables import BATCHES, HANDOFFS, MANUAL_STAGES, OUTCOMES, SCORES, SHADOW_SCORES, STAGE_CHANGES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadml.publish.store.opening import Store


def remove_old_scores(store: Store, *, keep_days: int, now: str) -> int:
    """Remove the scores of batches that are older than some days and whose outcomes are known.

    With the scores of a lead go the changes of its stage in those batches, except the last while the lead has scores in
    later batches: it says what the stage is now. Those of a lead that was handed over to sales stay as long as it has
    scores. Outcomes that people recorded, stages that they set and hand-offs,
    which are as old, go with the last score of their lead. The batches stay, with their counts.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    keep_days
        Number of days.
    now
        The instant in ISO 8601, in UTC.

    Returns
    -------
    int
        The number of scores that were removed.
    """
    since = (datetime.fromisoformat(now) - timedelta(days=keep_days)).isoformat()
    is_known = BATCHES.c.matures_at.is_(None) | (BATCHES.c.matures_at <= now)
    old = sa.select(BATCHES.c.batch).where(BATCHES.c.scored_at < since, is_known, BATCHES.c.state == "complete")
    later, scores = STAGE_CHANGES.alias(), SCORES.alias()
    is_later = (later.c.batch > STAGE_CHANGES.c.batch) | (
        (later.c.batch == STAGE_CHANGES.c.batch) & (later.c.number > STAGE_CHANGES.c.number)
    )
    is_replaced = sa.exists().where(later.c.lead_id == STAGE_CHANGES.c.lead_id, is_later)

    def remove(connection: Connection) -> int:
        batches = connection.scalars(old).all()
        if not batches:
            return 0
        others = connection.scalars(sa.select(BATCHES.c.batch).where(BATCHES.c.batch.not_in(batches))).all()
        is_scored = sa.exists().where(scores.c.batch.in_(others), scores.c.lead_id == STAGE_CHANGES.c.lead_id)
        removed = connection.execute(sa.delete(SCORES).where(SCORES.c.batch.in_(batches))).rowcount
        connection.execute(sa.delete(SHADOW_SCORES).where(SHADOW_SCORES.c.batch.in_(batches)))
        clocks = (OUTCOMES, OUTCOMES.c.recorded_at), (MANUAL_STAGES, MANUAL_STAGES.c.at), (HANDOFFS, HANDOFFS.c.at)
        is_handed = sa.exists().where(HANDOFFS.c.lead_id == STAGE_CHANGES.c.lead_id)  # what became of it is in these
        goes = (is_replaced & ~is_handed) | ~is_scored
        connection.execute(sa.delete(STAGE_CHANGES).where(STAGE_CHANGES.c.batch.in_(batches), goes))
        for table, clock in clocks:
            has_score = sa.exists().where(scores.c.batch.in_(others), scores.c.lead_id == table.c.lead_id)
            connection.execute(sa.delete(table).where(clock < since, ~has_score))
        return removed

    return store.write(remove)
