"""Show what the store holds of one lead, or forget the lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import LeadmlError, nearest, quoted
from leadml.jobs.store import store_url
from leadml.leads.check.instants import instant, shown_instant
from leadml.publish.text_tables import TextTable
from leadml.stages.ladder import STAGES

if TYPE_CHECKING:
    from leadml.jobs.places import Places
    from leadml.publish.store.lead import LeadHistory, Receipt
    from leadml.types import Progress


def history(project: Places, lead_id: str) -> LeadHistory:
    """Return the scores and the changes of stages of a lead, of all targets, oldest first.

    Raises
    ------
    LeadmlError
        If the project has no store, or the store does not know the lead.
    """
    from leadml.publish.store.lead import lead_history  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import reading  # noqa: PLC0415

    with reading(store_url(project)) as store:
        found = None if store is None else lead_history(store, lead_id)
    if found is None or found.is_empty:
        raise LeadmlError(_unknown(lead_id))
    return found


def forget(project: Places, lead_id: str, *, now: str, progress: Progress) -> Receipt:
    """Remove a lead from the store and return the receipt.

    Raises
    ------
    LeadmlError
        If the project has no store, the store does not know the lead, or it cannot be written.
    """
    from leadml.publish.store.lead import forget_lead  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import writing_alone  # noqa: PLC0415

    history(project, lead_id)
    with writing_alone(store_url(project), progress) as store:
        return forget_lead(store, lead_id, now=now)


def set_stage(
    project: Places, lead_id: str, stage: str, *, reason: str, until: str | None, now: str, progress: Progress
) -> str:
    """Set the stage of a lead by hand, or end what was set, and return the stage that it has now.

    Parameters
    ----------
    project
        The project, whose store keeps it.
    lead_id
        The lead, which the store knows.
    stage
        One of the eight stages; empty to end what was set.
    reason
        Why, in words.
    until
        A date or time in ISO 8601 at which it ends; None for no end.
    now
        The instant in ISO 8601.
    progress
        Called while another job writes to the store.

    Raises
    ------
    LeadmlError
        If there is no such stage, no reason, or no such lead, or if the store cannot be written.
    """
    from leadml.publish.store import people  # noqa: PLC0415
    from leadml.publish.store.opening import writing_alone  # noqa: PLC0415 - SQLAlchemy takes time

    if stage and stage not in STAGES:
        msg = f"stage (--stage) must be one of {', '.join(STAGES)}, got {quoted(stage)}{nearest(stage, STAGES)}"
        raise LeadmlError(msg)
    if not reason.strip():
        msg = "reason (--reason) must say why the stage is set by hand, got nothing"
        raise LeadmlError(msg)
    history(project, lead_id)
    zone = project.params.data.timezone or "UTC"
    end = None if until is None else shown_instant(instant(until, timezone=zone, name="until (--until)"))
    days = project.params.stages.lifecycle.recycle_days
    with writing_alone(store_url(project), progress) as store:
        return people.set_stage(store, people.ManualStage(lead_id, stage, reason, end), now=now, recycle_days=days)


def history_tables(found: LeadHistory) -> list[tuple[str, TextTable]]:
    """Return the history of a lead as tables for people, each with its title."""
    scores = [
        (
            row["as_of"] or row["scored_at"],
            row["target"],
            f"{row['probability']:.4f}",
            f"{row['probability_low']:.4f} to {row['probability_high']:.4f}",
            row["stage"],
            row["version"],
            row["batch_id"],
        )
        for row in found.scores.to_dict("records")
    ]
    stages, outcomes, manual, handoffs = (
        [tuple(_shown(value) for value in row) for row in table.itertuples(index=False)]
        for table in (found.stages, found.outcomes, found.manual, found.handoffs)
    )
    tables = [
        ("scores", TextTable(("as of", "target", "probability", "interval", "stage", "version", "batch"), scores)),
        ("stages", TextTable(("from", "stage", "source", "target", "version", "batch"), stages)),
    ]
    if outcomes:
        head = ("occurred at", "recorded at", "outcome", "reason", "owner", "origin", "hours to contact")
        tables.append(("outcomes that sales gave back", TextTable(head, outcomes)))
    if manual:
        tables.append(("stages set by hand", TextTable(("at", "stage", "until", "reason"), manual)))
    if handoffs:
        tables.append(("handed over to sales", TextTable(("at", "stage", "target"), handoffs)))
    return tables


def _shown(value: object) -> str:
    """Return a value of the store as text, empty where there is none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN differs from itself
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _unknown(lead_id: str) -> str:
    return f"the store must know the lead {quoted(lead_id)}, got no score of it; ids are text, so 007 is not 7"
