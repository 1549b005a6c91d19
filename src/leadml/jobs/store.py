"""Open the store of a project to write to it. People on the lists of suppression are removed before anything else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from leadml.errors import LeadmlError
from leadml.leads.sources.suppression import read_suppressed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.jobs.places import Places
    from leadml.publish.store.opening import Store
    from leadml.types import Progress


@contextmanager
def open_store(project: Places, *, now: str, progress: Progress) -> Iterator[tuple[Store, frozenset[str]]]:
    """Give the store of a project, which no other job writes to, and the ids of suppressed people.

    Parameters
    ----------
    project
        The project.
    now
        The instant in ISO 8601.
    progress
        Called while another job writes to the store.

    Raises
    ------
    DataError
        If a list of people cannot be read.
    LeadmlError
        If the project has no store, or it cannot be written.
    """
    from leadml.publish.store.lead import remove_leads  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import writing_alone  # noqa: PLC0415

    with writing_alone(store_url(project), progress) as store:
        suppressed = read_suppressed(project.root, project.params)
        remove_leads(store, suppressed, now=now)
        yield store, suppressed


def store_url(project: Places) -> str:
    """Return the address of the store of a project; refuse a project without one, with a `LeadmlError`."""
    if project.store_url is None:
        msg = "store must name a store in params.yaml, got null; without one leadml remembers no lead"
        raise LeadmlError(msg)
    return project.store_url
