from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from leadml.stages.stability import stage_changes

CUTS = st.lists(st.floats(0.01, 0.99), max_size=4)


@given(CUTS, st.floats(0.01, 2.0))
def test_it_is_the_share_of_pairs_of_trainings_that_disagree(cuts, deviation):
    """Drawn pairs of log-odds around the same value are in different stages as often as it says of the first."""
    random = np.random.default_rng(0)
    truth = random.normal(-1, 1.5, 40_000)
    first, second = truth + deviation * random.normal(size=(2, len(truth)))
    stages = [np.searchsorted(np.sort(cuts), expit(each), side="right") for each in (first, second)]
    says = stage_changes(expit(np.random.default_rng(1).normal(-1, 1.5, 40_000)), cuts, deviation)
    assert says == pytest.approx((stages[0] != stages[1]).mean(), abs=0.05 + 0.08 * deviation)


@given(CUTS, st.lists(st.floats(0.001, 0.999), min_size=1), st.floats(0.0, 3.0))
def test_it_is_a_share_that_rises_with_the_deviation(cuts, probability, deviation):
    """More variation moves no fewer leads; without any none moves, and without cuts none can."""
    some = [stage_changes(np.array(probability), cuts, each) for each in (0.0, deviation, 2 * deviation)]
    assert some[0] == 0.0
    assert 0.0 <= some[1] <= 1.0
    assert stage_changes(np.array(probability), [], deviation) == pytest.approx(0.0, abs=1e-12)


def test_a_lead_far_from_all_cuts_stays():
    """Ten deviations away nothing changes; at a cut half of the trainings disagree."""
    assert stage_changes(np.array([0.5]), [expit(2.0)], 0.1) < 1e-12
    assert stage_changes(np.array([0.5, 0.5]), [0.5], 0.1) == pytest.approx(0.5)
