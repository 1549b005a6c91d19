"""Columns that a table must have: each that is missing has a line of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.check.contract import Contract
from leadml.leads.read.columns import require_columns

NAMES = st.sets(st.text(max_size=8), max_size=6)


@given(needed=NAMES, there=NAMES)
def test_there_is_one_fault_for_each_missing_column_and_no_other(needed: set[str], there: set[str]) -> None:
    """In the order in which they are required; a table with all of them is accepted."""
    missing = [name for name in needed if name not in there]
    if not missing:
        require_columns(needed, there, source="x.csv")
        return
    with pytest.raises(DataError, match="must have a column") as caught:
        require_columns(needed, there, source="x.csv")
    assert [fault.location for fault in caught.value.faults] == ["x.csv"] * len(missing)


def test_a_key_of_params_is_named_where_there_is_one() -> None:
    """It is what the user has to set."""
    with pytest.raises(DataError, match="must have a column 'born', got none") as caught:
        require_columns(["born", "size"], ["birth"], source="x.csv", keys={"born": "sources.leads.created_at"})

    assert str(caught.value).splitlines() == [
        "x.csv: must have a column 'born', got none; it has 1 others; set sources.leads.created_at",
        "x.csv: must have a column 'size', got none; it has 1 others",
    ]


def test_a_table_without_columns_is_accepted_only_if_none_is_required() -> None:
    """The message says that it has none."""
    require_columns([], [], source="x.csv")
    with pytest.raises(DataError, match=r"^x.csv: must have a column 'id', got none; it has 0 others$"):
        require_columns(["id"], [], source="x.csv")


def test_other_columns_and_any_order_are_accepted(contract: Contract) -> None:
    """A table may have more columns than the contract, in any order."""
    require_columns(contract.columns, ["x", "y", "country", "age", "id"], source="leads.csv")


def test_each_missing_column_is_shown_with_the_most_similar_name(contract: Contract) -> None:
    """Each missing column has one line; where no name is similar, the line has the number of columns."""
    with pytest.raises(DataError, match=r"^leads.csv: must have a column 'y', got none; it has 3 others\n") as caught:
        require_columns(contract.columns, ["id", "age", "contry\n"], source="leads.csv")
    assert str(caught.value.faults[1]).endswith("column 'country', got none; the nearest is 'contry\\n'")


def test_each_missing_column_has_its_own_line() -> None:
    """The line names the most similar column, or the number of columns where none is similar."""
    with pytest.raises(
        DataError, match="must have a column 'created_at', got none; the nearest is 'created'"
    ) as caught:
        require_columns(["id", "created_at", "qqq"], ["id", "created"], source="leads.csv")

    assert [str(fault) for fault in caught.value.faults][1] == (
        "leads.csv: must have a column 'qqq', got none; it has 2 others"
    )
