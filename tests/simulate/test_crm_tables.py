from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from leadml.simulate.world import KINDS, TARGETS

DAY = pd.Timedelta(days=1)
WAYS = {
    "lead": {"mql", "lost"},
    "mql": {"sal", "rejected", "lost"},
    "rejected": {"mql", "lost"},
    "sal": {"sql", "lost"},
    "sql": {"opportunity", "lost"},
    "opportunity": {"customer", "lost"},
    "customer": {"churned"},
}
FIRM = ["industry", "employees", "country", "technology"]
PERSON = ["account_id", "created_at", "source", *FIRM, "job_title", "email", "authority", "need", "phone"]


def _closed(crm):
    return crm.outcomes[crm.outcomes["outcome"].isin(["lost", "churned"])].set_index("lead_id")["occurred_at"]


def test_nothing_is_recorded_before_it_happens_or_after_the_end(crm):
    """Two clocks: what is recorded later has happened before, and the export holds what was recorded by its day."""
    end = pd.Timestamp("2026-01-01", tz="UTC")
    for table, happened in ((crm.activities, "occurred_at"), (crm.outcomes, "occurred_at"), (crm.leads, "valid_from")):
        assert (table["recorded_at"] >= table[happened]).all()
        assert table["recorded_at"].max() < end
    assert {str(table["recorded_at"].dtype) for table in (crm.leads, crm.activities, crm.outcomes)} == {
        "datetime64[us, UTC]"
    }


def test_late_records_are_of_some_kinds_and_not_too_late(crm):
    """Calls, meetings and webinars come up to 7 days late, customers and churned up to 10, all else at once."""
    for table, name, late, most in (
        (crm.activities, "kind", {"call", "meeting", "webinar"}, 7),
        (crm.outcomes, "outcome", {"customer", "churned"}, 10),
    ):
        days = table["recorded_at"].dt.normalize() - table["occurred_at"].dt.normalize()
        assert set(table.loc[days > 0 * DAY, name]) == late
        assert days.max() == most * DAY
        assert (table["recorded_at"] == table["occurred_at"])[~table[name].isin(late)].all()


def test_a_lead_acts_from_the_day_it_comes_until_it_is_closed(crm):
    """Nothing happens to a lead before it is created, nor after it is lost or churned."""
    created = crm.leads.groupby("lead_id")["created_at"].first()
    closed = _closed(crm)
    assert closed.index.is_unique
    assert len(closed) > 1000
    for table in (crm.activities, crm.outcomes):
        assert (table["occurred_at"] >= table["lead_id"].map(created)).all()
        assert not (table["occurred_at"] > table["lead_id"].map(closed)).any()
    assert not (crm.leads["valid_from"] > crm.leads["lead_id"].map(closed)).any()


def test_outcomes_follow_the_funnel(crm):
    """Every outcome is a legal next one, at most one a day, with a reason where there is one to give."""
    outcomes = crm.outcomes
    before = outcomes.groupby("lead_id")["outcome"].shift(fill_value="lead")
    assert {(a, b) for a, b in zip(before, outcomes["outcome"], strict=True) if b not in WAYS[a]} == set()
    day = outcomes["occurred_at"].dt.normalize()
    assert (day.groupby(outcomes["lead_id"]).diff().dropna() >= DAY).all()
    assert (outcomes["reason"].notna() == outcomes["outcome"].isin(["rejected", "lost"])).all()
    assert set(outcomes["outcome"]) == {*WAYS, "lost", "churned"} - {"lead"}


def test_a_later_state_of_a_lead_has_another_timeline_and_perhaps_a_budget(crm):
    """The first row holds from creation; a later one comes with a form, has a timeline, may fill the budget."""
    leads = crm.leads
    again = leads["lead_id"].duplicated()
    assert 0.05 < again.mean() < 0.5
    assert (leads["valid_from"] == leads["created_at"])[~again].all()
    assert (leads.groupby("lead_id")["valid_from"].diff().dropna() > 0 * DAY).all()
    assert not leads.drop_duplicates(["lead_id", *PERSON])["lead_id"].duplicated().any()
    assert leads.loc[again, "timeline"].notna().all()
    before = leads.groupby("lead_id")["budget"].shift()[again]
    assert (before.isna() | (before == leads.loc[again, "budget"])).all()
    filled = before.isna() & leads.loc[again, "budget"].notna()
    assert filled.any()
    forms = crm.activities[crm.activities["kind"].isin(["form", "demo_request"])]
    said = pd.MultiIndex.from_frame(forms[["lead_id", "occurred_at"]])
    restated = pd.MultiIndex.from_frame(leads.loc[again, ["lead_id", "valid_from"]])
    assert restated.isin(said).all()
    assert restated.isin(said[forms["kind"] == "demo_request"]).any()


def test_people_of_an_account_share_its_attributes(crm):
    """Industry, employees, country and technology are the firm's; so is the domain, unless the mail is free."""
    leads = crm.leads.drop_duplicates("lead_id")
    assert 1.5 < leads.groupby("account_id").size().mean() < 4
    assert not leads.drop_duplicates(["account_id", *FIRM])["account_id"].duplicated().any()
    domain = leads["email"].str.split("@").str[1]
    at_firm = domain.str.endswith(".example")
    assert 0.05 < (~at_firm).mean() < 0.3
    assert domain[at_firm].groupby(leads["account_id"]).nunique().max() == 1
    assert leads["email"].is_unique
    assert all(re.fullmatch(r"[a-z]+@[a-z.]+", email) for email in leads["email"])


def test_what_is_blank_and_what_is_given_speak_of_interest(crm):
    """Leads that become SQL had left fewer answers blank, and had named a nearer timeline."""
    leads = crm.leads.drop_duplicates("lead_id")
    won = leads["lead_id"].isin(crm.outcomes.loc[crm.outcomes["outcome"] == "sql", "lead_id"])
    for question in ("budget", "authority", "need", "timeline", "phone"):
        assert leads.loc[won, question].isna().mean() < leads.loc[~won, question].isna().mean() - 0.05
    soon = leads["timeline"].dropna() == "this quarter"
    assert soon[won].mean() > 1.4 * soon[~won].mean()


def test_the_world_is_about_as_busy_and_as_fertile_as_it_should_be(crm):
    """About 30 acts a lead; 8 to 12% of leads reach SQL, 3 to 6% buy, 10 to 25% of customers leave within a year."""
    first = crm.outcomes.pivot_table(index="lead_id", columns="outcome", values="occurred_at", aggfunc="min")
    created = crm.leads.groupby("lead_id")["created_at"].first()
    old = created[created < pd.Timestamp("2025-01-01", tz="UTC")].index
    reached = first.reindex(old)
    assert 20 < len(crm.activities) / len(created) < 40
    assert 0.08 < reached["sql"].notna().mean() < 0.12
    assert 0.03 < reached["customer"].notna().mean() < 0.06
    bought = first["customer"].dropna()
    bought = bought[bought < pd.Timestamp("2024-12-20", tz="UTC")]
    left = first["churned"].reindex(bought.index) - bought < 365 * DAY
    assert 0.10 < left.mean() < 0.25
    assert set(crm.activities["kind"]) == set(KINDS)
    weekend = crm.activities["occurred_at"].dt.day_of_week >= 5
    assert 0.05 < weekend.mean() < 0.2


def test_truth_is_asked_about_the_population_alone_on_mondays(crm):
    """By what is recorded, the rows are just the leads of the target's population that have not in fact reached it."""
    truth, outcomes = crm.truth, crm.outcomes
    assert ((truth["probability"] > 0) & (truth["probability"] < 1)).all()
    assert not truth.duplicated(["lead_id", "as_of", "target"]).any()
    assert (truth["as_of"].dt.day_of_week == 0).all()
    assert (truth["as_of"].dt.normalize() == truth["as_of"]).all()
    created = crm.leads.groupby("lead_id")["created_at"].first()
    for as_of in pd.to_datetime(["2024-01-08", "2024-09-02", "2025-06-16"]).tz_localize("UTC"):
        happened = outcomes[outcomes["occurred_at"] < as_of]
        known = happened[happened["recorded_at"] <= as_of]
        newest = known.groupby("lead_id")["outcome"].last().reindex(created[created < as_of].index).fillna("lead")
        for target in TARGETS:
            names = _population(target.name)
            reached = set(happened.loc[happened["outcome"] == target.name, "lead_id"])
            expected = set(newest[newest.isin(names)].index) - reached
            rows = truth[(truth["as_of"] == as_of) & (truth["target"] == target.name)]
            assert set(rows["lead_id"]) == expected


def _population(target):
    return {
        "sql": ["lead", "mql", "sal"],
        "customer": ["lead", "mql", "sal", "sql", "opportunity"],
        "churned": ["customer"],
    }[target]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_came_of_it_is_what_the_outcomes_say(crm, target):
    """``reached`` is whether the outcome is dated within the horizon, and null where that cannot be known yet."""
    truth = crm.truth[crm.truth["target"] == target.name]
    until = truth["as_of"] + target.horizon * DAY
    observed = until <= pd.Timestamp("2026-01-01", tz="UTC")
    assert (truth["reached"].notna() == observed).all()
    dates = crm.outcomes[crm.outcomes["outcome"] == target.name].set_index("lead_id")["occurred_at"]
    date = truth["lead_id"].map(dates)
    settled = observed & (until <= pd.Timestamp("2025-12-20", tz="UTC"))  # later ones may not be recorded yet
    said = (date >= truth["as_of"]) & (date < until)
    assert (truth.loc[settled, "reached"].astype(bool) == said[settled]).all()
    assert np.ptp(said[settled].astype(int)) == 1
