from __future__ import annotations

import json

import pandas as pd
import pytest

from leadml.errors import LeadmlError
from leadml.simulator.scenario import Scenario, build_world
from leadml.simulator.world import DRIFTS
from leadml.simulator.write import simulate

pytestmark = pytest.mark.slow

SIZE = {"leads": 3000, "months": 6, "seed": 9}
DRIFT_START = pd.Timestamp("2024-04-01", tz="UTC")
CAPACITY = 120


@pytest.fixture(scope="module")
def drifted(tmp_path_factory, read_crm):
    """Return six months with each drift, from April on, by its name."""
    folder = tmp_path_factory.mktemp("drift")
    scenarios = {drift: Scenario(drift=drift, drift_month=4, truth_leads=0) for drift in DRIFTS}
    return {name: read_crm(simulate(folder / name, scenario=scenario, **SIZE)) for name, scenario in scenarios.items()}


@pytest.fixture(scope="module")
def worked(tmp_path_factory, read_crm):
    """Return six months in which sales works some leads each week."""
    scenario = Scenario(worked_a_week=CAPACITY, truth_leads=500)
    return read_crm(simulate(tmp_path_factory.mktemp("worked"), scenario=scenario, **SIZE))


@pytest.mark.parametrize("drift", DRIFTS[1:])
def test_nothing_changes_before_the_drift(drifted, drift):
    """Rows dated before the drift are the same as without one; some rows after it are not."""
    without_drift, with_drift = drifted["none"], drifted[drift]
    for name, instant in (("leads", "valid_from"), ("activities", "occurred_at"), ("outcomes", "occurred_at")):
        tables = (getattr(crm, name) for crm in (without_drift, with_drift))
        expected, actual = (table[table[instant] < DRIFT_START].reset_index(drop=True) for table in tables)
        assert len(expected) > 500
        pd.testing.assert_frame_equal(actual, expected)
    assert not without_drift.activities.equals(with_drift.activities)


@pytest.mark.parametrize("drift", ["behaviour", "base_rate"])
def test_drift_of_behaviour_or_base_rate_does_not_change_attributes(drifted, drift):
    """The leads, and their attributes and answers at creation, are the same as without drift."""
    expected, actual = (
        drifted[name].leads.drop_duplicates("lead_id").reset_index(drop=True) for name in ("none", drift)
    )
    pd.testing.assert_frame_equal(actual, expected)


def test_drift_of_the_mix_changes_the_shares_of_sources(drifted):
    """From the first day of the drift paid search has a higher share and organic a lower one; accounts are the same."""
    before, after = (drifted[name].leads.drop_duplicates("lead_id").reset_index(drop=True) for name in ("none", "mix"))
    columns = ["account_id", "industry", "employees"]
    assert before["created_at"].tolist() == after["created_at"].tolist()
    assert (before[columns] == after[columns]).all(axis=None)
    in_drift = after["created_at"] >= DRIFT_START
    share = [table.loc[in_drift, "source"].value_counts(normalize=True) for table in (before, after)]
    assert share[1]["paid_search"] > share[0]["paid_search"] + 0.1
    assert share[1]["organic"] < share[0]["organic"] - 0.05


def test_only_the_campaign_brings_spam_and_only_in_its_month(tmp_path, read_crm):
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
        outcomes = crm.outcomes[crm.outcomes["lead_id"].isin(spammers)]
        assert not outcomes["outcome"].isin(["sal", "sql", "opportunity", "customer"]).any()


def test_sales_works_the_open_leads_with_the_newest_recorded_activity(worked):
    """Each Monday the worked leads fill the capacity; no other open lead has a newer recorded activity."""
    activities, outcomes = worked.activities, worked.outcomes
    work = activities[activities["kind"] == "worked"]
    weeks = work.groupby(work["occurred_at"].dt.normalize())["lead_id"].agg([list, "size"])
    assert (weeks["size"] <= CAPACITY).all()
    assert (weeks["size"].iloc[4:] == CAPACITY).all()
    assert set(weeks.index.day_of_week) == {0}
    created = worked.leads.groupby("lead_id")["created_at"].first()
    for monday in weeks.index[[6, 12, 20]]:
        recorded = activities[(activities["recorded_at"] < monday) & (activities["occurred_at"] < monday)]
        recorded = recorded[recorded["kind"] != "worked"]
        newest = recorded.groupby("lead_id")["occurred_at"].max().reindex(created[created < monday].index)
        newest = newest.fillna(created).dt.normalize()
        state = outcomes[outcomes["occurred_at"] < monday].groupby("lead_id")["outcome"].last().reindex(newest.index)
        workable = newest[~state.isin(["rejected", "lost", "customer", "churned"])]
        worked_leads = weeks.loc[monday, "list"]
        assert set(worked_leads) <= set(workable.index)
        assert workable[worked_leads].min() >= workable.drop(worked_leads).max()


def test_work_raises_conversions_and_the_description_says_that_the_truth_is_without_it(worked, drifted):
    """With work more leads reach SQL; simulation.json says that the truth assumes no work from the snapshot date on."""
    conversions = [(crm.outcomes["outcome"] == "sql").sum() for crm in (drifted["none"], worked)]
    assert conversions[1] > 1.1 * conversions[0]
    assert (drifted["none"].activities["kind"] != "worked").all()
    description = json.loads((worked.result.folder / "simulation.json").read_text(encoding="utf-8"))
    assert any("if nobody works the lead from as_of on" in line for line in description["truth"])
    mature = worked.truth[worked.truth["reached"].notna() & (worked.truth["target"] == "sql")]
    assert mature["reached"].astype(float).mean() > mature["probability"].mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drift": "mixx"}, "drift must be one of none, mix, behaviour, base_rate, got 'mixx'; the nearest is 'mix'"),
        ({"worked_a_week": -1}, "worked_a_week must be a whole number, 0 or more, got -1"),
        ({"truth_leads": -1}, "truth_leads must be a whole number, 0 or more, got -1"),
    ],
)
def test_options_that_no_simulation_can_follow_are_refused(options, message):
    """The error names the option, its value and what to do."""
    with pytest.raises(LeadmlError, match=message):
        Scenario(**options)


def test_months_become_days_of_the_calendar():
    """The drift begins in the middle of the simulation, the campaign after a third of it."""
    world = build_world(Scenario(), leads=100, months=24)
    assert (world.days, world.drift_day, world.campaign) == (731, 366, (244, 274))
    assert build_world(Scenario(spam=False), leads=100, months=12).campaign == (0, 0)
    assert build_world(Scenario(worked_a_week=5), leads=100, months=1).worked_share == 0.05
