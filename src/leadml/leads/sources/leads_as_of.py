"""The leads that are scored together: each once, as of one instant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.leads.check.duplicates import row_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

    from leadml.errors import Fault
    from leadml.leads.sources.spool import Piece


@dataclass(frozen=True)
class LeadsAsOf:
    """Leads to score.

    Parameters
    ----------
    content_hash
        Hash of all rows and faults as they were read: the same for any file format and size of chunks.
    read, merged
        Rows that were read, and those of them that repeat another.
    left_out
        Leads that are not scored because they are outside the population, or were fitted on where only the holdout is
        asked for.
    reason_left_out
        Why, in words.
    chunks
        Yields the leads to score and the faults of the others, in chunks.
    stamp
        Columns with one value for all leads, which name the instant: ``as_of``; none of flat leads.
    doubts
        What speaks against the scores, in words.
    """

    content_hash: str
    read: int
    merged: int
    left_out: int
    reason_left_out: str
    chunks: Callable[[], Iterator[Piece]]
    stamp: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that are scored or refused: those read, less those merged or left out."""
        return self.read - self.merged - self.left_out


class ContentHash:
    """A hash of rows and of faults, the same for any size of chunks.

    Rows are hashed in their order; faults are added up, because a chunk names its own before those of the next.
    """

    def __init__(self) -> None:
        self._rows, self._faults = hashlib.sha256(), 0

    def add(self, frame: pd.DataFrame, faults: Iterable[Fault] = ()) -> tuple[Any, Any]:
        """Take in a chunk and return the hashes of its ids and of its values."""
        pair = row_hashes(frame)
        self._rows.update(np.ascontiguousarray(np.stack(pair, axis=1)).tobytes())
        for fault in faults:
            self._faults += int.from_bytes(hashlib.sha256(str(fault).encode()).digest(), "big")
        return pair

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in."""
        return hashlib.sha256(self._rows.digest() + str(self._faults).encode()).hexdigest()
