"""Take back what sales decided of the leads that they were given, as dated outcomes; refuse what is not understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadml.errors import DataError, Fault, LeadmlError, quoted
from leadml.jobs.remember import store_url
from leadml.leads.check.convert import arrow_ids
from leadml.leads.check.instants import from_shown, instant, shown_instant
from leadml.leads.check.load import CHUNK_ROWS
from leadml.leads.read.files import Dialect, source_files
from leadml.leads.read.table_source import FileSource
from leadml.stages.facts import CLOSING, RANK_OF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.publish.store.people import RecordedOutcome
    from leadml.types import Progress

REQUIRED = ("lead_id", "outcome", "occurred_at")
OPTIONAL = ("reason", "owner", "source", "first_contact_at")
WORDS = {"accepted": "sal", **{name: name for name in (*RANK_OF, *CLOSING)}}
HOUR = 3_600_000_000  # microseconds
DAY_LENGTH = len("2026-01-31")


@dataclass(frozen=True)
class TakenBack:
    """What sales gave back.

    Parameters
    ----------
    outcomes
        Number of outcomes by name.
    added
        How many of them the store did not know.
    undecided
        Number of rows without an outcome.
    contacted_before
        Number of rows whose first contact was before the hand-off, so that it tells no time.
    """

    outcomes: dict[str, int]
    added: int
    undecided: int
    contacted_before: int


def take_back(project: Places, file: Path, *, now: str, progress: Progress) -> TakenBack:
    """Store what sales decided, as dated outcomes with the hours from the hand-off to the first contact.

    Parameters
    ----------
    project
        The project.
    file
        CSV or Parquet with ``lead_id``, ``outcome`` (``accepted``, ``rejected``, or an outcome further down the funnel;
        rows without one are undecided) and ``occurred_at``, and if they are known ``reason`` (which a rejection needs),
        ``owner``, ``source`` and ``first_contact_at`` (with its time of day).
    now
        The instant in ISO 8601.
    progress
        Called while another job writes to the store.

    Raises
    ------
    DataError
        If a row cannot be understood, or names a lead that was not handed over; nothing is stored then.
    LeadmlError
        If the project has no store, or it cannot be written.
    """
    from leadml.publish.store.handoffs import handoff_records  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import writing_alone  # noqa: PLC0415
    from leadml.publish.store.people import record_outcomes  # noqa: PLC0415

    rows = list(_read(project, file))
    with writing_alone(store_url(project), progress) as store:
        handoffs = handoff_records(store).handoffs
        known: dict[str, list[int]] = {}
        for lead_id, at in zip(handoffs["lead_id"], handoffs["at"], strict=True):
            known.setdefault(lead_id, []).append(from_shown(at))
        reader = _RowReader(known, project.params.data.timezone or "UTC", from_shown(now))
        outcomes = [outcome for row in rows if (outcome := reader.read(row)) is not None]
        if reader.faults:
            raise DataError(reader.faults)
        days = project.params.stages.lifecycle.recycle_days
        added = record_outcomes(store, outcomes, now=now, recycle_days=days)
    counts = pd.Series([outcome.outcome for outcome in outcomes], dtype=object).value_counts().sort_index()
    by_name = {str(name): int(number) for name, number in counts.items()}
    return TakenBack(by_name, added, len(rows) - len(outcomes), reader.contacted_before)


def _read(project: Places, file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a file as texts, each with its ``location``."""
    source_files(file)
    source = FileSource(file, Dialect.from_params(project.params.data))
    source.require(REQUIRED)
    for chunk in source.chunks([*REQUIRED, *OPTIONAL], rows=CHUNK_ROWS):
        if chunk.faults:
            raise DataError(chunk.faults)
        columns = {
            name: _texts(chunk.table[name]) if name != "lead_id" else arrow_ids(chunk.table[name])[0].to_pylist()
            for name in chunk.table.column_names
        }
        for at in range(chunk.table.num_rows):
            values = {name: (column[at] or "").strip() for name, column in columns.items()}
            yield {**dict.fromkeys(OPTIONAL, ""), **values, "location": chunk.location(at, values["lead_id"])}


class _RowReader:
    """Reads what sales wrote in a row; collects what cannot be understood."""

    def __init__(self, handed: dict[str, list[int]], timezone: str, now: int) -> None:
        self._handed, self._timezone, self._now = handed, timezone, now
        self.faults: list[Fault] = []
        self.contacted_before = 0

    def read(self, row: dict[str, str]) -> RecordedOutcome | None:
        """Return the outcome of a row, or None if it has none or a fault."""
        from leadml.publish.store.people import RecordedOutcome  # noqa: PLC0415 - SQLAlchemy takes time

        if not row["outcome"]:
            return None
        lead_id = row["lead_id"]
        if lead_id not in self._handed and lead_id[:1] == "'":
            lead_id = lead_id[1:]  # the mark that CSV for people puts before what a spreadsheet would run
        outcome, faults = WORDS.get(row["outcome"].lower()), len(self.faults)
        if lead_id not in self._handed:
            self._refuse(row, "lead_id", f"must be a lead that was handed over, got {quoted(lead_id)}")
        if outcome is None:
            words = ", ".join(WORDS)
            self._refuse(row, "outcome", f"must be one of {words}, or empty, got {quoted(row['outcome'])}")
        if outcome == "rejected" and not row["reason"]:
            self._refuse(row, "reason", "must say why the lead is rejected, got nothing")
        occurred, contact = self._instant(row, "occurred_at"), self._contact(row)
        if len(self.faults) > faults or outcome is None or occurred is None:
            return None
        optional: dict[str, Any] = {name: row[name] or None for name in ("reason", "owner")}
        hours = self._hours(lead_id, contact)
        shown = shown_instant(occurred)
        return RecordedOutcome(
            lead_id, shown, outcome, origin=row["source"] or None, hours_to_contact=hours, **optional
        )

    def _instant(self, row: dict[str, str], name: str) -> int | None:
        try:
            found = instant(row[name], timezone=self._timezone, name="")
        except LeadmlError as error:
            self._refuse(row, name, str(error).strip())
            return None
        if found > self._now:
            self._refuse(row, name, f"must not lie in the future, got {quoted(row[name])}")
        return found

    def _contact(self, row: dict[str, str]) -> int | None:
        """Return the instant of the first contact, or None if it is not told."""
        text = row["first_contact_at"]
        if not text:
            return None
        if len(text) <= DAY_LENGTH:
            example = f"{text} 14:30"
            self._refuse(row, "first_contact_at", f"must have a time of day, such as {example}, got {quoted(text)}")
            return None
        return self._instant(row, "first_contact_at")

    def _hours(self, lead_id: str, contact: int | None) -> float | None:
        """Return the hours from the last hand-off before a contact to the contact."""
        if contact is None:
            return None
        before = [at for at in self._handed[lead_id] if at <= contact]
        if not before:
            self.contacted_before += 1
            return None
        return (contact - max(before)) / HOUR

    def _refuse(self, row: dict[str, str], column: str, message: str) -> None:
        self.faults.append(Fault(row["location"], message, column, row["lead_id"]))


def _texts(column: Any) -> list[str | None]:
    """Return a column as texts; dates and times in ISO 8601."""
    values = column.to_pylist()
    return [
        None if value is None else value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)
        for value in values
    ]
