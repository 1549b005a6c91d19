from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.model.leaks.outcome import Outcome


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_no_group_is_in_both_halves(names):
    """Halves part the rows, and no lead is on both sides, whatever the order."""
    frame = pd.DataFrame({"lead_id": [str(name) for name in names], "converted": 0})
    outcome = Outcome.of(frame)
    first, second = outcome.sides

    assert (first ^ second).all()
    assert not set(frame["lead_id"][first]) & set(frame["lead_id"][second])
    assert outcome.leads(np.ones(len(names), dtype=bool)) == len(set(names))


def test_leads_of_one_account_are_one_group():
    """Where leads have an account, it is the group."""
    frame = pd.DataFrame({"lead_id": list("abcd"), "split_key": ["m", "n", "m", "n"], "converted": [0, 1, 1, 1]})
    outcome = Outcome.of(frame)

    assert outcome.group.tolist() == [0, 1, 0, 1]
    assert (outcome.rate, outcome.rarer, outcome.judgeable) == (0.75, 1, False)
    assert outcome.part(np.array([False, True, False, True])).group.tolist() == [0, 0]


@pytest.mark.parametrize("looks", [1, 3, 20])
def test_many_looks_at_one_lead_are_one_witness(looks):
    """However often a lead is looked at, it is one of the rarer kind, if it ever was of it."""
    label = np.repeat(np.array([1, 1, 0, 0, 0], dtype=np.int8), looks)

    assert Outcome(label, np.repeat(np.arange(5), looks)).rarer == 2


def test_both_halves_must_hold_both_kinds():
    """One kind in a half cannot be judged."""
    assert Outcome(np.array([0, 0, 1, 1], dtype=np.int8), np.arange(4)).judgeable
    assert not Outcome(np.array([0, 1, 0, 1], dtype=np.int8), np.arange(4)).judgeable
