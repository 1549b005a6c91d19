"""When rows were recorded: a table ends where its rows end, not at a mistyped date."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.activity_plan import DAY

DAYS = st.lists(st.integers(0, 4000), min_size=1, max_size=300)


def _of(days):
    return Coverage.of(np.array(days, dtype=np.int64) * DAY + 7)


@given(DAYS, st.integers(1, 299))
def test_the_coverage_of_chunks_combined_is_that_of_all_rows(days, cut):
    """Rows in one chunk or in two, in any order, have the same coverage."""
    whole = _of(days)
    combined = _of(days[cut:]).combine(_of(days[:cut])) if 0 < cut < len(days) else whole.combine(None)

    assert (combined.first_day, combined.rows_per_day.tolist(), combined.newest) == (
        whole.first_day,
        whole.rows_per_day.tolist(),
        whole.newest,
    )
    assert whole.rows_per_day.sum() == len(days)
    assert whole.newest == max(days) * DAY + 7
    assert whole.weekly_rows.tolist() == [
        sum(at - 7 < day <= at for day in days) for at in range(min(days), max(days) + 1)
    ]


@given(DAYS)
def test_the_end_is_between_the_first_and_the_newest_row(days):
    """Every row that is recorded after the end is counted."""
    found = _of(days)

    assert min(days) * DAY < found.end <= found.newest
    assert found.rows_after_end == sum(day * DAY >= found.end for day in days)


@pytest.mark.parametrize("each", [1, 3, 40])
@pytest.mark.parametrize("later", [60, 900])
def test_one_row_after_a_long_gap_is_not_the_end(each, later):
    """A year of rows every day or every other day, and one whose date was mistyped."""
    steady = [day for day in range(0, 365, 2 if each == 1 else 1) for _ in range(each)]
    found = _of([*steady, 365 + later])

    assert (found.end, found.rows_after_end) == (365 * DAY, 1)


def test_a_table_that_begins_again_goes_on():
    """After a gap of a year, a week with the usual rows moves the end; six days of rows do not."""
    found = _of([*range(100), *range(465, 472)])

    assert (found.end, found.rows_after_end) == (471 * DAY + 7, 0)
    assert _of([*range(100), *range(465, 471)]).rows_after_end == 6


@pytest.mark.parametrize(("each", "days"), [(5, 14), (1000, 14), (1, 20)])
def test_a_table_is_stale_after_two_weeks_in_which_twenty_rows_are_usual(each, days):
    """A weekend makes no busy table stale, nor two weeks one of few rows; before its end no table is stale."""
    found = _of(np.repeat(np.arange(100), each).tolist())

    assert found.rows_per_week == 7 * each
    assert found.is_stale(found.end + days * DAY)
    assert not found.is_stale(found.end + days * DAY - 1)
    assert not found.is_stale(found.end - DAY)


def test_the_rows_of_a_week_that_has_only_begun_move_the_end():
    """Monday's rows after a weekend are fewer than those of a usual week."""
    weekdays = [day for day in range(365) if day % 7 < 5 for _ in range(100)]

    assert _of(weekdays).end == 364 * DAY + 7
    assert 364 % 7 == 0
