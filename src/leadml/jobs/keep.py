"""Choose what keeps the scores of a batch: the store of the project, or nothing, with the reason."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from leadml.jobs.published import published, stored_path
from leadml.jobs.store import open_store
from leadml.leads.check.contract import AS_OF
from leadml.leads.check.instants import instant
from leadml.publish.keeper import Keeper, NoKeeper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.publish.store.batch import StoredBatch
    from leadml.types import Progress

NO_PROJECT = "the version is of no project here"
SWITCHED_OFF = "store is null in params.yaml"


@contextmanager
def open_keeper(
    model: Model, project: Places | None, *, out: Path | None, stamp: Mapping[str, str], now: str, progress: Progress
) -> Iterator[Keeper]:
    """Give what keeps the scores of a batch until the block ends; the rows of suppressed people are removed first.

    Parameters
    ----------
    model
        The version that scores.
    project
        The project, or None without a ``params.yaml``.
    out
        The file of the scores; None for the table of the project.
    stamp
        Column and value of the instant of dated leads.
    now
        The instant of the job in ISO 8601.
    progress
        Called while another job writes to the store.

    Raises
    ------
    LeadmlError
        If the store cannot be written.
    """
    as_of = stamp.get(AS_OF)
    at = instant(next(iter(stamp.values()), now), timezone=None)
    if project is None or model.folder.parent != project.registry.folder.resolve():
        yield NoKeeper(NO_PROJECT, at=at)
        return
    choices, recycle_days = project.params.store, project.params.stages.lifecycle.recycle_days
    if choices is None:
        yield NoKeeper(SWITCHED_OFF, at=at, recycle_days=recycle_days)
        return
    from leadml.publish.store.batch import BatchEntry  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.writer import BatchWriter  # noqa: PLC0415

    entry = BatchEntry(
        batch_id="",
        target=model.target,
        version=model.scored_version,
        model_hash=model.manifest.model_hash,
        as_of=as_of,
        matures_at=model.bundle.leads.settings.matures_at(as_of),
        scored_at="",
        file=None if out is None else stored_path(out, project.root),
        output_table=project.params.output.table if out is None else None,
    )
    with open_store(project, now=now, progress=progress) as (store, _):
        look = partial(published, project=project)
        yield BatchWriter(store, entry, look, keep_days=choices.keep_days, recycle_days=recycle_days)


def last_batch(project: Places) -> StoredBatch | None:
    """Return the last batch of the target that the store knows, or None.

    Raises
    ------
    LeadmlError
        If there is a store that cannot be read.
    """
    if project.store_url is None:
        return None
    from leadml.publish.store.batches import last_batch as read_last  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import reading  # noqa: PLC0415

    with reading(project.store_url) as store:
        return None if store is None else read_last(store, project.target)
