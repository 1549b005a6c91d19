"""Keep chunks of checked leads for the length of a job, on disk or in memory.

What must be known before the first row is scored (which rows contradict another, the hash of all rows) is found in one
pass over the source; the second pass reads the spool, in which values are typed already.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, fields
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

FAULT = [entry.name for entry in fields(Fault)]


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


@dataclass
class Spool:
    """Chunks in the order in which they came.

    Parameters
    ----------
    folder
        A folder of the job's own; None keeps the chunks in memory.
    """

    folder: Path | None
    pieces: list[Piece | list[Path]] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Take in a chunk."""
        if self.folder is None:
            self.pieces.append(piece)
            return
        paths = [self.folder / f"{name}-{len(self.pieces):05}.parquet" for name in ("rows", "faults")]
        columns = [_arrow(piece.frame[name]) for name in piece.frame.columns]
        if piece.where:
            columns.append(pa.array(piece.where, pa.string()))
        names = [*map(str, piece.frame.columns), *(["where"] if piece.where else [])]
        _write(pa.table(columns, names=names), paths[0])
        if piece.faults:
            rows = zip(*map(astuple, piece.faults), strict=True)
            _write(pa.table([pa.array(column) for column in rows], names=FAULT), paths[1])
        self.pieces.append(paths[: 1 + bool(piece.faults)])

    def __iter__(self) -> Iterator[Piece]:
        """Yield the chunks as they were: missing numbers are NaN, missing texts None."""
        for piece in self.pieces:
            yield piece if isinstance(piece, Piece) else _read(piece)


def _read(paths: Sequence[Path]) -> Piece:
    table = pq.read_table(paths[0], page_checksum_verification=True)
    names = table.column_names
    where: Sequence[str] = ()
    if names[-1] == "where" and not pa.types.is_dictionary(table.schema.types[-1]):
        where, names = table.column(len(names) - 1).to_pylist(), names[:-1]
    columns = {name: _values(table.column(at).combine_chunks()) for at, name in enumerate(names)}
    frame = pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})
    faults = pq.read_table(paths[1]).to_pylist() if len(paths) > 1 else []
    return Piece(frame, where, [Fault(**fault) for fault in faults])


def _write(table: pa.Table, path: Path) -> None:
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
