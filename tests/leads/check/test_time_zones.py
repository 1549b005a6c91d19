from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadml.leads.check.time_zones import NOT_A_TIME, to_local, to_utc

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what clocks show
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Pacific/Auckland", "Africa/Monrovia")
BOUNDS = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 - what clocks show


def _micros(moment: datetime) -> int:
    return (moment.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.slow
@example(BOUNDS[0], "America/New_York", "later")
@example(BOUNDS[1], "Europe/Berlin", "later")
@example(datetime(2050, 10, 30, 2, 30), "Europe/Berlin", "earlier")  # noqa: DTZ001 - the clocks show it twice
@example(datetime(2050, 10, 30, 2, 30), "Europe/Berlin", "later")  # noqa: DTZ001 - the clocks show it twice
@given(st.datetimes(*BOUNDS), st.sampled_from(ZONES), st.sampled_from(["earlier", "later"]))
def test_a_time_of_a_zone_is_the_instant_that_python_computes(moment: datetime, name: str, ambiguous: str) -> None:
    """From year 1 to 9999, in zones that change their clocks; what Python counts of a skipped time is not compared."""
    zone = ZoneInfo(name)
    expected = moment.replace(tzinfo=zone, fold=ambiguous == "later")
    offset = expected.utcoffset() or timedelta()
    found = to_utc(np.array([_micros(moment)]), name, ambiguous=ambiguous, nonexistent="NaT")

    assert found[0] in {NOT_A_TIME, _micros(moment) - offset // timedelta(microseconds=1)}
    if found[0] == NOT_A_TIME:
        assert expected.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment


@given(st.lists(st.datetimes(*BOUNDS), max_size=5), st.sampled_from(ZONES))
def test_an_instant_comes_back_from_its_time_in_a_zone(moments: list[datetime], zone: str) -> None:
    """Every instant is the earlier or the later one of what the clocks show."""
    instants = np.array([_micros(moment) for moment in moments], dtype=np.int64)
    local = to_local(instants, zone)
    earlier, later = (to_utc(local, zone, ambiguous=which, nonexistent="NaT") for which in ("earlier", "later"))

    assert ((instants == earlier) | (instants == later)).all()


@pytest.mark.parametrize(("zone", "text"), [("Europe/Berlin", "2024-03-31 02:30"), ("Asia/Tehran", "2022-03-22 00:00")])
def test_a_skipped_time_is_none_or_the_first_after(zone: str, text: str) -> None:
    """The clocks never show it: it is no time, or the instant at which they go forward; no time stays none."""
    local = np.array([_micros(datetime.fromisoformat(text)), NOT_A_TIME])
    none, first = (to_utc(local, zone, ambiguous="later", nonexistent=what) for what in ("NaT", "shift_forward"))

    assert none.tolist() == [NOT_A_TIME, NOT_A_TIME]
    assert first[1] == NOT_A_TIME
    assert to_local(first[:1], zone)[0] > local[0]
    assert to_local(first[:1] - 1, zone)[0] < local[0]
