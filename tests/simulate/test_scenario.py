from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadml.errors import LeadmlError
from leadml.simulate.rates import act_rates, move_chances
from leadml.simulate.scenario import Scenario, world_of
from leadml.simulate.world import DRIFTS, MOVES, STATES, standard_world
from leadml.simulate.write import simulate

SIZE = {"leads": 3000, "months": 6, "seed": 9}
BEGINS = pd.Timestamp("2024-04-01", tz="UTC")
CAPACITY = 120


@pytest.fixture(scope="module")
def drifted(tmp_path_factory, read_crm):
    """Return six months under each drift, from April on, by its name."""
    folder = tmp_path_factory.mktemp("drift")
    scenarios = {drift: Scenario(drift=drift, drift_month=4, truth_leads=0) for drift in DRIFTS}
    return {drift: read_crm(simulate(folder / drift, scenario=choice, **SIZE)) for drift, choice in scenarios.items()}


@pytest.fixture(scope="module")
def worked(tmp_path_factory, read_crm):
    """Return six months in which sales works some leads each week."""
    scenario = Scenario(worked_a_week=CAPACITY, truth_leads=500)
    return read_crm(simulate(tmp_path_factory.mktemp("worked"), scenario=scenario, **SIZE))


@pytest.mark.parametrize("drift", DRIFTS[1:])
def test_nothing_changes_before_the_drift(drifted, drift):
    """What is dated before the drift is the same to the second; something after it is not."""
    usual, other = drifted["none"], drifted[drift]
    for name, instant in (("leads", "valid_from"), ("activities", "occurred_at"), ("outcomes", "occurred_at")):
        tables = (getattr(crm, name) for crm in (usual, other))
        one, two = (table[table[instant] < BEGINS].reset_index(drop=True) for table in tables)
        assert len(one) > 500
        pd.testing.assert_frame_equal(one, two)
    assert not usual.activities.equals(other.activities)


@pytest.mark.parametrize("drift", ["behaviour", "base_rate"])
def test_drift_of_behaviour_or_base_rate_leaves_people_alone(drifted, drift):
    """Who comes, and what they answer on coming, is not touched."""
    one, two = (drifted[name].leads.drop_duplicates("lead_id").reset_index(drop=True) for name in ("none", drift))
    pd.testing.assert_frame_equal(one, two)


def test_drift_of_the_mix_brings_other_sources(drifted):
    """From the first day on more leads come by paid search and fewer on their own; firms stay as they were."""
    one, two = (drifted[name].leads.drop_duplicates("lead_id").reset_index(drop=True) for name in ("none", "mix"))
    assert one["created_at"].tolist() == two["created_at"].tolist()
    assert (one[["account_id", "industry", "employees"]] == two[["account_id", "industry", "employees"]]).all(axis=None)
    late = two["created_at"] >= BEGINS
    share = [table.loc[late, "source"].value_counts(normalize=True) for table in (one, two)]
    assert share[1]["paid_search"] > share[0]["paid_search"] + 0.1
    assert share[1]["organic"] < share[0]["organic"] - 0.05


def test_each_drift_changes_its_own_numbers_from_its_day_on():
    """Behaviour changes acts alone, base rate forward moves alone, the mix neither; nothing changes before the day."""
    usual = standard_world(60)
    for drift in DRIFTS:
        world = replace(usual, drift=drift, drift_day=30)
        for day in (29, 30):
            acts = (act_rates(world, day) == act_rates(usual, day)).all()
            moves = (move_chances(world, day) == move_chances(usual, day)).all()
            assert acts == (drift != "behaviour" or day < 30)
            assert moves == (drift != "base_rate" or day < 30)
    slow, plain = (move_chances(world, 30) for world in (replace(usual, drift="base_rate", drift_day=0), usual))
    for move in MOVES:
        some = plain[move.origin, move.to] > 0
        ratio = slow[move.origin, move.to][some] / plain[move.origin, move.to][some]
        assert ((ratio < 1).all() and (ratio > 0.5).all()) if move.forward else (ratio >= 1 - 1e-12).all()
    np.testing.assert_allclose(slow.sum(axis=1), 1.0, atol=1e-12)
    assert slow.shape[:2] == (len(STATES), len(STATES))


def test_the_campaign_draws_spam_in_its_month_alone(tmp_path, read_crm):
    """Bursts of forms come from free mail of paid search created in the campaign's month, and never without one."""
    for spam in (True, False):
        scenario = Scenario(spam=spam, truth_leads=0)
        crm = read_crm(simulate(tmp_path / str(spam), scenario=scenario, **SIZE))
        forms = crm.activities[crm.activities["kind"] == "form"]
        burst = forms.groupby(["lead_id", forms["occurred_at"].dt.date]).size()
        spammers = burst[burst >= 4].index.get_level_values("lead_id").unique()
        if not spam:
            assert len(spammers) == 0
            continue
        leads = crm.leads.drop_duplicates("lead_id").set_index("lead_id").loc[spammers]
        assert len(leads) > 20
        assert set(leads["created_at"].dt.month) == {3}
        assert set(leads["source"]) == {"paid_search"}
        assert not leads["email"].str.endswith(".example").any()
        late = crm.outcomes[crm.outcomes["lead_id"].isin(spammers)]
        assert not late["outcome"].isin(["sal", "sql", "opportunity", "customer"]).any()


def test_sales_works_the_open_leads_seen_last(worked):
    """Each Monday the capacity is used on open leads whose newest recorded act is no older than that of any other."""
    acts, outcomes = worked.activities, worked.outcomes
    flags = acts[acts["kind"] == "worked"]
    weeks = flags.groupby(flags["occurred_at"].dt.normalize())["lead_id"].agg([list, "size"])
    assert (weeks["size"] <= CAPACITY).all()
    assert (weeks["size"].iloc[4:] == CAPACITY).all()
    assert set(weeks.index.day_of_week) == {0}
    created = worked.leads.groupby("lead_id")["created_at"].first()
    for monday in weeks.index[[6, 12, 20]]:
        seen = acts[(acts["kind"] != "worked") & (acts["recorded_at"] < monday) & (acts["occurred_at"] < monday)]
        newest = seen.groupby("lead_id")["occurred_at"].max().reindex(created[created < monday].index)
        newest = newest.fillna(created).dt.normalize()
        state = outcomes[outcomes["occurred_at"] < monday].groupby("lead_id")["outcome"].last().reindex(newest.index)
        workable = newest[~state.isin(["rejected", "lost", "customer", "churned"])]
        chosen = weeks.loc[monday, "list"]
        assert set(chosen) <= set(workable.index)
        assert workable[chosen].min() >= workable.drop(chosen).max()


def test_work_moves_leads_on_and_the_account_says_what_the_truth_means(worked, drifted):
    """Worked leads reach SQL more often than in a world without work, and simulation.json says who is left alone."""
    won = [(crm.outcomes["outcome"] == "sql").sum() for crm in (drifted["none"], worked)]
    assert won[1] > 1.1 * won[0]
    assert (drifted["none"].activities["kind"] != "worked").all()
    story = json.loads((worked.simulated.folder / "simulation.json").read_text(encoding="utf-8"))
    assert any("if nobody works the lead from as_of on" in line for line in story["truth"])
    known = worked.truth[worked.truth["reached"].notna() & (worked.truth["target"] == "sql")]
    assert known["reached"].astype(float).mean() > known["probability"].mean()


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"drift": "mixx"}, "drift must be one of none, mix, behaviour, base_rate, got 'mixx'; the nearest is 'mix'"),
        ({"worked_a_week": -1}, "worked_a_week must be 0 or more, got -1; give 0 for none"),
        ({"truth_leads": -1}, "truth_leads must be 0 or more, got -1; give 0 for none"),
    ],
)
def test_choices_that_no_world_can_follow_are_refused(choices, message):
    """The error names the choice, what it got and what to do."""
    with pytest.raises(LeadmlError, match=message):
        Scenario(**choices)


def test_worlds_have_the_days_of_their_months():
    """The days are those of the calendar; drift begins in the middle, the campaign a third of the way in."""
    world = world_of(Scenario(), leads=100, months=24)
    assert (world.days, world.drift_day, world.campaign) == (731, 366, (244, 274))
    assert world_of(Scenario(spam=False), leads=100, months=12).campaign == (0, 0)
    assert world_of(Scenario(worked_a_week=5), leads=100, months=1).worked_share == 0.05
