"""What a review reads from the store, and what it writes to it: kept scores, counts of batches, and verdicts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from leadml.leads.check.instants import from_shown
from leadml.publish.store.batches import stored_batches
from leadml.publish.store.tables import BATCHES, HANDOFFS, REVIEWS, SCORES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.opening import Store
    from leadml.types import Floats, Objects

ROWS = 50_000  # that are Python objects at a time: changes no result, only memory
READ = ("lead_id", "probability", "parts")
EXPLORED = ("lead_id", "probability", "propensity", "explored")


@dataclass(frozen=True, repr=False, eq=False)
class KeptScores:
    """The scores of one version of a target that the store keeps, oldest batch first.

    Parameters
    ----------
    rows
        ``lead_id, probability, parts`` and ``at``, the instant of the leads in microseconds: as of which they
        were scored, or that of the batch for flat leads.
    batches
        The batches, in the order of their numbers.
    counts
        The counts of the leads of each of these batches as JSON; None for a batch without.
    """

    rows: pd.DataFrame
    batches: Sequence[StoredBatch]
    counts: Sequence[str | None]


def kept_scores(store: Store, target: str, model_hash: str, *, until: str) -> KeptScores:
    """Return the scores that a version gave up to an instant.

    Parameters
    ----------
    store
        The store.
    target
        Name of the target.
    model_hash
        Hash of the version.
    until
        The instant in ISO 8601, in UTC: batches that were scored later are left out.
    """

    def read(connection: Connection) -> KeptScores:
        of_version = BATCHES.c.target == target, BATCHES.c.model_hash == model_hash, BATCHES.c.state == "complete"
        found = stored_batches(connection, *of_version)
        batches = [batch for batch in found if from_shown(batch.at) <= from_shown(until)]
        counted = connection.execute(sa.select(BATCHES.c.batch, BATCHES.c.counts).where(*of_version))
        texts = {row.batch: row.counts for row in counted}
        ids: dict[str, str] = {}  # a lead that is scored every night is one text in memory
        chunks = [
            (*columns, np.full(len(columns[0]), from_shown(batch.at), dtype=np.int64))
            for batch in batches
            for columns in _scores_of(connection, batch, ids)
        ]
        nothing = np.empty(0, object), np.empty(0), np.empty(0, object), np.empty(0, np.int64)
        columns = (np.concatenate(each) for each in zip(nothing, *chunks, strict=True))
        # The types are said, since some versions of pandas make texts of objects.
        rows = pd.DataFrame(
            {name: pd.Series(each, dtype=each.dtype) for name, each in zip((*READ, "at"), columns, strict=True)}
        )
        return KeptScores(rows, batches, [texts[batch.batch] for batch in batches])

    return store.read(read)


def _scores_of(
    connection: Connection, batch: StoredBatch, ids: dict[str, str]
) -> Iterator[tuple[Objects, Floats, Objects]]:
    """Yield the scores of a batch, some at a time; ids that came before are the same objects."""
    query = sa.select(*(SCORES.c[name] for name in READ)).where(SCORES.c.batch == batch.batch)
    cursor: Any = connection.execute(query).cursor  # rows of SQLAlchemy's own take longer than the driver's
    while rows := cursor.fetchmany(ROWS):
        lead_id, probability, parts = zip(*rows, strict=True)
        lead_ids = np.array([ids.setdefault(each, each) for each in lead_id], dtype=object)
        yield lead_ids, np.array(probability, dtype=np.float64), np.array(parts, dtype=object)


def explored_scores(store: Store, target: str, model_hash: str | None, *, until: str) -> pd.DataFrame:
    """Return the first score of each lead that a version gave below the cut, where leads are explored.

    Parameters
    ----------
    store, target, until
        As for `kept_scores`.
    model_hash
        Hash of the version; None for all versions.

    Returns
    -------
    DataFrame
        ``lead_id, probability, propensity, explored``; ``at``, as in `KeptScores`; ``handed``, whether the lead was
        handed over to sales by the instant.
    """

    def read(connection: Connection) -> pd.DataFrame:
        asked = [BATCHES.c.target == target, BATCHES.c.state == "complete"]
        asked += [] if model_hash is None else [BATCHES.c.model_hash == model_hash]
        batches = [each for each in stored_batches(connection, *asked) if from_shown(each.at) <= from_shown(until)]
        parts = []
        for batch in sorted(batches, key=lambda each: from_shown(each.at)):
            is_drawn = SCORES.c.batch == batch.batch, SCORES.c.propensity.is_not(None)
            query = sa.select(*(SCORES.c[name] for name in EXPLORED)).where(*is_drawn)
            rows = [tuple(row) for row in connection.execute(query)]
            parts.append(pd.DataFrame(rows, columns=list(EXPLORED)).assign(at=from_shown(batch.at)))
        table = pd.concat(parts) if parts else pd.DataFrame(columns=[*EXPLORED, "at"])
        handed = set(connection.scalars(sa.select(HANDOFFS.c.lead_id).where(HANDOFFS.c.at <= until)))
        first = table.drop_duplicates("lead_id").reset_index(drop=True)
        return first.assign(handed=first["lead_id"].isin(handed))

    return store.read(read)


@dataclass(frozen=True)
class StoredReview:
    """A review as the store has it.

    Parameters
    ----------
    at
        The instant of the review in ISO 8601.
    target, version, model_hash
        What was reviewed.
    as_of
        What was known until this instant was judged.
    verdict
        The verdict.
    details
        Further figures, as values that JSON can store.
    """

    at: str
    target: str
    version: str
    model_hash: str
    as_of: str
    verdict: str
    details: dict[str, Any]


def add_review(store: Store, review: StoredReview) -> None:
    """Store a review; one of the same version as of the same instant replaces it.

    Parameters
    ----------
    store
        The store, which no other job writes to.
    review
        The review.
    """
    same = (
        REVIEWS.c.target == review.target,
        REVIEWS.c.model_hash == review.model_hash,
        REVIEWS.c.as_of == review.as_of,
    )
    values = {name: getattr(review, name) for name in ("at", "target", "version", "model_hash", "as_of", "verdict")}

    def write(connection: Connection) -> None:
        connection.execute(sa.delete(REVIEWS).where(*same))
        number = (connection.scalar(sa.select(sa.func.max(REVIEWS.c.review))) or 0) + 1
        details = json.dumps(review.details, sort_keys=True)
        connection.execute(sa.insert(REVIEWS).values(review=number, details=details, **values))

    store.write(write)


def stored_reviews(store: Store, target: str) -> list[StoredReview]:
    """Return the reviews of a target, in the order in which they were made."""

    def read(connection: Connection) -> list[StoredReview]:
        query = sa.select(REVIEWS).where(REVIEWS.c.target == target).order_by(REVIEWS.c.review)
        rows = connection.execute(query).mappings().all()
        return [
            StoredReview(
                **{
                    **{name: value for name, value in row.items() if name != "review"},
                    "details": json.loads(row["details"]),
                }
            )
            for row in rows
        ]

    return store.read(read)
