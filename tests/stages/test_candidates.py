from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student

from leadml.stages.candidates import candidate_table

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


@pytest.mark.slow
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 1500), st.integers(1, 400))
def test_counts_of_candidates_equal_sums_by_definition(seed, digits, size, accounts):
    """A higher cut never adds leads, and the lowest cut includes all leads."""
    probability, label, groups = _snapshots(seed, size, digits, accounts)
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
@given(st.integers(0, 99), st.integers(200, 800))
def test_accounts_of_one_lead_each_change_effective_counts_only_by_student_s_quantile(seed, size):
    """Declaring groups of one lead is almost the same as declaring no groups."""
    probability, label, _ = _snapshots(seed, size, 3, 10)
    plain, declared = (candidate_table(probability, label, groups=groups) for groups in (None, np.arange(size)))
    many = plain["leads"] >= 100
    share = (declared["independent_leads"] / plain["leads"])[many]
    assert share.between(0.96, 1.0).all()
    assert (declared["accounts"] == plain["leads"]).all()
    assert plain.drop(columns=COUNTS).equals(declared.drop(columns=COUNTS))


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
