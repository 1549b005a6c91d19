from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.convert import booleans, ids, numbers, plain_text, texts, times
from leadml.leads.ingest import Dialect

PLAIN = Dialect()
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
MICROS = 1_704_164_645_000_006
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


def _column(*values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_a_number_is_read_to_the_bit_with_either_decimal_mark(values):
    """Python's text of a number comes back as that number."""
    written = [repr(value) for value in values]
    for mark in ".,":
        column = _column(*[text.replace(".", mark) for text in written], kind=pa.string())
        read, bad = numbers(column, Dialect(decimal=mark))
        assert read.tobytes() == np.array(values, dtype=np.float64).tobytes()
        assert not bad.any()


@given(st.text("0123456789.,eE+-_ xnaif", max_size=6))
def test_no_text_is_read_as_another_number(text):
    """A text is refused, is missing, or is the number that Python reads."""
    (value,), (bad,) = numbers(_column(text), PLAIN)
    if not bad and not np.isnan(value):
        assert value == float(text)
    elif not bad:
        assert text.strip() == "" or not np.isfinite(float(text))


@pytest.mark.parametrize(
    "text", ["1,234.56", "1.234,56", "1,5", "€ 1", "12%", "(500)", "0x1F", "1_000", "1 000", "NA", "N/A", "-", ".", "١"]
)
def test_what_is_no_number_is_refused_and_never_guessed(text):
    """Thousands, currencies, percent signs and words are no numbers."""
    (value,), (bad,) = numbers(_column(text), PLAIN)
    assert bad
    assert np.isnan(value)


@pytest.mark.parametrize("text", [None, "", "  ", "null", "NULL", "nan", "NaN", "inf", "-Infinity", "1e400", "unknown"])
def test_missing_and_infinite_numbers_are_missing(text):
    """Empty texts, declared words and what is not finite are not known, and no fault."""
    (value,), (bad,) = numbers(_column(text, kind=pa.string()), Dialect(missing=("unknown",)))
    assert np.isnan(value)
    assert not bad


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (_column(1, None, kind=pa.int8()), [1, np.nan]),
        (_column(2**64 - 1, kind=pa.uint64()), [2.0**64]),
        (_column(1.5, float("inf"), float("nan")), [1.5, np.nan, np.nan]),
        (_column(np.float16(1.5), kind=pa.float16()), [1.5]),
        (_column(Decimal("1.25")), [1.25]),
        (_column(*[True, None]), [1, np.nan]),
        (_column("2", "3").cast(pa.dictionary(pa.int8(), pa.large_string())), [2, 3]),
        (_column("2", kind=pa.string_view()), [2]),
        (_column(None, None), [np.nan, np.nan]),
        (_column(kind=pa.string()), []),
    ],
)
def test_every_type_of_number_is_read(column, expected):
    """Whole, real, decimal, boolean, encoded and absent numbers are numbers."""
    read, bad = numbers(column, PLAIN)
    np.testing.assert_array_equal(read, expected)
    assert not bad.any()


@pytest.mark.parametrize(
    "column", [_column([1]), _column({"a": 1}), _column(b"1"), _column(MOMENT), _column(date(2024, 1, 2))]
)
def test_what_has_no_plain_form_is_refused_as_everything(column):
    """Lists, structures, bytes and dates are no number, boolean, text or id; a missing one is missing."""
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
        (_column("maybe", "2", "1.0"), [np.nan] * 3, [True] * 3),
        (_column(1.0, 0.0, 2.0, None), [1, 0, np.nan, np.nan], [False, False, True, False]),
        (_column(*[True, False, None]), [1, 0, np.nan], [False] * 3),
    ],
)
def test_a_boolean_is_one_of_ten_words_or_a_number_of_two(column, values, bad):
    """Everything else is refused, and what is missing stays missing."""
    read, refused = booleans(column, Dialect(missing=("unknown",)))
    np.testing.assert_array_equal(read, values)
    assert refused.tolist() == bad


@given(st.lists(TEXT, max_size=5))
def test_ids_and_texts_are_kept_to_the_letter(values):
    """No text is trimmed, composed or shortened but whole numbers and booleans; only the empty one is missing."""
    column = _column(*values, kind=pa.string())
    assert ids(column)[0].tolist() == values
    assert texts(column, PLAIN)[0].tolist() == [plain_text(value) or None for value in values]


@pytest.mark.parametrize(
    ("value", "read"), [("007", "007"), ("1e5", "1e5"), (9_007_199_254_740_993, "9007199254740993"), (-5, "-5")]
)
def test_an_id_keeps_its_zeros_and_its_last_digit(value, read):
    """Ids are text, whatever the file holds."""
    values, bad = ids(_column(value))
    assert values.tolist() == [read]
    assert not bad.any()


@pytest.mark.parametrize("value", [None, "", "   ", "\u00a0", "a\0b", "x" * 257, 1.0, float("nan")])
def test_an_id_that_is_none_is_refused(value):
    """Blank, overlong, cut off or rounded ids cannot be joined back."""
    kind = pa.string() if value is None else None
    assert ids(_column(value, kind=kind))[1].tolist() == [True]
    assert not ids(_column("x" * 256))[1].any()


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (_column("NA", " NA ", "NaN", "None"), ["NA", " NA ", "NaN", "None"]),
        (_column(1.0, 2.5, float("nan"), float("inf"), None, -0.0), ["1", "2.5", None, None, None, "0"]),
        (_column(2**63 - 1), ["9223372036854775807"]),
        (_column(*[True, False]), ["true", "false"]),
        (_column(Decimal(12)), ["12"]),
        (_column(Decimal(9_007_199_254_740_993)), ["9007199254740993"]),
        (_column("?", "a"), [None, "a"]),
        (_column("a", None).dictionary_encode(), ["a", None]),
    ],
)
def test_a_category_is_the_text_that_a_csv_would_hold(column, read):
    """Namibia stays, whole numbers have no point, and only declared words are missing."""
    values, bad = texts(column, Dialect(missing=("?",)))
    assert values.tolist() == read
    assert not bad.any()


@given(
    st.datetimes(timezones=st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-720, 720))),
    st.sampled_from(["T", " "]),
)
def test_an_instant_is_its_microseconds_since_1970(moment, between):
    """Any instant from year 1 to 9999, in any zone, agrees with Python's own clock."""
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
        _column(MOMENT, kind=pa.timestamp("ns", "Europe/Brussels")),
        _column("2024-01-02T03:04:05.000006Z").dictionary_encode(),
    ],
)
def test_an_instant_is_the_same_from_text_and_from_types(column):
    """Zones, units and encodings of a file do not move an instant."""
    assert times(column, timezone="UTC")[0].tolist() == [MICROS]


def test_a_date_is_midnight_of_the_declared_zone():
    """Text and dates without a zone begin where the project says."""
    expected = [1_704_150_000_000_000]
    for column in (_column("2024-01-02"), _column(date(2024, 1, 2))):
        assert times(column, timezone="Europe/Brussels")[0].tolist() == expected
        assert times(column, timezone=None)[1].tolist() == [True]


@pytest.mark.parametrize(
    "value",
    [
        None, "", "NaT", "now", "today", "01/02/2024", "45293", "1700000000", "99999-01-01", "2024-13-01", "soon",
        "2024-03-31T02:30:00", "2024-10-27T02:30:00", 1_700_000_000, 45293.5, True, b"2024-01-02",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(value):
    """Ambiguous dates, epochs, serial days, moving words, and hours that a zone lacks or has twice are refused."""
    kind = pa.string() if value is None else None
    micros, bad = times(_column(value, kind=kind), timezone="Europe/Brussels")
    assert (micros.tolist(), bad.tolist()) == ([0], [True])


@pytest.mark.parametrize(
    "column",
    [
        _column(10**12, kind=pa.timestamp("s")),
        pa.chunked_array([pa.array([10**7], pa.int32()).view(pa.date32())]),
    ],
)
def test_an_instant_beyond_year_9999_is_refused(column):
    """Typed instants that no calendar holds are refused like texts."""
    assert times(column, timezone="UTC")[1].tolist() == [True]
