"""Evidence of the leak gate: tables have their columns, and a part has the instants and the order of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError
from leadml.leads.judge.evidence import REQUIRED_COLUMNS, Clock, LeakEvidence

INSTANTS = np.arange(10, 20, dtype=np.int64)
ORDER = np.arange(10)[::-1]


@given(st.lists(st.integers(0, 9), max_size=12).map(lambda rows: np.array(rows, dtype=np.intp)))
def test_a_part_has_the_instants_and_positions_of_its_rows(rows: np.ndarray) -> None:
    """In the order in which the rows are asked for, however often each."""
    part = LeakEvidence(order=ORDER, clock=Clock(INSTANTS, "as_of", is_limit=True)).part(rows)

    assert part.order.tolist() == ORDER[rows].tolist()
    assert part.clock.instants.tolist() == INSTANTS[rows].tolist()
    assert (part.clock.name, part.clock.is_limit) == ("as_of", True)


def test_a_part_of_a_part_is_the_part_of_both() -> None:
    """A mask and positions choose the same rows."""
    clock, mask = Clock(INSTANTS, "created_at", is_limit=False), INSTANTS % 2 == 0

    assert clock.part(mask).part(np.array([1, 3])).instants.tolist() == [12, 16]
    assert clock.part(np.flatnonzero(mask)).instants.tolist() == clock.part(mask).instants.tolist()


def test_tables_are_the_same_in_every_part() -> None:
    """They are about leads and not about the rows of the training set."""
    tables = {name: pd.DataFrame(columns=list(columns)) for name, columns in REQUIRED_COLUMNS.items()}
    part = LeakEvidence(**tables).part(np.array([0]))

    assert all(getattr(part, name) is table for name, table in tables.items())
    assert (part.order, part.clock) == (None, None)


@pytest.mark.parametrize("table", REQUIRED_COLUMNS)
def test_a_table_with_more_columns_than_it_needs_is_evidence(table: str) -> None:
    """Rows and types are not asked for."""
    columns = ["more", *REQUIRED_COLUMNS[table]]

    assert getattr(LeakEvidence(**{table: pd.DataFrame(columns=columns)}), table).columns.tolist() == columns


@pytest.mark.parametrize(("table", "column"), [(name, one) for name, all_ in REQUIRED_COLUMNS.items() for one in all_])
def test_a_table_without_one_of_its_columns_is_refused(table: str, column: str) -> None:
    """The message names the table and the column."""
    columns = [name for name in REQUIRED_COLUMNS[table] if name != column]
    with pytest.raises(ModelError, match=f"^evidence.{table} must have a column '{column}', got none; it has "):
        LeakEvidence(**{table: pd.DataFrame(columns=columns)})


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ("held_out", ["lead_id"], r"evidence\.held_out must have a column 'converted', got none"),
        ("changes", ["lead_id", "field", "changed"], r"'changed_at', got none; the nearest is 'changed'"),
        ("outcomes", ["lead_id"], r"evidence\.outcomes must have a column 'occurred_at'"),
        ("activities", ["kind", "rows", "recorded_before"], r"must have a column 'after_outcome'"),
        ("future_counts", ["lead_id", "calls_7d"], r"evidence\.future_counts must have a column 'as_of'"),
    ],
)
def test_evidence_without_a_column_names_the_nearest(table: str, columns: list[str], message: str) -> None:
    """The message names the table, the column and the nearest column of the table."""
    with pytest.raises(ModelError, match=message):
        LeakEvidence(**{table: pd.DataFrame(columns=columns)})
