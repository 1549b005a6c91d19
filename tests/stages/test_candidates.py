from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.stages.candidates import candidate_table

COUNTS = ["accounts", "independent_leads", "independent_conversions"]


def _looks(seed, size, digits, accounts):
    random = np.random.default_rng(seed)
    groups = random.integers(0, accounts, size)
    likes = random.normal(-1, 1, accounts)[groups] + random.normal(0, 1, size)
    probability = np.round(expit(likes), digits).clip(0.001, 0.999)
    return probability, (random.random(size) < probability).astype(np.int8), groups


def _effective(groups, counted, rate_of):
    """Count by hand: the variance of a ratio between accounts beside that of independent leads."""
    sizes, won = (np.array([of[groups == group].sum() for group in np.unique(groups)]) for of in (counted, rate_of))
    count, rate = sizes.sum(), won.sum() / sizes.sum()
    if rate in {0.0, 1.0}:
        return count**2 / (sizes**2).sum()
    variance = ((won - rate * sizes) ** 2).sum() / count**2
    return min(count, rate * (1 - rate) / variance) if variance else count


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
    assert (np.diff(table["accounts"]) <= 0).all()
    assert (table["cut"].iloc[0], table["cut"].iloc[-1]) == (probability.min(), probability.max())
    for row in table.iloc[:: max(1, len(table) // 9)].itertuples():
        inside = probability >= row.cut
        assert (row.leads, row.conversions) == (inside.sum(), label[inside].sum())
        assert row.precision == pytest.approx(label[inside].mean())
        assert row.share == pytest.approx(inside.mean())
        assert row.accounts == len(np.unique(groups[inside]))
        counted = _effective(groups[inside], np.ones(inside.sum()), label[inside])
        assert row.independent_leads == pytest.approx(counted)
        if label.any():
            assert row.independent_conversions == pytest.approx(_effective(groups, label, label * inside))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.integers(1, 800))
def test_leads_that_are_each_their_own_account_count_as_they_are(seed, size):
    """Declaring what is so anyway changes nothing."""
    probability, label, _ = _looks(seed, size, 3, 10)
    plain, declared = (candidate_table(probability, label, groups=groups) for groups in (None, np.arange(size)))
    assert (plain["accounts"] == plain["leads"]).all()
    np.testing.assert_allclose(plain[COUNTS], declared[COUNTS])
    assert plain.drop(columns=COUNTS).equals(declared.drop(columns=COUNTS))


@pytest.mark.parametrize("looks", [2, 7, 50])
def test_a_look_that_is_repeated_tells_nothing_new(looks):
    """However often each lead is looked at, as many independent leads are counted as there are leads."""
    probability, label, _ = _looks(0, 300, 3, 10)
    once = candidate_table(probability, label)
    often = candidate_table(
        *(np.repeat(array, looks) for array in (probability, label)), groups=np.repeat(np.arange(300), looks)
    )
    assert (often["leads"] == looks * once["leads"]).all()
    np.testing.assert_allclose(often[COUNTS], once[COUNTS].astype(float))


def test_the_order_of_the_looks_is_nothing():
    """Counts are of sets of looks."""
    looks = _looks(1, 500, 2, 40)
    order = np.random.default_rng(0).permutation(500)
    table = candidate_table(*looks[:2], groups=looks[2])
    shuffled = candidate_table(*(array[order] for array in looks[:2]), groups=looks[2][order])
    assert table.equals(shuffled)
