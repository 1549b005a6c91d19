"""Instants: from ISO 8601 to microseconds and back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import LeadmlError
from leadml.leads.check.instants import from_shown, instant, shown_day, shown_instant

MICROS = st.integers(-62_135_596_800_000_000, 253_402_214_400_000_000)  # 0001-01-01 to the last midnight of 9999
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")


@pytest.mark.slow
@given(MICROS)
def test_an_instant_is_read_as_it_was_shown(micros: int) -> None:
    """To the microsecond, and its day is the first part of it."""
    shown = shown_instant(micros)

    assert instant(shown, timezone=None) == from_shown(shown) == micros
    assert shown_day(micros) == shown.split("T")[0]
    assert shown.endswith("+00:00")


@pytest.mark.slow
@given(naive=st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2036, 1, 1)), zone=st.sampled_from(ZONES))  # noqa: DTZ001
def test_a_time_without_a_zone_is_one_of_the_declared_zone(naive: dt.datetime, zone: str) -> None:
    """As Python's own `zoneinfo` places it; of a time that the clocks show twice, the first."""
    placed = naive.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    if placed.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != naive:  # the clocks skip it
        with pytest.raises(LeadmlError, match=f"must be a time of {zone}, whose clocks skip this hour"):
            instant(naive.isoformat(), timezone=zone)
    else:
        assert instant(naive.isoformat(), timezone=zone) == (placed - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // (
            dt.timedelta(microseconds=1)
        )


def test_an_offset_is_stronger_than_the_declared_zone() -> None:
    """Also in an hour that the clocks of the zone skip."""
    assert instant("1970-01-01T05:30+05:30", timezone="America/New_York") == 0
    assert shown_instant(instant("2024-03-31T02:30+01:00", timezone="Europe/Berlin")) == "2024-03-31T01:30:00+00:00"


def test_a_date_is_midnight_of_the_declared_zone() -> None:
    """In Auckland half a day before UTC."""
    assert instant("1970-01-02", timezone="Pacific/Auckland") == 12 * 3_600_000_000
    assert shown_day(instant("1970-01-02", timezone="Pacific/Auckland")) == "1970-01-01"


def test_the_message_names_the_option_that_has_the_time() -> None:
    """By default it is a date."""
    with pytest.raises(LeadmlError, match=r"^a date must be a date or a time in ISO 8601, got 'soon'; write 2026"):
        instant("soon", timezone="UTC")
    with pytest.raises(LeadmlError, match=r"^as_of \(--as-of\) must be a date or a time in ISO 8601, got 'soon'; "):
        instant("soon", timezone="UTC", name="as_of (--as-of)")
    with pytest.raises(LeadmlError, match=r"^since must be a time of Europe/Berlin, .*\(write its offset, or correct"):
        instant("2024-03-31T02:30", timezone="Europe/Berlin", name="since")


@pytest.mark.parametrize("text", ["", "soon", "31.01.2026", "2026-02-30", "170000000"])
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    """The message shows how to write a date."""
    with pytest.raises(
        LeadmlError, match=r"must be a date or a time in ISO 8601, got .*; write 2026-01-31 for example"
    ):
        instant(text, timezone="UTC")


def test_an_instant_is_shown_as_it_was_read() -> None:
    """An instant is converted to text and back without loss, to the microsecond."""
    for text in ("2024-01-31T00:00:00+00:00", "2024-01-31T12:00:00.000001+00:00"):
        assert shown_instant(instant(text, timezone=None)) == text
    with pytest.raises(LeadmlError, match="must be a date or a time"):
        instant("2024-01-31", timezone=None)
    with pytest.raises(
        LeadmlError, match=r"must be a time of Europe/Berlin, whose clocks skip .*, got '2024-03-31T02:30'"
    ):
        instant("2024-03-31T02:30", timezone="Europe/Berlin")
