from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.frames import rows

from leadml.model.leaks.outcome import Outcome


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_no_group_is_in_both_halves(names):
    """Each row is in one half, and all rows of a lead are in the same, in any order."""
    frame = rows(pd.DataFrame({"lead_id": [str(name) for name in names], "converted": 0}))
    outcome = Outcome.of(frame)
    first, second = outcome.halves

    assert (first ^ second).all()
    assert not set(frame["lead_id"][first]) & set(frame["lead_id"][second])
    assert outcome.count_groups(np.ones(len(names), dtype=bool)) == len(set(names))


def test_leads_of_one_account_are_one_group():
    """Where leads have an account, it is the group."""
    frame = pd.DataFrame({"lead_id": list("abcd"), "split_key": ["m", "n", "m", "n"], "converted": [0, 1, 1, 1]})
    outcome = Outcome.of(frame)

    assert outcome.groups.tolist() == [0, 1, 0, 1]
    assert (outcome.base_rate, outcome.groups_of_rarer_class, outcome.has_both_classes) == (0.75, 1, False)
    assert outcome.part(np.array([False, True, False, True])).groups.tolist() == [0, 0]


@pytest.mark.parametrize("snapshots", [1, 3, 20])
def test_many_snapshots_of_a_lead_count_once(snapshots):
    """A lead is one of the rarer class however many snapshots of it there are."""
    label = np.repeat(np.array([1, 1, 0, 0, 0], dtype=np.int8), snapshots)

    assert Outcome(label, np.repeat(np.arange(5), snapshots)).groups_of_rarer_class == 2


def test_each_half_must_have_both_classes():
    """A half with one class cannot be judged."""
    assert Outcome(np.array([0, 0, 1, 1], dtype=np.int8), np.arange(4)).has_both_classes
    assert not Outcome(np.array([0, 1, 0, 1], dtype=np.int8), np.arange(4)).has_both_classes
