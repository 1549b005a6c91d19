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

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.opening import Store

ROWS = 50_000  # that are Python objects at a time: changes no result, only memory
READ = ("lead_id", "probability", "parts")
TYPES = {"lead_id": object, "probability": np.float64, "parts": object, "explored": np.float64}
EXPLORED = ("lead_id", "probability", "propensity", "explored")


@dataclass(frozen=True, repr=False, eq=False)
class KeptScores:
    """The scores of one version of a target that the store keeps, oldest batch first.

    Parameters
    ----------
    rows
        ``lead_id, probability, parts``, where asked for ``explored``, and ``at``, the instant of the leads in
        microseconds: as of which they were scored, or that of the batch for flat leads.
    batches
        The batches, in the order of their numbers.
    counts
        The counts of the leads of each of these batches as JSON; None for a batch without.
    """

    rows: pd.DataFrame
    batches: Sequence[StoredBatch]
    counts: Sequence[str | None]


def kept_scores(store: Store, target: str, model_hash: str, *, until: str, marks: bool = False) -> KeptScores:
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
    marks
        Whether to read ``explored``, too: 1 for a lead that was marked, 0 for one that was not, though it was drawn
        from, and NaN for all others.
    """
    names = (*READ, "explored") if marks else READ

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
            for columns in _scores_of(connection, batch, names, ids)
        ]
        nothing = *(np.empty(0, TYPES[name]) for name in names), np.empty(0, np.int64)
        columns = (np.concatenate(each) for each in zip(nothing, *chunks, strict=True))
        # The types are said, since some versions of pandas make texts of objects.
        rows = pd.DataFrame(
            {name: pd.Series(each, dtype=each.dtype) for name, each in zip((*names, "at"), columns, strict=True)}
        )
        return KeptScores(rows, batches, [texts[batch.batch] for batch in batches])

    return store.read(read)


def _scores_of(
    connection: Connection, batch: StoredBatch, names: Sequence[str], ids: dict[str, str]
) -> Iterator[list[NDArray[Any]]]:
    """Yield columns of the scores of a batch, some rows at a time; ids that came before are the same objects."""
    query = sa.select(*(SCORES.c[name] for name in names)).where(SCORES.c.batch == batch.batch)
    cursor: Any = connection.execute(query).cursor  # rows of SQLAlchemy's own take longer than the driver's
    while rows := cursor.fetchmany(ROWS):
        lead_id, *others = zip(*rows, strict=True)
        columns = [[ids.setdefault(each, each) for each in lead_id], *others]
        yield [np.array(column, dtype=TYPES[name]) for name, column in zip(names, columns, strict=True)]


def explored_scores(store: Store, target: str, model_hash: str, *, until: str) -> pd.DataFrame:
    """Return the first score of each lead that a version gave below the cut, where leads are explored.

    Parameters
    ----------
    store, target, model_hash, until
        As for `kept_scores`.

    Returns
    -------
    DataFrame
        ``lead_id, probability, propensity, explored``; ``at``, as in `KeptScores`; ``handed``, whether the lead was
        handed over to sales by the instant.
    """

    def read(connection: Connection) -> pd.DataFrame:
        of_version = BATCHES.c.target == target, BATCHES.c.model_hash == model_hash, BATCHES.c.state == "complete"
        batches = [each for each in stored_batches(connection, *of_version) if from_shown(each.at) <= from_shown(until)]
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


def first_draws(store: Store, target: str, *, until: str) -> pd.DataFrame:
    """Return the first score of each lead that any version gave below the cut, where leads are explored.

    Parameters
    ----------
    store, target, until
        As for `kept_scores`.

    Returns
    -------
    DataFrame
        ``lead_id, propensity, explored``; ``at`` and ``ended``, in microseconds: the instant of the batch, and that of
        the next one that has the lead at or above the cut, NaN if there is none.
    """
    lead_id, is_below = SCORES.c.lead_id, SCORES.c.propensity.is_not(None)
    at = sa.func.coalesce(BATCHES.c.as_of, BATCHES.c.scored_at)
    kept = BATCHES.c.target == target, BATCHES.c.state == "complete", at <= until
    scores = SCORES.join(BATCHES, SCORES.c.batch == BATCHES.c.batch)
    firsts = sa.select(lead_id, sa.func.min(at).label("at")).select_from(scores).where(*kept, is_below)
    first = firsts.group_by(lead_id).subquery()
    again = scores.join(first, lead_id == first.c.lead_id)
    explores = sa.select(SCORES.c.batch).where(is_below).distinct()
    drawn = sa.select(lead_id, SCORES.c.propensity, SCORES.c.explored, at.label("at")).select_from(again)
    drawn = drawn.where(*kept, is_below, at == first.c.at)
    ended = sa.select(lead_id, sa.func.min(at).label("ended")).select_from(again)
    ended = ended.where(*kept, ~is_below, at > first.c.at, SCORES.c.batch.in_(explores)).group_by(lead_id)

    def read(connection: Connection) -> pd.DataFrame:
        table = pd.DataFrame(connection.execute(drawn).all(), columns=["lead_id", "propensity", "explored", "at"])
        ends = pd.DataFrame(connection.execute(ended).all(), columns=["lead_id", "ended"])
        table = table.drop_duplicates("lead_id").merge(ends, on="lead_id", how="left")
        instants = {name: table[name].map(from_shown, na_action="ignore").astype("float64") for name in ("at", "ended")}
        return table.assign(**instants)

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
