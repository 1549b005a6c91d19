"""Take back what sales decided of the leads that they were given, as dated outcomes; refuse what is not understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadml.errors import DataError, Fault, LeadmlError, quoted
from leadml.jobs.filled_file import read_filled
from leadml.jobs.published import stored_path
from leadml.jobs.store import open_store
from leadml.leads.check.instants import from_shown, instant, shown_instant
from leadml.stages.acceptance import ACCEPTED_FROM
from leadml.stages.facts import RANK_OF

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.publish.store.people import RecordedOutcome
    from leadml.types import Progress

WORDS = {"accepted": "sal", "rejected": "rejected"} | {
    name: name for name, rank in RANK_OF.items() if rank >= ACCEPTED_FROM
}
MARK = "'"  # which CSV for people puts before what a spreadsheet would run
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
    suppressed
        Number of rows of people on the lists of ``suppression``, of whom nothing is stored.
    unknown
        The ids of decided leads that were not handed over, of which nothing is stored.
    """

    outcomes: dict[str, int]
    added: int
    undecided: int
    contacted_before: int
    suppressed: int
    unknown: tuple[str, ...]


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
        If a row cannot be understood; nothing is stored then.
    LeadmlError
        If the project has no store, or it cannot be written.
    """
    from leadml.publish.store.handoffs import handoff_records, note_file  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.people import record_outcomes  # noqa: PLC0415

    rows = list(read_filled(project, file))
    with open_store(project, now=now, progress=progress) as (store, suppressed):
        handoffs = handoff_records(store).handoffs
        known: dict[str, list[int]] = {}
        for lead_id, at in zip(handoffs["lead_id"], handoffs["at"], strict=True):
            known.setdefault(lead_id, []).append(from_shown(at))
        reader = _RowReader(known, project.params.data.timezone or "UTC", from_shown(now))
        kept = [row for row in rows if not {row["lead_id"], row["lead_id"].removeprefix(MARK)} & suppressed]
        outcomes = [outcome for row in kept if (outcome := reader.read(row)) is not None]
        if reader.faults:
            raise DataError(reader.faults)
        if outcomes:
            days = project.params.stages.lifecycle.recycle_days
            added = record_outcomes(store, outcomes, now=now, recycle_days=days)
            note_file(store, stored_path(file, project.root), now=now)
    counts = pd.Series([outcome.outcome for outcome in outcomes], dtype=object).value_counts().sort_index()
    by_name = {str(name): int(number) for name, number in counts.items()}
    undecided = sum(not row["outcome"] for row in kept)
    new = added if outcomes else 0
    return TakenBack(
        by_name, new, undecided, reader.contacted_before, len(rows) - len(kept), tuple(dict.fromkeys(reader.unknown))
    )


class _RowReader:
    """Reads what sales wrote in a row; collects what cannot be understood."""

    def __init__(self, handed: dict[str, list[int]], timezone: str, now: int) -> None:
        self._handed, self._timezone, self._now = handed, timezone, now
        self.faults: list[Fault] = []
        self.unknown: list[str] = []
        self._said: dict[tuple[str, str], str] = {}
        self.contacted_before = 0

    def read(self, row: dict[str, str]) -> RecordedOutcome | None:
        """Return the outcome of a row; None if it has none or a fault, or its lead was not handed over."""
        from leadml.publish.store.people import RecordedOutcome  # noqa: PLC0415 - SQLAlchemy takes time

        if not row["outcome"]:
            for name in ("occurred_at", "reason"):
                if row[name]:
                    self._refuse(row, "outcome", f"must be said where {name} is, got nothing")
            return None
        lead_id = row["lead_id"]
        lead_id = lead_id if lead_id in self._handed else lead_id.removeprefix(MARK)
        if lead_id not in self._handed:
            self.unknown.append(row["lead_id"])
            return None
        outcome, faults = WORDS.get(row["outcome"].lower()), len(self.faults)
        if outcome is None:
            words = ", ".join(WORDS)
            self._refuse(row, "outcome", f"must be one of {words}, or empty, got {quoted(row['outcome'])}")
        if outcome == "rejected" and not row["reason"]:
            self._refuse(row, "reason", "must say why the lead is rejected, got nothing")
        said = self._said.setdefault((lead_id, row["occurred_at"]), str(outcome))
        if "rejected" in {outcome, said} and outcome != said:
            self._refuse(row, "outcome", f"must be one at one time, got {quoted(said)} and {quoted(outcome)}")
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
