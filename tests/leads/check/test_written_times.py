from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.convert import times
from leadml.leads.check.written_times import iso_times, needs_order

MOMENTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31, 23, 59, 59))  # noqa: DTZ001 - no zone
# "%-d" is not on every platform, so days have two digits here; one digit is among the examples.
DAYS = {
    "day_first": ["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y"],
    "month_first": ["%m/%d/%Y", "%m-%d-%y", "%m.%d.%Y"],
    None: ["%b %d, %Y", "%B %d %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%Y/%m/%d", "%Y-%m-%d"],
}
CLOCKS = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", ", %I:%M:%S\u202f%p", "T%H:%M", " %H:%M:%S.%f"]
ZONES = ["", " UTC", " GMT", "Z", " Z", "+00:00", " +0000"]


def _column(*texts):
    return pa.chunked_array([pa.array(texts, pa.string())])


@given(MOMENTS, st.sampled_from([*DAYS]), st.sampled_from(CLOCKS), st.sampled_from(ZONES), st.data())
def test_an_instant_is_the_same_however_it_is_written(moment, order, clock, zone, data):
    """What Python writes in a pattern is read as the same instant, to the parts that the pattern has."""
    pattern = data.draw(st.sampled_from(DAYS[order])) + clock
    written = moment.strftime(pattern)
    kept = dt.datetime.strptime(written.replace("\u202f", " "), pattern.replace("\u202f", " ")).replace(tzinfo=dt.UTC)
    micros, bad = times(_column(written + (zone if clock else "")), timezone="UTC", order=order)
    assert not bad[0]
    assert micros[0] == (kept - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


@given(st.integers(1, 31), st.integers(1, 31), st.sampled_from("./-"), st.sampled_from(["2024", "24"]))
def test_a_date_of_three_numbers_is_refused_without_a_declared_order(one, other, mark, year):
    """No date is guessed, not even one of which only one order exists; the mask names them for the remedy."""
    column = _column(f"{one}{mark}{other}{mark}{year}")
    assert iso_times(column, None).to_pylist() == [None]
    assert times(column, timezone="UTC")[1].tolist() == [True]
    assert needs_order(column).tolist() == [True]


@pytest.mark.parametrize(("text", "order"), [("13.02.2024", "month_first"), ("2/13/2024", "day_first")])
def test_a_date_that_contradicts_the_declared_order_is_refused(text, order):
    """The rest of the column has the declared order; this value is a mistake, or the declaration is."""
    assert times(_column(text), timezone="UTC", order=order)[1].tolist() == [True]


@pytest.mark.parametrize(
    ("text", "order", "iso"),
    [
        ("1/5/2024 3:04 PM", "month_first", "2024-01-05T15:04:00"),
        ("1/5/2024 12:04 am", "day_first", "2024-05-01T00:04:00"),
        ("05.01.2024 12:00 p.m.", "day_first", "2024-01-05T12:00:00"),
        ("5.1.2024, 3:04:05,5", "day_first", "2024-01-05T03:04:05.5"),
        ("01/05/69", "day_first", "1969-05-01"),
        ("01/05/68", "day_first", "2068-05-01"),
        ("Jan 5, 2024 3:04 PM", None, "2024-01-05T15:04:00"),
        ("Sept. 5, 2024", None, "2024-09-05"),
        ("5 january 2024", None, "2024-01-05"),
        ("05-JAN-24", None, "2024-01-05"),
        ("2024/1/5 3:04 +05:30", None, "2024-01-05T03:04:00+05:30"),
        ("2024-01-08 00:27:00 UTC", None, "2024-01-08T00:27:00Z"),
        ("5\u00a0Jan\u00a02024", None, "2024-01-05"),
    ],
)
def test_a_time_is_rewritten_to_iso_8601(text, order, iso):
    """Each line is one way of writing."""
    assert iso_times(_column(text), order).to_pylist() == [iso]


@pytest.mark.parametrize(
    "text",
    [
        "soon", "", None, "13.02/2024", "2024-1/5", "1.2.3", "1.2.20245", "1/2/2024 3", "1/2/2024 13:00 PM",
        "1/2/2024 0:30 AM", "Janu 5, 2024", "5 Mai 2024", "Jan 2024", "5 Jan", "1/2/2024 UTC", "1/2/2024 3:04 CET",
    ],
)  # fmt: skip
def test_what_is_no_time_is_not_rewritten(text):
    """Two marks, hours of 12 that do not exist, other languages and other zones are refused."""
    assert iso_times(_column(text), "day_first").to_pylist() == [None]


def test_only_texts_need_an_order():
    """Typed columns have none, and other texts are no dates of three numbers."""
    assert needs_order(pa.chunked_array([[1, 2]])).tolist() == [False, False]
    assert needs_order(_column("2024-02-13", "1.2/2024", None, " 1.2.24 ")).tolist() == [False, False, False, True]
