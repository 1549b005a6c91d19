from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from leadml.params.gate import GateParams
from leadml.review.gate.judge import EARLY, Contest, judge, unusable

LEADS = 12_000
CHOICES = GateParams()


@pytest.fixture(scope="module")
def contest():
    """Return a champion with an error of a third of a log-odds, beside the truth."""
    random = np.random.default_rng(0)
    true = random.normal(-2.5, 1.2, LEADS)
    label = (random.random(LEADS) < expit(true)).astype(np.int8)
    values = np.array(["de", "fr", "us", "other"], dtype=object)[random.integers(0, 4, LEADS)]
    champion = expit(true + random.normal(0, 0.5, LEADS))
    return Contest(label, champion, expit(true), slices={"country": values})


def test_the_truth_is_better_than_a_model_with_errors(contest):
    """And the figures say by how much."""
    found = judge(contest, CHOICES, kind="change")
    assert (found.answer, found.passes) == ("better", True)
    assert found.figures["gain_low"] > 0
    assert found.figures["gain_share"] > CHOICES.floor
    assert found.figures["e_value"] > 20
    assert found.figures["leads"] == LEADS > found.figures["needed"]


def test_a_model_with_errors_is_worse_than_the_truth(contest):
    """As a change and as a refresh."""
    turned = replace(contest, champion=contest.challenger, challenger=contest.champion)
    assert [judge(turned, CHOICES, kind=kind).answer for kind in ("change", "refresh")] == ["worse", "worse"]


def test_another_model_of_the_same_worth_is_no_better_and_not_worse(contest):
    """A change must win, a refresh must not lose."""
    random = np.random.default_rng(1)
    true = logit(contest.challenger)
    equal = replace(contest, challenger=expit(true + random.normal(0, 0.5, LEADS)))
    assert judge(equal, CHOICES, kind="change").answer == "no better"
    assert judge(equal, CHOICES, kind="refresh").answer == "not worse"


def test_too_few_leads_say_nothing_of_the_gain(contest):
    """How many are needed is said, and not what they would say."""
    few = Contest(contest.label[:1000], contest.champion[:1000], contest.challenger[:1000])
    found = judge(few, CHOICES, kind="change")
    assert (found.answer, found.passes) == ("not enough evidence", False)
    assert set(found.figures) == {"leads", "needed"}
    assert found.figures["needed"] > 1000
    assert f"{found.figures['needed']:,} known outcomes" in found.reasons[0]


def test_an_early_look_asks_for_fewer_leads_and_for_more_evidence(contest):
    """Of five looks, the first one is at a fifth of the number."""
    five = GateParams(looks=5)
    first, last = (judge(contest, five, kind="change", look=look) for look in (1, 5))
    assert first.figures["needed"] == pytest.approx(last.figures["needed"] / 5, abs=1)
    assert first.figures["gain_low"] < last.figures["gain_low"]


SABOTAGES = {
    "no numbers": (lambda c, _: np.where(np.arange(LEADS) == 7, np.nan, c.challenger), "no numbers"),
    "beyond 1": (lambda c, _: c.challenger * 1.5, "not between 0 and 1"),
    "constant": (lambda c, _: np.full_like(c.champion, 0.1), "the same probability"),
    "of shuffled labels": (lambda c, random: random.permutation(c.challenger), "higher .* surely worse"),
    "uncalibrated": (lambda c, _: expit(1.8 * logit(c.challenger)), "worse calibrated"),
    "one slice broken": (
        lambda c, _: np.where(c.slices["country"] == "fr", expit(-logit(c.challenger)), c.challenger),
        "for country fr",
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotaged_challenger_is_refused_for_its_own_reason(contest, name):
    """Whatever else it is, and as a change and as a refresh."""
    spoil, why = SABOTAGES[name]
    spoilt = replace(contest, challenger=spoil(contest, np.random.default_rng(5)))
    for kind in ("change", "refresh"):
        found = judge(spoilt, CHOICES, kind=kind)
        assert not found.passes
        assert any(re.search(why, reason) for reason in found.reasons)


def test_a_better_model_that_is_broken_in_a_slice_is_refused(contest):
    """Its gain elsewhere is no excuse."""
    random = np.random.default_rng(6)
    is_slice = contest.slices["country"] == "us"
    rough = expit(logit(contest.challenger) + random.normal(0, 1.5, LEADS))
    champion = np.where(is_slice, contest.champion, rough)
    challenger = np.where(is_slice, expit(logit(contest.challenger) + random.normal(0, 1.0, LEADS)), contest.challenger)
    found = judge(replace(contest, champion=champion, challenger=challenger), CHOICES, kind="change")
    assert found.answer == "refused"
    assert found.figures["gain"] > 0
    assert found.reasons[0].startswith("it is surely worse for country us")


def test_slices_that_are_worse_by_chance_do_not_refuse():
    """Of 60 equal slices some lose: Holm's method refuses about 1 of 20 times."""
    refused = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        true = random.normal(-1.5, 1.0, LEADS)
        label = (random.random(LEADS) < expit(true)).astype(np.int8)
        one, two = (expit(true + random.normal(0, 0.3, LEADS)) for _ in range(2))
        slices = {"part": random.integers(0, 40, LEADS).astype(str).astype(object)}
        found = judge(Contest(label, one, two, slices=slices), GateParams(margin=0.0), kind="refresh")
        refused += any("part" in reason for reason in found.reasons)
    assert refused <= 0.05 * 60 + 3 * np.sqrt(0.05 * 0.95 * 60)


def test_leads_of_one_outcome_say_nothing(contest):
    """Whatever the probabilities are."""
    found = judge(replace(contest, label=np.zeros(LEADS, np.int8)), CHOICES, kind="refresh")
    assert found.answer == "not enough evidence"


@pytest.mark.parametrize(("values", "why"), [([0.1, 0.2], ""), ([0.1, np.nan], "no numbers"), ([0.1, 0.1], "the same")])
def test_what_can_be_used(values, why):
    """Different numbers between 0 and 1."""
    found = unusable(np.array(values))
    assert why in found
    assert bool(found) == bool(why)


def test_leads_of_one_account_say_nothing(contest):
    """Their losses have no spread."""
    found = judge(replace(contest, groups=np.zeros(LEADS, np.int64)), CHOICES, kind="change")
    assert (found.answer, found.reasons) == ("not enough evidence", ("all later leads are of one account",))


def test_overwhelming_evidence_wins_before_the_planned_number(contest):
    """And only if the gain is worth having."""
    few = Contest(contest.label[:3000], np.full(3000, contest.label[:3000].mean()), contest.challenger[:3000])
    rare = GateParams(least_gain=0.0005)
    found = judge(few, rare, kind="change")
    assert (found.answer, found.figures["leads"] < found.figures["needed"]) == ("better", True)
    assert found.figures["e_value"] > EARLY
    assert judge(few, GateParams(least_gain=0.0005, floor=0.5), kind="change").answer == "not enough evidence"
