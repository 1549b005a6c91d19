"""Hand over to sales the leads that became MQL or SQL, each once and with its reasons, in a file that sales fill in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadml.arguments import require_suffix
from leadml.errors import LeadmlError, inert
from leadml.jobs.published import published, published_rows, stored_path
from leadml.jobs.score_request import file_choices
from leadml.jobs.store import open_store
from leadml.params import normal_name
from leadml.publish.csv_file import defused
from leadml.publish.sinks import table_sink

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.handoffs import DueLeads
    from leadml.types import Progress

TO_FILL_IN = ("outcome", "occurred_at", "reason", "owner", "source", "first_contact_at")
SHOWN = ("grade", "reason_")  # beginnings of the columns of the scores that sales see


@dataclass(frozen=True, repr=False)
class HandOff:
    """The leads that were handed over.

    Parameters
    ----------
    leads
        One row per lead, as it is in the file; without rows, no file was written.
    out
        The file.
    doubts
        What sales are not told, in words.
    """

    leads: pd.DataFrame
    out: Path
    doubts: tuple[str, ...] = ()

    @property
    def stages(self) -> dict[str, int]:
        """The number of leads by stage."""
        return {str(stage): int(number) for stage, number in self.leads["stage"].value_counts().sort_index().items()}

    def __repr__(self) -> str:
        """Return the number of leads by stage in one line."""
        stages = ", ".join(f"{number:,} {stage}" for stage, number in self.stages.items())
        return f"<handed over: {stages or 'no lead'}: {inert(self.out)}>"


def hand_off(project: Places, out: Path, *, now: str, progress: Progress) -> HandOff:
    """Write the leads that are due for sales to a file, and remember that they were handed over.

    The file is moved into place first: a job that is killed before the store knows hands the same leads over again.

    Parameters
    ----------
    project
        The project.
    out
        The file, ``.csv``, ``.xlsx`` or ``.parquet``, which must not exist: sales may be filling it in.
    now
        The instant in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    LeadmlError
        If the project has no store, it cannot be written, or the file exists.
    """
    from leadml.publish.store.batches import settle  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.handoffs import add_handoff, due_leads  # noqa: PLC0415

    require_suffix(out, ".csv", ".xlsx", ".parquet")
    with open_store(project, now=now, progress=progress) as (store, _):
        if out.exists():
            msg = f"{out}: must be a new file, because sales may be filling in the old one; name another"
            raise LeadmlError(msg)
        store.write(lambda connection: settle(connection, partial(published, project=project)))
        due = due_leads(store, project.target)
        progress(f"handing over {len(due.leads):,} leads")
        rows, doubts = _rows(project, due, now=now)
        if len(rows):
            with table_sink(out, file_choices(project.params)) as sink:
                sink.write(rows)
            add_handoff(store, project.target, due, file=stored_path(out, project.root), now=now)
    return HandOff(rows, out, doubts)


def _rows(project: Places, due: DueLeads, *, now: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows for sales, and what they lack."""
    shown: dict[str, dict[str, Any]] = {}
    doubts = []
    for number, batch in due.batches.items():
        leads = due.leads[due.leads["batch"] == number]
        if leads.empty:
            continue
        found = published(batch, project)
        if found is None or found.sha256 != (batch.sha256 or ""):
            place = batch.file or batch.output_table
            doubts.append(
                f"{len(leads):,} leads have no reasons: {inert(place)} no longer holds batch {batch.batch_id}"
            )
            continue
        shown |= _shown_columns(project, batch, leads["lead_id"].tolist())
    columns = list(dict.fromkeys(name for values in shown.values() for name in values))
    texts = pd.DataFrame([[shown.get(lead_id, {}).get(name) for name in columns] for lead_id in due.leads["lead_id"]])
    texts.columns = pd.Index(columns)
    for name in columns:
        texts[name] = _points(texts[name]) if name.endswith("_points") else texts[name].fillna("")
    ids = due.leads["batch"].map({number: batch.batch_id for number, batch in due.batches.items()})
    first = due.leads[["lead_id", "stage", "handed_before", "probability", "probability_low", "probability_high"]]
    last: dict[str, Any] = {
        "target": project.target,
        "batch_id": ids,
        "handed_over_at": now,
        **dict.fromkeys(TO_FILL_IN, ""),
    }
    return pd.concat([first, texts], axis=1).assign(**last), tuple(doubts)


def _points(written: pd.Series[Any]) -> pd.Series[Any]:
    """Return points as numbers; in CSV they are texts, with the decimal mark that was declared then."""
    return pd.to_numeric(written.map(lambda value: value.replace(",", ".") if isinstance(value, str) else value))


def _shown_columns(project: Places, batch: StoredBatch, lead_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return by lead the columns that sales see of its scored row."""
    written = {lead_id: lead_id for lead_id in lead_ids}
    if batch.file is not None and batch.file.endswith(".csv"):  # for people, unless it was raw
        written |= {defused(lead_id): lead_id for lead_id in lead_ids}
    kept = set(map(normal_name, project.params.output.keep))
    found: dict[str, dict[str, Any]] = {}
    for frame in published_rows(batch, project):
        rows = frame[frame["lead_id"].isin(list(written))]
        names = [name for name in rows.columns if name in kept or name.startswith(SHOWN)]
        for lead_id, values in zip(rows["lead_id"], rows[names].to_dict("records"), strict=True):
            found[written[lead_id]] = {str(name): value for name, value in values.items()}
    return found
