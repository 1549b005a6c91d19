"""When rows were recorded: a table ends where its records end, not where a mistyped date lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.activity_plan import DAY

DAYS = st.lists(st.integers(0, 4000), min_size=1, max_size=300)


def _of(days):
    return Coverage.of(np.array(days, dtype=np.int64) * DAY + 7)


@settings(deadline=None, derandomize=True)
@given(DAYS, st.integers(1, 299))
def test_chunks_together_are_the_whole(days, cut):
    """Rows in one chunk or in two, in any order, make the same records."""
    whole = _of(days)
    parts = _of(days[cut:]).beside(_of(days[:cut])) if 0 < cut < len(days) else whole.beside(None)

    assert (parts.first, parts.days.tolist(), parts.newest) == (whole.first, whole.days.tolist(), whole.newest)
    assert whole.days.sum() == len(days)
    assert whole.newest == max(days) * DAY + 7
    assert whole.weeks.tolist() == [sum(at - 7 < day <= at for day in days) for at in range(min(days), max(days) + 1)]


@settings(deadline=None, derandomize=True)
@given(DAYS)
def test_the_end_is_within_the_records_and_the_rest_stands_alone(days):
    """No row is recorded after the end that is not counted as alone."""
    found = _of(days)

    assert min(days) * DAY < found.end <= found.newest
    assert found.alone == sum(day * DAY >= found.end for day in days)


@pytest.mark.parametrize("each", [1, 3, 40])
@pytest.mark.parametrize("later", [60, 900])
def test_one_row_after_a_long_silence_is_not_the_end(each, later):
    """A year of rows every day or every few, and one whose date was mistyped."""
    steady = [day for day in range(0, 365, 2 if each == 1 else 1) for _ in range(each)]
    found = _of([*steady, 365 + later])

    assert (found.end, found.alone) == (365 * DAY, 1)


def test_a_table_that_begins_again_goes_on():
    """After a silence of a year, a week as usual is no mistake."""
    found = _of([*range(100), *range(465, 472)])

    assert (found.end, found.alone) == (471 * DAY + 7, 0)
    assert _of([*range(100), *range(465, 471)]).alone == 6


@pytest.mark.parametrize(("each", "days"), [(5, 14), (1000, 14), (1, 20)])
def test_silence_is_two_weeks_or_more_and_twenty_rows(each, days):
    """A weekend of a busy table is no silence, nor are two weeks of a quiet one; before the end nothing is silent."""
    found = _of(np.repeat(np.arange(100), each).tolist())

    assert found.usual == 7 * each
    assert found.is_silent(found.end + days * DAY)
    assert not found.is_silent(found.end + days * DAY - 1)
    assert not found.is_silent(found.end - DAY)


def test_a_week_that_has_only_begun_is_not_behind_the_end():
    """Monday's rows after a weekend are fewer than those of a usual week."""
    weekdays = [day for day in range(365) if day % 7 < 5 for _ in range(100)]

    assert _of(weekdays).end == 364 * DAY + 7
    assert 364 % 7 == 0
