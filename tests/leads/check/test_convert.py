from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.convert import booleans, ids, nonexistent_times, numbers, plain_text, texts, times
from leadml.leads.read.files import Dialect

PLAIN = Dialect()
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
MICROS = 1_704_164_645_000_006
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


def _column(*values, arrow_type=None):
    return pa.chunked_array([pa.array(values, arrow_type)])


@pytest.mark.slow
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_a_number_is_read_exactly_with_either_decimal_mark(values):
    """The text that Python writes for a number is read as the same number."""
    written = [repr(value) for value in values]
    for mark in ".,":
        column = _column(*[text.replace(".", mark) for text in written], arrow_type=pa.string())
        read, bad = numbers(column, Dialect(decimal=mark))
        assert read.tobytes() == np.array(values, dtype=np.float64).tobytes()
        assert not bad.any()


@given(st.text("0123456789.,eE+-_ xnaif", max_size=6))
def test_a_text_is_read_as_the_number_that_python_reads(text):
    """A text that Python does not read as a number is refused or is a missing value."""
    (value,), (bad,) = numbers(_column(text), PLAIN)
    if not bad and not np.isnan(value):
        digits = re.sub("(?<=[0-9])[ ,](?=[0-9]{3})|(?<=^[-+]) ", "", text.strip())
        assert value == float(digits if digits[-1] != "-" else f"-{digits[:-1]}")
    elif not bad:
        assert text.strip() == "" or not np.isfinite(float(text))


@pytest.mark.parametrize(
    "text", ["1.234,56", "1,5", "€", "%", "()", "0x1F", "1_000", "1  000", "NA", "N/A", "-", ".", "١"]
)
def test_a_text_that_is_not_a_number_is_refused(text):
    """Another decimal mark, signs without a number, and words are not guessed to be numbers."""
    (value,), (bad,) = numbers(_column(text), PLAIN)
    assert bad
    assert np.isnan(value)


@pytest.mark.parametrize("text", [None, "", "  ", "null", "NULL", "nan", "NaN", "inf", "-Infinity", "1e400", "unknown"])
def test_missing_words_and_infinite_numbers_are_missing(text):
    """Empty texts, declared words and numbers that are not finite are missing values, not faults."""
    (value,), (bad,) = numbers(_column(text, arrow_type=pa.string()), Dialect(missing=("unknown",)))
    assert np.isnan(value)
    assert not bad


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (_column(1, None, arrow_type=pa.int8()), [1, np.nan]),
        (_column(2**64 - 1, arrow_type=pa.uint64()), [2.0**64]),
        (_column(1.5, float("inf"), float("nan")), [1.5, np.nan, np.nan]),
        (_column(np.float16(1.5), arrow_type=pa.float16()), [1.5]),
        (_column(Decimal("1.25")), [1.25]),
        (_column(*[True, None]), [1, np.nan]),
        (_column("2", "3").cast(pa.dictionary(pa.int8(), pa.large_string())), [2, 3]),
        (_column("2", arrow_type=pa.string_view()), [2]),
        (_column(None, None), [np.nan, np.nan]),
        (_column(arrow_type=pa.string()), []),
    ],
)
def test_every_arrow_type_of_numbers_is_read(column, expected):
    """Integers, reals, decimals, booleans, dictionaries and nulls are read as numbers."""
    read, bad = numbers(column, PLAIN)
    np.testing.assert_array_equal(read, expected)
    assert not bad.any()


@pytest.mark.parametrize(
    "column", [_column([1]), _column({"a": 1}), _column(b"\xff"), _column(MOMENT), _column(date(2024, 1, 2))]
)
def test_lists_structures_bytes_and_dates_are_refused(column):
    """They are refused as number, boolean, text and id; a null among them is a missing value."""
    column = pa.chunked_array([pa.array([column[0].as_py(), None], column.type)])
    for read in (numbers, booleans, texts):
        values, bad = read(column, PLAIN)
        assert bad.tolist() == [True, False]
        assert all(value is None or np.isnan(value) for value in values)
    assert ids(column)[1].tolist() == [True, True]


@pytest.mark.parametrize(
    ("column", "values", "bad"),
    [
        (_column("TRUE", " yes ", "Y", "t", "1"), [1, 1, 1, 1, 1], [False] * 5),
        (_column("False", "NO", "n", "f", "0"), [0, 0, 0, 0, 0], [False] * 5),
        (_column("", None, "null", "Unknown"), [np.nan] * 4, [False] * 4),
        (_column("maybe", "2", "1.5"), [np.nan] * 3, [True] * 3),
        (_column("1.0", "0.00"), [1, 0], [False] * 2),
        (_column(1.0, 0.0, 2.0, None), [1, 0, np.nan, np.nan], [False, False, True, False]),
        (_column(*[True, False, None]), [1, 0, np.nan], [False] * 3),
    ],
)
def test_a_boolean_is_one_of_ten_words_or_zero_or_one(column, values, bad):
    """Every other value is refused, and missing values stay missing."""
    read, refused = booleans(column, Dialect(missing=("unknown",)))
    np.testing.assert_array_equal(read, values)
    assert refused.tolist() == bad


@given(st.lists(TEXT, max_size=5))
def test_ids_are_not_changed_and_texts_are_words_in_plain_form(values):
    """No id is trimmed or composed; a column of texts has the form that each of its words has by itself."""
    column = _column(*values, arrow_type=pa.string())
    assert ids(column)[0].tolist() == values
    assert texts(column, PLAIN)[0].tolist() == [plain_text(value) or None for value in values]


@pytest.mark.parametrize(
    ("value", "read"), [("007", "007"), ("1e5", "1e5"), (9_007_199_254_740_993, "9007199254740993"), (-5, "-5")]
)
def test_an_id_keeps_its_zeros_and_its_last_digit(value, read):
    """Ids are text, whatever the type of the column."""
    values, bad = ids(_column(value))
    assert values.tolist() == [read]
    assert not bad.any()


@pytest.mark.parametrize("value", [None, "", "   ", "\u00a0", "a\0b", "x" * 257, 1.0, float("nan")])
def test_an_id_that_is_blank_too_long_or_rounded_is_refused(value):
    """Such ids cannot be joined with the file again."""
    arrow_type = pa.string() if value is None else None
    assert ids(_column(value, arrow_type=arrow_type))[1].tolist() == [True]
    assert not ids(_column("x" * 256))[1].any()


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (_column("NA", " NA ", "NaN", "None"), ["NA", "NA", "NaN", "None"]),
        (_column(1.0, 2.5, float("nan"), float("inf"), None, -0.0), ["1", "2.5", None, None, None, "0"]),
        (_column(2**63 - 1), ["9223372036854775807"]),
        (_column(*[True, False]), ["true", "false"]),
        (_column(Decimal(12)), ["12"]),
        (_column(Decimal(9_007_199_254_740_993)), ["9007199254740993"]),
        (_column("?", "a"), [None, "a"]),
        (_column("a", None).dictionary_encode(), ["a", None]),
    ],
)
def test_a_category_is_the_text_that_a_csv_file_would_have(column, read):
    """The word NA is text, whole numbers have no decimal point, and only declared words are missing."""
    values, bad = texts(column, Dialect(missing=("?",)))
    assert values.tolist() == read
    assert not bad.any()


@given(
    st.datetimes(timezones=st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-720, 720))),
    st.sampled_from(["T", " "]),
)
def test_an_instant_is_read_as_microseconds_since_1970(moment, between):
    """Any instant from year 1 to 9999, in any zone, is the number that Python computes."""
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    micros, bad = times(_column(moment.isoformat(between)), timezone=None)
    assert (micros.tolist(), bad.tolist()) == ([expected], [False])


@pytest.mark.parametrize(
    "column",
    [
        _column("2024-01-02T03:04:05.000006Z"),
        _column("2024-01-02T03:04:05.000006"),
        _column(MOMENT),
        _column(MOMENT.replace(tzinfo=None)),
        _column(MOMENT, arrow_type=pa.timestamp("ns", "Europe/Brussels")),
        _column("2024-01-02T03:04:05.000006Z").dictionary_encode(),
    ],
)
def test_an_instant_is_the_same_from_text_and_from_typed_columns(column):
    """Zone, unit and dictionary encoding of a column do not change an instant."""
    assert times(column, timezone="UTC")[0].tolist() == [MICROS]


def test_a_date_is_midnight_of_the_declared_zone():
    """Dates, as text or typed, begin at midnight of the zone of the project."""
    expected = [1_704_150_000_000_000]
    for column in (_column("2024-01-02"), _column(date(2024, 1, 2))):
        assert times(column, timezone="Europe/Brussels")[0].tolist() == expected
        assert times(column, timezone=None)[1].tolist() == [True]


@pytest.mark.parametrize(
    "value",
    [
        None, "", "NaT", "now", "today", "01/02/2024", "45293", "170000000", "99999-01-01", "2024-13-01", "soon",
        "2024-03-31T02:30:00", 170_000_000, 45293.5, True, b"\xff2024-01-02",
    ],
)  # fmt: skip
def test_a_value_that_is_not_an_instant_is_refused(value):
    """Dates of no declared order, serial days, words such as today, and times that a zone skips are refused."""
    arrow_type = pa.string() if value is None else None
    micros, bad = times(_column(value, arrow_type=arrow_type), timezone="Europe/Brussels")
    assert (micros.tolist(), bad.tolist()) == ([0], [True])


@pytest.mark.parametrize(
    "column",
    [
        _column(10**12, arrow_type=pa.timestamp("s")),
        pa.chunked_array([pa.array([10**7], pa.int32()).view(pa.date32())]),
    ],
)
def test_an_instant_beyond_year_9999_is_refused(column):
    """Typed instants beyond the calendar are refused like texts."""
    assert times(column, timezone="UTC")[1].tolist() == [True]


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Berlin", "2024-10-27T00:00", 4),
        ("Europe/Dublin", "2024-10-27T00:00", 4),
        ("Australia/Lord_Howe", "2024-04-07T00:00", 4),
        ("America/Sao_Paulo", "2018-02-17T22:00", 4),
        ("Europe/Moscow", "2014-10-26T00:00", 4),
        ("Europe/Berlin", "2024-03-31T00:00", 4),
        ("Africa/Casablanca", "2024-03-10T00:00", 5),
    ],
)
def test_an_ambiguous_time_is_read_as_the_later_one_and_a_nonexistent_time_is_refused(zone, first, hours):
    """Text and typed columns agree with Python's zoneinfo when the clocks go back and when they go forward."""
    naive = [datetime.fromisoformat(first) + timedelta(minutes=5 * number) for number in range(12 * hours)]
    later = [moment.replace(tzinfo=ZoneInfo(zone), fold=1) for moment in naive]
    round_trip = [moment.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in later]
    nonexistent = [moment != back for moment, back in zip(naive, round_trip, strict=True)]
    expected = [
        0 if skipped else _microseconds(pd.Timestamp(moment))
        for moment, skipped in zip(later, nonexistent, strict=True)
    ]
    typed = [pa.chunked_array([pa.array(naive, pa.timestamp(unit))]) for unit in ("s", "ms", "us", "ns")]
    for column in (_column(*[moment.isoformat(" ") for moment in naive]), *typed):
        micros, bad = times(column, timezone=zone)
        assert (micros.tolist(), bad.tolist()) == (expected, nonexistent)
        assert nonexistent_times(column, timezone=zone).tolist() == nonexistent
        assert not nonexistent_times(column, timezone=None).any()


@pytest.mark.parametrize("text", [None, "soon", "2024-02-30", "9999-12-31T23:59:59", "2024-03-31T02:30:00Z"])
def test_a_value_that_is_not_a_local_time_is_not_nonexistent(text):
    """Missing values, other texts, the end of the calendar and times with a zone are not times that clocks skip."""
    assert not nonexistent_times(_column(text, arrow_type=pa.string()), timezone="America/New_York").any()


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("arrow_type", [*(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
                                  pa.timestamp("ns", "UTC"), pa.date32(), pa.date64()])  # fmt: skip
def test_a_null_in_a_typed_column_is_refused(arrow_type, zone):
    """A null is not an instant in any unit."""
    micros, bad = times(_column(None, arrow_type=arrow_type), timezone=zone)
    assert (micros.tolist(), bad.tolist()) == ([0], [True])


def _read_by_pandas(text, timezone):
    """Return the microseconds that pandas reads from one text in ISO 8601, or None."""
    text = re.sub("z$", "Z", text).replace(",", ".")  # ISO 8601 allows a comma, which pandas does not read
    text = re.sub(r"^([09].*\.[0-9]{6})[0-9]+", r"\1", text)  # pandas has no nanoseconds of those years
    try:
        try:
            stamp = pd.to_datetime(pd.Series([text.strip()]), format="ISO8601", errors="raise")[0]
        except pd.errors.OutOfBoundsDatetime:
            stamp = pd.Timestamp(text.strip())  # of a series pandas 2 has nanoseconds only
        if stamp.tzinfo is None:
            if timezone is None:
                return None
            zone = ZoneInfo(timezone)
            if stamp.year in {1, 9999}:  # pandas 2 gives no zone to the first and the last day, Python does
                moment = stamp.to_pydatetime(warn=False).replace(tzinfo=zone)
                return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            is_day = len(text.strip()) <= len("2024-01-02")  # the first instant of the day is meant
            stamp = stamp.tz_localize(zone, ambiguous=False, nonexistent="shift_forward" if is_day else "NaT")
        return _microseconds(stamp)
    except (ValueError, TypeError):
        return None


def _microseconds(stamp):
    stamp = stamp.tz_convert("UTC")
    days = date(stamp.year, stamp.month, stamp.day).toordinal() - date(1970, 1, 1).toordinal()
    seconds = stamp.hour * 3600 + stamp.minute * 60 + stamp.second
    return (days * 86_400 + seconds) * 1_000_000 + stamp.microsecond


DATES = ["2024-01-02", "2024-03-31", "2024-10-27", "2018-11-04", "1999-12-31", "0001-01-01", "9999-12-31", "2024-02-30"]
CLOCKS = ["", "T00:00", "T02:30:00", "T01:59:59.999999", "T23:59:59", " 12:34:56", "T12", "T03:04:05,5", "T24:00:00",
          "T03:04:05.123456789", "T030405", "T00:00:00.0000001"]  # fmt: skip
ENDS = ["", "Z", "z", " Z", "+01:00", "+0100", "+01", "-12:30", "+00:00", " +05:45", "-00:00"]
SPELLINGS = [f"{day}{clock}{end if clock else ''}" for day in DATES for clock in CLOCKS for end in ENDS]
SPELLED = st.one_of(
    st.sampled_from(SPELLINGS),
    st.from_regex(r"\A[0-9]{4}-?[01][0-9]-?[0-3][0-9]([T ][0-2][0-9](:?[0-5][0-9]){0,2}([.,][0-9]{1,12})?[Zz+-]?)?\Z"),
    st.from_regex(r"\A[0-9]{4}[-0-9 TtZz:+.,/W]{0,24}\Z"),
    st.text(max_size=12),
)


@pytest.mark.slow
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Brussels", "America/Sao_Paulo", "Asia/Kathmandu"])
def test_a_time_in_a_column_is_what_pandas_reads_from_it_by_itself(zone):
    """Zones, clock changes, dates, bounds of the calendar and nanoseconds are read in one column."""
    micros, bad = times(_column(*SPELLINGS, arrow_type=pa.string()), timezone=zone)
    expected = [_read_by_pandas(text, zone) for text in SPELLINGS]
    for text, value, is_bad, by_pandas in zip(SPELLINGS, micros.tolist(), bad.tolist(), expected, strict=True):
        if not is_bad:
            assert value == by_pandas, text
    refused = {
        text
        for text, is_bad, by_pandas in zip(SPELLINGS, bad, expected, strict=True)
        if is_bad and by_pandas is not None
    }
    assert {text for text in refused if "0001-" not in text and "9999-" not in text} <= {
        text for text in SPELLINGS if text.endswith(("z", "T24:00:00"))
    }


@pytest.mark.slow
@given(st.lists(SPELLED, max_size=6), st.sampled_from([None, "UTC", "Europe/Brussels"]))
def test_a_time_does_not_depend_on_the_other_values_of_its_column(texts_, zone):
    """Any texts in one column are read as each of them in a column of its own."""
    micros, bad = times(_column(*texts_, arrow_type=pa.string()), timezone=zone)
    separate = [times(_column(text, arrow_type=pa.string()), timezone=zone) for text in texts_]
    assert micros.tolist() == [value[0] for value, _ in separate]
    assert bad.tolist() == [is_bad[0] for _, is_bad in separate]


@pytest.mark.slow
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Brussels", "America/New_York"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("column_zone", [None, "UTC", "Asia/Tokyo"])
@given(st.lists(st.integers(-(2**33), 2**33), min_size=1, max_size=5))
def test_typed_instants_of_every_unit_are_read_like_their_text(column_zone, unit, zone, seconds):
    """A column of timestamps gives the same instants as its values written in ISO 8601."""
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    column = pa.chunked_array([pa.array([value * scale for value in seconds], pa.timestamp(unit, column_zone))])
    texts_ = [(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)).isoformat() for value in seconds]
    written = [text if column_zone else text.removesuffix("+00:00") for text in texts_]
    result = times(column, timezone=zone)
    assert [part.tolist() for part in result] == [
        part.tolist() for part in times(_column(*written, arrow_type=pa.string()), timezone=zone)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("arrow_type", [pa.date32(), pa.date64()])
@given(st.lists(st.dates(), min_size=1, max_size=5))
def test_typed_dates_are_midnight_like_their_text(arrow_type, days):
    """Typed dates give the same instants and the same refusals as their text."""
    column = pa.chunked_array([pa.array(days).cast(arrow_type)])
    for zone in (None, "UTC", "Europe/Brussels"):
        result = times(column, timezone=zone)
        written = times(_column(*[day.isoformat() for day in days], arrow_type=pa.string()), timezone=zone)
        assert [part.tolist() for part in result] == [part.tolist() for part in written]


@pytest.mark.parametrize("values", [[1.5, 2.1, 3.0, None], [-0.25, 10.0, 1e-3, 7.5]])
def test_a_category_of_numbers_is_the_same_from_text_and_from_numbers(values):
    """Text with zeros at the end, as files have it, gives the level that a typed column gives."""
    typed = texts(pa.chunked_array([values]), Dialect())[0].tolist()
    written = [None if value is None else f"{value:.4f}" for value in values]
    assert texts(pa.chunked_array([written]), Dialect())[0].tolist() == typed


@pytest.mark.parametrize("word", ["1.", ".50", "v1.50", "1.50.0", "1.5 0", "0x1.0", "1,50"])
def test_a_code_that_is_no_number_keeps_its_zeros(word):
    """Only plain decimal numbers lose them."""
    assert texts(pa.chunked_array([[word]]), PLAIN)[0].tolist() == [word]
    assert plain_text(word) == word


def test_a_boolean_with_gaps_is_the_same_from_text_and_from_numbers():
    """Pandas writes 1.0 and 0.0 for a column of 0 and 1 with missing values."""
    typed, _ = booleans(pa.chunked_array([[1.0, 0.0, None]]), PLAIN)
    written, bad = booleans(pa.chunked_array([["1.0", "0.0", ""]]), PLAIN)
    assert not bad.any()
    np.testing.assert_array_equal(typed, written)
    assert booleans(pa.chunked_array([["1.5", "2.0"]]), PLAIN)[1].all()
