"""What keeps the scores of a batch: the store, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.types import Objects


class Keeper(Protocol):
    """Keeps the scores of one batch. Its methods are called in this order, `stages_before` and `add` for each chunk.

    Attributes
    ----------
    not_kept
        Why the scores are not kept, in words; empty if they are.
    """

    not_kept: str

    def begin(self, batch_id: str, *, now: str) -> str:
        """Begin the batch and return the instant of its first run: ``now``, unless it was begun before."""

    def stages_before(self, lead_ids: Sequence[str]) -> Objects:
        """Return the stage of each lead before the batch; empty text where it is not known."""

    def add(self, scored: pd.DataFrame) -> None:
        """Keep the scored rows of a chunk, as they are published."""

    def fill(self, *, scored: int, not_scored: int) -> None:
        """Say that all rows are added. After this, the file of the scores is moved into place."""

    def complete(self) -> None:
        """Say that the file is in place, so that the batch counts."""


class NoKeeper:
    """Keeps nothing.

    Parameters
    ----------
    not_kept
        Why, in words.
    """

    def __init__(self, not_kept: str) -> None:
        """Store the reason."""
        self.not_kept = not_kept

    def begin(self, batch_id: str, *, now: str) -> str:  # noqa: ARG002 - no batch is known
        """Return ``now``."""
        return now

    def stages_before(self, lead_ids: Sequence[str]) -> Objects:
        """Return empty texts."""
        return np.full(len(lead_ids), "", dtype=object)

    def add(self, scored: pd.DataFrame) -> None:
        """Do nothing."""

    def fill(self, *, scored: int, not_scored: int) -> None:
        """Do nothing."""

    def complete(self) -> None:
        """Do nothing."""
