from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.model.leaks.levels import Candidate, ImplyingValue, find_implying_blank, find_implying_value
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


def of_counts(*counts, kind="category", rows_of_lead=1):
    """Return the implying value of a field from (value, converted, not converted); "rare" stands for new levels."""
    sizes = [(value, rows_of_lead * won, rows_of_lead * lost) for value, won, lost in counts]
    values = [f"rare {at}" if value == "rare" else value for value, won, lost in sizes for at in range(won + lost)]
    label = np.concatenate([np.repeat([1, 0], [won, lost]) for _, won, lost in sizes])
    column = pd.Series(values, dtype=float if kind == "number" else object)
    outcome = Outcome(label.astype(np.int8), np.arange(len(label)) // rows_of_lead)
    return find_implying_value(column, Field("x", kind, "fit"), outcome)


def test_the_evidence_names_the_value_its_counts_and_what_it_covers():
    """The text has the number of leads and converters, the base rate, and the share of which leads is covered."""
    won = ImplyingValue("the level 'won'", 1200, 1150, 1, 0.575, 0.0625)
    lost = ImplyingValue("a blank", 2000, 10, 0, 0.25, 0.2)

    assert str(won) == (
        "the level 'won' occurs in 1,200 leads, of which 1,150 converted, where the base rate is 6.2%; it covers 57% "
        "of all leads that converted"
    )
    assert str(lost) == (
        "a blank occurs in 2,000 leads, of which 10 converted, where the base rate is 20.0%; it covers 25% of all "
        "leads that did not convert"
    )


@pytest.mark.parametrize(("label", "limit"), [(1, 0.05), (0, 0.25)])
def test_a_value_at_the_limit_of_coverage_stops(label, limit):
    """A twentieth of the converters, or a quarter of the other leads, is enough to stop; a little less is not."""
    at_limit, below = (ImplyingValue("a value", 100, 100 * label, label, share, 0.5) for share in (limit, limit - 1e-9))

    assert (at_limit.is_common, below.is_common) == (True, False)


@pytest.mark.parametrize(
    ("from_all", "rates", "label", "differs"),
    [
        (False, (0.375,), 1, True),  # odds of 3 are five times odds of 0.6
        (False, (0.376,), 1, False),
        (False, (0.625,), 0, True),  # of no conversion, odds of 0.6
        (False, (0.624,), 0, False),
        (False, (0.7, 0.1), 1, True),
        (False, (0.7, 0.4), 1, False),
        (False, (), 1, False),
        (True, (0.375, 0.1), 1, True),
        (True, (0.4, 0.1), 1, False),
        (True, (0.75, 0.9, 0.1), 1, True),
        (True, (0.749, 0.1), 1, False),
        (True, (0.75, 0.9), 1, False),
        (True, (0.25, 0.9), 0, True),
        (True, (0.26, 0.9), 0, False),
    ],
)
def test_a_rate_is_far_from_other_rates_where_its_odds_are_five_times_theirs(from_all, rates, label, differs):
    """Of 75%: far from the nearest of the lower rates, or from the lowest of all; without a rate it is not far."""
    candidate = Candidate("a value", np.ones(1, dtype=bool), rates, differs_from_all=from_all)

    assert candidate.differs(0.75, label) is differs


@pytest.mark.parametrize(
    ("below", "at_limit", "found"),
    [
        (  # 39 of 39 have a lower bound of 39 / (39 + 2.6 ** 2) = 85.2%, 38 of 38 one of 84.9%
            [("a", 38, 0), ("rare", 0, 1500)],
            [("a", 39, 0), ("rare", 0, 1500)],
            ImplyingValue("the level 'a'", 39, 39, 1, 1.0, 39 / 1539),
        ),
        (  # at a base rate of one half the odds of the bound must be 20: 136 / 2.6 ** 2 = 20.1
            [("a", 135, 0), ("rare", 865, 1000)],
            [("a", 136, 0), ("rare", 864, 1000)],
            ImplyingValue("the level 'a'", 136, 136, 1, 0.136, 0.5),
        ),
        (  # 2% of the converters
            [("a", 39, 0), ("rare", 1961, 8000)],
            [("a", 40, 0), ("rare", 1960, 8000)],
            ImplyingValue("the level 'a'", 40, 40, 1, 0.02, 0.2),
        ),
        (  # 10% of the others
            [("a", 0, 199), ("rare", 2000, 1801)],
            [("a", 0, 200), ("rare", 2000, 1800)],
            ImplyingValue("the level 'a'", 200, 0, 0, 0.1, 0.5),
        ),
        (  # the rate of 19 of 20 is shrunk to (19 + 4%) / 21, with odds of 9.7; 329 / 2.6 ** 2 is five times that
            [("a", 328, 0), ("b", 19, 1), ("rare", 0, 8000)],
            [("a", 329, 0), ("b", 19, 1), ("rare", 0, 8000)],
            ImplyingValue("the level 'a'", 329, 329, 1, 329 / 348, 348 / 8349),
        ),
    ],
)
def test_one_lead_more_makes_a_value_imply_the_outcome(below, at_limit, found):
    """Each limit holds to the lead: one lead less with the value is passed, and the value is found with its counts."""
    assert of_counts(*below) is None
    assert of_counts(*at_limit) == replace(found, coverage=pytest.approx(found.coverage))


def test_two_rows_of_a_lead_count_half():
    """39 converters imply the outcome, also with two rows each; 38 with two rows each do not."""
    assert of_counts(("a", 38, 0), ("rare", 0, 1500), rows_of_lead=2) is None
    assert of_counts(("a", 39, 0), ("rare", 0, 1500), rows_of_lead=2).leads == 78


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([("a", 200, 0), ("b", 90, 10), ("rare", 0, 9000)], None),  # a smaller level is near
        ([("b", 270, 30), ("a", 200, 0), ("rare", 0, 19_000)], None),  # a larger level is near
        ([("a", 200, 0), ("b", 18, 1), ("rare", 0, 8000)], "the level 'a'"),  # 19 leads have no rate
        ([("a", 200, 0), ("b", 19, 1), ("rare", 0, 8000)], None),
        ([("a", 200, 0), ("rare", 10, 90), (None, 0, 9000)], "the level 'a'"),
        ([("a", 200, 0), ("rare", 90, 10), (None, 0, 9000)], None),  # rare levels have one rate, without the blanks
        ([("a", 200, 0), (None, 0, 9000)], None),
        ([("a", 39, 0), *((f"b{at}", 0, 40) for at in range(59))], "the level 'a'"),
        ([("a", 39, 0), *((f"b{at}", 0, 40) for at in range(60))], None),  # it is the 61st
        ([("a", 60, 0), ("b", 0, 800), ("rare", 940, 3200)], "the level 'a'"),  # common: 6%; the other 20%
        ([("a", 60, 0), ("b", 80, 0), ("rare", 860, 4000)], "the level 'b'"),  # of two, the one that covers more
        ([("a", 50, 0), ("b", 50, 0)], None),
        ([("a", 0, 50), ("b", 0, 50)], None),
    ],
)
def test_a_level_is_compared_with_every_common_level_and_with_all_others_together(counts, found):
    """A level is found where its rate is far from each rate that is lower, and the sixty commonest are tried."""
    value = of_counts(*counts)

    assert (value and value.description) == found


def singles(sign, converted, number):
    """Return so many different numbers on one side of 0, the first of which converted and the next not, as counts."""
    return [(float(sign * (at + 1)), int(at < converted), int(at >= converted)) for at in range(number)]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("converted", "beyond", "number", "found"),
    [
        (15, 1, 60, "the number 0"),  # (15 + base rate) / 21 is 72%, with odds of 2.5; those of 100 of 100 are 14.8
        (16, 0, 60, None),  # (16 + base rate) / 21 is 76%, with odds of 3.2
        (0, 0, 21, "the number 0"),
        (0, 0, 20, "the number 0"),
        (0, 0, 19, None),  # too few for a rate
    ],
)
def test_a_number_is_compared_with_the_twenty_nearest_on_each_side(sign, converted, beyond, number, found):
    """The nearest twenty leads with a greater or a smaller number have the rate that counts, not those beyond."""
    far = [(value, beyond, 1 - beyond) for value, _, _ in singles(sign, 0, number)[20:]]
    near = [*singles(sign, converted, min(number, 20)), *far]
    value = of_counts((0.0, 100, 0), *near, (np.nan, 0, 5000), kind="number")

    assert (value and value.description) == found


def test_a_number_must_be_far_from_the_numbers_of_one_side_only():
    """A number that is near the rate of the smaller numbers and far from that of the greater ones is found."""
    counts = [(-1.0, 30, 0), (0.0, 100, 0), (1.0, 0, 30), (np.nan, 0, 5000)]

    assert of_counts(*counts, kind="number").description == "a number other than 1"
    assert of_counts(*counts[:2], (2.0, 30, 0), counts[3], kind="number") is None


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (
            [(0.0, 0, 20), *singles(1, 200, 200), (np.nan, 0, 5000)],
            ImplyingValue("a number other than 0", 200, 200, 1, 1.0, 200 / 5220),
        ),
        ([(0.0, 0, 19), *singles(1, 200, 200), (np.nan, 0, 5000)], None),
        (
            [(1.0, 60, 0), (2.0, 60, 0), (3.0, 0, 50), (np.nan, 0, 5000)],
            ImplyingValue("a number other than 3", 120, 120, 1, 1.0, 120 / 5170),
        ),
        (  # the fourth
            [(1.0, 60, 0), (2.0, 60, 0), (3.0, 60, 0), (4.0, 0, 50), (np.nan, 0, 5000)],
            ImplyingValue("the number 3", 60, 60, 1, 1 / 3, 180 / 5230),
        ),
    ],
)
def test_all_numbers_but_one_of_the_three_commonest_are_compared_with_it(counts, found):
    """Twenty leads must have the number; missing values are no other numbers."""
    assert of_counts(*counts, kind="number") == (found and replace(found, coverage=pytest.approx(found.coverage)))


@pytest.mark.parametrize("extra", [0, 1])
def test_the_sixty_commonest_numbers_are_tried(extra):
    """A number of 39 converters is found among sixty numbers, not where sixty others are commoner."""
    others = [(float(at), 0, 40) for at in range(59 + extra)]
    value = of_counts((99.0, 39, 0), *others, kind="number")

    assert (value and value.description) == (None if extra else "the number 99")


def test_a_blank_is_found_with_its_counts():
    """Both having a value and having none are judged, each against the other; one lead too few is passed."""
    label = np.repeat([1, 0], [100, 2000]).astype(np.int8)
    outcome, at = Outcome(label, np.arange(2100)), np.arange(2100)

    assert find_implying_blank(at < 40, outcome) == ImplyingValue("a value", 40, 40, 1, 0.4, 100 / 2100)
    assert find_implying_blank(at >= 40, outcome) == ImplyingValue("a blank", 40, 40, 1, 0.4, 100 / 2100)
    assert find_implying_blank(at < 38, outcome) is None
    assert find_implying_blank(at < 2100, outcome) is None
