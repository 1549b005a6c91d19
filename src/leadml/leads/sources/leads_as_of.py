"""The leads to score as of one instant, each lead once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.leads.check.contract import kept_columns
from leadml.leads.check.duplicates import kept_hashes, row_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

    from leadml.errors import Fault
    from leadml.leads.sources.spool import LeadChunk


@dataclass(frozen=True)
class LeadsAsOf:
    """The leads to score as of one instant, in chunks.

    Parameters
    ----------
    content_hash
        Hash of all rows and faults as they were read; it does not depend on the file format or the size of chunks.
    rows_read, merged
        Number of rows that were read, and of those that repeat another row.
    left_out
        Number of leads that are not scored because they are outside the population, or outside the holdout if only the
        holdout is scored.
    reason_left_out
        Why they are left out, in words.
    chunks
        Function that yields the leads to score, and the faults of the others, in chunks.
    stamp
        The column ``as_of`` and its value for all leads; empty for flat leads.
    doubts
        Reasons to distrust the scores, in words.
    outcomes
        Function that yields the outcomes that are known at the instant, of all leads: ``lead_id, occurred_at,
        recorded_at, outcome``; none of flat leads.
    """

    content_hash: str
    rows_read: int
    merged: int
    left_out: int
    reason_left_out: str
    chunks: Callable[[], Iterator[LeadChunk]]
    stamp: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    outcomes: Callable[[], Iterator[pd.DataFrame]] = lambda: iter(())

    @property
    def rows(self) -> int:
        """Number of rows that are scored or refused: rows read, minus merged rows, minus leads left out."""
        return self.rows_read - self.merged - self.left_out


class ContentHash:
    """A hash of rows and faults that does not depend on the size of chunks.

    Rows are hashed in their order. The hashes of faults are summed, because the position of a fault among the rows
    depends on the chunks.
    """

    def __init__(self) -> None:
        self._rows, self._faults = hashlib.sha256(), 0

    def add(self, frame: pd.DataFrame, faults: Iterable[Fault] = ()) -> tuple[Any, Any]:
        """Add a chunk and return the hashes of its ids and of its values."""
        hashes = row_hashes(frame)
        kept = (kept_hashes(frame),) if kept_columns(frame) else ()
        self._rows.update(np.ascontiguousarray(np.stack([*hashes, *kept], axis=1)).tobytes())
        for fault in faults:
            self._faults += int.from_bytes(hashlib.sha256(str(fault).encode()).digest(), "big")
        return hashes

    def hexdigest(self) -> str:
        """Return the hash of all chunks that were added."""
        return hashlib.sha256(self._rows.digest() + str(self._faults).encode()).hexdigest()
