from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student

from leadml.stages.candidates import candidate_table

COUNTS = ["accounts", "independent_leads", "independent_conversions"]


def _looks(seed, size, digits, accounts):
    random = np.random.default_rng(seed)
    groups = random.integers(0, accounts, size)
    likes = random.normal(-1, 1, accounts)[groups] + random.normal(0, 1, size)
    probability = np.round(expit(likes), digits).clip(0.001, 0.999)
    return probability, (random.random(size) < probability).astype(np.int8), groups


def _effective(groups, counted, of_them):
    """Count by hand: how rates vary between accounts, beside those of independent leads and of leads all alike."""
    sizes, won = (np.array([of[groups == group].sum() for group in np.unique(groups)]) for of in (counted, of_them))
    sizes, won = sizes[sizes > 0], won[sizes > 0]
    count, rate = sizes.sum(), won.sum() / sizes.sum()
    shares = sizes / count
    apart = ((won - rate * sizes) ** 2 * (1 + 2 * shares + 3 * shares**2)).sum()
    told = apart / (rate * (1 - rate) * count) if 0 < rate < 1 else 1.0
    both, alike = min((won > 0).sum(), (won < sizes).sum()), (sizes**2).sum() / count
    effect = max((both * told + 4 * alike) / (both + 4), 1.0)
    return count / effect * (norm.ppf(0.95) / student.ppf(0.95, max(count / alike - 1, 1))) ** 2


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 1500), st.integers(1, 400))
def test_the_candidates_count_who_is_at_or_above_them(seed, digits, size, accounts):
    """Each row is a sum taken by hand; a higher cut never adds leads, and the lowest lets all in."""
    probability, label, groups = _looks(seed, size, digits, accounts)
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


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.integers(200, 800))
def test_leads_that_are_each_their_own_account_count_nearly_as_they_are(seed, size):
    """Declaring what is so anyway costs what Student's quantile does."""
    probability, label, _ = _looks(seed, size, 3, 10)
    plain, declared = (candidate_table(probability, label, groups=groups) for groups in (None, np.arange(size)))
    many = plain["leads"] >= 100
    share = (declared["independent_leads"] / plain["leads"])[many]
    assert share.between(0.96, 1.0).all()
    assert (declared["accounts"] == plain["leads"]).all()
    assert plain.drop(columns=COUNTS).equals(declared.drop(columns=COUNTS))


@pytest.mark.parametrize("looks", [2, 7, 50])
def test_a_look_that_is_repeated_tells_nothing_new(looks):
    """However often each lead is looked at, as many independent leads are counted as when it is looked at once."""
    probability, label, _ = _looks(0, 300, 3, 10)
    once = candidate_table(probability, label, groups=np.arange(300))
    often = candidate_table(
        *(np.repeat(array, looks) for array in (probability, label)), groups=np.repeat(np.arange(300), looks)
    )
    assert (often["leads"] == looks * once["leads"]).all()
    np.testing.assert_allclose(often[COUNTS], once[COUNTS])


def test_one_look_that_is_an_exception_changes_little():
    """Of 25 accounts of 20 looks all converted, or all but one look: no more is known of how accounts vary."""
    probability, groups = np.full(500, 0.5), np.repeat(np.arange(25), 20)
    counts = [candidate_table(probability, (np.arange(500) >= lost) * 1, groups=groups) for lost in (0, 1, 2)]
    found = [table["independent_leads"][0] for table in counts]
    assert found[0] == pytest.approx(25 * (norm.ppf(0.95) / student.ppf(0.95, 24)) ** 2)
    assert found[0] < found[1] < 1.3 * found[0]


@pytest.mark.parametrize("largest", [1, 20, 200])
def test_an_account_with_many_looks_counts_as_few(largest):
    """A hundred accounts of which one has most of the looks are hardly more than one."""
    sizes = np.ones(100, dtype=int)
    sizes[0] = largest
    groups = np.repeat(np.arange(100), sizes)
    table = candidate_table(np.full(len(groups), 0.5), (groups % 2).astype(np.int8), groups=groups)
    assert table["accounts"][0] == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())
    assert (table["accounts"][0] < 3) == (largest == 200)


def test_the_order_of_the_looks_is_nothing():
    """Counts are of sets of looks."""
    looks = _looks(1, 500, 2, 40)
    order = np.random.default_rng(0).permutation(500)
    table = candidate_table(*looks[:2], groups=looks[2])
    shuffled = candidate_table(*(array[order] for array in looks[:2]), groups=looks[2][order])
    pd.testing.assert_frame_equal(table, shuffled, rtol=1e-12)
