"""What became of leads, and which rows belong together.

What enters is a frame with labels; what leaves is labels, groups and two halves that share no group.
Rows of one lead, or of one account, are never on both sides, so that no rate is judged by the lead it was learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL, SPLIT_KEY

if TYPE_CHECKING:
    from leadml.types import Labels, Mask, Rows


@dataclass(frozen=True, eq=False)
class Outcome:
    """Labels and groups of rows.

    Parameters
    ----------
    label
        Array of shape (n_rows,) of 0 and 1.
    group
        Array of shape (n_rows,): the number of the lead or account that the row is of.
    """

    label: Labels
    group: Rows

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Outcome:
        """Return the outcome of a frame; groups are numbered in the order of the rows."""
        return cls(frame[LABEL].to_numpy(dtype=np.int8), pd.factorize(frame[SPLIT_KEY])[0].astype(np.intp))

    @property
    def rate(self) -> float:
        """Share of the rows that converted."""
        return float(self.label.mean())

    @property
    def rarer(self) -> int:
        """How many groups have rows of the rarer kind: rows of one lead are one witness."""
        return min(self.leads(self.label == kind) for kind in (0, 1))

    @cached_property
    def half(self) -> Mask:
        """Which half each row is in: every second group."""
        return np.asarray(self.group % 2 == 1)

    @property
    def sides(self) -> tuple[Mask, Mask]:
        """The rows of each half."""
        return ~self.half, self.half

    @property
    def judgeable(self) -> bool:
        """Whether both halves hold leads of both kinds."""
        return all(0 < self.label[rows].sum() < rows.sum() for rows in self.sides)

    def part(self, rows: Mask | slice) -> Outcome:
        """Return the outcome of some rows, their groups numbered anew."""
        return Outcome(self.label[rows], pd.factorize(self.group[rows])[0].astype(np.intp))

    def leads(self, rows: Mask) -> int:
        """Return how many groups some rows are of."""
        return len(np.unique(self.group[rows]))
