"""Where a table of leads, activities or outcomes is: files, or a database.

What enters is choices and the folder that they are relative to; what leaves is sources that are read in the same way.
It refuses a source that lacks a column, and an address whose secret the environment does not hold. Sources of one
database are read in one snapshot of it.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from leadml.errors import LeadmlError
from leadml.leads.read.columns import require_columns
from leadml.leads.read.files import Dialect, column_names, normal_name, read_chunks, source_files
from leadml.leads.read.frames import FrameSource
from leadml.params.address import ADDRESS, HIDDEN, LIKE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from leadml.leads.read.database import Query, ReadTransaction, TableName
    from leadml.leads.read.files import RawChunk
    from leadml.params import SourceParams

PLACE = ("path", "url", "table", "query")
SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class FileSource:
    """A file, or a folder of files.

    Parameters
    ----------
    path, dialect
        Where they are and how they are written.
    written
        What params call the path; empty for its own name.
    keys
        The key of params that names each column of a role.
    """

    path: Path
    dialect: Dialect
    written: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path.name

    def require(self, columns: Collection[str]) -> None:
        """Refuse a path where any file lacks a column."""
        for file in source_files(self.path):
            shown = (
                file.name if not self.written else self.written if file == self.path else f"{self.written}/{file.name}"
            )
            require_columns(columns, column_names(file, self.dialect), source=shown, keys=self.keys)

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most so many rows."""
        return read_chunks(self.path, self.dialect, columns, rows=rows)


@dataclass(frozen=True)
class DatabaseSource:
    """A table or a query of a database; ``keys`` as those of files."""

    snapshot: ReadTransaction
    place: TableName | Query
    dialect: Dialect
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.place.shown

    def require(self, columns: Collection[str]) -> None:
        """Refuse a table that lacks a column."""
        require_columns(columns, self.snapshot.column_names(self.place), source=self.name, keys=self.keys)

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most so many rows."""
        return self.snapshot.chunks(self.place, columns, rows=rows)


TableSource = FileSource | DatabaseSource | FrameSource


@contextmanager
def open_table_sources(
    choices: Mapping[str, SourceParams], root: Path, dialect: Dialect
) -> Iterator[dict[str, TableSource]]:
    """Give the sources of some choices, by the same names, until the block ends.

    Parameters
    ----------
    choices
        Where each table is.
    root
        What paths are relative to.
    dialect
        How CSV files are written.

    Raises
    ------
    LeadmlError
        Where a secret is not in the environment or a database cannot be reached.
    """
    found: dict[str, TableSource] = {}
    with ExitStack() as stack:
        snapshots: dict[str, ReadTransaction] = {}
        for name, choice in choices.items():
            keys = _role_keys(name, choice)
            if choice.path is not None:
                found[name] = FileSource(root / choice.path, dialect, choice.path, keys)
                continue
            from leadml.leads.read.database import Query, TableName, open_read_transaction  # noqa: PLC0415 - an extra

            url = resolved(str(choice.url), root)
            if url not in snapshots:
                snapshots[url] = stack.enter_context(open_read_transaction(url))
            *schema, table = str(choice.table).split(".", 1)
            place = Query(choice.query) if choice.query else TableName(table, schema[0] if schema else None)
            found[name] = DatabaseSource(snapshots[url], place, replace(dialect, decimal="."), keys)
        yield found


def _role_keys(name: str, choice: SourceParams) -> dict[str, str]:
    roles = {role: getattr(choice, role) for role in type(choice).model_fields if role not in PLACE}
    return {normal_name(column): f"sources.{name}.{role}" for role, column in roles.items() if isinstance(column, str)}


def resolved(url: str, root: Path) -> str:
    """Return an address with its secrets from the environment, and the path of an SQLite file made whole.

    A secret that is a part of the address is percent-encoded; one that is all of it is taken as it is.

    Raises
    ------
    LeadmlError
        Where the environment lacks a name, or what it holds makes no address.
    """

    def secret(found: re.Match[str]) -> str:
        value = os.environ.get(found[1])
        if value is None:
            msg = f"the environment must hold {found[1]}, which params.yaml asks for, got none; set it"
            raise LeadmlError(msg)
        return value

    names, alone = SECRET.findall(url), SECRET.fullmatch(url)
    url = secret(alone) if alone else SECRET.sub(lambda found: quote(secret(found), safe=""), url)
    if ADDRESS.fullmatch(url) is None:
        where = f"{' and '.join(names)} of the environment" if names else HIDDEN
        msg = f"{where}: {LIKE}, got none that can be read; correct it"
        raise LeadmlError(msg)
    start, mark, path = url.partition(":///")
    relative = start.startswith("sqlite") and mark and path and not path.startswith(("/", ":memory:", "file:"))
    return f"{start}:///{root.resolve() / path}" if relative else url
