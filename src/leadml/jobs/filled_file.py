"""Read the file that sales filled in as texts, whichever spreadsheet wrote it. No text is judged here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leadml.errors import DataError
from leadml.leads.check.convert import arrow_ids
from leadml.leads.check.load import CHUNK_ROWS
from leadml.leads.read.file_names import TEXT, suffix_of
from leadml.leads.read.files import Dialect, source_files
from leadml.leads.read.table_source import FileSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leadml.jobs.places import Places

REQUIRED = ("lead_id", "outcome", "occurred_at")
OPTIONAL = ("reason", "owner", "source", "first_contact_at")
DELIMITERS = (",", ";", "\t")  # as spreadsheets write them


def read_filled(project: Places, file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a file as texts, each with its ``location``."""
    source_files(file)
    source = FileSource(file, _dialect(project, file))
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
            if any(values.values()):
                yield {**dict.fromkeys(OPTIONAL, ""), **values, "location": chunk.location(at, values["lead_id"])}


def _dialect(project: Places, file: Path) -> Dialect:
    """Return how a file is written: whatever the project's own files are like, a spreadsheet may have written it."""
    known = replace(Dialect.from_params(project.params.data), sheet=None)
    if suffix_of(file.name) not in TEXT:
        return known
    content = file.read_bytes()
    try:
        content.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = known.encoding
    header = content.partition(b"\n")[0].decode(encoding, errors="replace")
    delimiter = max((known.delimiter, *DELIMITERS), key=header.count)
    return replace(known, delimiter=delimiter, encoding=encoding)


def _texts(column: Any) -> list[str | None]:
    """Return a column as texts; dates and times in ISO 8601."""
    values = column.to_pylist()
    return [
        None if value is None else value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)
        for value in values
    ]
