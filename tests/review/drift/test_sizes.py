"""Sizes of changes: 0 for the same leads in expectation, and larger for a larger change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.bundle.profile import FieldCounts, LeadCounts
from leadml.model.predict.reference import FieldBins
from leadml.review.drift.sizes import (
    certain_change,
    change_sizes,
    field_sizes,
    mean_change,
    pool_bins,
    stability_index,
    stage_size,
)

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12)
NUMBER = FieldBins("number", (1.0, 2.0, 3.0))
CATEGORY = FieldBins("category", levels=("chef", "monk"))


@pytest.mark.parametrize("shares", [[0.1] * 10, [0.7, 0.2, 0.1], [0.5] + [0.02] * 25])
@pytest.mark.parametrize(("leads", "others"), [(4000, 200), (4000, 1000), (500, 500)])
def test_the_index_of_leads_of_one_kind_is_0_in_expectation(shares: list[float], leads: int, others: int) -> None:
    """By 2,000 draws, within a tenth of what chance would add; so it does not depend on the numbers of leads."""
    random = np.random.default_rng(0)
    drawn = [stability_index(*(random.multinomial(size, shares) for size in (leads, others))) for _ in range(2000)]
    chance = (len(shares) - 1) * (1 / leads + 1 / others)

    assert abs(np.mean(drawn)) < 0.1 * chance + 3 * np.std(drawn) / np.sqrt(2000)


@given(COUNTS, st.randoms(use_true_random=False))
def test_the_index_knows_neither_the_order_of_bins_nor_which_side_is_the_reference(
    counts: list[int], random: object
) -> None:
    """A permutation of both sides, and an exchange of the sides, change it by rounding at most."""
    other = [random.randrange(500) for _ in counts]
    order = list(range(len(counts)))
    random.shuffle(order)
    found = stability_index(counts, other)

    assert stability_index(other, counts) == pytest.approx(found)
    permuted = stability_index([counts[at] for at in order], [other[at] for at in order])
    if _no_equally_rare_bins(counts, other):
        assert permuted == pytest.approx(found)


def _no_equally_rare_bins(counts: list[int], other: list[int]) -> bool:
    """Return whether it is clear which bins are the rarest; of equally rare ones either may be taken to the others."""
    both = np.array([counts, other], dtype=float)
    totals = np.maximum(both.sum(axis=1, keepdims=True), 1)
    expected = np.maximum(both.sum(axis=0) / totals.sum(), (both / totals).max(axis=0) / 4)
    return len(np.unique(expected.round(12))) == len(expected)


def test_the_index_is_that_of_the_formula_for_many_leads() -> None:
    """Sum of (p - q) log(p / q); halves of a lead and chance vanish."""
    first, second = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.3, 0.3])
    expected = ((first - second) * np.log(first / second)).sum()
    leads = [(10_000_000 * shares).astype(int).tolist() for shares in (first, second)]

    assert stability_index(*leads) == pytest.approx(expected, abs=1e-5)


def test_too_few_leads_have_no_index() -> None:
    """With fewer than ten, no two bins are expected to have five."""
    assert stability_index([900, 100], [0, 9]) == stability_index([0, 0], [0, 0]) == 0
    assert stability_index([500, 500], [0, 11]) > 0.25
    assert stability_index([99_990, 10], [0, 200]) > 0.25  # a bin that is rare in the training alone counts


@given(COUNTS, st.randoms(use_true_random=False))
def test_pooled_bins_have_all_leads_and_five_or_more_expected(counts: list[int], random: object) -> None:
    """Or they are one bin."""
    both = np.array([counts, [random.randrange(60) for _ in counts]], dtype=float)
    pooled = pool_bins(both)

    assert pooled.sum(axis=1).tolist() == both.sum(axis=1).tolist()
    if pooled.shape[1] > 1:
        totals = pooled.sum(axis=1)
        expected = pooled.sum(axis=0) / totals.sum() * totals.min()
        either = (pooled / totals[:, None]).max(axis=0) * totals.min()
        assert ((expected >= 5 - 1e-9) | (either >= 20 - 1e-9)).all()


@given(st.integers(0, 3000), st.integers(200, 2000), st.data())
def test_more_missing_never_lowers_the_size(missing: int, leads: int, data: st.DataObject) -> None:
    """Above the share of the training; for a batch that is no larger than the training."""
    fewer = data.draw(st.integers(-(-missing * leads // 3000), leads))
    more = data.draw(st.integers(fewer, leads))
    one, other = (
        field_sizes(NUMBER, FieldCounts(missing, (0, 3000 - missing, 0)), FieldCounts(count, (0, leads - count, 0)))
        for count in (fewer, more)
    )

    assert other.missing >= one.missing - 1e-12


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 300), st.integers(1, 300))
def test_a_change_of_a_share_is_never_larger_than_it_is(some: int, leads: int, others: int, batch: int) -> None:
    """And has its sign, or is 0."""
    some, others = min(some, leads), min(others, batch)
    change, plain = certain_change((some, leads), (others, batch)), others / batch - some / leads

    assert abs(change) <= abs(plain)
    assert change * plain >= 0
    assert certain_change((some, 0), (others, batch)) == certain_change((some, leads), (others, 0)) == 0


def test_few_leads_show_a_smaller_change_than_many() -> None:
    """The same shares, 10% and 20%: what 30 leads show is chance."""
    sizes = [certain_change((1000, 10_000), (leads // 5, leads)) for leads in (30, 200, 10_000)]

    assert sizes[0] == 0.0 < sizes[1] < sizes[2] < 0.1
    assert sizes[2] == pytest.approx(0.09, abs=0.001)


def test_days_since_something_have_no_range() -> None:
    """Leads grow older than those of the training; their spread is judged all the same."""
    ages = FieldBins("number", (7.0, 14.0, 21.0), step=7)
    younger, older = FieldCounts(0, (10, 480, 480, 30)), FieldCounts(0, (10, 200, 200, 590))
    sizes = field_sizes(ages, younger, older)

    assert (sizes.out_of_range, sizes.distribution > 0.25) == (0, True)
    assert field_sizes(NUMBER, younger, older).out_of_range > 0.25


def test_numbers_can_be_out_of_range_and_categories_have_new_levels() -> None:
    """Each as far as the share rose among the leads with a value; a share that fell is no change of this kind."""
    usual, outside = FieldCounts(0, (10, 480, 500, 10)), FieldCounts(500, (200, 200, 50, 50))
    assert field_sizes(NUMBER, usual, outside).out_of_range == pytest.approx(0.44, abs=0.02)
    assert field_sizes(NUMBER, outside, usual).out_of_range == 0
    assert field_sizes(NUMBER, usual, outside).new_levels == 0

    known, new = FieldCounts(0, (500, 500, 0)), FieldCounts(100, (400, 400, 200))
    assert field_sizes(CATEGORY, known, new).new_levels == pytest.approx(0.2, abs=0.03)
    assert field_sizes(CATEGORY, new, known).new_levels == field_sizes(CATEGORY, known, new).out_of_range == 0


def test_a_field_without_values_has_no_distribution() -> None:
    """Only its missing share changed; and a number that the training never had has no range."""
    sizes = field_sizes(NUMBER, FieldCounts(0, (10, 480, 500, 10)), FieldCounts(200, (0, 0, 0, 0)))
    assert (sizes.out_of_range, sizes.distribution) == (0, 0)
    assert sizes.missing > 0.9
    assert field_sizes(FieldBins("number"), FieldCounts(100, (0,)), FieldCounts(0, (100,))).out_of_range == 0


def test_the_stage_that_changed_most_counts() -> None:
    """Without stages nothing changes."""
    assert stage_size({"LEAD": 50, "MQL": 50}, {"LEAD": 50, "MQL": 50}) == stage_size({}, {}) == 0
    assert stage_size({"LEAD": 500, "SQL": 500}, {"LEAD": 0, "SQL": 500}) == pytest.approx(0.5, abs=0.06)
    assert stage_size({"LEAD": 500}, {"LEAD": 0}) == 0


def test_a_change_of_the_mean_probability_is_that_of_its_angle() -> None:
    """Less two standard errors, in either direction, and 0 where chance may have made it."""

    def counts(mean: float, leads: int) -> LeadCounts:
        return LeadCounts(leads, {}, (leads,), round(mean * leads * 1e6), {})

    size = 2 * np.arcsin(np.sqrt(0.19)) - 2 * np.arcsin(np.sqrt(0.12))
    error = np.sqrt(1 / 5000 + 1 / 2000)
    assert mean_change(counts(0.12, 5000), counts(0.19, 2000)) == pytest.approx(size - 2 * error)
    assert mean_change(counts(0.19, 5000), counts(0.12, 2000)) == pytest.approx(size - 2 * error)
    assert mean_change(counts(0.12, 5000), counts(0.125, 200)) == 0
    assert mean_change(counts(0.12, 5000), counts(0.0, 0)) == 0


def test_leads_do_not_differ_from_themselves() -> None:
    """All sizes of a set of counts against itself are 0 or, of an index, below."""
    counts = LeadCounts(90, {"age": FieldCounts(10, (5, 30, 40, 5))}, (45, 45), 0, {"LEAD": 60, "MQL": 30})
    sizes = change_sizes({"age": NUMBER}, counts, counts)

    assert (sizes.stages, sizes.fields["age"].missing, sizes.fields["age"].out_of_range) == (0, 0, 0)
    assert sizes.score == 0
    assert sizes.fields["age"].distribution == pytest.approx(-3 * 2 / 80)
