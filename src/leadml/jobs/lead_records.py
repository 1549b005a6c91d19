"""The part of a project's Python interface that reads and changes what the store holds of single leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from leadml.arguments import file_path
from leadml.errors import LeadmlError
from leadml.jobs.acceptance import Acceptance, acceptance
from leadml.jobs.handoff import HandOff, hand_off
from leadml.jobs.remember import forget, history, set_stage
from leadml.jobs.take_back import TakenBack, take_back

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.publish.store.lead import LeadHistory, Receipt
    from leadml.types import Progress


def ignore_progress(step: str) -> None:
    """Report no progress: the default of a project in Python."""
    del step


def current_instant() -> str:
    """Return the current instant in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, repr=False, eq=False)
class LeadRecords:
    """What the store of a project holds of single leads.

    Parameters
    ----------
    places
        The choices and paths.
    progress
        Called with the name of each step as it begins.
    """

    places: Places
    progress: Progress = ignore_progress

    def history(self, lead_id: str | int) -> LeadHistory:
        """Return the scores and the stages that a lead has had, of all targets, from the store.

        Raises
        ------
        LeadmlError
            If the project has no store, or the store does not know the lead.

        Examples
        --------
        >>> _ = project.score(project.places.data, out=project.places.root / "scored.csv", held_out=True)
        >>> project.history("233").scores["stage"].tolist()
        ['SQL']
        """
        return history(self.places, str(lead_id))

    def forget(self, lead_id: str | int) -> Receipt:
        """Remove a lead from the store and return a receipt. It stays in your own tables and in files of scores.

        Raises
        ------
        LeadmlError
            If the project has no store, the store does not know the lead, or it cannot be written.
        """
        return forget(self.places, str(lead_id), now=current_instant(), progress=self.progress)

    def override(self, lead_id: str | int, stage: str | None, *, reason: str, until: str | date | None = None) -> str:
        """Set the stage of a lead by hand, and return the stage that it has now.

        The stage counts at once and in all batches until it ends; the scored rows show the model's advice beside it.

        Parameters
        ----------
        lead_id
            A lead that was scored.
        stage
            One of ``LEAD, IQL, MQL, SAL, SQL, OPPORTUNITY, CUSTOMER, EVANGELIST``; None ends what was set.
        reason
            Why, in words.
        until
            A date or time at which it ends; None for no end.

        Raises
        ------
        LeadmlError
            If there is no such stage, no reason, or no such lead, or if the store cannot be written.
        """
        now, end = current_instant(), as_text(until)
        return set_stage(
            self.places, str(lead_id), stage or "", reason=reason, until=end, now=now, progress=self.progress
        )

    def hand_off(self, out: str | Path) -> HandOff:
        """Write the leads that became MQL or SQL to a file for sales, each once and with its reasons.

        A lead is written if its stage is MQL or SQL by advice, by a rule or by hand, unless it was handed over before
        at this stage or a higher one and has not fallen below MQL since.

        Parameters
        ----------
        out
            The file, ``.csv`` or ``.parquet``, which must not exist. Sales fill in its last columns.

        Raises
        ------
        LeadmlError
            If the project has no store, it cannot be written, or the file exists.

        Examples
        --------
        >>> _ = project.score(project.places.data, out=project.places.root / "scored.csv", held_out=True)
        >>> handed = project.hand_off(project.places.root / "sales.csv")
        >>> handed.stages["SQL"] > 0, handed.leads.columns[:3].tolist()
        (True, ['lead_id', 'stage', 'handed_before'])
        """
        return hand_off(self.places, file_path(out, "out"), now=current_instant(), progress=self.progress)

    def take_back(self, file: str | Path) -> TakenBack:
        """Store what sales decided of leads that were handed over: accepted, or rejected with a reason.

        Parameters
        ----------
        file
            The file that sales filled in, or another with its columns; see `leadml.jobs.take_back.take_back`.

        Raises
        ------
        DataError
            If a row cannot be understood; nothing is stored then. Leads that were not handed over are counted.
        """
        return take_back(self.places, file_path(file, "file"), now=current_instant(), progress=self.progress)

    def acceptance(self) -> Acceptance:
        """Return what sales did with the leads, by source and by owner, and why they rejected some.

        Raises
        ------
        LeadmlError
            If the project has no store, or nothing was handed over.
        """
        return acceptance(self.places)


def as_text(as_of: object) -> str | None:
    """Return a date as text."""
    if as_of is None or isinstance(as_of, str):
        return as_of
    if isinstance(as_of, date):
        return as_of.isoformat()
    msg = f"as_of must be a date or a text such as 2026-01-31, got {type(as_of).__name__}"
    raise LeadmlError(msg)
