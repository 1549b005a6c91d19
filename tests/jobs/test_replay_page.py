"""The page of a replay: what it says, whatever the policies came to."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from leadml.jobs.replay import Replayed
from leadml.jobs.replay_page import build_replay_page
from leadml.publish.page import render
from leadml.review.replay.policies import POLICIES


def replayed() -> Replayed:
    """Return a replay of two months."""
    figures = pd.DataFrame(
        [
            {"policy": policy, "log_loss": 0.5, "difference": -0.01, "difference_low": -0.02, "difference_high": 0.0}
            | dict.fromkeys(("roc_auc", "roc_auc_within", "ece", "gain"), 0.6)
            for policy in POLICIES
        ]
    )
    common = {"leads": 100, "converted": 30, "log_loss": 0.5, "roc_auc": 0.6, "moves": 0.875}
    periods = pd.DataFrame(
        [
            {"period": period, "policy": policy, "expected": 25.0, "promoted": period == "2026-01", **common}
            for period in ("2026-01", "2026-02")
            for policy in POLICIES
        ]
    )
    return Replayed("won <b>", "week", figures, periods)


def test_the_page_shows_policies_and_months() -> None:
    """With both figures, and every text inert."""
    page = render(build_replay_page(replayed()))
    assert page.count("<svg") == 2
    assert "won &lt;b&gt;" in page
    assert "<b>" not in page
    for text in (
        "outcomes known by week",
        "kept the one before",
        "1 of 2",
        "88%",
        "+0.0100 (+0.0000 to +0.0200)",
        "2026-02",
    ):
        assert text in page
    assert "; 88% where nothing was known yet" in page


def test_where_nothing_is_followed_no_chance_is_explained() -> None:
    """Outcomes that come at the end of a month are in the next training."""
    page = render(build_replay_page(replace(replayed(), labels="month")))
    assert "where nothing was known yet" not in page
