"""When the rows of a table were recorded, and so up to when it tells what happened.

What enters is instants of recording; what leaves is the end of a table, and whether it is silent where rows were to be
expected.
A row that stands alone after a long silence, as one whose date was mistyped, is not the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.activity_plan import DAY

if TYPE_CHECKING:
    from leadml.types import Integers


WEEK = 7
MANY = 20.0


@dataclass(frozen=True)
class Coverage:
    """How many rows of a table were recorded on each day.

    Parameters
    ----------
    first
        The day of the first row, since 1970 in UTC.
    days
        Array of shape (n_days,): rows of each day from the first on; the last day has one or more.
    newest
        The newest instant of recording, microseconds.
    """

    first: int
    days: Integers
    newest: int

    @classmethod
    def of(cls, recorded_at: Integers) -> Coverage:
        """Return the records of instants, microseconds of 0 or more, at least one.

        Examples
        --------
        >>> found = Coverage.of(np.array([9 * DAY, 9 * DAY + 5, 11 * DAY]))
        >>> found.first, found.days.tolist(), found.newest == 11 * DAY
        (9, [2, 0, 1], True)
        """
        first = int(recorded_at.min() // DAY)
        return cls(first, np.bincount(recorded_at // DAY - first), int(recorded_at.max()))

    def beside(self, other: Coverage | None) -> Coverage:
        """Return the records of the rows of both."""
        if other is None:
            return self
        first, stop = min(self.first, other.first), max(one.first + len(one.days) for one in (self, other))
        days = np.zeros(stop - first, dtype=np.int64)
        for one in (self, other):
            days[one.first - first : one.first - first + len(one.days)] += one.days
        return Coverage(first, days, max(self.newest, other.newest))

    @cached_property
    def weeks(self) -> Integers:
        """Array of shape (n_days,): rows of the seven days up to each."""
        total = np.cumsum(self.days)
        return np.asarray(total - np.concatenate([np.zeros(WEEK, dtype=np.int64), total])[: len(total)])

    @cached_property
    def usual(self) -> float:
        """Rows of a usual week: the median over the days whose week has any."""
        return float(np.median(self.weeks[self.weeks > 0]))

    @property
    def patience(self) -> float:
        """Days without a row after which a table is silent: two weeks, more where 20 rows take longer."""
        return max(2.0 * WEEK, MANY * WEEK / self.usual)

    @cached_property
    def end(self) -> int:
        """The instant up to which the table goes on, microseconds.

        Rows that come after a silence, and are fewer than those of a usual week, are behind it. Silence is two weeks or
        more in which usual ones would have brought 20 rows.

        Examples
        --------
        >>> daily = Coverage.of(np.repeat(np.arange(60) * DAY, 5))
        >>> daily.end == 59 * DAY
        True
        >>> daily.beside(Coverage.of(np.array([400 * DAY]))).end == 60 * DAY
        True
        """
        active = np.flatnonzero(self.days)
        last = len(active) - 1
        silent = np.diff(active) - 1 >= self.patience
        for before in np.flatnonzero(silent)[::-1]:
            if self.days[active[before + 1] : active[last] + 1].sum() >= self.usual:
                break
            last = int(before)
        return min(self.newest, (self.first + int(active[last]) + 1) * DAY)

    @property
    def alone(self) -> int:
        """How many rows were recorded after the end."""
        return int(self.days[-(-self.end // DAY) - self.first :].sum()) if self.end < self.newest else 0

    def is_silent(self, until: int) -> bool:
        """Return whether there is silence between the end and an instant, microseconds."""
        return until - self.end >= self.patience * DAY
