from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.review.replay.history_leads import A_DAY, fit, leads, played

from leadml.review.replay.figures import pooled_figures
from leadml.review.replay.policies import POLICIES


@pytest.mark.parametrize("labels", ["day", "week", "month"])
def test_no_policy_but_the_oracle_knows_what_comes(labels):
    """If all outcomes from a day on are turned, nothing that was said by then changes."""
    frame = leads()
    until = frame["as_of"].iloc[130 * A_DAY]
    turned = frame.assign(converted=np.where(frame["as_of"] >= until, 1 - frame["converted"], frame["converted"]))
    one, two = played(frame, labels), played(turned, labels)
    before = (frame["as_of"] <= until).to_numpy()
    for policy in ("once", "refit", "loop"):
        np.testing.assert_array_equal(one.probability[policy][before], two.probability[policy][before])
    after = ~before & ~np.isnan(one.probability["loop"])
    assert not np.allclose(one.probability["loop"][after], two.probability["loop"][after])


def test_the_oracle_knows_the_level_of_each_month():
    """Its probabilities add up to the conversions."""
    replay = played(leads(shift=1.0))
    assert list(replay.probability) == list(POLICIES)
    for period in replay.periods:
        expected = replay.probability["oracle"][period.rows].sum()
        assert expected == pytest.approx(replay.history.label[period.rows].sum())


def test_where_the_level_moves_the_loop_is_better_than_a_monthly_training():
    """And the oracle is better than both, one model for good worse than all."""
    table = pooled_figures(played(leads(shift=1.5))).set_index("policy")
    assert table["log_loss"].idxmin() == "oracle"
    assert table.loc["once", "log_loss"] > table.loc["refit", "log_loss"] > table.loc["loop", "log_loss"]
    assert table.loc["loop", "difference"] < 0
    assert table.loc["refit", "difference"] == table.loc["refit", "difference_low"] == 0


def test_where_nothing_moves_the_loop_is_the_monthly_training():
    """To within half a thousandth of the log loss."""
    table = pooled_figures(played(leads(3))).set_index("policy")
    assert table.loc["loop", "log_loss"] == pytest.approx(table.loc["refit", "log_loss"], abs=5e-4)


def test_a_recipe_that_was_surely_worse_does_not_serve():
    """The newest one that was judged serves again, until a recipe has shown that it is not worse."""

    def spoilt(known):
        good = fit(known)
        months = len(np.unique(pd.to_datetime(known["as_of"], unit="us").dt.to_period("M")))
        return (lambda rows: -good(rows)) if months in {4, 5} else good

    replay = played(leads(), fit=spoilt)
    assert [period.promoted for period in replay.periods] == [True, True, True, False, False, True]
    assert [period.model for period in replay.periods] == [0, 1, 2, 1, 1, 5]
