"""Activities and outcomes lie in the block of their lead, whatever the size of blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dated import open_view, small, small_tables, write_tables

from leadml.leads.asof.event_blocks import add_events
from leadml.leads.asof.events import OUTCOME_SCHEMA

LEADS = [(name, 0, 1.0) for name in "abcde"]
ACTS = [("e", 3, "visit"), ("a", 4, "demo"), ("c", 5, "demo"), ("a", 6, "fair"), ("z", 7, "visit")]
OUTCOMES = [("d", 9, "customer"), ("b", 8, "lost")]


@pytest.mark.parametrize("block_leads", [1, 2, 9])
def test_each_block_has_the_events_of_its_leads(tmp_path: Path, block_leads: int) -> None:
    """Those of leads that are not known are counted and in none; a table without rows leaves empty blocks."""
    write_tables(tmp_path, **small_tables(LEADS, ACTS, OUTCOMES))
    with open_view(tmp_path, small(), block_leads=block_leads) as view:
        history, found = view.history, []
        for block in history.blocks():
            leads = block.activities["lead"].to_pylist() + block.outcomes["lead"].to_pylist()
            assert all(block.first <= lead < block.stop for lead in leads)
            found += leads
        emptied = add_events(history, "outcomes", iter(()), OUTCOME_SCHEMA)

        assert sorted(found) == [0, 0, 1, 2, 3, 4]
        assert (history.counts["activities"], history.counts["activities_of_unknown_leads"]) == (5, 1)
        assert history.unknown_ids == {"activities": "z"}
        assert dict(history.rows_by_code["activities"]) == {-1: 1, 0: 1, 1: 2}
        assert [block.outcomes.num_rows for block in emptied.blocks()] == [0] * -(-5 // block_leads)
