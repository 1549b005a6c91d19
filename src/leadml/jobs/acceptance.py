"""Tell how many of the leads that sales were given they accepted, why not, and how soon they contacted them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from leadml.arguments import require_suffix
from leadml.errors import LeadmlError
from leadml.jobs.published import stored_path
from leadml.jobs.store import open_store, store_url
from leadml.publish.sink import FileChoices
from leadml.publish.sinks import table_sink
from leadml.publish.text_tables import TextTable
from leadml.stages.acceptance import acceptance_table, followed_up, rejection_table

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.types import Progress


@dataclass(frozen=True)
class Acceptance:
    """What became of the leads that were handed over; see `leadml.stages.acceptance`.

    Parameters
    ----------
    table
        The table of `acceptance_table`.
    rejections
        The table of `rejection_table`.
    """

    table: pd.DataFrame
    rejections: pd.DataFrame


def acceptance(project: Places) -> Acceptance:
    """Return what became of the leads that were handed over, of all targets of the project.

    Raises
    ------
    LeadmlError
        If the project has no store, or nothing was handed over.
    """
    from leadml.publish.store.handoffs import handoff_records  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import reading  # noqa: PLC0415

    with reading(store_url(project)) as store:
        records = None if store is None else handoff_records(store)
    if records is None or records.handoffs.empty:
        msg = (
            "leads must have been handed over, got none; score leads (leadml score), then write those that are due "
            "with leadml handoff --out FILE"
        )
        raise LeadmlError(msg)
    followed = followed_up(records.handoffs, records.changes, records.outcomes)
    return Acceptance(acceptance_table(followed), rejection_table(followed))


def write_outcomes(project: Places, out: Path, *, now: str, progress: Progress) -> int:
    """Write all outcomes that sales gave back in the format of ``sources.outcomes``, and return how many.

    Columns: ``lead_id, occurred_at, recorded_at, outcome, reason, owner, source``. Put the file into the folder of the
    outcomes, so that a target learns from them. People on the lists of ``suppression`` are not in it.

    Parameters
    ----------
    project
        The project.
    out
        The file, ``.csv`` (for machines: no text is escaped) or ``.parquet``.
    now
        The instant in ISO 8601.
    progress
        Called while another job writes to the store.

    Raises
    ------
    LeadmlError
        If the project has no store, no outcome came back, or the file cannot be written.
    """
    from leadml.publish.store.handoffs import all_outcomes, note_file  # noqa: PLC0415 - SQLAlchemy takes time

    require_suffix(out, ".csv", ".parquet")
    with open_store(project, now=now, progress=progress) as (store, _):
        found = all_outcomes(store)
        if found.empty:
            msg = "sales must have given an outcome back, got none; nothing was written"
            raise LeadmlError(msg)
        with table_sink(out, FileChoices(raw=True)) as sink:
            sink.write(found)
        note_file(store, stored_path(out, project.root), now=now)
    return len(found)


def acceptance_text(found: Acceptance) -> list[tuple[str, TextTable]]:
    """Return the tables of acceptance for people, each with its title."""
    head = ("by", "name", "handed over", "accepted", "rejected", "open", "acceptance", "hours to contact")
    rows = [
        (
            row["by"],
            row["name"],
            *(f"{row[name]:,}" for name in ("handed_over", "accepted", "rejected", "open")),
            "" if pd.isna(row["acceptance"])
            else f"{row['acceptance']:.0%} ({row['acceptance_low']:.0%} to {row['acceptance_high']:.0%})",
            "" if pd.isna(row["hours_to_contact"]) else f"{row['hours_to_contact']:.1f} (of {row['contacted']:,})",
        )
        for row in found.table.to_dict("records")
    ]  # fmt: skip
    tables = [("what sales did with the leads, with 90% intervals; hours are medians", TextTable(head, rows))]
    if len(found.rejections):
        reasons = [(str(row["reason"]), f"{row['leads']:,}") for row in found.rejections.to_dict("records")]
        tables.append(("why rejected", TextTable(("reason", "leads"), reasons)))
    return tables
