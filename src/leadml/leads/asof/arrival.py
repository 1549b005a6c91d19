"""Leads that get one snapshot: at the first midnight after they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.check.time_zones import MICROSECONDS_PER_DAY, to_local, to_utc

if TYPE_CHECKING:
    from leadml.types import Integers


def day_before(instants: Integers, timezone: str | None) -> Integers:
    """Return the beginning of the day before each instant, microseconds; of an instant after midnight, of yesterday.

    A lead that came after it, and not after the instant, is new at the instant. A job a day at any hour meets every
    lead.

    Parameters
    ----------
    instants
        Microseconds, shape (n,).
    timezone
        The zone of the days; UTC where it is None.

    Examples
    --------
    >>> import numpy as np
    >>> midnight_and_noon = np.array([2 * MICROSECONDS_PER_DAY, 5 * MICROSECONDS_PER_DAY // 2])
    >>> (day_before(midnight_and_noon, None) // MICROSECONDS_PER_DAY).tolist()
    [1, 1]
    """
    zone = timezone or "UTC"
    yesterday = to_local(instants, zone) // MICROSECONDS_PER_DAY - 1
    return to_utc(yesterday * MICROSECONDS_PER_DAY, zone, ambiguous="earlier", nonexistent="shift_forward")
