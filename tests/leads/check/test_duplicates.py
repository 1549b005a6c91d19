from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=12)


def _found(pairs):
    array = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return find_duplicates(array[:, 0], array[:, 1])


@given(PAIRS)
def test_duplicates_are_those_that_pandas_finds(pairs):
    """A row is merged where its id has one value and it is not the first, and conflicts where its id has several."""
    frame = pd.DataFrame(pairs, columns=["id", "value"], dtype=np.int64)
    conflicting = frame.groupby("id")["value"].transform("nunique").to_numpy() > 1
    merged = frame.duplicated("id").to_numpy() & ~conflicting
    found = _found(pairs)
    assert found.conflicting.tolist() == conflicting.tolist()
    assert found.merged.tolist() == merged.tolist()


@given(PAIRS, st.randoms())
def test_the_order_of_the_rows_changes_no_lead(pairs, random):
    """In any order the same ids conflict, and each of the others is kept once."""
    shuffled = random.sample(pairs, len(pairs))

    def kept(rows):
        found = _found(rows)
        out = found.merged | found.conflicting
        return sorted(row for row, left in zip(rows, out, strict=True) if not left)

    assert kept(pairs) == kept(shuffled)


def _frame(ids, **columns):
    kinds = {name: float if isinstance(values[0], float) else object for name, values in columns.items()}
    series = {name: pd.Series(values, dtype=kinds[name]) for name, values in columns.items()}
    return pd.DataFrame({"lead_id": pd.Series(ids, dtype=object), **series})


def test_a_hash_does_not_depend_on_the_rows_beside():
    """A row has the same hashes alone, among others, and in another chunk; a missing text too."""
    words = ["x", None, "", "é", None]
    numbers = [1.0, np.nan, 0.0, -1.5, np.nan]
    whole = row_hashes(_frame(list("abcde"), word=words, number=numbers))
    for at, lead in enumerate("abcde"):
        alone = row_hashes(_frame([lead], word=[words[at]], number=[numbers[at]]))
        assert (alone[0][0], alone[1][0]) == (whole[0][at], whole[1][at])


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
def test_rows_that_differ_have_other_hashes(one, other):
    """Values in other columns, and nothing in place of something, are other values."""
    frame = _frame(["1", "1"], a=[one[0], other[0]], b=[one[1], other[1]])
    ids, values = row_hashes(frame)
    assert ids[0] == ids[1]
    assert values[0] != values[1]


def test_zero_is_zero_with_either_sign():
    """A file may write nought as 0 or -0."""
    _, values = row_hashes(_frame(["1", "1"], a=[0.0, -0.0]))
    assert values[0] == values[1]


def test_a_contradiction_is_told_with_its_line_and_lead():
    """Each of the rows that contradict each other is a fault of the file's own column, and says what differs."""
    frame = _frame(["007", "007", "8"], a=[1.0, np.nan, 2.0], b=["x", "x", "y"], c=["x", None, "z"])
    differing = differing_columns(frame, {"b": "b", "c": "land", "a": "size"})
    (fault,) = conflict_faults([("leads.csv:7", "007")], "Number", differing)
    told = "leads.csv:7: Number must be there once, got '007' on another row too, with another land, another size; keep"
    assert str(fault).startswith(told)
    assert (fault.lead_id, differing.keys()) == ("007", {"007"})
    assert "with other values; keep the right row" in str(conflict_faults([("leads.csv:7", "007")], "Number")[0])
