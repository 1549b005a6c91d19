from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, poisson

from leadml.simulate import market
from leadml.simulate.rates import season_of_acts
from leadml.simulate.truth import all_reaches, beliefs, past_of, truths
from leadml.simulate.world import (
    GROUP_OF_STATE,
    KINDS,
    LOST,
    MQL,
    REJECTED,
    SPAM,
    TARGETS,
    standard_world,
)

# Much happens in a few days, and most of it is recorded late.
BUSY = standard_world(28)
BUSY = replace(
    BUSY,
    rate=BUSY.rate**0.5 * 3,
    moves=tuple(replace(move, hazard=tuple(8 * h for h in move.hazard)) for move in BUSY.moves),
    lag=np.full((len(KINDS), 8), [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]),
    restated=0.5,
    campaign=(0, 28),
)


def _only(rows, kept):
    return type(rows)(*(column[kept] for column in vars(rows).values()))


def _known(life, look):
    """Return a life without all that is not recorded by a look day."""
    acts = _only(life.acts, life.acts.day + life.acts.lag < look)
    moves = _only(life.moves, life.moves.day + life.moves.lag < look)
    restated = _only(life.restated, life.restated.day < look)
    return replace(life, acts=acts, moves=moves, restated=restated, worked=life.worked[life.worked[:, 1] < look])


def _by_all_paths(world, people, life, lead, look):
    """Return what is believed of one lead, by the sum over all paths of its interest, from the numbers alone."""
    created = int(people.created_day[lead])
    weight = people.prior[lead].copy()
    for question, group, answer in zip(market.QUESTIONS, people.groups, people.answers[lead], strict=True):
        for z in range(5):
            blank = question.blank[z]
            shares = np.array(question.weight[group[lead]])
            shares = shares * np.exp(question.tilt[z] * np.arange(len(shares)))
            weight[z] *= blank if answer == 0 else (1 - blank) * (shares / shares.sum())[answer - 1]
    paths = weight  # one axis a day
    moves = {
        int(day): (int(to), int(why))
        for who, day, to, why in zip(life.moves.lead, life.moves.day, life.moves.to, life.moves.reason, strict=True)
        if who == lead
    }
    state = 0
    for day in range(created + 1, look):
        factor = np.ones(5)
        group = GROUP_OF_STATE[state]
        to, why = moves.get(day, (state, -1))
        done = (life.acts.lead == lead) & (life.acts.day == day) & (life.acts.day + life.acts.lag < look)
        for z in range(5):
            for kind in range(len(KINDS)):
                rate = season_of_acts(day) * world.rate[group, z] * world.kinds[group, z, kind]
                seen, chance = int((done & (life.acts.kind == kind)).sum()), world.lag[kind][: look - day].sum()
                unseen = np.arange(80)  # acts that have happened and are not recorded
                factor[z] *= (poisson.pmf(seen + unseen, rate) * binom.pmf(seen, seen + unseen, chance)).sum()
            factor[z] *= _move_chance(world, state, to, day, people.level[lead], z, life, lead)
            if to == REJECTED and day in moves:
                factor[z] *= world.rejected_reason[z, why]
            for at in np.flatnonzero((life.restated.lead == lead) & (life.restated.day == day)):
                question = market.QUESTIONS[market.TIMELINE]
                shares = np.array(question.weight[0]) * np.exp(question.tilt[z] * np.arange(4))
                factor[z] *= (shares / shares.sum())[life.restated.timeline[at] - 1]
        paths = paths[..., None] * world.transition[group] * factor
        state = to
    last = paths.reshape(-1, 5).sum(axis=0)
    return last / last.sum()


def _move_chance(world, state, to, day, level, z, life, lead):
    season = (1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08)[day % 7]
    season *= 1 + 0.12 * np.cos(4 * np.pi * (day - 100) / 365.25)
    mondays = life.worked[life.worked[:, 0] == lead, 1]
    worked = ((mondays <= day) & (day < mondays + world.work_days)).any()
    hazards = {
        move.to: move.hazard[z]
        * np.exp(move.fit * 0.5 * (level - 4))
        * season
        * (world.work_factor if worked and move.forward else 1)
        for move in world.moves
        if move.origin == state
    }
    total = sum(hazards.values())
    if to == state:
        return np.exp(-total)
    return (1 - np.exp(-total)) * hazards[to] / total if total else 0.0


@pytest.mark.parametrize("world", [BUSY, replace(BUSY, worked_share=0.2, work_days=10)], ids=["alone", "worked"])
def test_beliefs_are_the_sum_over_all_paths(lived, world):
    """The filter agrees to 1e-12 with the sum over all paths of interest and all counts of unrecorded acts."""
    people, life = lived(world, 400, 3)
    past = past_of(world, people, life, np.arange(400))
    told = np.unique(np.concatenate([life.restated.lead, life.moves.lead[life.moves.to == REJECTED]]))
    checked, seen = 0, set()
    for look, who, belief in beliefs(world, past, np.array([7, 14, 21])):
        age = look - people.created_day[who]
        few = np.flatnonzero((age <= 9) & (age >= 2))
        first = few[np.argsort(~np.isin(who[few], told), kind="stable")][:8]
        for at in first:
            oracle = _by_all_paths(world, people, life, who[at], look)
            np.testing.assert_allclose(belief[at], oracle, rtol=0, atol=1e-12)
            seen.add(int(past.state[who[at], look - 1]))
            checked += 1
    assert checked >= 20
    assert len(seen) >= 3


def test_the_truth_reads_nothing_that_is_hidden(lived):
    """Interest, acts not yet recorded and all that comes later may be anything: the truth is the same to the bit."""
    world = replace(BUSY, worked_share=0.1)
    people, life = lived(world, 500, 8)
    chosen, reaches = np.arange(500), all_reaches(world)
    found = truths(world, people, life, chosen, reaches)
    blind = replace(people, interest=np.zeros_like(people.interest))
    numb = replace(life, acts=replace(life.acts, interest=np.zeros_like(life.acts.interest)))
    np.testing.assert_array_equal(truths(world, blind, numb, chosen, reaches).probability, found.probability)
    for look in (7, 14, 21):
        past = truths(world, people, _known(life, look), chosen, reaches)
        later = {(a, b): p for a, b, c, p in _rows(past) if c == look}
        asked = {(a, b): p for a, b, c, p in _rows(found) if c == look}
        assert len(asked) > 100
        assert {key: later[key] for key in asked} == asked


def _rows(found):
    columns = (found.lead, found.target, found.look, found.probability)
    return zip(*(column.tolist() for column in columns), strict=True)


def test_truth_does_not_depend_on_who_else_is_asked(lived):
    """The truth of a lead is its own: asking fewer leads leaves the rows of the others as they were."""
    people, life = lived(BUSY, 300, 2)
    reaches = all_reaches(BUSY)
    found = truths(BUSY, people, life, np.arange(300), reaches)
    some = np.arange(5, 300, 7)
    fewer = truths(BUSY, people, life, some, reaches)
    kept = np.isin(found.lead, some)
    for whole, part in zip(vars(found).values(), vars(fewer).values(), strict=True):
        np.testing.assert_array_equal(whole[kept], part)
    assert len(truths(BUSY, people, life, np.arange(0), reaches).lead) == 0


def test_spam_is_known_for_what_it_is_and_never_converts(lived):
    """Spam goes no further than MQL, is absorbing, and its truth falls to nothing as its forms come in."""
    world = replace(standard_world(120), campaign=(0, 60))
    people, life = lived(world, 6000, 4)
    spam = people.interest == SPAM
    assert spam.sum() > 100
    assert (people.prior[:, SPAM] > 0).sum() > spam.sum()
    bait = (people.source == market.PAID_SEARCH) & (people.free_mail >= 0) & (people.created_day < 60)
    assert ((people.prior[:, SPAM] > 0) == bait).all()
    reached = life.moves.to[np.isin(life.moves.lead, np.flatnonzero(spam))]
    assert set(reached) <= {MQL, REJECTED, LOST}
    acts = _only(life.acts, np.isin(life.acts.lead, np.flatnonzero(spam)))
    assert (acts.interest == SPAM).all()
    found = truths(world, people, life, np.flatnonzero(bait), all_reaches(world))
    old = found.look - people.created_day[found.lead] > 14
    assert found.probability[old & spam[found.lead]].max() < 1e-4
    assert found.probability[old & ~spam[found.lead]].max() > 0.1


LATE = np.full((len(KINDS), 8), [0.10, 0.10, 0.15, 0.15, 0.15, 0.15, 0.10, 0.10])


def _tenths(probability, reached):
    """Return standardised gaps by tenths of the truth, of rows whose gaps are uncorrelated."""
    part = np.digitize(probability, np.quantile(probability, np.linspace(0.1, 0.9, 9)))
    gap = np.bincount(part, reached - probability, 10)
    return gap / np.sqrt(np.bincount(part, probability * (1 - probability), 10))


def _apart(look, target):
    """Whether look days are so far apart that no horizon meets another.

    Gaps of truth and outcome over horizons that do not meet are uncorrelated, each with variance p (1 - p). One
    snapshot drawn from a lead's whole life would not do: how long that life is says what came of it.
    """
    weeks = -(-target.horizon // 7)
    return (look // 7) % weeks == weeks - 3


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_truth_is_true(crm, target):
    """What happened agrees with the truth, overall and by tenths, within what chance allows."""
    rows = crm.truth[(crm.truth["target"] == target.name) & crm.truth["reached"].notna()]
    gap = rows["reached"].astype(float) - rows["probability"]
    by_lead = gap.groupby(rows["lead_id"]).sum()
    assert abs(by_lead.sum()) < 3 * np.sqrt((by_lead**2).sum())
    days = (rows["as_of"] - pd.Timestamp("2024-01-01", tz="UTC")).dt.days
    apart = rows[_apart(days, target)]
    gaps = _tenths(apart["probability"].to_numpy(), apart["reached"].to_numpy(float))
    assert np.abs(gaps).max() < 3.5
    assert (gaps**2).sum() < 29.6  # 10 degrees, 1 in 1,000


@pytest.mark.parametrize("name", ["sql", "customer"])
def test_the_truth_varies_and_ranks(crm, name):
    """Truths reach from about 0 to over a half, and rank what happened with an AUC of 0.85 to 0.93."""
    rows = crm.truth[(crm.truth["target"] == name) & crm.truth["reached"].notna()]
    positive = rows["reached"].astype(bool).to_numpy()
    ranks = rows["probability"].rank().to_numpy()
    won = positive.sum()
    auc = (ranks[positive].sum() - won * (won + 1) / 2) / (won * (len(rows) - won))
    assert 0.85 < auc < 0.93
    assert rows["probability"].quantile(0.01) < 1e-3
    assert rows["probability"].max() > 0.5
    assert 0.02 < positive.mean() < 0.05


def test_the_truth_is_true_where_nearly_all_is_recorded_late(lived):
    """With acts recorded days late and far apart rates, what happened still agrees with the truth.

    It would not if unrecorded acts were used, or if their absence were taken for silence.
    """
    world = replace(standard_world(300), lag=LATE)
    people, life = lived(world, 12_000, 6)
    found = truths(world, people, life, np.arange(12_000), all_reaches(world))
    for number, target in enumerate(TARGETS[:2]):
        asked = (found.target == number) & (found.reached >= 0)
        gap = (found.reached - found.probability)[asked]
        by_lead = np.bincount(found.lead[asked], gap)
        assert abs(by_lead.sum()) < 3 * np.sqrt((by_lead**2).sum())
        apart = asked & _apart(found.look, target)
        assert (_tenths(found.probability[apart], found.reached[apart]) ** 2).sum() < 29.6


def test_work_begun_before_the_look_date_takes_its_course(lived):
    """Where sales stops on a look date, what happened agrees with the truth, for leads at work and for the others."""
    world = replace(standard_world(121), worked_share=0.08, worked_until=91, work_factor=12.0)
    people, life = lived(world, 16_000, 12)
    found = truths(world, people, life, np.arange(16_000), all_reaches(world))
    at_work = np.isin(found.lead, life.worked[life.worked[:, 1] == 84, 0])
    for some in (at_work, ~at_work):
        asked = some & (found.look == 91) & (found.target == 0)
        probability, reached = found.probability[asked], found.reached[asked]
        assert probability.sum() > 50
        assert abs((reached - probability).sum()) < 3 * np.sqrt((probability * (1 - probability)).sum())
