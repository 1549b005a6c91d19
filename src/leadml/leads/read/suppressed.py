"""A table that is read as if the rows of some leads were not there: people who are suppressed or who object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from leadml.leads.read.files import Dialect, RawChunk
    from leadml.leads.read.table_source import TableSource

    ReadIds = Callable[[pa.ChunkedArray], pa.ChunkedArray]


@dataclass(frozen=True)
class WithoutPeople:
    """A table without the rows of some leads.

    Parameters
    ----------
    source
        The table.
    column
        Its column of the id.
    ids
        The ids of the leads.
    read_ids
        Function that returns the ids of a column as leadml compares them.
    """

    source: TableSource
    column: str
    ids: frozenset[str]
    read_ids: ReadIds

    @property
    def name(self) -> str:
        """Name of the source in messages."""
        return self.source.name

    @property
    def dialect(self) -> Dialect:
        """The dialect of the source."""
        return self.source.dialect

    def require(self, columns: Collection[str], keys: Mapping[str, str] | None = None) -> None:
        """Raise a DataError where the table has not all of some columns."""
        self.source.require(columns, keys)

    def chunks(self, columns: Collection[str], *, rows: int) -> Iterator[RawChunk]:
        """Yield raw chunks of at most ``rows`` rows, without those of the leads."""
        listed = pa.array(sorted(self.ids), pa.string())
        for chunk in self.source.chunks(columns, rows=rows):
            ids = self.read_ids(chunk.table[self.column])
            is_listed = pc.fill_null(pc.is_in(ids, value_set=listed), fill_value=False)
            kept = ~np.asarray(is_listed.to_numpy(), dtype=bool)
            faults = tuple(fault for fault in chunk.faults if fault.lead_id not in self.ids)
            table = chunk.table.filter(pa.array(kept))
            yield replace(chunk, table=table, lines=chunk.lines[kept], places=chunk.places[kept], faults=faults)
