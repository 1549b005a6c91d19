"""Read columns of text, whole numbers, dates or timestamps as instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.check.plain_columns import is_text, plain_column
from leadml.leads.check.time_zones import FIRST_DAY, LAST_DAY, MICROSECONDS_PER_DAY, NOT_A_TIME, to_local, to_utc
from leadml.leads.check.written_times import iso_times

if TYPE_CHECKING:
    from leadml.leads.check.time_zones import Nonexistent
    from leadml.params import DateOrder
    from leadml.types import Integers, Mask

    Times = tuple[Integers, Mask]

TIME_WITHOUT_ZONE = r"^[0-9]{4}[0-9-]*([Tt ][0-9:.,]+)?$"
TIME_WITH_ZONE = r"^[0-9]{4}[0-9-]*[Tt ][0-9:.,]+ ?([Zz]|[-+][0-9]{2}(:?[0-9]{2})?)$"
LONGEST_DAY = len("2024-01-02")  # the shortest time that pandas reads, 20240102T03, has a character more
BELOW_MICROSECONDS = r"([.,][0-9]{6})[0-9]+"
# By Arrow's names of units; a day is 86,400 seconds, and each unit below a thousandth of the one above.
UNITS_PER_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": MICROSECONDS_PER_DAY, "ns": 86_400_000_000_000}
YEARS_PER_CYCLE, DAYS_PER_CYCLE = 400, 146_097  # then the calendar is the same again
NEAR_YEAR = 1850  # pandas 2 reads text as nanoseconds, which hold the years 1678 to 2261
# A whole number of the years 2001 to 2100 can only be one of both: seconds are below 4.2 billion, milliseconds above
# 978 billion. No such number is a date without marks, which has 4 or 8 digits.
EPOCH = "^[0-9]{9,13}$"
FIRST_SECOND, LAST_SECOND = 978_307_200, 4_133_980_800  # 2001-01-01 and 2101-01-01 in UTC
MICROSECONDS_PER_SECOND, MILLISECONDS_PER_SECOND = 1_000_000, 1000  # by their names


def read_instants(
    column: pa.ChunkedArray, timezone: str | None, nonexistent: Nonexistent, order: DateOrder | None
) -> Times:
    """Return a column as microseconds since 1970 in UTC, and the mask of values that are missing or not an instant.

    Parameters
    ----------
    column
        Text, whole numbers, Arrow dates or timestamps.
    timezone
        Zone of times without a zone, or None to refuse them.
    nonexistent
        What becomes of a time over which the clocks go forward, see `to_utc`.
    order
        Whether dates of three numbers have the day or the month first, or None to refuse them.

    Examples
    --------
    >>> column = pa.chunked_array([["2017-10-15", "2017-10-15 00:00"]])  # the clocks went from 0:00 to 1:00
    >>> read_instants(column, "America/Sao_Paulo", "NaT", None)[1].tolist()
    [False, True]
    """
    column = plain_column(column)
    if is_text(column.type):
        micros = _text_instants(column, timezone, nonexistent, order)
    elif pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        micros = _typed_instants(column, timezone, nonexistent)
    elif pa.types.is_integer(column.type):
        micros = _epochs(column)
    else:
        micros = np.full(len(column), NOT_A_TIME)
    bad = (micros < FIRST_DAY * MICROSECONDS_PER_DAY) | (micros >= LAST_DAY * MICROSECONDS_PER_DAY)
    return np.where(bad, 0, micros), bad


def _text_instants(
    column: pa.ChunkedArray, timezone: str | None, nonexistent: Nonexistent, order: DateOrder | None
) -> Integers:
    text = pc.utf8_trim_whitespace(column)
    micros = _iso_instants(text, timezone, nonexistent)
    is_other = (micros == NOT_A_TIME) & pc.is_valid(text).to_numpy(zero_copy_only=False)
    if is_other.any():  # the other ways of writing are sought only where ISO 8601 does not fit, because that is slow
        others = text.filter(is_other)
        written = _iso_instants(iso_times(others, order), timezone, nonexistent)
        whole = pc.if_else(pc.match_substring_regex(others, EPOCH), others, None).cast(pa.int64())
        micros[is_other] = np.maximum(written, _epochs(whole))  # of a text at most one is an instant
    return micros


def _iso_instants(text: pa.ChunkedArray, timezone: str | None, nonexistent: Nonexistent) -> Integers:
    text = pc.replace_substring_regex(text, BELOW_MICROSECONDS, r"\1")
    zoned, naive = (
        pc.fill_null(pc.match_substring_regex(text, pattern), fill_value=False).to_numpy(zero_copy_only=False)
        for pattern in (TIME_WITH_ZONE, TIME_WITHOUT_ZONE)
    )
    micros = np.full(len(text), NOT_A_TIME)
    micros[zoned] = _parse(text.filter(zoned))
    if timezone is not None:
        local_text = text.filter(naive)
        is_day = pc.binary_length(local_text).to_numpy() <= LONGEST_DAY
        micros[naive] = _local_instants(_parse(local_text), is_day, timezone, nonexistent)
    return micros


def _parse(text: pa.ChunkedArray) -> Integers:
    """Return texts that begin with a year as microseconds; without a zone they are read as UTC."""
    years = pc.utf8_slice_codeunits(text, 0, 4).cast(pa.int64()).to_numpy()
    cycles = (years - NEAR_YEAR) // YEARS_PER_CYCLE
    if cycles.any():
        near = pa.array(years - cycles * YEARS_PER_CYCLE).cast(pa.string())
        text = pc.binary_join_element_wise(near, pc.utf8_slice_codeunits(text, 4), "")
    values = pd.Series(text.to_pylist(), dtype=object)
    stamps = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    micros = stamps.dt.as_unit("us").to_numpy(dtype="M8[us]").view(np.int64)
    return np.where(stamps.isna(), NOT_A_TIME, micros + cycles * (DAYS_PER_CYCLE * MICROSECONDS_PER_DAY))


def _local_instants(local: Integers, is_day: Mask, timezone: str, nonexistent: Nonexistent) -> Integers:
    """Return the instants of times of a zone, those of days without a time as their first instant."""
    if not is_day.any():
        return to_utc(local, timezone, ambiguous="later", nonexistent=nonexistent)
    if is_day.all():
        return _first_instants(local, timezone, nonexistent)
    micros = np.full(len(local), NOT_A_TIME)
    micros[~is_day] = to_utc(local[~is_day], timezone, ambiguous="later", nonexistent=nonexistent)
    micros[is_day] = _first_instants(local[is_day], timezone, nonexistent)
    return micros


def _first_instants(days: Integers, timezone: str, nonexistent: Nonexistent) -> Integers:
    """Return the first instant of each day of a zone."""
    first = to_utc(days, timezone, ambiguous="earlier", nonexistent="NaT")
    skipped = np.flatnonzero(first == NOT_A_TIME)
    if len(skipped):
        after = to_utc(days[skipped], timezone, ambiguous="earlier", nonexistent="shift_forward")
        is_same_day = to_local(after, timezone) // MICROSECONDS_PER_DAY == days[skipped] // MICROSECONDS_PER_DAY
        kept = is_same_day | (nonexistent == "shift_forward")  # clocks have skipped whole days, as in Samoa in 2011
        first[skipped] = np.where(kept, after, NOT_A_TIME)
    return first


def _epochs(column: pa.ChunkedArray) -> Integers:
    """Return whole numbers that are seconds or milliseconds since 1970, of the years 2001 to 2100."""
    numbers = pc.fill_null(column.cast(pa.int64(), safe=False), fill_value=0).to_numpy()
    is_seconds = (numbers >= FIRST_SECOND) & (numbers < LAST_SECOND)
    millis = FIRST_SECOND * MILLISECONDS_PER_SECOND, LAST_SECOND * MILLISECONDS_PER_SECOND
    is_millis = (numbers >= millis[0]) & (numbers < millis[1])
    micros = np.where(is_seconds, MICROSECONDS_PER_SECOND, MICROSECONDS_PER_SECOND // MILLISECONDS_PER_SECOND) * (
        np.where(is_seconds | is_millis, numbers, 0)
    )
    return np.where(is_seconds | is_millis, micros, NOT_A_TIME)


def _typed_instants(column: pa.ChunkedArray, timezone: str | None, nonexistent: Nonexistent) -> Integers:
    unit = "D" if pa.types.is_date32(column.type) else "ms" if pa.types.is_date64(column.type) else column.type.unit
    whole = column.cast(pa.int32()).cast(pa.int64()) if unit == "D" else column.cast(pa.int64())
    counts = pc.fill_null(whole, fill_value=0).to_numpy()
    per_day = UNITS_PER_DAY[unit]
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    inside = valid & (counts >= FIRST_DAY * per_day) & (counts <= LAST_DAY * per_day - 1)
    counts = np.where(inside, counts, 0)
    if per_day <= MICROSECONDS_PER_DAY:
        micros = counts * (MICROSECONDS_PER_DAY // per_day)
    else:
        micros = counts // (per_day // MICROSECONDS_PER_DAY)
    if getattr(column.type, "tz", None) is None:
        local, micros = micros, np.full(len(column), NOT_A_TIME)
        if timezone is not None:
            is_day = np.full(len(column), fill_value=bool(pa.types.is_date(column.type)))
            micros = _local_instants(local, is_day, timezone, nonexistent)
    return np.where(inside, micros, NOT_A_TIME)
