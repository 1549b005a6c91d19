from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, poisson

from leadml.simulator import market
from leadml.simulator.rates import activity_season
from leadml.simulator.truth import (
    build_history,
    interest_posteriors,
    target_probabilities,
    weekly_hitting_probabilities,
)
from leadml.simulator.world import (
    GROUP_OF_STATE,
    KINDS,
    LOST,
    MQL,
    REJECTED,
    SPAM,
    TARGETS,
    standard_world,
)

# Many events in a few days; most activities are recorded late.
BUSY = standard_world(28)
BUSY = replace(
    BUSY,
    activity_rate=BUSY.activity_rate**0.5 * 3,
    state_transitions=tuple(
        replace(transition, hazard=tuple(8 * hazard for hazard in transition.hazard))
        for transition in BUSY.state_transitions
    ),
    activity_lag=np.full((len(KINDS), 8), [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]),
    restate_probability=0.5,
    campaign=(0, 28),
)


def _filter_rows(rows, mask):
    return type(rows)(*(column[mask] for column in vars(rows).values()))


def _recorded_paths(paths, snapshot_day):
    """Return paths without all that is not recorded by a snapshot day."""
    activities, transitions = (
        _filter_rows(events, events.day + events.lag < snapshot_day) for events in (paths.activities, paths.transitions)
    )
    restatements = _filter_rows(paths.restatements, paths.restatements.day < snapshot_day)
    work_starts = paths.work_starts[paths.work_starts[:, 1] < snapshot_day]
    return replace(
        paths, activities=activities, transitions=transitions, restatements=restatements, work_starts=work_starts
    )


def _posterior_by_enumeration(world, attributes, paths, lead, snapshot_day):
    """Return the posterior of the interest of a lead, by the sum over all paths of its interest."""
    created_day = int(attributes.created_day[lead])
    weight = attributes.interest_prior[lead].copy()
    questions = zip(market.QUESTIONS, attributes.answer_groups, attributes.answers[lead], strict=True)
    for question, group, answer in questions:
        for z in range(5):
            blank = question.blank[z]
            shares = np.array(question.weight[group[lead]])
            shares = shares * np.exp(question.tilt[z] * np.arange(len(shares)))
            weight[z] *= blank if answer == 0 else (1 - blank) * (shares / shares.sum())[answer - 1]
    joint = weight  # one axis per day
    activities, transitions, restatements = paths.activities, paths.transitions, paths.restatements
    rows = np.flatnonzero(transitions.lead == lead)
    transition_on = {int(transitions.day[i]): (int(transitions.state[i]), int(transitions.reason[i])) for i in rows}
    state = 0
    for day in range(created_day + 1, snapshot_day):
        factor = np.ones(5)
        group = GROUP_OF_STATE[state]
        new_state, reason = transition_on.get(day, (state, -1))
        recorded = (activities.lead == lead) & (activities.day == day) & (day + activities.lag < snapshot_day)
        for z in range(5):
            for kind in range(len(KINDS)):
                rate = activity_season(day) * world.activity_rate[group, z] * world.kind_probability[group, z, kind]
                record_probability = world.activity_lag[kind][: snapshot_day - day].sum()
                count = int((recorded & (activities.kind == kind)).sum())
                unrecorded = np.arange(80)
                total = count + unrecorded
                factor[z] *= (poisson.pmf(total, rate) * binom.pmf(count, total, record_probability)).sum()
            factor[z] *= _transition_probability(
                world, state, new_state, day, attributes.fit_level[lead], z, paths, lead
            )
            if new_state == REJECTED and day in transition_on:
                factor[z] *= world.rejected_reason[z, reason]
            for row in np.flatnonzero((restatements.lead == lead) & (restatements.day == day)):
                question = market.QUESTIONS[market.TIMELINE]
                shares = np.array(question.weight[0]) * np.exp(question.tilt[z] * np.arange(4))
                factor[z] *= (shares / shares.sum())[restatements.timeline[row] - 1]
        joint = joint[..., None] * world.interest_transition[group] * factor
        state = new_state
    last = joint.reshape(-1, 5).sum(axis=0)
    return last / last.sum()


def _transition_probability(world, state, new_state, day, level, z, paths, lead):
    season = (1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08)[day % 7]
    season *= 1 + 0.12 * np.cos(4 * np.pi * (day - 100) / 365.25)
    mondays = paths.work_starts[paths.work_starts[:, 0] == lead, 1]
    worked = ((mondays <= day) & (day < mondays + world.work_days)).any()
    hazards = {
        transition.destination: transition.hazard[z]
        * np.exp(transition.fit_coefficient * 0.5 * (level - 4))
        * season
        * (world.work_factor if worked and transition.forward else 1)
        for transition in world.state_transitions
        if transition.origin == state
    }
    total = sum(hazards.values())
    if new_state == state:
        return np.exp(-total)
    return (1 - np.exp(-total)) * hazards[new_state] / total if total else 0.0


@pytest.mark.slow
@pytest.mark.parametrize("world", [BUSY, replace(BUSY, worked_share=0.2, work_days=10)], ids=["not worked", "worked"])
def test_posteriors_are_the_sum_over_all_paths(sample_chunk, world):
    """The filter agrees to 1e-12 with the sum over all paths of interest and all numbers of unrecorded activities."""
    attributes, paths = sample_chunk(world, 400, 3)
    history = build_history(world, attributes, paths, np.arange(400))
    rejected = paths.transitions.lead[paths.transitions.state == REJECTED]
    with_terms = np.unique(np.concatenate([paths.restatements.lead, rejected]))
    compared, states = 0, set()
    for day, lead, posterior in interest_posteriors(world, history, np.array([7, 14, 21])):
        age = day - attributes.created_day[lead]
        young = np.flatnonzero((age <= 9) & (age >= 2))
        rows = young[np.argsort(~np.isin(lead[young], with_terms), kind="stable")][:8]
        for row in rows:
            expected = _posterior_by_enumeration(world, attributes, paths, lead[row], day)
            np.testing.assert_allclose(posterior[row], expected, rtol=0, atol=1e-12)
            states.add(int(history.state[lead[row], day - 1]))
            compared += 1
    assert compared >= 20
    assert len(states) >= 3


def test_the_truth_does_not_use_hidden_values(sample_chunk):
    """The truth is the same to the bit with other interests, without unrecorded activities and without later events."""
    world = replace(BUSY, worked_share=0.1)
    attributes, paths = sample_chunk(world, 500, 8)
    leads, hitting = np.arange(500), weekly_hitting_probabilities(world)
    truth = target_probabilities(world, attributes, paths, leads, hitting)
    other_attributes = replace(attributes, interest=np.zeros_like(attributes.interest))
    activities = replace(paths.activities, interest=np.zeros_like(paths.activities.interest))
    other = target_probabilities(world, other_attributes, replace(paths, activities=activities), leads, hitting)
    np.testing.assert_array_equal(other.probability, truth.probability)
    for day in (7, 14, 21):
        from_records = target_probabilities(world, attributes, _recorded_paths(paths, day), leads, hitting)
        actual, expected = _by_lead_and_target(from_records, day), _by_lead_and_target(truth, day)
        assert len(expected) > 100
        assert {key: actual[key] for key in expected} == expected


def _by_lead_and_target(truth, day):
    rows = np.flatnonzero(truth.snapshot_day == day)
    keys = zip(truth.lead[rows].tolist(), truth.target[rows].tolist(), strict=True)
    return dict(zip(keys, truth.probability[rows].tolist(), strict=True))


def test_the_truth_of_a_lead_does_not_depend_on_other_leads(sample_chunk):
    """The truth of some leads has the same rows as these leads have in the truth of all."""
    attributes, paths = sample_chunk(BUSY, 300, 2)
    hitting = weekly_hitting_probabilities(BUSY)
    truth = target_probabilities(BUSY, attributes, paths, np.arange(300), hitting)
    some = np.arange(5, 300, 7)
    truth_of_some = target_probabilities(BUSY, attributes, paths, some, hitting)
    rows = np.isin(truth.lead, some)
    for expected, actual in zip(vars(truth).values(), vars(truth_of_some).values(), strict=True):
        np.testing.assert_array_equal(expected[rows], actual)
    assert len(target_probabilities(BUSY, attributes, paths, np.arange(0), hitting).lead) == 0


@pytest.mark.slow
def test_spam_never_converts_and_its_probability_falls_to_zero(sample_chunk):
    """Spam goes no further than MQL and stays spam; two weeks after its creation its probability is below 1e-4."""
    world = replace(standard_world(120), campaign=(0, 60))
    attributes, paths = sample_chunk(world, 6000, 4)
    spam = attributes.interest == SPAM
    assert spam.sum() > 100
    spam_prior = attributes.interest_prior[:, SPAM]
    assert (spam_prior > 0).sum() > spam.sum()
    maybe_spam = (attributes.source == market.PAID_SEARCH) & (attributes.free_mail >= 0)
    maybe_spam &= attributes.created_day < 60
    assert ((spam_prior > 0) == maybe_spam).all()
    states = paths.transitions.state[np.isin(paths.transitions.lead, np.flatnonzero(spam))]
    assert set(states) <= {MQL, REJECTED, LOST}
    activities = _filter_rows(paths.activities, np.isin(paths.activities.lead, np.flatnonzero(spam)))
    assert (activities.interest == SPAM).all()
    hitting = weekly_hitting_probabilities(world)
    truth = target_probabilities(world, attributes, paths, np.flatnonzero(maybe_spam), hitting)
    old = truth.snapshot_day - attributes.created_day[truth.lead] > 14
    assert truth.probability[old & spam[truth.lead]].max() < 1e-4
    assert truth.probability[old & ~spam[truth.lead]].max() > 0.1


LATE_LAG = np.full((len(KINDS), 8), [0.10, 0.10, 0.15, 0.15, 0.15, 0.15, 0.10, 0.10])


def _standardized_residuals(probability, reached):
    """Return the standardized residual of each decile of the probability, for rows with uncorrelated residuals."""
    decile = np.digitize(probability, np.quantile(probability, np.linspace(0.1, 0.9, 9)))
    residual = np.bincount(decile, reached - probability, 10)
    return residual / np.sqrt(np.bincount(decile, probability * (1 - probability), 10))


def _is_disjoint(snapshot_day, target):
    """Return whether each snapshot day is one of a series whose horizons do not overlap.

    Residuals over disjoint horizons are uncorrelated, each with variance p (1 - p). One random snapshot per lead would
    be biased: the number of snapshots of a lead depends on its outcome.
    """
    weeks = -(-target.horizon // 7)
    return (snapshot_day // 7) % weeks == weeks - 3


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_truth_is_calibrated(crm, target):
    """The outcomes agree with the probabilities, overall and by deciles, within chance."""
    rows = crm.truth[(crm.truth["target"] == target.name) & crm.truth["reached"].notna()]
    residual = rows["reached"].astype(float) - rows["probability"]
    by_lead = residual.groupby(rows["lead_id"]).sum()
    assert abs(by_lead.sum()) < 3 * np.sqrt((by_lead**2).sum())
    days = (rows["as_of"] - pd.Timestamp("2024-01-01", tz="UTC")).dt.days
    disjoint = rows[_is_disjoint(days, target)]
    residuals = _standardized_residuals(disjoint["probability"].to_numpy(), disjoint["reached"].to_numpy(float))
    assert np.abs(residuals).max() < 3.5
    assert (residuals**2).sum() < 29.6  # chi-squared, 10 degrees of freedom, p = 0.001


@pytest.mark.parametrize("name", ["sql", "customer"])
def test_the_truth_varies_and_ranks_the_outcomes(crm, name):
    """Probabilities range from about 0 to over 0.5, and their AUC is 0.85 to 0.93."""
    rows = crm.truth[(crm.truth["target"] == name) & crm.truth["reached"].notna()]
    positive = rows["reached"].astype(bool).to_numpy()
    ranks = rows["probability"].rank().to_numpy()
    positives = positive.sum()
    auc = (ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * (len(rows) - positives))
    assert 0.85 < auc < 0.93
    assert rows["probability"].quantile(0.01) < 1e-3
    assert rows["probability"].max() > 0.5
    assert 0.02 < positive.mean() < 0.05


@pytest.mark.slow
def test_the_truth_is_calibrated_where_most_activities_are_recorded_late(sample_chunk):
    """With long recording lags the outcomes still agree with the probabilities.

    They would not if unrecorded activities were used, or if no record were read as no activity.
    """
    world = replace(standard_world(300), activity_lag=LATE_LAG)
    attributes, paths = sample_chunk(world, 12_000, 6)
    truth = target_probabilities(world, attributes, paths, np.arange(12_000), weekly_hitting_probabilities(world))
    for number, target in enumerate(TARGETS[:2]):
        mature = (truth.target == number) & (truth.reached >= 0)
        residual = (truth.reached - truth.probability)[mature]
        by_lead = np.bincount(truth.lead[mature], residual)
        assert abs(by_lead.sum()) < 3 * np.sqrt((by_lead**2).sum())
        disjoint = mature & _is_disjoint(truth.snapshot_day, target)
        residuals = _standardized_residuals(truth.probability[disjoint], truth.reached[disjoint])
        assert (residuals**2).sum() < 29.6


@pytest.mark.slow
def test_the_truth_counts_work_that_goes_on_after_the_snapshot_date(sample_chunk):
    """Where sales stops at a snapshot date, outcomes agree with probabilities, for worked leads and for the others."""
    world = replace(standard_world(121), worked_share=0.08, worked_until=91, work_factor=12.0)
    attributes, paths = sample_chunk(world, 16_000, 12)
    truth = target_probabilities(world, attributes, paths, np.arange(16_000), weekly_hitting_probabilities(world))
    worked = np.isin(truth.lead, paths.work_starts[paths.work_starts[:, 1] == 84, 0])
    for group in (worked, ~worked):
        rows = group & (truth.snapshot_day == 91) & (truth.target == 0)
        probability, reached = truth.probability[rows], truth.reached[rows]
        assert probability.sum() > 50
        assert abs((reached - probability).sum()) < 3 * np.sqrt((probability * (1 - probability)).sum())
