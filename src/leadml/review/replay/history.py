"""When the outcomes of leads became known, and the periods of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LABEL, MATURE_AT, SPLIT_KEY
from leadml.review.performance.paired import Gain

if TYPE_CHECKING:
    from leadml.types import Floats, Integers, Labels, Mask, Rows

    Grain = Literal["day", "week", "month"]

CODES = {"day": "D", "week": "W-SUN", "month": "M"}  # of pandas; weeks begin on Monday


@dataclass(frozen=True)
class History:
    """Leads of the past in the order of their instants, and when their outcomes became known.

    Parameters
    ----------
    frame
        Rows with ``as_of``, ``mature_at`` and ``converted``, by instant.
    month
        The month of each row's instant, as a number that rises with time, shape (n_rows,).
    step_begin
        The first instant of the day, week or month of each row, in microseconds since 1970, shape (n_rows,).
    known_at
        The instant at which each outcome became known, in microseconds since 1970, shape (n_rows,): the end of the day,
        week or month in which its horizon was over.
    is_followed
        Whether outcomes become known between two trainings.
    """

    frame: pd.DataFrame
    month: Integers
    step_begin: Integers
    known_at: Integers
    is_followed: bool

    @classmethod
    def of(cls, frame: pd.DataFrame, labels: Grain) -> History:
        """Return the history of labelled rows.

        Parameters
        ----------
        frame
            Rows in any order.
        labels
            At the end of which ``day``, ``week`` or ``month`` outcomes become known.
        """
        frame = frame.sort_values(AS_OF, kind="stable", ignore_index=True)
        at, mature = (pd.DatetimeIndex(pd.to_datetime(frame[name], unit="us")) for name in (AS_OF, MATURE_AT))
        ends = mature.to_period(CODES[labels]).end_time
        begins = at.to_period(CODES[labels]).start_time
        month, begin, end = (
            np.asarray(each.asi8) for each in (at.to_period(CODES["month"]), begins.as_unit("us"), ends.as_unit("us"))
        )
        return cls(frame, month, begin, end, labels != "month")

    @property
    def label(self) -> Labels:
        """Whether each row converted, shape (n_rows,)."""
        return np.asarray(self.frame[LABEL].to_numpy(dtype=np.int8))

    @property
    def months(self) -> list[int]:
        """The months that have rows, oldest first."""
        return np.unique(self.month).tolist()  # type: ignore[no-any-return]

    def begin(self, month: int) -> int:
        """Return the first instant of a month, in microseconds since 1970."""
        return int(pd.Period(ordinal=month, freq="M").start_time.as_unit("us").asm8.astype(np.int64))

    def known(self, instant: int) -> Mask:
        """Return which outcomes were known at an instant, shape (n_rows,)."""
        return np.asarray(self.known_at < instant)

    def gain(self, differences: Floats, rows: Rows) -> Gain:
        """Return the mean of differences of losses of some rows, with its error by their groups and days.

        Parameters
        ----------
        differences
            Of each row, shape (n_rows,).
        rows
            The rows.
        """
        some = self.frame.iloc[rows]
        groups = pd.factorize(some[SPLIT_KEY])[0] if SPLIT_KEY in some else None
        return Gain.of(differences, groups, some[AS_OF].to_numpy() // DAY)

    def rows(self, month: int) -> Rows:
        """Return the rows of a month."""
        return np.flatnonzero(self.month == month)

    def name(self, month: int) -> str:
        """Return the name of a month, such as 2026-03."""
        return str(pd.Period(ordinal=month, freq="M"))
