"""Keep chunks of checked leads for the length of a job, on disk or in memory.

What must be known before the first row is scored (which rows contradict another, the hash of all rows) is found in one
pass over the source; the second pass reads the spool, in which values are typed already.
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
class Piece:
    """One chunk.

    Parameters
    ----------
    frame
        Checked rows.
    where
        File and line of each row.
    faults
        What is wrong with the other rows of the chunk.
    """

    frame: pd.DataFrame
    where: Sequence[str] = ()
    faults: Sequence[Fault] = ()


@dataclass(frozen=True)
class _Stored:
    """Where a chunk lies, and the names of its columns, which may be any text."""

    rows: Path
    names: list[str]
    faults: Path | None


@dataclass
class Spool:
    """Chunks in the order in which they came.

    Parameters
    ----------
    folder
        A folder of the job's own; None keeps the chunks in memory.
    """

    folder: Path | None
    pieces: list[Piece | _Stored] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Take in a chunk."""
        if self.folder is None:
            self.pieces.append(piece)
            return
        rows, faults = (self.folder / f"{name}-{len(self.pieces):05}.parquet" for name in ("rows", "faults"))
        names = [str(name) for name in piece.frame.columns]
        where = pa.array(piece.where or ["" for _ in range(len(piece.frame))], pa.string())
        _write([*(_arrow(piece.frame[name]) for name in names), where], rows)
        if piece.faults:
            _write([pa.array(column) for column in zip(*map(astuple, piece.faults), strict=True)], faults)
        self.pieces.append(_Stored(rows, names, faults if piece.faults else None))

    def __iter__(self) -> Iterator[Piece]:
        """Yield the chunks as they were: missing numbers are NaN, missing texts None."""
        for piece in self.pieces:
            yield piece if isinstance(piece, Piece) else _read(piece)


def _read(stored: _Stored) -> Piece:
    table = _table(stored.rows)
    columns = {name: _values(table.column(at).combine_chunks()) for at, name in enumerate(stored.names)}
    frame = pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})
    where = [place for place in table.column(len(stored.names)).to_pylist() if place]
    rows = zip(*(column.to_pylist() for column in _table(stored.faults).columns), strict=True) if stored.faults else ()
    return Piece(frame, where, [Fault(*row) for row in rows])


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
    words: Objects = np.array([*column.dictionary.to_pylist(), None], dtype=object)
    codes = column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return words[codes]
