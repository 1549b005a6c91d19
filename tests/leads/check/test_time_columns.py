from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.convert import nonexistent_times, times
from leadml.leads.check.time_columns import FIRST_SECOND, LAST_SECOND, read_instants

SECOND = 1_000_000
# Clocks of the first eight go forward at midnight or before it, of the next three back over it.
ZONES = ["America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "Asia/Amman", "America/Santiago",
         "Atlantic/Azores", "Asia/Tehran", "America/Havana", "America/St_Johns", "Asia/Damascus", "Europe/Berlin",
         "Pacific/Apia"]  # fmt: skip


def _column(*values, arrow_type=None):
    return pa.chunked_array([pa.array(values, arrow_type)])


def _first_instant(day, zone):
    """Return the first second of a day in a zone, found by looking at its clocks; None where the day was skipped."""
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    for minutes in range(-36 * 60, 36 * 60):
        at = noon + dt.timedelta(minutes=minutes)
        if at.astimezone(zone).date() == day:
            return int(at.timestamp()) * SECOND
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ZONES)
def test_a_day_without_a_time_is_the_first_instant_of_the_day(name):
    """Also where clocks skip or repeat midnight; text and typed dates agree, and a skipped day is refused."""
    zone = ZoneInfo(name)
    days = [dt.date(2011, 12, 28) + dt.timedelta(days=number) for number in range(370)]
    days += [dt.date(2017, 10, 15), dt.date(2010, 11, 7), dt.date(2023, 4, 28), dt.date(2024, 3, 31)]
    expected = [_first_instant(day, zone) for day in days]
    for column in (_column(*[day.isoformat() for day in days]), _column(*days)):
        micros, bad = times(column, timezone=name)
        assert [None if is_bad else value for value, is_bad in zip(micros.tolist(), bad, strict=True)] == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Sao_Paulo", "2017-10-15"), ("Africa/Cairo", "2024-04-26"), ("Asia/Beirut", "2024-03-31")],
)
def test_a_day_whose_midnight_is_skipped_is_read_and_its_skipped_hour_is_not(zone, day):
    """An hour that somebody wrote is a mistake; a day is none."""
    column = _column(day, f"{day} 00:00", f"{day}T00:30:00")
    assert times(column, timezone=zone)[1].tolist() == [False, True, True]
    assert nonexistent_times(column, timezone=zone).tolist() == [False, True, True]


@given(st.integers(FIRST_SECOND, LAST_SECOND - 1), st.integers(0, 999))
def test_seconds_and_milliseconds_since_1970_are_told_apart_by_their_size(seconds, millis):
    """As text and as whole numbers, with and without a zone: an epoch has one."""
    for value, micros in ((seconds, seconds * SECOND), (seconds * 1000 + millis, seconds * SECOND + millis * 1000)):
        for column in (_column(value), _column(str(value)), _column(value, arrow_type=pa.uint64())):
            read, bad = times(column, timezone=None)
            assert (read.tolist(), bad.tolist()) == ([micros], [False])


@pytest.mark.parametrize("value", [0, -1, FIRST_SECOND - 1, LAST_SECOND, FIRST_SECOND * 1000 - 1, LAST_SECOND * 1000,
                                   20_240_102, 2024, 1_700_000_000_000_000, None])  # fmt: skip
def test_a_whole_number_of_no_such_year_is_refused(value):
    """It is an id, or counts something else."""
    assert times(_column(value, arrow_type=pa.int64()), timezone="UTC")[1].tolist() == [True]
    if value is not None and value not in {2024, 20_240_102}:  # as text a year and a date in ISO 8601
        assert times(_column(str(value)), timezone="UTC")[1].tolist() == [True]


def test_all_ways_of_writing_stand_in_one_column():
    """A value is read alike whatever the others are."""
    texts = ["2024-01-05", None, "5.1.2024", "1704412800", "Jan 5, 2024", "soon", "2024-01-05 00:00 UTC"]
    micros, bad = read_instants(pa.chunked_array([texts[:2], texts[2:]]), "UTC", "NaT", "day_first")
    assert bad.tolist() == [False, True, False, False, False, True, False]
    assert set(micros[~bad].tolist()) == {1_704_412_800 * SECOND}
