from __future__ import annotations

import numpy as np
import pytest
from tests.review.replay.history_leads import A_DAY, DAYS, leads, played

from leadml.review.replay.figures import period_figures, pooled_figures
from leadml.review.replay.policies import POLICIES


def test_figures_of_periods_add_up_to_those_of_all():
    """Leads, conversions and losses."""
    replay = played(leads(1, shift=1.0))
    table = period_figures(replay)
    assert set(table["policy"]) == set(POLICIES)
    for policy, rows in table.groupby("policy"):
        pooled = pooled_figures(replay).set_index("policy").loc[policy]
        assert rows["leads"].sum() == A_DAY * (DAYS - 59)
        assert np.average(rows["log_loss"], weights=rows["leads"]) == pytest.approx(pooled["log_loss"])
        assert np.average(rows["roc_auc"], weights=rows["leads"]) == pytest.approx(pooled["roc_auc_within"])
