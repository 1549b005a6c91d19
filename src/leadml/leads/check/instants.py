"""Convert instants between ISO 8601 and microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from leadml.errors import LeadmlError, quoted
from leadml.leads.check.convert import nonexistent_times, times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # where time in POSIX, NumPy and Arrow begins
SKIPPED_HOUR = "whose clocks skip this hour (write its offset, or correct it)"


def instant(text: str, *, timezone: str | None, name: str = "a date") -> int:
    """Return a time in ISO 8601 as microseconds since 1970 in UTC.

    Parameters
    ----------
    text
        The time.
    timezone
        Zone of a time without a zone; None to refuse such times.
    name
        Option or key that has the time, for messages.

    Raises
    ------
    LeadmlError
        Where the text is not a time in ISO 8601, has no zone and none is declared, or does not exist in the zone.

    Examples
    --------
    >>> instant("1970-01-02", timezone="UTC")
    86400000000
    """
    column = pa.chunked_array([[text]], pa.string())
    micros, bad = times(column, timezone=timezone)
    if nonexistent_times(column, timezone=timezone)[0]:
        msg = f"{name} must be a time of {timezone}, {SKIPPED_HOUR}, got {quoted(text)}"
        raise LeadmlError(msg)
    if bad[0]:
        msg = f"{name} must be a date or a time in ISO 8601, got {quoted(text)}; write 2026-01-31 for example"
        raise LeadmlError(msg)
    return int(micros[0])


def shown_instant(micros: int) -> str:
    """Return an instant in ISO 8601.

    Parameters
    ----------
    micros
        Microseconds since 1970 in UTC.

    Examples
    --------
    >>> shown_instant(86_400_000_000)
    '1970-01-02T00:00:00+00:00'
    """
    return (EPOCH + timedelta(microseconds=micros)).isoformat()


def from_shown(text: str) -> int:
    """Return the instant that `shown_instant` wrote, in microseconds; quicker than `instant`, and for no other text.

    Examples
    --------
    >>> from_shown("1970-01-02T00:00:00+00:00")
    86400000000
    """
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def shown_day(micros: int) -> str:
    """Return the UTC day of an instant in ISO 8601."""
    return (EPOCH + timedelta(microseconds=micros)).date().isoformat()
