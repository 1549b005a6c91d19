"""Instants: microseconds since 1970 in UTC, read from and shown as ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from leadml.errors import LeadmlError, quoted
from leadml.leads.check.convert import skipped, times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SKIPPED_HOUR = "whose clocks skip this hour (write its offset, or correct it)"


def instant(text: str, *, timezone: str | None, name: str = "a date") -> int:
    """Return a time in ISO 8601 as microseconds since 1970, UTC.

    Parameters
    ----------
    text
        What was written.
    timezone
        Zone of a time that has none, or None.
    name
        The option or key that it was written for, for messages.

    Raises
    ------
    LeadmlError
        Where it is no such time, or has no zone and none is given.

    Examples
    --------
    >>> instant("1970-01-02", timezone="UTC")
    86400000000
    """
    column = pa.chunked_array([[text]], pa.string())
    micros, bad = times(column, timezone=timezone)
    if skipped(column, timezone=timezone)[0]:
        msg = f"{name} must be a time of {timezone}, {SKIPPED_HOUR}, got {quoted(text)}"
        raise LeadmlError(msg)
    if bad[0]:
        msg = f"{name} must be a date or a time in ISO 8601, got {quoted(text)}; write 2026-01-31 for example"
        raise LeadmlError(msg)
    return int(micros[0])


def shown_instant(micros: int) -> str:
    """Return an instant in ISO 8601.

    Examples
    --------
    >>> shown_instant(86_400_000_000)
    '1970-01-02T00:00:00+00:00'
    """
    return (EPOCH + timedelta(microseconds=micros)).isoformat()


def shown_day(micros: int) -> str:
    """Return the day of an instant in ISO 8601, UTC."""
    return (EPOCH + timedelta(microseconds=micros)).date().isoformat()
