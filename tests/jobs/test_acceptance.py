"""What became of leads is told for people, and refused where none was handed over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.dated import crm, write_params

from leadml.errors import LeadmlError
from leadml.jobs.acceptance import Acceptance, acceptance, acceptance_text
from leadml.jobs.places import Places

FIGURES = {"acceptance": 0.75, "acceptance_low": 0.5, "acceptance_high": 0.9, "contacted": 3, "hours_to_contact": 2.25}
NONE_YET = dict.fromkeys(FIGURES, float("nan")) | {"contacted": 0}
COUNTS = {"handed_over": 1200, "accepted": 3, "rejected": 1, "open": 1196}


def test_figures_are_shown_with_their_intervals() -> None:
    """What is not known is empty."""
    rows = [{"by": "all", "name": "", **COUNTS, **FIGURES}, {"by": "owner", "name": "ann", **COUNTS, **NONE_YET}]
    reasons = pd.DataFrame({"reason": ["no budget"], "leads": [1]})
    (_, table), (_, rejections) = acceptance_text(Acceptance(pd.DataFrame(rows), reasons))

    assert table.rows == [
        ("all", "", "1,200", "3", "1", "1,196", "75% (50% to 90%)", "2.2 (of 3)"),
        ("owner", "ann", "1,200", "3", "1", "1,196", "", ""),
    ]
    assert rejections.rows == [("no budget", "1")]
    assert len(acceptance_text(Acceptance(pd.DataFrame(rows), reasons[:0]))) == 1


def test_nothing_is_told_before_leads_are_handed_over(tmp_path: Path) -> None:
    """The message says how to hand them over."""
    with pytest.raises(LeadmlError, match=r"^leads must have been handed over, got none; score leads .* then write"):
        acceptance(Places.open(write_params(tmp_path, crm()), target="sql"))
