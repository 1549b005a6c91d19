"""The outcomes that are known at an instant."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.dated import day, open_view, small, small_tables, write_tables

from leadml.leads.asof.outcomes import known_outcomes

LEADS = [("a", 0, 1.0), ("b", 1, 2.0), ("c", 40, 3.0)]
OUTCOMES = [("a", 10, "customer"), ("b", 50, "lost"), ("a", 20, "churned")]


def _known(folder: Path, at: int, block_leads: int = 2) -> list[tuple[str, int, str]]:
    write_tables(folder, **small_tables(LEADS, [], OUTCOMES))
    with open_view(folder, small(), block_leads=block_leads) as view:
        found = pd.concat(list(known_outcomes(view, day(at))), ignore_index=True)
    return list(zip(found["lead_id"], found["occurred_at"], found["outcome"], strict=True))


def test_an_outcome_is_known_after_it_occurred(tmp_path: Path) -> None:
    """Not at its own instant; of all leads, in the population or not, whatever the size of blocks."""
    assert _known(tmp_path, 10) == []
    for block_leads in (1, 2, 9):
        assert sorted(_known(tmp_path, 51, block_leads)) == [
            ("a", day(10), "customer"), ("a", day(20), "churned"), ("b", day(50), "lost")
        ]  # fmt: skip
