"""What keeps the scores of a batch: the store, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from leadml.stages.facts import Recorded, outcomes_by_lead, recorded_after
from leadml.stages.lifecycle import KnownStages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from leadml.stages.exploring import Marks
    from leadml.types import Objects


class Keeper(Protocol):
    """Keeps the scores of one batch. Its methods are called in this order, `known` and `add` for each chunk.

    Attributes
    ----------
    not_kept
        Why the scores are not kept, in words; empty if they are.
    """

    not_kept: str

    def begin(self, batch_id: str, *, now: str) -> str:
        """Begin the batch and return the instant of its first run: ``now``, unless it was begun before."""

    def note_outcomes(self, frames: Iterable[pd.DataFrame]) -> None:
        """Note the outcomes that are known at the instant, as `LeadsAsOf.outcomes` yields them."""

    def known(self, lead_ids: Sequence[str]) -> KnownStages:
        """Return what is known of the stages of leads before they are scored."""

    def add(self, scored: pd.DataFrame, parts: Objects, marks: Marks | None = None) -> None:
        """Keep the scored rows of a chunk, as they are published.

        Parameters
        ----------
        scored
            The rows.
        parts
            The bytes of `leadml.model.predict.parts` for each row, None for rows of which none are kept.
        marks
            Which of the leads are explored; None where none is.
        """

    def fill(self, *, scored: int, not_scored: int, counts: str | None) -> None:
        """Say that all rows are added. After this, the file of the scores is moved into place.

        Parameters
        ----------
        scored, not_scored
            Number of leads that were scored, and of rows that were refused.
        counts
            The counts of the leads by the bins of the training, as JSON; None if no lead was scored.
        """

    def complete(self) -> None:
        """Say that the file is in place, so that the batch counts."""

    def add_shadow(self, scored: pd.DataFrame, *, version: str, model_hash: str) -> None:
        """Keep what a version that is not in use says of the leads of the batch: ``lead_id, probability, stage``."""


class NoKeeper:
    """Keeps nothing.

    Parameters
    ----------
    not_kept
        Why, in words.
    at
        The instant of the leads, in microseconds: as of which they are scored, or that of the job.
    recycle_days
        As in the params.
    """

    def __init__(self, not_kept: str, *, at: int, recycle_days: int = 0) -> None:
        """Store the choices."""
        self.not_kept, self._at, self._recycle_days = not_kept, at, recycle_days
        self._recorded: dict[str, Recorded] = {}

    def begin(self, batch_id: str, *, now: str) -> str:  # noqa: ARG002 - no batch is known
        """Return ``now``."""
        return now

    def note_outcomes(self, frames: Iterable[pd.DataFrame]) -> None:
        """Note what people have recorded of each lead."""
        for outcomes in outcomes_by_lead(frames, {}, since=None):
            self._recorded |= {lead_id: recorded_after(facts) for lead_id, facts in outcomes.items()}

    def known(self, lead_ids: Sequence[str]) -> KnownStages:
        """Return what people have recorded; nothing else is known."""
        nothing = KnownStages.nothing(len(lead_ids))
        found = [self._recorded.get(lead_id, Recorded()) for lead_id in lead_ids]
        nurtured = [each.is_nurtured(self._at, self._recycle_days) for each in found]
        ranks = np.array([each.rank for each in found], dtype=np.int8)
        return replace(nothing, recorded=ranks, nurtured=np.array(nurtured, dtype=bool))

    def add(self, scored: pd.DataFrame, parts: Objects, marks: Marks | None = None) -> None:
        """Do nothing."""

    def fill(self, *, scored: int, not_scored: int, counts: str | None) -> None:
        """Do nothing."""

    def complete(self) -> None:
        """Do nothing."""

    def add_shadow(self, scored: pd.DataFrame, *, version: str, model_hash: str) -> None:
        """Do nothing."""
