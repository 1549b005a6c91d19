"""Judge from a whole column of texts whether it holds instants, and which of day and month its dates have first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.check.convert import times
from leadml.leads.check.plain_columns import trimmed
from leadml.leads.check.written_times import needs_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leadml.params import DateOrder
    from leadml.types import Mask

# A column of dates has some wrong ones, a column of another kind few texts that are dates.
MIN_SHARE_PARSED = 0.9
WHOLE_NUMBER = "^[0-9]+$"


@dataclass(frozen=True)
class ColumnOfTimes:
    """How the instants of a column are written.

    Parameters
    ----------
    order
        Which order its dates of three numbers have; None where it has no such date, or where it stays open.
    is_open
        Whether the column has dates of three numbers that are instants in either order alike.
    share
        Share of the filled values that are instants, in the order that fits better.
    whole_numbers
        Whether all instants are whole numbers: years, dates without marks, or seconds since 1970; ids may look so too.
    """

    order: DateOrder | None
    is_open: bool
    share: float
    whole_numbers: bool


def date_format(texts: Iterable[str | None]) -> ColumnOfTimes | None:
    """Return how the instants of a column are written; None where not nearly all of its filled values are instants.

    Parameters
    ----------
    texts
        The values of one column.

    Examples
    --------
    >>> date_format(["01.02.2024", "13.02.2024", ""])
    ColumnOfTimes(order='day_first', is_open=False, share=1.0, whole_numbers=False)
    >>> date_format(["01/02/2024", "3/4/2024"]).is_open
    True
    """
    column = trimmed(pa.chunked_array([pa.array(texts, pa.string())]))
    filled = column.filter(pc.fill_null(pc.not_equal(column, ""), fill_value=False))
    if len(filled) == 0:
        return None
    by_day, by_month = _parsed(filled, "day_first"), _parsed(filled, "month_first")
    best = by_day if by_day.sum() >= by_month.sum() else by_month
    share = float(best.mean())
    if share < MIN_SHARE_PARSED:
        return None
    is_whole = pc.match_substring_regex(filled, WHOLE_NUMBER).to_numpy(zero_copy_only=False)
    is_open = bool(by_day.sum() == by_month.sum() and needs_order(filled)[best].any())
    order: DateOrder | None = None
    if by_day.sum() != by_month.sum():
        order = "day_first" if best is by_day else "month_first"
    return ColumnOfTimes(order, is_open, share, bool(is_whole[best].all()))


def _parsed(text: pa.ChunkedArray, order: DateOrder) -> Mask:
    """Return the mask of texts that are instants in an order."""
    _, bad = times(text, timezone="UTC", order=order)
    return np.asarray(~bad)
