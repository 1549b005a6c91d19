from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.review.replay.history import History


def frame(*instants, horizon_days=0):
    """Return labelled rows as of some instants, whose outcomes are mature some days later."""
    at = pd.DatetimeIndex(instants).as_unit("us").asi8
    later = at + horizon_days * 86_400_000_000
    return pd.DataFrame({"lead_id": range(len(at)), "as_of": at, "mature_at": later, "converted": np.int8(0)})


@pytest.mark.parametrize(
    ("labels", "last", "first"),
    [
        ("day", "2026-03-18T23:59:59.999999", "2026-03-19"),
        ("week", "2026-03-22T23:59:59.999999", "2026-03-23"),  # a Monday
        ("month", "2026-03-31T23:59:59.999999", "2026-04-01"),
    ],
)
def test_outcomes_are_known_after_the_end_of_their_day_week_or_month(labels, last, first):
    """Not at its last instant."""
    history = History.of(frame("2026-03-18T12:00"), labels)
    last, first = (pd.Timestamp(each).as_unit("us").asm8.astype(np.int64) for each in (last, first))
    assert history.known(int(last)).tolist() == [False]
    assert history.known(int(first)).tolist() == [True]


def test_outcomes_wait_for_their_horizon():
    """A lead of January with a horizon of 60 days is known in April, at the end of March."""
    history = History.of(frame("2026-01-15", horizon_days=60), "month")
    months = range(history.month[0], history.month[0] + 4)
    assert [bool(history.known(history.begin(month)).all()) for month in months] == [False, False, False, True]


def test_rows_are_in_the_order_of_time_and_months_have_names():
    """Whatever the order of the frame."""
    history = History.of(frame("2026-03-02", "2025-12-31T23:59", "2026-03-01"), "day")
    assert history.frame["lead_id"].tolist() == [1, 2, 0]
    assert [history.name(month) for month in history.months] == ["2025-12", "2026-03"]
    assert [history.rows(month).tolist() for month in history.months] == [[0], [1, 2]]
    assert history.begin(history.months[1]) == pd.Timestamp("2026-03-01").value // 1000
