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


def test_the_outcome_of_a_frame_has_small_whole_numbers():
    """Labels may be booleans or numbers; groups are numbered as they come."""
    frame = pd.DataFrame({"split_key": ["z", "a", "z"], "converted": [True, False, True]})
    outcome = Outcome.of(frame)

    assert (outcome.labels.tolist(), outcome.labels.dtype, outcome.draw) == ([1, 0, 1], np.int8, 0)
    assert (outcome.groups.tolist(), outcome.groups.dtype) == ([0, 1, 0], np.intp)
    assert type(outcome.base_rate) is float


@pytest.mark.parametrize("draw", [0, 1, 7])
def test_a_part_keeps_the_draw_and_numbers_its_groups_anew(draw):
    """Of five leads with two rows each, every third row: labels stay with their rows."""
    outcome = Outcome(np.tile(np.array([0, 1], dtype=np.int8), 5), np.repeat(np.arange(5), 2), draw)
    part = outcome.part(slice(3, None, 3))

    assert (part.labels.tolist(), part.groups.tolist(), part.draw) == ([1, 0, 1], [0, 1, 2], draw)
    assert part.groups.dtype == np.intp
    assert outcome.part(np.arange(10) >= 8).groups.tolist() == [0, 0]


def test_every_second_group_is_in_the_second_half():
    """In the order of the groups in draw 0, in an order of chance in others; no rows have no halves."""
    groups = np.array([0, 1, 2, 3, 3, 0])
    labels = np.zeros(6, dtype=np.int8)
    other = np.random.default_rng(2).permutation(4) % 2 == 1
    empty = [Outcome(labels[:0], groups[:0], draw).in_second_half.tolist() for draw in (0, 1)]

    assert Outcome(labels, groups).in_second_half.tolist() == [False, True, False, True, True, False]
    assert Outcome(labels, groups, 2).in_second_half.tolist() == other[groups].tolist()
    assert empty == [[], []]


@pytest.mark.parametrize(
    ("labels", "is_so"),
    [([1, 1, 1, 0], False), ([1, 1, 0, 1], False), ([0, 0, 0, 1], False), ([0, 0, 1, 0], False), ([0, 1, 1, 0], True)],
)
def test_one_class_in_either_half_is_enough_to_judge_nothing(labels, is_so):
    """The first half has the first and the third lead."""
    assert Outcome(np.array(labels, dtype=np.int8), np.arange(4)).has_both_classes is is_so


def test_the_rarer_class_may_be_either():
    """Three converters and one other, and the reverse; of one class there are none of the other."""
    labels = np.array([1, 1, 1, 0], dtype=np.int8)
    counts = [Outcome(label, np.arange(4)).groups_of_rarer_class for label in (labels, 1 - labels, labels * 0)]

    assert counts == [1, 1, 0]
