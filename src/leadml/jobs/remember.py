"""Show what the store holds of one lead, or forget the lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import LeadmlError, quoted
from leadml.publish.text_tables import TextTable

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

    with reading(_url(project)) as store:
        found = None if store is None else lead_history(store, lead_id)
    if found is None or (found.scores.empty and found.stages.empty):
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
    with writing_alone(_url(project), progress) as store:
        return forget_lead(store, lead_id, now=now)


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
    stages = [tuple(str(value) for value in row) for row in found.stages.itertuples(index=False)]
    return [
        ("scores", TextTable(("as of", "target", "probability", "interval", "stage", "version", "batch"), scores)),
        ("stages", TextTable(("from", "stage", "source", "target", "version", "batch"), stages)),
    ]


def _url(project: Places) -> str:
    if project.store_url is None:
        msg = "store must name a store in params.yaml, got null; without one leadml remembers no lead"
        raise LeadmlError(msg)
    return project.store_url


def _unknown(lead_id: str) -> str:
    return f"the store must know the lead {quoted(lead_id)}, got no score of it; ids are text, so 007 is not 7"
