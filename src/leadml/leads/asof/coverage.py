"""When the rows of a table were recorded, and so up to when the table is complete.

A mistyped date must not move the end of a table: a few rows that follow a long gap do not count as its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.activity_plan import DAY

if TYPE_CHECKING:
    from leadml.types import Integers


WEEK = 7  # days
# Where 20 rows are usual, none has the chance e^-20 = 2e-9, and still e^-4 = 2% if rows come in fives.
ROWS_EXPECTED_IN_GAP = 20.0


@dataclass(frozen=True)
class Coverage:
    """How many rows of a table were recorded on each day.

    Parameters
    ----------
    first_day
        The day of the first row, in days since 1970 in UTC.
    rows_per_day
        Array of shape (n_days,): rows of each day from the first to the last; the last day has one or more.
    newest
        The newest instant of recording, microseconds.
    """

    first_day: int
    rows_per_day: Integers
    newest: int

    @classmethod
    def of(cls, recorded_at: Integers) -> Coverage:
        """Return the coverage of rows recorded at these instants: one or more, microseconds, not negative.

        Examples
        --------
        >>> found = Coverage.of(np.array([9 * DAY, 9 * DAY + 5, 11 * DAY]))
        >>> found.first_day, found.rows_per_day.tolist(), found.newest == 11 * DAY
        (9, [2, 0, 1], True)
        """
        first_day = int(recorded_at.min() // DAY)
        return cls(first_day, np.bincount(recorded_at // DAY - first_day), int(recorded_at.max()))

    def combine(self, other: Coverage | None) -> Coverage:
        """Return the coverage of the rows of both."""
        if other is None:
            return self
        both = (self, other)
        first = min(part.first_day for part in both)
        stop = max(part.first_day + len(part.rows_per_day) for part in both)
        rows = np.zeros(stop - first, dtype=np.int64)
        for part in both:
            start = part.first_day - first
            rows[start : start + len(part.rows_per_day)] += part.rows_per_day
        return Coverage(first, rows, max(self.newest, other.newest))

    @cached_property
    def weekly_rows(self) -> Integers:
        """Array of shape (n_days,): rows of the seven days up to and including each day."""
        total = np.cumsum(self.rows_per_day)
        return np.asarray(total - np.concatenate([np.zeros(WEEK, dtype=np.int64), total])[: len(total)])

    @cached_property
    def rows_per_week(self) -> float:
        """The median of the weekly rows, without weeks that have none."""
        return float(np.median(self.weekly_rows[self.weekly_rows > 0]))

    @property
    def longest_gap(self) -> float:
        """Days without a row that are still normal: two weeks, or the days that usually bring 20 rows if longer."""
        return max(2.0 * WEEK, ROWS_EXPECTED_IN_GAP * WEEK / self.rows_per_week)

    @cached_property
    def end(self) -> int:
        """The instant up to which the table is complete, microseconds.

        Rows that follow a gap of `longest_gap` days or more and are fewer than those of a median week are after the
        end.

        Examples
        --------
        >>> daily = Coverage.of(np.repeat(np.arange(60) * DAY, 5))
        >>> daily.end == 59 * DAY
        True
        >>> daily.combine(Coverage.of(np.array([400 * DAY]))).end == 60 * DAY
        True
        """
        active = np.flatnonzero(self.rows_per_day)
        last = len(active) - 1
        is_gap = np.diff(active) - 1 >= self.longest_gap
        for before in np.flatnonzero(is_gap)[::-1]:
            if self.rows_per_day[active[before + 1] : active[last] + 1].sum() >= self.rows_per_week:
                break
            last = int(before)
        return min(self.newest, (self.first_day + int(active[last]) + 1) * DAY)

    @property
    def rows_after_end(self) -> int:
        """How many rows were recorded after the end."""
        return int(self.rows_per_day[-(-self.end // DAY) - self.first_day :].sum()) if self.end < self.newest else 0

    def is_stale(self, at: int) -> bool:
        """Return whether `longest_gap` days or more lie between the end and an instant, microseconds."""
        return at - self.end >= self.longest_gap * DAY
