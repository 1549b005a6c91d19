"""Rewrite dates and times as people write them to ISO 8601: 05.01.2024, 1/5/2024 3:04 PM, Jan 5, 2024.

Which of two numbers is the day is declared for a column. Nothing is guessed row by row: 13.02.2024 is no more certain
than 03.02.2024, because a column of both orders would be read half wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.check.plain_columns import is_text, plain_column

if TYPE_CHECKING:
    from leadml.params import DateOrder
    from leadml.types import Mask

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?P<month>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\.?"
)
DAY, YEAR = r"(?P<day>[0-9]{1,2})", r"(?P<year>[0-9]{4}|[0-9]{2})"
MARK, AGAIN = "(?P<mark>[./-])", "(?P<again>[./-])"
CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)? ?(?P<zone>(?i:Z|UTC|GMT)|[-+][0-9]{2}(?::?[0-9]{2})?)?"
)
TIME = rf"(?:(?:,? +|T){CLOCK})?$"
NUMERIC = rf"^(?P<one>[0-9]{{1,2}}){MARK}(?P<other>[0-9]{{1,2}}){AGAIN}{YEAR}{TIME}"
YEAR_FIRST = rf"^(?P<year>[0-9]{{4}}){MARK}(?P<month>[0-9]{{1,2}}){AGAIN}{DAY}{TIME}"
NAMED = (rf"^{DAY}[ -]{MONTH}[ -]{YEAR}{TIME}", rf"^{MONTH} {DAY},? {YEAR}{TIME}")
SPACES = "[\u00a0\u202f]"  # browsers write a narrow one before PM
HALF_OF_DAY = 12  # hours
FIRST_YEAR_OF_1900S = 69  # of years of two digits, as POSIX reads them: 69 to 99 are 1969 to 1999, the others 2000 on


def iso_times(text: pa.ChunkedArray, order: DateOrder | None) -> pa.ChunkedArray:
    """Return dates and times in ISO 8601; null where a text is neither, or where its order is not declared.

    Parameters
    ----------
    text
        Column of strings without padding. Whether a day or an hour exists is not checked.
    order
        Whether dates of three numbers have the day or the month first; None to read no such date.

    Examples
    --------
    >>> written = ["05.01.2024", "1/5/24 3:04 PM", "Jan 5, 2024", "2024-01-08 00:27:00 UTC", "soon"]
    >>> iso_times(pa.chunked_array([written]), "day_first").to_pylist()
    ['2024-01-05', '2024-05-01T15:04:00', '2024-01-05', '2024-01-08T00:27:00Z', None]
    """
    plain = pc.replace_substring_regex(text, SPACES, " ")
    parts = _parts(plain, YEAR_FIRST)
    found = [_if_marks_agree(parts, _iso(parts, parts["day"], parts["month"]))]
    for pattern in NAMED:
        parts = _parts(plain, pattern)
        names = pc.utf8_lower(pc.utf8_slice_codeunits(parts["month"], 0, 3))
        month = pc.cast(pc.add(pc.index_in(names, value_set=pa.array(MONTHS)), 1), pa.string())
        found.append(_iso(parts, parts["day"], month))
    if order is not None:
        parts = _parts(plain, NUMERIC)
        day, month = (parts["one"], parts["other"]) if order == "day_first" else (parts["other"], parts["one"])
        found.append(_if_marks_agree(parts, _iso(parts, day, month)))
    return pc.coalesce(*found)


def needs_order(column: pa.ChunkedArray) -> Mask:
    """Return the mask of texts that are dates of three numbers, of which the year is the last.

    Parameters
    ----------
    column
        A column of any type.

    Examples
    --------
    >>> needs_order(pa.chunked_array([["13.02.2024", "2024-02-13", None]])).tolist()
    [True, False, False]
    """
    column = plain_column(column)
    text = column if is_text(column.type) else pa.chunked_array([pa.nulls(len(column), pa.string())])
    parts = _parts(pc.replace_substring_regex(pc.utf8_trim_whitespace(text), SPACES, " "), NUMERIC)
    is_date: Mask = pc.fill_null(pc.equal(parts["mark"], parts["again"]), fill_value=False).to_numpy(
        zero_copy_only=False
    )
    return is_date


def _parts(text: pa.ChunkedArray, pattern: str) -> dict[str, pa.ChunkedArray]:
    """Return the named groups of a pattern, empty where an optional one is absent, null where a text does not match."""
    found = pc.extract_regex(text, pattern)
    return {field.name: pc.struct_field(found, field.name) for field in found.type}


def _if_marks_agree(parts: dict[str, pa.ChunkedArray], text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(parts["mark"], parts["again"]), text, None)


def _iso(parts: dict[str, pa.ChunkedArray], day: pa.ChunkedArray, month: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the text in ISO 8601 of the parts of a date and a time."""
    short = pc.less(pc.utf8_length(parts["year"]), 4)
    is_recent = pc.less(parts["year"].cast(pa.int32()), FIRST_YEAR_OF_1900S)
    century = pc.if_else(short, pc.if_else(is_recent, "20", "19"), "")
    year = pc.binary_join_element_wise(century, parts["year"], "")
    date = pc.binary_join_element_wise(year, _two_digits(month), _two_digits(day), "-")
    second = pc.if_else(pc.equal(parts["second"], ""), "00", parts["second"])
    clock = pc.binary_join_element_wise(_hour(parts), parts["minute"], second, ":")
    fraction = pc.if_else(pc.equal(parts["fraction"], ""), "", pc.binary_join_element_wise(".", parts["fraction"], ""))
    zone = pc.replace_substring_regex(pc.utf8_upper(parts["zone"]), "^(UTC|GMT)$", "Z")
    time = pc.binary_join_element_wise("T", clock, fraction, zone, "")
    return pc.binary_join_element_wise(date, pc.if_else(pc.equal(parts["hour"], ""), "", time), "")


def _hour(parts: dict[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return the hour of 24 in two digits; null for an hour of 12 that does not exist."""
    hour = pc.if_else(pc.equal(parts["hour"], ""), "0", parts["hour"]).cast(pa.int32())
    half = pc.utf8_lower(pc.utf8_slice_codeunits(parts["half"], 0, 1))
    of_day = pc.add(pc.if_else(pc.equal(hour, HALF_OF_DAY), 0, hour), pc.if_else(pc.equal(half, "p"), HALF_OF_DAY, 0))
    exists = pc.and_(pc.greater_equal(hour, 1), pc.less_equal(hour, HALF_OF_DAY))
    return _two_digits(pc.if_else(pc.equal(half, ""), hour, pc.if_else(exists, of_day, None)).cast(pa.string()))


def _two_digits(number: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_lpad(number, 2, "0")
