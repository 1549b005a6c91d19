from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from leadml.review.performance.ranking import Ranking, roc_auc_interval

LEADS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8])), min_size=2, max_size=30)


def _leads(size: int, seed: int, *, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probability = np.round(expit(random.normal(-1, 1, size)), digits)
    return (random.random(size) < probability).astype(np.int8), probability


@pytest.mark.slow
@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8]), min_size=2, max_size=7))
def test_the_expected_auc_is_the_mean_over_all_outcomes(said: list[float]) -> None:
    """Each of all possible outcomes counts as often as it comes: right pairs over pairs, in expectation."""
    probability, right, pairs = np.array(said), 0.0, 0.0
    for outcome in product([0, 1], repeat=len(said)):
        label = np.array(outcome)
        chance = np.prod(np.where(label == 1, probability, 1 - probability))
        difference = probability[label == 1][:, None] - probability[label == 0]
        right += chance * ((difference > 0).sum() + (difference == 0).sum() / 2)
        pairs += chance * difference.size
    ranking = Ranking.of(probability)

    assert ranking.roc_auc(ranking.probability) == pytest.approx(right / pairs, abs=1e-12)


@pytest.mark.slow
@given(LEADS)
def test_the_auc_of_outcomes_is_scikit_learn_s(rows: list[tuple[int, float]]) -> None:
    """With ties too; without two outcomes there is none."""
    from sklearn.metrics import roc_auc_score

    label, probability = (np.array(column) for column in zip(*rows, strict=True))
    ranking = Ranking.of(probability)
    found = ranking.roc_auc(label[ranking.order].astype(float))
    expected = roc_auc_score(label, probability) if 0 < label.sum() < len(label) else np.nan

    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_ranking_sorts_and_knows_where_a_cut_begins() -> None:
    """A lead at the cut is above it; a cut above all leads lets nobody in."""
    ranking = Ranking.of(np.array([0.5, 0.2, 0.5, 0.9]))

    assert ranking.probability.tolist() == [0.2, 0.5, 0.5, 0.9]
    assert ranking.order.tolist() == [1, 0, 2, 3]
    assert ranking.first.tolist() == [0, 1, 3]
    assert ranking.by_level(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [1.0, 5.0, 4.0]
    assert [ranking.start_of(cut) for cut in (0.1, 0.5, 0.6, 0.95)] == [0, 1, 3, 4]


def test_the_interval_has_the_variance_of_placements() -> None:
    """DeLong's variance of two samples: that of each lead's share of the others that it is ranked rightly against."""
    label, probability = _leads(400, 0)
    difference = probability[label == 1][:, None] - probability[label == 0]
    right = (difference > 0) + (difference == 0) / 2
    auc, sizes = right.mean(), right.shape
    parts = [((right.mean(axis=1 - axis) - auc) ** 2).sum() / sizes[axis] ** 2 for axis in (0, 1)]
    half = 1.959964 * np.sqrt(sum(parts) * 400 / 399) / (auc * (1 - auc))
    found = roc_auc_interval(label, probability, np.arange(400), confidence=0.95)

    assert found == pytest.approx((auc, expit(logit(auc) - half), expit(logit(auc) + half)), abs=1e-6)


@pytest.mark.parametrize("repeats", [2, 5])
def test_repeated_leads_of_an_account_add_no_information(repeats: int) -> None:
    """The interval is as wide as that of one lead each."""
    label, probability = _leads(300, 1)
    order = np.random.default_rng(0).permutation(300 * repeats)
    label_of_all, probability_of_all, account = (
        np.repeat(array, repeats)[order] for array in (label, probability, np.arange(300))
    )
    once = roc_auc_interval(label, probability, np.arange(300), confidence=0.9)

    assert roc_auc_interval(label_of_all, probability_of_all, account, confidence=0.9) == pytest.approx(once)


@pytest.mark.slow
def test_the_interval_holds_the_true_auc() -> None:
    """In 90 of 100 samples, within chance; the truth is that of a large sample."""
    label, probability = _leads(200_000, 2)
    ranking = Ranking.of(probability)
    truth = ranking.roc_auc(label[ranking.order].astype(float))
    found = [roc_auc_interval(*_leads(300, 10 + seed), np.arange(300), confidence=0.9) for seed in range(400)]
    held = np.mean([low <= truth <= high for _, low, high in found])

    assert 0.86 < held < 0.94


@pytest.mark.parametrize(("conversions", "others"), [(20, 50), (50, 20)])
def test_twenty_conversions_and_twenty_others_have_an_interval(conversions: int, others: int) -> None:
    """One pair in the wrong order is enough for it to be no perfect order."""
    label = np.repeat([1, 0], [conversions, others]).astype(np.int8)
    probability = np.append(np.repeat([0.9, 0.1], [conversions, others - 1]), 0.95)
    auc, low, high = roc_auc_interval(label, probability, np.arange(len(label)), confidence=0.9)

    assert 0 < low < auc < high < 1


@pytest.mark.parametrize(("conversions", "others"), [(19, 50), (50, 19), (0, 50), (50, 50)])
def test_few_conversions_or_a_perfect_order_have_no_interval(conversions: int, others: int) -> None:
    """All conversions are ranked first here, which few leads do not prove."""
    label = np.repeat([1, 0], [conversions, others]).astype(np.int8)
    auc, *ends = roc_auc_interval(label, np.repeat([0.9, 0.1], [conversions, others]), np.arange(len(label)),
                                  confidence=0.9)  # fmt: skip

    assert auc == pytest.approx(1.0 if conversions else np.nan, nan_ok=True)
    assert np.isnan(ends).all()
