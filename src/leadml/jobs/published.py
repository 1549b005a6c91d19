"""Find the rows that a batch published: in its file, or in the table of the project's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.publish.files import sha256
from leadml.publish.sinks import batch_rows, holds_batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from leadml.jobs.places import Places
    from leadml.publish.store.batch import StoredBatch
    from leadml.publish.store.batches import Published


def published(batch: StoredBatch, project: Places) -> Published | None:
    """Return what the file or table of a batch holds of it, or None where it is not there."""
    from leadml.publish.store.batches import Published  # noqa: PLC0415 - SQLAlchemy takes time

    if batch.file is None:
        return Published("") if _table_holds(batch, project) else None
    path = project.root / batch.file
    if not holds_batch(path, batch.batch_id):
        return None
    return Published(sha256(path) if path.is_file() else "")


def published_rows(batch: StoredBatch, project: Places) -> Iterator[pd.DataFrame]:
    """Yield the rows of a batch, which `published` finds; from CSV, all values are texts."""
    if batch.file is not None:
        yield from batch_rows(project.root / batch.file, batch.batch_id)
        return
    from leadml.leads.read.database import TableName  # noqa: PLC0415
    from leadml.publish.database_rows import table_batch_rows  # noqa: PLC0415

    url, _ = project.database or ("", "")
    yield from table_batch_rows(url, TableName.parse(str(batch.output_table)), batch.batch_id)


def stored_path(path: Path, root: Path) -> str:
    """Return a path relative to the folder of the project, or absolute where it is elsewhere."""
    full, folder = path.resolve(), root.resolve()
    return full.relative_to(folder).as_posix() if full.is_relative_to(folder) else str(full)


def _table_holds(batch: StoredBatch, project: Places) -> bool:
    from leadml.leads.read.database import TableName  # noqa: PLC0415
    from leadml.publish.database_rows import table_holds_batch  # noqa: PLC0415

    if project.database is None or not batch.output_table:
        return False
    return table_holds_batch(project.database[0], TableName.parse(batch.output_table), batch.batch_id)
