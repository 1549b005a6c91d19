from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.date_formats import date_format

PATTERNS = {"day_first": ["%d.%m.%Y", "%d/%m/%y", "%d-%m-%Y %H:%M"], "month_first": ["%m/%d/%Y", "%m-%d-%y %I:%M %p"]}
CERTAIN = dt.datetime(2024, 2, 29)  # noqa: DTZ001 - what is written has no zone
DATES = st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)), max_size=6)  # noqa: DTZ001


@given(DATES, st.sampled_from(["day_first", "month_first"]), st.data())
def test_one_day_above_twelve_tells_the_order_of_its_column(dates, order, data):
    """A column in one order has that order, however it writes its dates."""
    pattern = data.draw(st.sampled_from(PATTERNS[order]))
    found = date_format([day.strftime(pattern) for day in [*dates, CERTAIN]])
    assert (found.order, found.is_open, found.share, found.whole_numbers) == (order, False, 1, False)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=6))
def test_the_order_stays_open_where_no_day_is_above_twelve(dates):
    """Nothing is guessed, not even where one order is more usual."""
    found = date_format([f"{one}/{other}/2024" for one, other in dates])
    assert (found.order, found.is_open, found.share) == (None, True, 1)


@pytest.mark.parametrize(
    ("texts", "whole_numbers"),
    [
        (["2024-01-08 00:27:00 UTC", None, " "], False),
        (["Jan 5, 2024", "5 January 2024"], False),
        (["1700000000", "1700000001"], True),
        (["2024", "2025"], True),
    ],
)
def test_a_column_without_dates_of_three_numbers_has_no_order(texts, whole_numbers):
    """Missing values say nothing, and whole numbers are told apart, because ids may look like them."""
    found = date_format(texts)
    assert (found.order, found.is_open, found.share, found.whole_numbers) == (None, False, 1, whole_numbers)


def test_a_wrong_date_among_many_changes_the_share_only():
    """An export has some; a column in which they are many holds something else."""
    found = date_format(["13.02.2024"] * 19 + ["soon"])
    assert (found.order, found.share) == ("day_first", 0.95)
    assert date_format(["13.02.2024"] * 4 + ["soon"]) is None


@pytest.mark.parametrize("texts", [[], [None, ""], ["web", "fair"], ["13.02.2024", "02.13.2024"]])
def test_a_column_that_holds_no_instants_of_one_order_is_none(texts):
    """Words, nothing, and dates of both orders are no column of times."""
    assert date_format(texts) is None
