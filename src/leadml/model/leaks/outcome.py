"""Labels and groups of the rows that the leak gate judges, and their two halves.

The rows of one group, a lead or an account, count as one observation and are never divided between the halves. So no
rate is evaluated on a group that it was computed from.
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
    labels
        Array of shape (n_rows,) of 0 and 1.
    groups
        Array of shape (n_rows,): the number of the lead or account of each row, from 0.
    draw
        Which draw of halves is used; in draw 0 each second group is in the second half.
    """

    labels: Labels
    groups: Rows
    draw: int = 0

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Outcome:
        """Return the outcome of a frame; groups are numbered in the order of the rows."""
        return cls(frame[LABEL].to_numpy(dtype=np.int8), pd.factorize(frame[SPLIT_KEY])[0].astype(np.intp))

    @property
    def base_rate(self) -> float:
        """Share of the rows that converted."""
        return float(self.labels.mean())

    @property
    def groups_of_rarer_class(self) -> int:
        """Number of groups with rows of the rarer class, 0 or 1."""
        return min(self.count_groups(self.labels == label) for label in (0, 1))

    @cached_property
    def in_second_half(self) -> Mask:
        """Whether each row is in the second half: every second group is, in an order that the draw decides."""
        if not self.draw:
            return np.asarray(self.groups % 2 == 1)
        order = np.random.default_rng(self.draw).permutation(int(self.groups.max(initial=0)) + 1)
        return np.asarray(order[self.groups] % 2 == 1)

    @property
    def halves(self) -> tuple[Mask, Mask]:
        """The rows of each half."""
        return ~self.in_second_half, self.in_second_half

    @property
    def has_both_classes(self) -> bool:
        """Whether each half has rows of both classes."""
        return all(0 < self.labels[rows].sum() < rows.sum() for rows in self.halves)

    def part(self, rows: Mask | slice) -> Outcome:
        """Return the outcome of some rows, with their groups numbered anew."""
        return Outcome(self.labels[rows], pd.factorize(self.groups[rows])[0].astype(np.intp), self.draw)

    def count_groups(self, rows: Mask) -> int:
        """Return the number of groups of some rows."""
        return len(np.unique(self.groups[rows]))
