from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=12)


def _find(pairs):
    array = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return find_duplicates(array[:, 0], array[:, 1])


@given(PAIRS)
def test_duplicates_are_those_that_pandas_finds(pairs):
    """A row is merged where its id has one value and an earlier row, and conflicts where its id has several values."""
    frame = pd.DataFrame(pairs, columns=["id", "value"], dtype=np.int64)
    conflicting = frame.groupby("id")["value"].transform("nunique").to_numpy() > 1
    merged = frame.duplicated("id").to_numpy() & ~conflicting
    duplicates = _find(pairs)
    assert duplicates.conflicting.tolist() == conflicting.tolist()
    assert duplicates.merged.tolist() == merged.tolist()


@given(PAIRS, st.randoms())
def test_the_order_of_the_rows_does_not_change_the_leads(pairs, random):
    """In any order the same ids conflict, and each other id has one row."""
    shuffled = random.sample(pairs, len(pairs))

    def unique_rows(rows):
        duplicates = _find(rows)
        dropped = duplicates.merged | duplicates.conflicting
        return sorted(row for row, is_dropped in zip(rows, dropped, strict=True) if not is_dropped)

    assert unique_rows(pairs) == unique_rows(shuffled)


def _frame(ids, **columns):
    dtypes = {name: float if isinstance(values[0], float) else object for name, values in columns.items()}
    series = {name: pd.Series(values, dtype=dtypes[name]) for name, values in columns.items()}
    return pd.DataFrame({"lead_id": pd.Series(ids, dtype=object), **series})


def test_a_hash_does_not_depend_on_other_rows():
    """A row has the same hashes by itself and among other rows, even with a missing value."""
    words = ["x", None, "", "é", None]
    numbers = [1.0, np.nan, 0.0, -1.5, np.nan]
    whole = row_hashes(_frame(list("abcde"), word=words, number=numbers))
    for row, lead in enumerate("abcde"):
        single = row_hashes(_frame([lead], word=[words[row]], number=[numbers[row]]))
        assert (single[0][0], single[1][0]) == (whole[0][row], whole[1][row])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["x", "y"], ["y", "x"]),
        (["x", None], [None, "x"]),
        ([None, "a"], ["", "a"]),
        ([None, "a"], ["\0", "a"]),
        (["ab", "c"], ["a", "bc"]),
    ],
)
def test_rows_with_different_values_have_different_hashes(one, other):
    """The same values in other columns, and a missing value instead of a text, give another hash."""
    frame = _frame(["1", "1"], a=[one[0], other[0]], b=[one[1], other[1]])
    ids, values = row_hashes(frame)
    assert ids[0] == ids[1]
    assert values[0] != values[1]


def test_zero_and_negative_zero_have_the_same_hash():
    """A file may write zero as 0 or -0."""
    _, values = row_hashes(_frame(["1", "1"], a=[0.0, -0.0]))
    assert values[0] == values[1]


def test_a_contradiction_is_a_fault_with_its_line_and_lead():
    """The fault names the id column of the file and the columns in which the rows differ."""
    frame = _frame(["007", "007", "8"], a=[1.0, np.nan, 2.0], b=["x", "x", "y"], c=["x", None, "z"])
    differences = differing_columns(frame, {"b": "b", "c": "land", "a": "size"})
    (fault,) = conflict_faults([("leads.csv:7", "007")], "Number", differences)
    start = (
        "leads.csv:7: Number must be there once, got '007' on another row too, with another land, another size; keep"
    )
    assert str(fault).startswith(start)
    assert (fault.lead_id, differences.keys()) == ("007", {"007"})
    assert "with other values; keep the right row" in str(conflict_faults([("leads.csv:7", "007")], "Number")[0])
