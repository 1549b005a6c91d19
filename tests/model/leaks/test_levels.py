from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.model.leaks.levels import find_implying_blank, find_implying_value
from leadml.model.leaks.outcome import Outcome


def implying_value(values, label, kind="category"):
    """Return the value of a field that implies the outcome; each lead has one row."""
    label = np.asarray(label, dtype=np.int8)
    column = pd.Series(values, dtype=float if kind == "number" else object)
    return find_implying_value(column, Field("x", kind, "fit"), Outcome(label, np.arange(len(label))))


def labels(rate, size=4000, seed=0):
    """Return random labels with a base rate, and the generator."""
    random = np.random.default_rng(seed)
    return (random.random(size) < rate).astype(np.int8), random


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.02, 0.5), st.integers(2, 200))
def test_random_levels_never_imply_the_outcome(seed, rate, levels):
    """At any base rate and with any number of levels, no random level or number is found."""
    label, random = labels(rate, seed=seed)

    assert implying_value([f"v{level}" for level in random.zipf(1.5, 4000) % levels], label) is None
    assert implying_value((random.zipf(1.5, 4000) % levels).astype(float), label, "number") is None


@pytest.mark.parametrize("rate", [0.02, 0.12, 0.3, 0.5])
@pytest.mark.parametrize("kind", ["boolean", "category", "number"])
def test_a_value_that_only_converters_have_is_found(rate, kind):
    """A value of half of the converters is found at any base rate, with its counts."""
    label, random = labels(rate, 8000)
    mark = (label == 1) & (random.random(8000) < 0.5)
    values = np.where(mark, "paid", "none") if kind == "category" else mark.astype(float)
    found = implying_value(values, label, kind)

    assert found.is_common
    assert (found.label, found.leads, found.converted) == (1, mark.sum(), mark.sum())
    counts = (
        f"occurs in {mark.sum():,} leads, of which {mark.sum():,} converted, where the base rate is {label.mean():.1%}"
    )
    assert counts in str(found)


def test_a_value_without_converters_is_found_where_it_covers_many_leads():
    """The reason of a loss is found; sixty leads without a converter, at a base rate of one in ten, are too few."""
    label, random = labels(0.1, 8000)
    lost = (label == 0) & (random.random(8000) < 0.6)
    found = implying_value(np.where(lost, "lost", "open"), label)

    assert (found.is_common, found.label, found.converted) == (True, 0, 0)
    assert "it covers 59% of all leads that did not convert" in str(found)
    few = np.where(np.cumsum(label == 0) <= 60, label == 0, False)  # noqa: FBT003 - a mask
    assert implying_value(np.where(few, "rare", "other"), label) is None


@pytest.mark.parametrize("rate", [0.5, 0.6, 0.75])
def test_an_honest_level_may_be_strong(rate):
    """A demo request of which many convert is what a lead score must find."""
    random = np.random.default_rng(1)
    source = random.choice(["demo request", "web", "event"], 5000, p=[0.1, 0.6, 0.3])
    label = random.random(5000) < np.where(source == "demo request", rate, 0.08)

    assert implying_value(source, label) is None


def test_the_highest_level_of_a_scale_is_passed():
    """Where the next level has nearly the same rate, the highest level is no leak."""
    random = np.random.default_rng(2)
    level = random.integers(0, 6, 6000)
    label = random.random(6000) < np.array([0.02, 0.1, 0.3, 0.6, 0.9, 0.97])[level]

    assert implying_value([f"v{at}" for at in level], label) is None
    assert implying_value(level.astype(float), label, "number") is None


@pytest.mark.parametrize("value", [0.0, -1.0, 999.0])
def test_a_special_number_is_compared_with_the_nearest_numbers(value):
    """A number that many converters and no other leads have is found among random numbers."""
    label, random = labels(0.2)
    mark = (label == 1) & (random.random(4000) < 0.4)
    values = np.where(mark, value, np.round(random.gamma(2, 20, 4000)) + 1)
    found = implying_value(values, label, "number")

    assert found.is_common
    assert found.description == f"the number {value:g}"


def test_all_numbers_but_the_commonest_may_imply_the_outcome():
    """Values of deals are all different, and 0 where there is no deal."""
    label, random = labels(0.2)
    values = np.where((label == 1) & (random.random(4000) < 0.5), random.lognormal(8, 1, 4000), 0.0)

    assert implying_value(values, label, "number").description == "a number other than 0"


def test_rows_of_one_lead_count_once():
    """Two hundred rows of five leads that converted are five leads."""
    label, _ = labels(0.1)
    label[:200] = 1
    values = pd.Series(np.where(np.arange(4000) < 200, "mine", "other"), dtype=object)
    group = np.where(np.arange(4000) < 200, np.arange(4000) % 5, np.arange(4000))
    field = Field("x", "category", "fit")

    assert find_implying_value(values, field, Outcome(label, np.arange(4000))).description == "the level 'mine'"
    assert find_implying_value(values, field, Outcome(label, group)) is None


@pytest.mark.parametrize(
    ("share", "outcome", "is_common"), [(0.03, 1, False), (0.1, 1, True), (0.15, 0, False), (0.4, 0, True)]
)
def test_a_value_stops_only_where_it_covers_enough_leads(share, outcome, is_common):
    """It must cover a twentieth of the converters, or a quarter of the other leads."""
    label, random = labels(0.2, 40_000)
    mark = (label == outcome) & (random.random(40_000) < share)

    assert implying_value(np.where(mark, "mine", "other"), label).is_common is is_common


def test_values_and_blanks_may_imply_the_outcome():
    """A field that only converters have filled in is found, and one that only converters have left blank."""
    label, random = labels(0.2)
    outcome = Outcome(label, np.arange(4000))
    part = (label == 1) & (random.random(4000) < 0.6)

    assert find_implying_blank(part, outcome).description == "a value"
    assert find_implying_blank(~part, outcome).description == "a blank"
    assert find_implying_blank(random.random(4000) < 0.6, outcome) is None


def test_an_empty_or_constant_column_is_passed():
    """It has no other value to compare with."""
    label, _ = labels(0.2, 200)

    assert implying_value(np.full(200, np.nan), label, "number") is None
    assert implying_value(np.full(200, 3.0), label, "number") is None
    assert implying_value(np.full(200, "a"), label) is None
    assert implying_value(np.full(200, None), label) is None
