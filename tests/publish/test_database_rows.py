"""The rows of a batch come back from a table as they were written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.frames import FORMULAS

from leadml.leads.read.database import TableName
from leadml.publish.database import table_writer
from leadml.publish.database_rows import table_batch_rows, table_holds_batch

TABLE = TableName.parse("scored")


def test_the_rows_of_a_batch_come_back(tmp_path: Path) -> None:
    """Texts, numbers and missing values, those of this batch only."""
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    rows = pd.DataFrame({"lead_id": FORMULAS, "target": "sql", "batch_id": "b1", "points": 0.1})
    rows.loc[0, "points"] = None
    with table_writer(url, TABLE) as writer:
        writer.write(pd.concat([rows, rows.assign(batch_id="b2")]))
    found = pd.concat(table_batch_rows(url, TABLE, "b1")).set_index("lead_id").loc[FORMULAS]

    assert found["points"].isna().tolist() == [True] + [False] * (len(FORMULAS) - 1)
    assert set(found["batch_id"]) == {"b1"}
    assert list(table_batch_rows(url, TABLE, "b3")) == []
    assert [table_holds_batch(url, TABLE, each) for each in ("b1", "b3")] == [True, False]
