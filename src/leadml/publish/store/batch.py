"""A batch as the store has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["begun", "filled", "complete"]


@dataclass(frozen=True)
class BatchEntry:
    """What is known of a batch before its leads are scored.

    Parameters
    ----------
    batch_id
        Hash of the leads' contents, the version and ``as_of``.
    target, version, model_hash
        The target, and name and hash of the version.
    as_of
        The instant of dated leads in ISO 8601; None for flat leads.
    matures_at
        When the outcomes of dated leads are known; None for flat leads.
    scored_at
        The instant of the run in ISO 8601.
    file, output_table
        Where the rows are written: a file, relative to ``params.yaml`` if it is in that folder, or a table.
    """

    batch_id: str
    target: str
    version: str
    model_hash: str
    as_of: str | None
    matures_at: str | None
    scored_at: str
    file: str | None
    output_table: str | None

    @property
    def at(self) -> str:
        """The instant of the stages: ``as_of``, or that of the run for flat leads."""
        return self.as_of or self.scored_at


@dataclass(frozen=True)
class StoredBatch(BatchEntry):
    """A batch as the store has it.

    Parameters
    ----------
    batch
        Its number: batches are counted in the order in which they were begun.
    state
        ``begun``, ``filled`` or ``complete``.
    scored, not_scored
        Number of leads that were scored, and of rows that were refused; None until it is complete.
    sha256
        Of the file; empty for a table, and for a file that is a folder; None while the file may be written again.
    """

    batch: int
    state: State
    scored: int | None
    not_scored: int | None
    sha256: str | None
