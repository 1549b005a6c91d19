"""What a column holds follows from its values alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.judge.column_content import MISSING_WORDS, ColumnContent, describe_column
from leadml.leads.read.files import Dialect


def describe(values: list[Any]) -> ColumnContent:
    """Return what a column of values holds."""
    return describe_column(pa.chunked_array([values]), Dialect())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None, ""], "empty"), ([], "empty"), (["n/a", "-"], "empty"), (["x", "x"], "constant"),
        (["5", "5"], "constant"),
        (["2024-01-01", "2024-02-30x"], "category"), (["2024-01-01", "2024-02-03"], "time"),
        (["01.02.2024", "13.02.2024", None], "time"), (["Jan 5, 2024", "Feb 6, 2024"], "time"),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], "time"), ([dt.datetime(2024, 1, 1), None], "time"),  # noqa: DTZ001
        (["1,5", "2,25"], "number"), (["1.167", "2.300"], "number"), (["EUR 5", "EUR 7.50"], "number"),
        ([1.5, 2.5], "number"), ([3, 4, None], "number"), (["12", "n/a", "13", "TBD"], "number"),
        (["12", "x9", "13"], "category"), (["a", "b", "7"], "category"),
        (["yes", "no", ""], "boolean"), (["1", "0", "1"], "boolean"), ([True, False], "boolean"),
        (["Ja", "Nein"], "category"),
        (["red", "blue", "n/a"], "category"), ([f"please call us on day {at}" for at in range(9)], "text"),
        (["Chief financial officer in Berlin"] * 20 + ["Head of something in Paris"], "category"),
    ],
)  # fmt: skip
def test_a_column_is_what_its_values_are(values: list[Any], kind: str) -> None:
    """Times, numbers with their marks, answers, levels and free text are told apart; a stray value makes levels."""
    assert describe(values).kind == kind


@given(
    st.lists(st.sampled_from(["1", "2", "3.5", "", "n/a", "N/A", "-", "(not set)", "#N/A"]), min_size=1, max_size=30)
)
def test_words_for_not_known_are_named_and_change_no_number(values: list[str]) -> None:
    """Whatever their case; they are no levels of a column of numbers."""
    content = describe(values)
    words = {value for value in values if value.lower() in MISSING_WORDS}
    assert set(content.missing) == words
    assert content.kind in {"empty", "constant", "number"}
    assert content.filled == sum(value not in {"", *words} for value in values)
    assert sum(content.levels.values()) == content.rows == len(values)


def test_numbers_that_run_on_are_known_from_amounts() -> None:
    """They differ on every row and leave no gap, in any order."""
    assert describe([str(at) for at in (5, 3, 4, 7, 6)]).runs_on
    assert not describe([str(100 * at) for at in range(9)]).runs_on
    assert not describe(["1", "2", "1", "2"]).runs_on


def test_the_decimal_mark_is_judged_over_the_column() -> None:
    """And is none where no number has a mark."""
    content = describe(["1.167", "1.234,5"])
    assert content.mark is not None
    assert (content.mark.decimal, content.mark.sure) == (",", True)
    assert describe(["1", "2"]).mark is None


def test_seconds_since_1970_are_numbers_that_may_be_times() -> None:
    """Only the name of the column can tell."""
    content = describe(["1704067200", "1706745600"])
    assert content.kind == "number"
    assert content.dates is not None
    assert content.dates.whole_numbers


def test_a_distinct_column_is_filled_and_differs_on_nearly_every_row() -> None:
    """One repeated row of twenty is allowed, one empty is not."""
    ids = [f"x{at}" for at in range(20)]
    assert describe(ids).is_distinct
    assert describe([*ids[:-1], ids[0]]).is_distinct
    assert not describe([*ids[:-1], ""]).is_distinct
    assert not describe(["a", "b"] * 10).is_distinct
