from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student

from leadml.stages.candidates import Candidates, candidate_table, quantile_of_maximum

COUNTS = ["accounts", "independent_leads", "independent_conversions"]


def _snapshots(seed, size, digits, accounts):
    """Return probabilities, labels and accounts of simulated snapshots."""
    random = np.random.default_rng(seed)
    groups = random.integers(0, accounts, size)
    log_odds = random.normal(-1, 1, accounts)[groups] + random.normal(0, 1, size)
    probability = np.round(expit(log_odds), digits).clip(0.001, 0.999)
    return probability, (random.random(size) < probability).astype(np.int8), groups


def _effective(groups, counted, successes):
    """Return the effective sample size by its definition: the count divided by the design effect."""
    sizes, won = (
        np.array([values[groups == group].sum() for group in np.unique(groups)]) for values in (counted, successes)
    )
    sizes, won = sizes[sizes > 0], won[sizes > 0]
    count, rate = sizes.sum(), won.sum() / sizes.sum()
    shares = sizes / count
    between_variance = ((won - rate * sizes) ** 2 * (1 + 2 * shares + 3 * shares**2)).sum()
    estimate = between_variance / (rate * (1 - rate) * count) if 0 < rate < 1 else 1.0
    mixed_accounts, kish_effect = min((won > 0).sum(), (won < sizes).sum()), (sizes**2).sum() / count
    design_effect = max((mixed_accounts * estimate + 4 * kish_effect) / (mixed_accounts + 4), 1.0)
    return count / design_effect * (norm.ppf(0.95) / student.ppf(0.95, max(count / kish_effect - 1, 1))) ** 2


def _wilson(rate, count, z):
    """Return Wilson's lower bound of rates."""
    root = np.sqrt(rate * (1 - rate) / count + z**2 / 4 / count**2)
    return np.maximum(0.0, (rate + z**2 / 2 / count - z * root) / (1 + z**2 / count))


def _assert_counts_by_definition(probability, label, groups):
    """Compare every ninth row of a table with sums over the rows that its cut lets in."""
    table = candidate_table(probability, label, groups=groups)
    assert len(table) == len(np.unique(probability))
    assert (np.diff(table["cut"]) > 0).all()
    assert (np.diff(table["leads"]) < 0).all()
    assert (np.diff(table["recall"]) <= 0).all()
    assert (table["cut"].iloc[0], table["cut"].iloc[-1]) == (probability.min(), probability.max())
    for row in table.iloc[:: max(1, len(table) // 9)].itertuples():
        inside = probability >= row.cut
        assert (row.leads, row.conversions) == (inside.sum(), label[inside].sum())
        assert row.precision == pytest.approx(label[inside].mean())
        assert row.share == pytest.approx(inside.mean())
        sizes = np.unique(groups[inside], return_counts=True)[1]
        assert row.accounts == pytest.approx(inside.sum() ** 2 / (sizes**2).sum())
        counted = _effective(groups[inside], np.ones(inside.sum()), label[inside])
        assert row.independent_leads == pytest.approx(counted)
        if label.any():
            assert row.independent_conversions == pytest.approx(_effective(groups, label, label * inside))


@pytest.mark.slow
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 1500), st.integers(1, 400))
def test_counts_of_candidates_equal_sums_by_definition(seed, digits, size, accounts):
    """A higher cut never adds leads, and the lowest cut includes all leads."""
    _assert_counts_by_definition(*_snapshots(seed, size, digits, accounts))


@pytest.mark.parametrize(("seed", "digits", "size", "accounts"), [(0, 2, 60, 20), (1, 1, 200, 6), (2, 3, 300, 90)])
def test_counts_of_few_candidates_equal_sums_by_definition(seed, digits, size, accounts):
    """Of small accounts, of few large ones, and of many."""
    _assert_counts_by_definition(*_snapshots(seed, size, digits, accounts))


@pytest.mark.parametrize(
    ("label", "conversions", "precision", "recall", "converters"),
    [
        ([0, 1, 1, 1], [3, 2, 0], [3 / 4, 2 / 3, 0.0], [1.0, 2 / 3, 0.0], 3.0),
        ([0, 0, 1, 0], [1, 1, 0], [1 / 4, 1 / 3, 0.0], [1.0, 1.0, 0.0], 1.0),
        ([0, 0, 0, 0], [0, 0, 0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 1.0),
    ],
)
def test_independent_rows_are_counted_at_each_distinct_probability(label, conversions, precision, recall, converters):
    """Each row is an account; where none converted, recall is 0 of one."""
    table = candidate_table(np.array([0.75, 0.25, 0.5, 0.5]), np.array(label, dtype=np.int8))
    leads = np.array([4.0, 3.0, 1.0])
    expected = {
        "cut": [0.25, 0.5, 0.75],
        "leads": [4, 3, 1],
        "share": leads / 4,
        "conversions": conversions,
        "precision": precision,
        "recall": recall,
        "accounts": leads,
        "independent_leads": leads,
        "independent_conversions": [converters] * 3,
        "independent_rows": [4.0] * 3,
    }
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


def test_without_conversions_the_recall_of_accounts_is_as_uncertain_as_can_be():
    """One account, and Student's quantile of one degree of freedom."""
    table = candidate_table(np.array([0.5, 0.5, 0.25]), np.zeros(3, dtype=np.int8), groups=np.array(["a", "b", "a"]))
    expected = (norm.ppf(0.95) / student.ppf(0.95, 1)) ** 2
    assert table["recall"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(table["independent_conversions"], [expected, expected], rtol=1e-12)


def test_the_bound_of_the_precision_needs_twenty_accounts():
    """From the twentieth account of two rows on, it is Wilson's bound for the best of all cuts; before it is 0."""
    size = 120
    probability, label = np.linspace(0.9, 0.1, size), (np.arange(size) % 4 < 2).astype(np.int8)
    candidates = Candidates.of(probability, label, groups=np.arange(size) // 2, columns={})
    table = candidate_table(probability, label, groups=np.arange(size) // 2)
    counts = table["independent_leads"].to_numpy()
    z = quantile_of_maximum(0.75, min_leads=20, max_leads=int(counts.max()))
    bound = candidates.precision_bound(0.75)

    assert candidates.leads[bound == 0].tolist() == list(range(39, 0, -1))
    np.testing.assert_allclose(bound[:81], _wilson(table["precision"], counts, z)[:81], rtol=1e-12)


def test_the_bound_of_the_recall_is_wilson_s_of_the_independent_conversions():
    """Whatever the number of accounts."""
    probability, label, groups = _snapshots(3, 100, 3, 30)
    candidates = Candidates.of(probability, label, groups=groups, columns={})
    table = candidate_table(probability, label, groups=groups)
    expected = _wilson(table["recall"], table["independent_conversions"], norm.ppf(0.75))
    np.testing.assert_allclose(candidates.recall_bound(0.75), expected, rtol=1e-12, atol=1e-15)


def test_candidates_give_their_table_their_columns_and_sums_over_the_rows_that_they_let_in():
    """The rows of one probability are let in together, wherever they stand."""
    probability, deal = np.array([0.5, 0.75, 0.25, 0.5]), np.array([1.0, 10.0, 100.0, 1000.0])
    label = np.array([1, 0, 0, 1], dtype=np.int8)
    candidates = Candidates.of(probability, label, groups=None, columns={"deal": deal})

    assert candidates.cut.tolist() == [0.25, 0.5, 0.75]
    assert candidates.leads.tolist() == [4, 3, 1]
    assert candidates.share.tolist() == [1.0, 0.75, 0.25]
    assert candidates.conversions.tolist() == [2, 2, 0]
    assert candidates.probability.tolist() == probability.tolist()
    assert candidates.column("deal") is deal
    assert candidates.total(deal).tolist() == [1111.0, 1011.0, 10.0]


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_the_quantile_of_the_maximum_lies_between_one_rate_and_independent_rates(confidence):
    """Counts of almost one size have one rate, a normal variable; 64 counts far apart have independent rates."""
    one = quantile_of_maximum(confidence, min_leads=10**9, max_leads=10**9 + 1)
    many = quantile_of_maximum(confidence, min_leads=1, max_leads=1e300)

    assert one == pytest.approx(norm.ppf(confidence), abs=0.1)
    assert many == pytest.approx(norm.ppf(confidence ** (1 / 64)), abs=0.1)
    assert one < quantile_of_maximum(confidence, min_leads=20, max_leads=2000) < many


def test_the_quantile_of_the_maximum_is_the_same_in_every_run():
    """So that equal leads give equal cuts; no leads count as one, and the largest number is above the smallest."""
    assert quantile_of_maximum(0.9, min_leads=20, max_leads=2000) == pytest.approx(2.332188884791314, rel=1e-9)
    assert quantile_of_maximum(0.9, min_leads=0, max_leads=50) == quantile_of_maximum(0.9, min_leads=1, max_leads=50)
    assert quantile_of_maximum(0.9, min_leads=1, max_leads=50) > quantile_of_maximum(0.9, min_leads=2, max_leads=50)
    few = quantile_of_maximum(0.9, min_leads=20, max_leads=3)
    assert few == quantile_of_maximum(0.9, min_leads=20, max_leads=21)
    assert few < quantile_of_maximum(0.9, min_leads=20, max_leads=22)


@pytest.mark.slow
@given(st.integers(0, 99), st.integers(200, 800))
def test_accounts_of_one_lead_each_change_effective_counts_only_by_student_s_quantile(seed, size):
    """Declaring groups of one lead is almost the same as declaring no groups."""
    probability, label, _ = _snapshots(seed, size, 3, 10)
    plain, declared = (candidate_table(probability, label, groups=groups) for groups in (None, np.arange(size)))
    many = plain["leads"] >= 100
    share = (declared["independent_leads"] / plain["leads"])[many]
    assert share.between(0.96, 1.0).all()
    assert (declared["accounts"] == plain["leads"]).all()
    np.testing.assert_allclose(declared["independent_rows"], plain["independent_rows"], rtol=1e-9)
    others = [*COUNTS, "independent_rows"]
    assert plain.drop(columns=others).equals(declared.drop(columns=others))


@pytest.mark.parametrize("repeats", [2, 7, 50])
def test_repeated_snapshots_add_no_information(repeats):
    """However many equal snapshots each lead has, the effective counts are those of one snapshot."""
    probability, label, _ = _snapshots(0, 300, 3, 10)
    once = candidate_table(probability, label, groups=np.arange(300))
    repeated = candidate_table(
        *(np.repeat(array, repeats) for array in (probability, label)), groups=np.repeat(np.arange(300), repeats)
    )
    assert (repeated["leads"] == repeats * once["leads"]).all()
    np.testing.assert_allclose(repeated[COUNTS], once[COUNTS])


def test_one_snapshot_with_another_outcome_changes_little():
    """Of 25 accounts with 20 snapshots, all or all but one converted: that says little about how accounts vary."""
    probability, groups = np.full(500, 0.5), np.repeat(np.arange(25), 20)
    counts = [candidate_table(probability, (np.arange(500) >= failures) * 1, groups=groups) for failures in (0, 1, 2)]
    effective = [table["independent_leads"][0] for table in counts]
    assert effective[0] == pytest.approx(25 * (norm.ppf(0.95) / student.ppf(0.95, 24)) ** 2)
    assert effective[0] < effective[1] < 1.3 * effective[0]


@pytest.mark.parametrize("largest", [1, 20, 200])
def test_one_large_account_reduces_the_effective_number_of_accounts(largest):
    """A hundred accounts, one of which has most of the snapshots, are effectively fewer than three."""
    sizes = np.ones(100, dtype=int)
    sizes[0] = largest
    groups = np.repeat(np.arange(100), sizes)
    table = candidate_table(np.full(len(groups), 0.5), (groups % 2).astype(np.int8), groups=groups)
    assert table["accounts"][0] == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())
    assert (table["accounts"][0] < 3) == (largest == 200)


def test_the_order_of_snapshots_does_not_matter():
    """Counts depend on the set of snapshots."""
    snapshots = _snapshots(1, 500, 2, 40)
    order = np.random.default_rng(0).permutation(500)
    table = candidate_table(*snapshots[:2], groups=snapshots[2])
    shuffled = candidate_table(*(array[order] for array in snapshots[:2]), groups=snapshots[2][order])
    pd.testing.assert_frame_equal(table, shuffled, rtol=1e-12)
