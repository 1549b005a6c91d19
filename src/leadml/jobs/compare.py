"""Show people what changes if another version is put in use: fields, stages and why, volume and money.

Nothing is judged here: whether a version is better is what the gate says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import LeadmlError
from leadml.jobs.keep import last_batch
from leadml.leads.check.activity_plan import ACTIVITY, DAY
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.instants import from_shown, instant
from leadml.leads.sources.source import scoring_source
from leadml.model.judge.evaluation import as_rows, plain_rows
from leadml.publish.text_tables import TextTable

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.publish.store.batch import StoredBatch
    from leadml.types import Floats, Mask, Objects, Progress

WHY = {
    "decay": "nothing new came of them and time passed",
    "data": "what is known of them changed",
    "model": "the version judges them otherwise",
    "cut": "the stage begins at another probability",
    "both": "the version judges them otherwise, and the stage begins at another probability",
}
SINCE = ("decay", "data")  # of the changes since the last batch
LAST = f"{ACTIVITY}_last"  # field: days since the last activity of a lead


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """What changes from one version to another, on the same leads.

    Parameters
    ----------
    target, one, other
        Name of the target, and of both versions.
    leads
        Number of leads that both score.
    importance
        A row for each field: ``field``, ``one`` and ``other`` (mean absolute points on the holdout of each), each with
        ``_low`` and ``_high``, and ``moved``: whether the intervals have nothing in common.
    moves
        A row for each change of a stage: ``why``, ``before``, ``after``, ``leads``. ``model``, ``cut`` and ``both`` are
        from one version to the other, each lead once; ``decay`` and ``data`` are since the last batch of the first
        version, if the store has one of no later date.
    volume
        A row for each stage: ``stage``, ``one`` and ``other`` (leads at or above its cut), ``conversions`` (that the
        other version expects of its leads, less those that it expects of the leads of the one) and ``money`` (what
        these bring, less what the contacts cost; None where params do not tell it).
    changed
        Share of the leads that are in another stage.
    """

    target: str
    one: str
    other: str
    leads: int
    importance: pd.DataFrame
    moves: pd.DataFrame
    volume: pd.DataFrame
    changed: float

    @property
    def line(self) -> str:
        """The result in one line."""
        moved = self.importance.loc[self.importance["moved"], "field"].tolist()
        fields = f"{', '.join(moved)} matter otherwise" if moved else "no field surely matters otherwise"
        return (
            f"{self.target}: from version {self.one} to {self.other} {self.changed:.1%} of {self.leads:,} leads change "
            f"their stage; {fields}"
        )

    def tables(self, currency: str) -> list[tuple[str, TextTable]]:
        """Return titles and tables for people."""
        volume = [
            (
                row["stage"],
                f"{row['one']:,}",
                f"{row['other']:,}",
                f"{row['conversions']:+,.1f}",
                "not told" if row["money"] is None or np.isnan(row["money"]) else f"{row['money']:+,.0f} {currency}",
            )
            for row in as_rows(self.volume)
        ]
        head = ("why", "before", "after", "leads")
        moves: list[tuple[str, ...]] = []
        since: list[tuple[str, ...]] = []
        for row in as_rows(self.moves):
            table = since if row["why"] in SINCE else moves
            table.append((WHY[row["why"]], row["before"], row["after"], f"{row['leads']:,}"))
        fields = [
            (
                row["field"],
                *(_points(row, name) for name in ("one", "other")),
                "moved" if row["moved"] else "",
            )
            for row in as_rows(self.importance)
        ]
        names = f"by version {self.one}", f"by version {self.other}"
        return [
            ("leads at or above each cut", TextTable(("stage", *names, "conversions", "money"), volume)),
            (f"changes of stages from version {self.one} to {self.other}", TextTable(head, moves)),
            *([(f"changes since the last batch, by version {self.one}", TextTable(head, since))] if since else []),
            ("mean points of each field", TextTable(("field", *names, ""), fields)),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return all figures as values that JSON can store."""
        tables = {name: plain_rows(getattr(self, name)) for name in ("importance", "moves", "volume")}
        names = {"target": self.target, "one": self.one, "other": self.other}
        return {**names, "leads": self.leads, "changed": self.changed, **tables}

    def __repr__(self) -> str:
        """Return the result in one line."""
        return f"<{self.line}>"


def _points(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:.2f} ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"


@dataclass(frozen=True, eq=False)
class _Scored:
    """Leads as one version scores them, and the instant that they are of."""

    model: Model
    frame: pd.DataFrame
    probability: Floats
    at: int

    def stages(self, probability: Floats) -> Objects:
        """Return the stages of some probabilities by the cuts of the version."""
        return self.model.bundle.stages.advised(probability)


def compare(
    one: Model, other: Model, project: Places, *, file: Path | None, as_of: str | None, now: str, progress: Progress
) -> Comparison:
    """Return what changes from one version to another.

    Parameters
    ----------
    one, other
        The versions.
    project
        The project.
    file
        Flat leads; None for those that params name.
    as_of
        The date as of which dated leads are compared; None for flat leads.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the leads cannot be read.
    LeadmlError
        If there is no lead that both can score.
    """
    scored = [_read(model, project, file=file, as_of=as_of, now=now, progress=progress) for model in (one, other)]
    first, second = scored
    place = pd.Index(second.frame[LEAD_ID]).get_indexer(pd.Index(first.frame[LEAD_ID]))
    if not (place >= 0).any():
        msg = "there must be leads that both versions can score, got none"
        raise LeadmlError(msg)
    first = _rows(first, np.flatnonzero(place >= 0))
    second = _rows(second, place[place >= 0])
    before, after = first.stages(first.probability), second.stages(second.probability)
    judged = first.stages(second.probability)
    why = np.select([judged == after, judged == before], ["model", "cut"], "both")
    moves = [row for each in ("model", "cut", "both") for row in _moves(each, before[why == each], after[why == each])]
    moves += _since_last_batch(first, project)
    return Comparison(
        target=one.target,
        one=one.scored_version,
        other=other.scored_version,
        leads=len(before),
        importance=_importance(one, other),
        moves=pd.DataFrame(moves, columns=["why", "before", "after", "leads"]),
        volume=_volume(first, second, project),
        changed=float((before != after).mean()),
    )


def _read(
    model: Model, project: Places, *, file: Path | None, as_of: str | None, now: str, progress: Progress
) -> _Scored:
    """Return the leads of a version with its probabilities."""
    source = scoring_source(model.bundle.leads, project, now=now, file=file or project.data)
    with source.at(as_of, progress=progress, rows=project.params.score.chunk_rows) as leads:
        frame = pd.concat([chunk.frame for chunk in leads.chunks()], ignore_index=True)
        at = instant(next(iter(leads.stamp.values()), now), timezone=None)
    progress(f"scoring by version {model.version}")
    return _Scored(model, frame, model.bundle.model.predict(frame), at)


def _rows(scored: _Scored, rows: np.ndarray) -> _Scored:
    frame = scored.frame.iloc[rows].reset_index(drop=True)
    return replace(scored, frame=frame, probability=scored.probability[rows])


def _moves(why: str, before: Objects, after: Objects) -> list[dict[str, Any]]:
    """Return how many leads went from which stage to which, the largest numbers first."""
    pairs = pd.DataFrame({"before": before, "after": after})[before != after]
    counted = pairs.value_counts(sort=True).reset_index(name="leads")
    return [{"why": why, **row} for row in as_rows(counted)]


def _since_last_batch(scored: _Scored, project: Places) -> list[dict[str, Any]]:
    """Return the changes since the last batch, if the same version scored it, as of no later date."""
    batch, model = last_batch(project), scored.model
    if batch is None or batch.model_hash != model.manifest.model_hash:
        return []
    days = (scored.at - from_shown(batch.at)) / DAY
    if days < 0:
        return []
    known = _stored_probabilities(project, batch)
    stored = scored.frame[LEAD_ID].map(known).to_numpy(dtype=np.float64)
    has_stored = ~np.isnan(stored)
    before, after = scored.stages(np.nan_to_num(stored)), scored.stages(scored.probability)
    silent = _silent(scored.frame, days)
    moves = []
    for why, rows in (("decay", has_stored & silent), ("data", has_stored & ~silent)):
        moves += _moves(why, before[rows], after[rows])
    return moves


def _silent(frame: pd.DataFrame, days: float) -> Mask:
    """Return of which leads no activity is known in the last days; of none where leads have no activities."""
    if LAST not in frame:
        return np.zeros(len(frame), dtype=bool)
    last = frame[LAST].to_numpy(dtype=np.float64)
    return np.asarray(np.isnan(last) | (last >= days))


def _stored_probabilities(project: Places, batch: StoredBatch) -> dict[str, float]:
    """Return the probability of each lead of a batch."""
    from leadml.jobs.store import store_url  # noqa: PLC0415 - only where there is a store
    from leadml.publish.store.opening import reading  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.reviews import kept_scores  # noqa: PLC0415

    with reading(store_url(project)) as store:
        if store is None:
            return {}
        rows = kept_scores(store, batch.target, batch.model_hash, until=batch.at).rows
    newest = rows[rows["at"] == from_shown(batch.at)]
    return dict(zip(newest["lead_id"], newest["probability"], strict=True))


def _importance(one: Model, other: Model) -> pd.DataFrame:
    """Return the importance of each field in both versions; 0 where a version does not read it."""
    tables = []
    for model, name in ((one, "one"), (other, "other")):
        names = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
        tables.append(model.importance.set_index("field")[list(names)].rename(columns=names))
    table = tables[0].join(tables[1], how="outer").fillna(0.0)
    table["moved"] = (table["one_high"] < table["other_low"]) | (table["other_high"] < table["one_low"])
    return table.sort_values("other", ascending=False, kind="stable").reset_index()


def _volume(one: _Scored, other: _Scored, project: Places) -> pd.DataFrame:
    """Return the leads at or above each cut of both versions, and what the difference means."""
    money, rows = project.params.stages.money, []
    for stage, cut in other.model.cuts.items():
        before, after = one.probability >= one.model.cuts.get(stage, np.inf), other.probability >= cut
        more = float(other.probability[after].sum() - other.probability[before].sum())
        told = None
        if money.contact_cost is not None and money.won_value is not None:
            told = more * money.won_value - (int(after.sum()) - int(before.sum())) * money.contact_cost
        rows.append((stage, int(before.sum()), int(after.sum()), more, told))
    return pd.DataFrame(rows, columns=["stage", "one", "other", "conversions", "money"])
