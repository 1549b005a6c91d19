from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.model.leaks.levels import telling_blank, telling_value
from leadml.model.leaks.outcome import Outcome


def judged(values, label, kind="category"):
    """Return the telling value of a field of leads of one row each."""
    label = np.asarray(label, dtype=np.int8)
    column = pd.Series(values, dtype=float if kind == "number" else object)
    return telling_value(column, Field("x", kind, "fit"), Outcome(label, np.arange(len(label))))


def labels(rate, size=4000, seed=0):
    """Return labels of a rate, and their generator."""
    random = np.random.default_rng(seed)
    return (random.random(size) < rate).astype(np.int8), random


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 0.5), st.integers(2, 200))
def test_levels_that_mean_nothing_never_tell(seed, rate, levels):
    """Whatever the base rate and the number of levels, chance makes none tell."""
    label, random = labels(rate, seed=seed)

    assert judged([f"v{level}" for level in random.zipf(1.5, 4000) % levels], label) is None
    assert judged((random.zipf(1.5, 4000) % levels).astype(float), label, "number") is None


@pytest.mark.parametrize("rate", [0.02, 0.12, 0.3, 0.5])
@pytest.mark.parametrize("kind", ["boolean", "category", "number"])
def test_a_mark_of_half_of_the_converters_tells(rate, kind):
    """A value that converters alone have is found at any base rate, and said with its counts."""
    label, random = labels(rate, 8000)
    mark = (label == 1) & (random.random(8000) < 0.5)
    values = np.where(mark, "paid", "none") if kind == "category" else mark.astype(float)
    found = judged(values, label, kind)

    assert found.sure
    assert (found.kind, found.leads, found.converted) == (1, mark.sum(), mark.sum())
    assert f"is there for {mark.sum():,} leads, of whom {mark.sum():,} converted where {label.mean():.1%}" in str(found)


def test_a_value_that_rules_conversion_out_tells_where_it_covers_many():
    """A reason for the loss is found; none of sixty at a rate of one in ten is no news."""
    label, random = labels(0.1, 8000)
    lost = (label == 0) & (random.random(8000) < 0.6)
    found = judged(np.where(lost, "lost", "open"), label)

    assert (found.sure, found.kind, found.converted) == (True, 0, 0)
    assert "and covers 59% of the other leads" in str(found)
    few = np.where(np.cumsum(label == 0) <= 60, label == 0, False)  # noqa: FBT003 - a mask
    assert judged(np.where(few, "rare", "other"), label) is None


@pytest.mark.parametrize("rate", [0.5, 0.6, 0.75])
def test_an_honest_level_may_be_strong(rate):
    """A demo request of which so many convert is what a lead score is for."""
    random = np.random.default_rng(1)
    source = random.choice(["demo request", "web", "event"], 5000, p=[0.1, 0.6, 0.3])
    label = random.random(5000) < np.where(source == "demo request", rate, 0.08)

    assert judged(source, label) is None


def test_levels_in_a_row_of_strong_levels_are_let_through():
    """Where the next level is nearly as strong, the first is the top of a scale."""
    random = np.random.default_rng(2)
    level = random.integers(0, 6, 6000)
    label = random.random(6000) < np.array([0.02, 0.1, 0.3, 0.6, 0.9, 0.97])[level]

    assert judged([f"v{at}" for at in level], label) is None
    assert judged(level.astype(float), label, "number") is None


@pytest.mark.parametrize("value", [0.0, -1.0, 999.0])
def test_a_special_number_is_held_against_its_neighbours(value):
    """A number that many converters and nobody else have stands out of a number that means nothing."""
    label, random = labels(0.2)
    mark = (label == 1) & (random.random(4000) < 0.4)
    values = np.where(mark, value, np.round(random.gamma(2, 20, 4000)) + 1)
    found = judged(values, label, "number")

    assert found.sure
    assert found.what == f"the number {value:g}"


def test_any_number_but_the_commonest_may_tell():
    """Values of deals, none like another, with 0 where there is none."""
    label, random = labels(0.2)
    values = np.where((label == 1) & (random.random(4000) < 0.5), random.lognormal(8, 1, 4000), 0.0)

    assert judged(values, label, "number").what == "a number other than 0"


def test_rows_of_one_lead_are_one_witness():
    """Two hundred rows of five leads that converted are five leads."""
    label, _ = labels(0.1)
    label[:200] = 1
    values = pd.Series(np.where(np.arange(4000) < 200, "mine", "other"), dtype=object)
    group = np.where(np.arange(4000) < 200, np.arange(4000) % 5, np.arange(4000))
    field = Field("x", "category", "fit")

    assert telling_value(values, field, Outcome(label, np.arange(4000))).what == "the level 'mine'"
    assert telling_value(values, field, Outcome(label, group)) is None


@pytest.mark.parametrize(
    ("share", "kind", "sure"), [(0.03, 1, False), (0.1, 1, True), (0.15, 0, False), (0.4, 0, True)]
)
def test_a_value_that_covers_few_is_not_sure(share, kind, sure):
    """It takes a twentieth of the converters, or a quarter of the others, to stop a training."""
    label, random = labels(0.2, 40_000)
    mark = (label == kind) & (random.random(40_000) < share)

    assert judged(np.where(mark, "mine", "other"), label).sure is sure


def test_blanks_tell_both_ways():
    """Filled for converters alone, or blank for converters alone."""
    label, random = labels(0.2)
    outcome = Outcome(label, np.arange(4000))
    part = (label == 1) & (random.random(4000) < 0.6)

    assert telling_blank(part, outcome).what == "a value"
    assert telling_blank(~part, outcome).what == "a blank"
    assert telling_blank(random.random(4000) < 0.6, outcome) is None


def test_nothing_is_said_of_a_column_that_is_empty_or_constant():
    """Neither has a value to be held against another."""
    label, _ = labels(0.2, 200)

    assert judged(np.full(200, np.nan), label, "number") is None
    assert judged(np.full(200, 3.0), label, "number") is None
    assert judged(np.full(200, "a"), label) is None
    assert judged(np.full(200, None), label) is None
