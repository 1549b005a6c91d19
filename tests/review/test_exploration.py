"""What leads below the cut would convert if worked, by those that were drawn to be worked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from leadml.review.exploration import LeadsBelow, explored_rate


def _below(seed: int, *, leads: int = 20_000, share: float = 0.05, work: float = 1.8) -> tuple[LeadsBelow, float]:
    """Return leads below a cut of which the marked ones are worked, and their rate if all were."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-3.2, 0.7, leads)
    is_marked = random.random(leads) < share
    if_worked = expit(log_odds + np.log(work))
    label = (random.random(leads) < np.where(is_marked, if_worked, expit(log_odds))).astype(np.int8)
    return LeadsBelow(log_odds, label, np.full(leads, share), is_marked), float(if_worked.mean())


def test_the_estimate_has_no_bias_and_its_interval_holds() -> None:
    """Over many draws; the rate of leads that nobody worked is lower, and said to be."""
    runs = [_below(seed) for seed in range(100)]
    found = [explored_rate(below) for below, _ in runs]
    errors = np.array([each.rate - truth for each, (_, truth) in zip(found, runs, strict=True)])
    assert abs(errors.mean()) < 3 * errors.std() / 10
    assert 83 <= sum(each.low <= truth <= each.high for each, (_, truth) in zip(found, runs, strict=True)) <= 97
    assert np.mean([each.naive for each in found]) < 0.65 * np.mean([truth for _, truth in runs])
    assert sum(each.is_contradicted for each in found) >= 90


def test_where_work_changes_nothing_few_are_contradicted() -> None:
    """One in fifty by chance."""
    found = [explored_rate(_below(seed, work=1.0)[0]) for seed in range(200)]
    assert sum(each.is_contradicted for each in found) <= 10


@pytest.mark.parametrize(("leads", "rate"), [(1500, 0.008), (3000, 0.02)])
def test_where_work_changes_nothing_few_conversions_contradict_no_more_often_than_many(leads: int, rate: float) -> None:
    """One review in fifty at most, up to three standard errors of the draws."""
    draws, flags = 4000, 0
    for seed in range(draws):
        random = np.random.default_rng(seed)
        log_odds = np.log(rate) + random.normal(0, 0.7, leads)
        label = (random.random(leads) < expit(log_odds)).astype(np.int8)
        drawn = LeadsBelow(log_odds, label, np.full(leads, 0.05), random.random(leads) < 0.05)
        flags += explored_rate(drawn).is_contradicted
    assert flags <= draws * (0.02 + 3 * np.sqrt(0.02 * 0.98 / draws))


def test_with_different_propensities_each_lead_weighs_for_those_that_were_not_drawn() -> None:
    """Marking the better leads more often changes no estimate, and makes it less sure."""
    errors, shares = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        below, truth = _below(seed)
        propensity = np.where(below.log_odds > -3.2, 0.08, 0.02)
        is_marked = random.random(len(propensity)) < propensity
        if_worked = expit(below.log_odds + np.log(1.8))
        label = (random.random(len(propensity)) < np.where(is_marked, if_worked, expit(below.log_odds))).astype(np.int8)
        found = explored_rate(LeadsBelow(below.log_odds, label, propensity, is_marked))
        errors.append(found.rate - truth)
        shares.append(found.effective / found.marked)
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(60)
    assert np.mean(shares) < 0.9


def test_without_a_marked_lead_nothing_is_known() -> None:
    """But the rate of the others; and where all are marked, that of the others is not."""
    below, _ = _below(1, leads=500)
    none = explored_rate(replace(below, is_marked=np.zeros(500, dtype=bool)))
    assert np.isnan([none.rate, none.low, none.high]).all()
    assert (none.marked, none.is_contradicted, none.naive) == (0, False, below.label.mean())
    everything = explored_rate(replace(below, is_marked=np.ones(500, dtype=bool)))
    assert np.isnan(everything.naive)
    assert not everything.is_contradicted
    assert everything.rate == pytest.approx(below.label.mean(), abs=1e-9)


@pytest.mark.parametrize("outcome", [0, 1])
def test_marked_leads_of_one_outcome_give_a_wide_interval(outcome: int) -> None:
    """Of a few leads none of which converted the rate may be well above 0."""
    below, _ = _below(2, leads=400)
    label = np.where(below.is_marked, outcome, below.label).astype(np.int8)
    found = explored_rate(replace(below, label=label))
    assert abs(found.rate - outcome) < 0.02
    assert found.high - found.low > 0.05
