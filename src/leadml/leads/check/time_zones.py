"""Convert times between a time zone and UTC, from year 1 to 9999, alike with pandas 2 and 3.

Zones are given to pandas as Python's objects: pandas 2 looks up the name of a zone in a table that ends in 2037.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from leadml.types import Integers

    Ambiguous = Literal["earlier", "later"]
    Nonexistent = Literal["NaT", "shift_forward"]

MICROSECONDS_PER_DAY = 86_400_000_000  # 24 * 60 * 60 * 1,000,000
FIRST_DAY, LAST_DAY = -719_162, 2_932_897  # years 1 to 9999
NOT_A_TIME = np.iinfo(np.int64).min  # how NumPy and pandas store it
# No clock changes on the other days, of which pandas 2 converts none.
INNER_BOUNDS = (FIRST_DAY + 2) * MICROSECONDS_PER_DAY, (LAST_DAY - 2) * MICROSECONDS_PER_DAY


def to_utc(local: Integers, timezone: str, *, ambiguous: Ambiguous, nonexistent: Nonexistent) -> Integers:
    """Return the instants of times of a zone, as microseconds since 1970 in UTC.

    Parameters
    ----------
    local
        Microseconds since 1970 on the clocks of the zone; the smallest integer is no time.
    timezone
        The zone.
    ambiguous
        Which instant is meant where the clocks go back over a time.
    nonexistent
        What becomes of a time where the clocks go forward over it: the smallest integer, or the first time after.

    Examples
    --------
    >>> to_utc(np.array([0]), "Asia/Tokyo", ambiguous="later", nonexistent="NaT").tolist()
    [-32400000000]
    """
    inner = np.clip(local, *INNER_BOUNDS)
    is_dst = np.full(len(local), ambiguous == "earlier")
    times = pd.DatetimeIndex(inner.view("M8[us]")).tz_localize(
        ZoneInfo(timezone), ambiguous=is_dst, nonexistent=nonexistent
    )
    return np.where((local == NOT_A_TIME) | times.isna(), NOT_A_TIME, times.asi8 + (local - inner))


def to_local(instants: Integers, timezone: str) -> Integers:
    """Return what the clocks of a zone show at instants, both as microseconds since 1970.

    Examples
    --------
    >>> to_local(np.array([0]), "Asia/Tokyo").tolist()
    [32400000000]
    """
    inner = np.clip(instants, *INNER_BOUNDS)
    times = pd.DatetimeIndex(inner.view("M8[us]")).tz_localize("UTC").tz_convert(ZoneInfo(timezone))
    return times.tz_localize(None).asi8 + (instants - inner)
