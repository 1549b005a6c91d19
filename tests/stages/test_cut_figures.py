"""What a cut lets in has intervals that hold, for independent leads and for leads of one account."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.model.metrics import rate_interval
from leadml.stages.candidates import Candidates
from leadml.stages.cut_figures import CONFIDENCE, cut_figures

NAMES = ("share", "precision", "recall")


def _candidates(seed: int, accounts: int, size: int) -> Candidates:
    """Return snapshots of accounts, each with one probability of its own, and outcomes of whole accounts."""
    random = np.random.default_rng(seed)
    each = random.integers(1, size + 1, accounts)
    probability = random.beta(1.0, 3.0, accounts)
    converts = random.random(accounts) < probability
    codes = np.repeat(np.arange(accounts), each)
    label = converts[codes].astype(np.int8)
    return Candidates.of(probability[codes], label, groups=codes if size > 1 else None, columns={})


def test_figures_are_those_of_the_leads_at_or_above_the_cut() -> None:
    """Whether the cut is one of the probabilities or lies between two."""
    probability, label = np.array([0.1, 0.2, 0.3, 0.4] * 10), np.array([0, 0, 1, 1] * 10, dtype=np.int8)
    candidates = Candidates.of(probability, label, groups=None, columns={})
    for cut in (0.2, 0.15):
        figures = cut_figures(candidates.table, cut)
        assert [figures["leads"], *(round(figures[name], 6) for name in NAMES)] == [30, 0.75, 0.666667, 1]
        for name in NAMES:
            assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]


def test_a_cut_above_all_probabilities_lets_nobody_in() -> None:
    """Nothing converts, and no share of it."""
    figures = cut_figures(_candidates(0, 100, 1).table, 1.0)
    assert (figures["leads"], figures["share"], figures["recall"]) == (0, 0, 0)
    assert np.isnan(figures["precision"])


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 12])
def test_the_share_lies_in_its_interval_as_often_as_said(size: int) -> None:
    """Of 400 samples, nine in ten but for the chance of so many."""
    true = (1 - 0.25) ** 3  # of a beta distribution with 1 and 3, above 0.25
    inside = 0
    for seed in range(400):
        figures = cut_figures(_candidates(seed, 150, size).table, 0.25)
        inside += figures["share_low"] <= true <= figures["share_high"]

    assert abs(inside / 400 - CONFIDENCE) < 0.04


@pytest.mark.slow
def test_the_share_lies_in_its_interval_where_accounts_are_few() -> None:
    """15 accounts, of which some have many leads; the plain variance of a ratio (Cochran) tells too short intervals."""
    true, inside, inside_plain = (1 - 0.25) ** 3, 0, 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        codes = np.repeat(np.arange(15), random.geometric(0.15, 15))
        probability = random.beta(1.0, 3.0, 15)
        label = (random.random(15) < probability)[codes].astype(np.int8)
        table = Candidates.of(probability[codes], label, groups=codes, columns={}).table
        figures = cut_figures(table, 0.25)
        inside += figures["share_low"] <= true <= figures["share_high"]
        share, sizes = figures["share"], np.bincount(codes)
        let_in = np.bincount(codes, weights=(probability[codes] >= 0.25))
        variance = ((let_in - share * sizes) ** 2).sum() / sizes.sum() ** 2
        worth = share * (1 - share) / variance if variance else 15.0
        low, high = rate_interval(share, worth, confidence=CONFIDENCE)
        inside_plain += low <= true <= high

    assert abs(inside / 400 - CONFIDENCE) < 0.04
    assert inside_plain / 400 < 0.86


def test_leads_of_one_account_tell_less_than_as_many_accounts() -> None:
    """The interval is wider."""
    widths = []
    for size in (1, 12):
        figures = cut_figures(_candidates(3, 150 if size > 1 else 1000, size).table, 0.25)
        widths.append(figures["share_high"] - figures["share_low"])
    assert widths[1] > 1.5 * widths[0]
