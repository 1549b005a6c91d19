"""The table of shadows beside the version in use."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.review.gate.shadows import COLUMNS, shadow_table
from leadml.review.performance.paired import losses

LEADS = 3000


def _table(noise: dict[str, float]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    ids, at = np.array([f"L{number}" for number in range(LEADS)], dtype=object), np.arange(LEADS) // 100
    log_odds = random.normal(-1.5, 1, LEADS)
    label = (random.random(LEADS) < expit(log_odds)).astype(np.int8)
    said = []
    for version, size in noise.items():
        probability = expit(log_odds + size * random.normal(size=LEADS))
        said.append(pd.DataFrame({"version": version, "lead_id": ids, "day": at, "probability": probability}))
    return shadow_table(pd.concat(said), ids, at, expit(log_odds), label, confidence=0.9)


def test_figures_are_those_of_the_same_leads() -> None:
    """A shadow that says the same gains nothing, one with noise loses."""
    table = _table({"2": 0.0, "3": 1.0}).set_index("version")
    assert (table["leads"] == LEADS).all()
    assert (table.loc["2", "gain"], table.loc["2", "gain_low"], table.loc["2", "gain_high"]) == (0.0, 0.0, 0.0)
    assert table.loc["2", "log_loss"] == table.loc["2", "champion_log_loss"]
    assert table.loc["3", "gain_high"] < 0
    assert table.loc["3", "gain"] == pytest.approx(table.loc["3", "champion_log_loss"] - table.loc["3", "log_loss"])
    assert table.loc["3", "roc_auc"] < table.loc["3", "champion_roc_auc"] == table.loc["2", "roc_auc"]


def test_leads_that_only_one_of_them_scored_do_not_count() -> None:
    """Nor is there a row for a shadow without a lead in common."""
    shadows = pd.DataFrame(
        {"version": ["2", "2", "3"], "lead_id": ["a", "x", "y"], "day": [1, 1, 1], "probability": [0.5, 0.5, 0.5]}
    )
    ids, at = np.array(["a", "b"], dtype=object), np.array([1, 1])
    table = shadow_table(shadows, ids, at, np.array([0.4, 0.4]), np.array([1, 0], dtype=np.int8), confidence=0.9)
    assert table[["version", "leads"]].to_numpy().tolist() == [["2", 1]]
    assert table["log_loss"].tolist() == losses(np.array([1]), np.array([0.5])).tolist()
    assert table.columns.tolist() == list(COLUMNS)
