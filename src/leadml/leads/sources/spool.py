"""Store chunks of checked leads while a job runs, on disk or in memory.

Two facts must be known before the first row is scored: which rows contradict each other, and the hash of all rows. A
first pass over the source finds them and writes the spool; a second pass reads the spool, so the source is parsed once.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from leadml.types import Objects


@dataclass(frozen=True)
class LeadChunk:
    """A chunk of leads.

    Parameters
    ----------
    frame
        Checked rows.
    where
        File and line of each row.
    faults
        The faults of the other rows of the chunk.
    """

    frame: pd.DataFrame
    where: Sequence[str] = ()
    faults: Sequence[Fault] = ()


@dataclass(frozen=True)
class _StoredChunk:
    """The files of a chunk, and the names of its columns, which may be any text."""

    rows: Path
    names: list[str]
    faults: Path | None


@dataclass
class Spool:
    """A list of chunks, in the order in which they were added.

    Parameters
    ----------
    folder
        The temporary folder of the job; None keeps the chunks in memory.
    """

    folder: Path | None
    chunks: list[LeadChunk | _StoredChunk] = field(default_factory=list)

    def add(self, chunk: LeadChunk) -> None:
        """Add a chunk."""
        if self.folder is None:
            self.chunks.append(chunk)
            return
        rows, faults = (self.folder / f"{name}-{len(self.chunks):05}.parquet" for name in ("rows", "faults"))
        names = [str(name) for name in chunk.frame.columns]
        where = pa.array(chunk.where or ["" for _ in range(len(chunk.frame))], pa.string())
        _write([*(_arrow(chunk.frame[name]) for name in names), where], rows)
        if chunk.faults:
            _write([pa.array(column) for column in zip(*map(astuple, chunk.faults), strict=True)], faults)
        self.chunks.append(_StoredChunk(rows, names, faults if chunk.faults else None))

    def __iter__(self) -> Iterator[LeadChunk]:
        """Yield the chunks unchanged: missing numbers are NaN, missing texts are None."""
        for chunk in self.chunks:
            yield chunk if isinstance(chunk, LeadChunk) else _read(chunk)


def _read(stored: _StoredChunk) -> LeadChunk:
    table = _table(stored.rows)
    columns = {name: _values(table.column(at).combine_chunks()) for at, name in enumerate(stored.names)}
    frame = pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})
    where = [line for line in table.column(len(stored.names)).to_pylist() if line]
    rows = zip(*(column.to_pylist() for column in _table(stored.faults).columns), strict=True) if stored.faults else ()
    return LeadChunk(frame, where, [Fault(*row) for row in rows])


def _table(path: Path) -> pa.Table:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read()


def _write(columns: list[pa.Array], path: Path) -> None:
    table = pa.table(columns, names=[str(at) for at in range(len(columns))])
    pq.write_table(table, path, compression="none", write_page_checksum=True)


def _arrow(column: pd.Series) -> pa.Array:
    if column.dtype == object:
        return pa.array(column.to_list(), pa.string()).dictionary_encode()
    return pa.array(column.to_numpy())


def _values(column: Any) -> Any:
    if not pa.types.is_dictionary(column.type):
        return column.to_numpy(zero_copy_only=False)
    texts: Objects = np.array([*column.dictionary.to_pylist(), None], dtype=object)
    codes = column.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
    return texts[codes]
