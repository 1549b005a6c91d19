"""Open the tables of leads, activities and outcomes that params name: files, folders, or tables of a database.

All sources are read in the same way. A source without a required column is refused, and so is an address whose secret
is not in the environment. Sources of one database share one read transaction.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from leadml.errors import LeadmlError
from leadml.leads.read.columns import require_columns
from leadml.leads.read.files import Dialect, column_names, read_chunks, source_files
from leadml.params import normal_name
from leadml.params.address import ADDRESS, HIDDEN, LIKE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from leadml.leads.read.database import Query, ReadTransaction, TableName
    from leadml.leads.read.files import RawChunk
    from leadml.params import SourceParams

LOCATION_KEYS = ("path", "url", "table", "query")
SECRET_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class FileSource:
    """A file, or a folder of files with the same columns.

    Parameters
    ----------
    path
        The file or folder.
    dialect
        Format of CSV files.
    params_path
        The path as ``params.yaml`` has it, for messages; empty to show the names of the files.
    keys
        Key of params that names each column, for messages.
    """

    path: Path
    dialect: Dialect
    params_path: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the source in messages."""
        return self.path.name

    def require(self, columns: Collection[str], keys: Mapping[str, str] | None = None) -> None:
        """Raise a DataError where a file has not all of some columns; ``keys`` are of params, for the message."""
        for file in source_files(self.path):
            shown = file.name
            if self.params_path:
                shown = self.params_path if file == self.path else f"{self.params_path}/{file.name}"
            require_columns(columns, column_names(file, self.dialect), source=shown, keys={**self.keys, **(keys or {})})

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most ``rows`` rows."""
        return read_chunks(self.path, self.dialect, columns, rows=rows)


@dataclass(frozen=True)
class DatabaseSource:
    """A table or a query of a database.

    Parameters
    ----------
    transaction
        The read transaction of the database.
    relation
        The table or query.
    dialect
        Words that mean a missing value; numbers have a decimal point.
    keys
        Key of params that names each column, for messages.
    """

    transaction: ReadTransaction
    relation: TableName | Query
    dialect: Dialect
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the source in messages."""
        return self.relation.display_name

    def require(self, columns: Collection[str], keys: Mapping[str, str] | None = None) -> None:
        """Raise a DataError where the table has not all of some columns."""
        require_columns(
            columns, self.transaction.column_names(self.relation), source=self.name, keys={**self.keys, **(keys or {})}
        )

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most ``rows`` rows."""
        return self.transaction.chunks(self.relation, columns, rows=rows)


class TableSource(Protocol):
    """A table of a file, a database or a frame."""

    @property
    def name(self) -> str:
        """Name of the source in messages."""

    @property
    def dialect(self) -> Dialect:
        """Decimal mark and words that mean a missing value."""

    def require(self, columns: Collection[str], keys: Mapping[str, str] | None = None) -> None:
        """Raise a DataError where the table has not all of some columns."""

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most ``rows`` rows."""


@contextmanager
def open_table_sources(
    choices: Mapping[str, SourceParams], root: Path, dialect: Dialect
) -> Iterator[dict[str, TableSource]]:
    """Give a source for each choice, by the same names, until the block ends.

    Parameters
    ----------
    choices
        Location of each table, by a name such as ``leads``.
    root
        Folder to which paths are relative.
    dialect
        Format of CSV files.

    Raises
    ------
    LeadmlError
        Where a secret is not in the environment or a database cannot be reached.
    """
    sources: dict[str, TableSource] = {}
    with ExitStack() as stack:
        transactions: dict[str, ReadTransaction] = {}
        for name, choice in choices.items():
            keys = _params_keys(name, choice)
            if choice.path is not None:
                sources[name] = FileSource(root / choice.path, dialect, choice.path, keys)
                continue
            from leadml.leads.read.database import Query, TableName, open_read_transaction  # noqa: PLC0415 - an extra

            url = resolve_address(str(choice.url), root)
            if url not in transactions:
                transactions[url] = stack.enter_context(open_read_transaction(url))
            *schema, table = str(choice.table).split(".", 1)
            relation = Query(choice.query) if choice.query else TableName(table, schema[0] if schema else None)
            sources[name] = DatabaseSource(transactions[url], relation, replace(dialect, decimal="."), keys)
        yield sources


def _params_keys(name: str, choice: SourceParams) -> dict[str, str]:
    roles = {role: getattr(choice, role) for role in type(choice).model_fields if role not in LOCATION_KEYS}
    return {normal_name(column): f"sources.{name}.{role}" for role, column in roles.items() if isinstance(column, str)}


def resolve_address(url: str, root: Path) -> str:
    """Return an address with its secrets from the environment and an absolute path of an SQLite file.

    A secret inside an address is percent-encoded; a secret that is the whole address is used as it is.

    Parameters
    ----------
    url
        The address as params have it, with secrets as ``${NAME}``.
    root
        Folder to which the path of an SQLite file is relative.

    Raises
    ------
    LeadmlError
        Where the environment has no variable of that name, or the result is not an address.
    """

    def secret(reference: re.Match[str]) -> str:
        value = os.environ.get(reference[1])
        if value is None:
            msg = f"the environment must have a variable {reference[1]}, which params.yaml asks for, got none; set it"
            raise LeadmlError(msg)
        return value

    names, whole = SECRET_REFERENCE.findall(url), SECRET_REFERENCE.fullmatch(url)
    url = secret(whole) if whole else SECRET_REFERENCE.sub(lambda part: quote(secret(part), safe=""), url)
    if ADDRESS.fullmatch(url) is None:
        where = f"{' and '.join(names)} of the environment" if names else HIDDEN
        msg = f"{where}: {LIKE}, got none that can be read; correct it"
        raise LeadmlError(msg)
    start, mark, path = url.partition(":///")
    relative = start.startswith("sqlite") and mark and path and not path.startswith(("/", ":memory:", "file:"))
    return f"{start}:///{root.resolve() / path}" if relative else url
