from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from leadml.simulator.world import KINDS, TARGETS

DAY = pd.Timedelta(days=1)
NEXT_OUTCOMES = {
    "lead": {"mql", "lost"},
    "mql": {"sal", "rejected", "lost"},
    "rejected": {"mql", "lost"},
    "sal": {"sql", "lost"},
    "sql": {"opportunity", "lost"},
    "opportunity": {"customer", "lost"},
    "customer": {"churned"},
}
ACCOUNT_COLUMNS = ["industry", "employees", "country", "technology"]
UNCHANGED_COLUMNS = [
    "account_id",
    "created_at",
    "source",
    *ACCOUNT_COLUMNS,
    "job_title",
    "email",
    "authority",
    "need",
    "phone",
]


def _closed_at(crm):
    return crm.outcomes[crm.outcomes["outcome"].isin(["lost", "churned"])].set_index("lead_id")["occurred_at"]


def test_records_follow_their_event_and_end_with_the_simulation(crm):
    """No row is recorded before it occurs, or after the last day of the simulation."""
    end = pd.Timestamp("2026-01-01", tz="UTC")
    for table, instant in ((crm.activities, "occurred_at"), (crm.outcomes, "occurred_at"), (crm.leads, "valid_from")):
        assert (table["recorded_at"] >= table[instant]).all()
        assert table["recorded_at"].max() < end
    assert {str(table["recorded_at"].dtype) for table in (crm.leads, crm.activities, crm.outcomes)} == {
        "datetime64[us, UTC]"
    }


def test_only_some_kinds_are_recorded_late_and_within_their_longest_lag(crm):
    """Calls, meetings and webinars are recorded up to 7 days late, customers and churned up to 10, the rest at once."""
    for table, column, late, longest_lag in (
        (crm.activities, "kind", {"call", "meeting", "webinar"}, 7),
        (crm.outcomes, "outcome", {"customer", "churned"}, 10),
    ):
        days = table["recorded_at"].dt.normalize() - table["occurred_at"].dt.normalize()
        assert set(table.loc[days > 0 * DAY, column]) == late
        assert days.max() == longest_lag * DAY
        assert (table["recorded_at"] == table["occurred_at"])[~table[column].isin(late)].all()


def test_leads_have_events_from_their_creation_until_they_are_closed(crm):
    """No activity, outcome or restatement is dated before the creation of its lead, or after it is lost or churned."""
    created = crm.leads.groupby("lead_id")["created_at"].first()
    closed_at = _closed_at(crm)
    assert closed_at.index.is_unique
    assert len(closed_at) > 1000
    for table in (crm.activities, crm.outcomes):
        assert (table["occurred_at"] >= table["lead_id"].map(created)).all()
        assert not (table["occurred_at"] > table["lead_id"].map(closed_at)).any()
    assert not (crm.leads["valid_from"] > crm.leads["lead_id"].map(closed_at)).any()


def test_outcomes_follow_the_funnel(crm):
    """Each outcome may follow the one before, at most one per day; rejected and lost have a reason, others none."""
    outcomes = crm.outcomes
    previous = outcomes.groupby("lead_id")["outcome"].shift(fill_value="lead")
    assert {(a, b) for a, b in zip(previous, outcomes["outcome"], strict=True) if b not in NEXT_OUTCOMES[a]} == set()
    day = outcomes["occurred_at"].dt.normalize()
    assert (day.groupby(outcomes["lead_id"]).diff().dropna() >= DAY).all()
    assert (outcomes["reason"].notna() == outcomes["outcome"].isin(["rejected", "lost"])).all()
    assert set(outcomes["outcome"]) == {*NEXT_OUTCOMES, "lost", "churned"} - {"lead"}


def test_a_restatement_changes_the_timeline_and_may_fill_the_budget(crm):
    """The first row of a lead is valid from its creation; a later one is dated by a form and has a timeline."""
    leads = crm.leads
    restated = leads["lead_id"].duplicated()
    assert 0.05 < restated.mean() < 0.5
    assert (leads["valid_from"] == leads["created_at"])[~restated].all()
    assert (leads.groupby("lead_id")["valid_from"].diff().dropna() > 0 * DAY).all()
    assert not leads.drop_duplicates(["lead_id", *UNCHANGED_COLUMNS])["lead_id"].duplicated().any()
    assert leads.loc[restated, "timeline"].notna().all()
    previous = leads.groupby("lead_id")["budget"].shift()[restated]
    assert (previous.isna() | (previous == leads.loc[restated, "budget"])).all()
    filled = previous.isna() & leads.loc[restated, "budget"].notna()
    assert filled.any()
    forms = crm.activities[crm.activities["kind"].isin(["form", "demo_request"])]
    form_keys = pd.MultiIndex.from_frame(forms[["lead_id", "occurred_at"]])
    restatement_keys = pd.MultiIndex.from_frame(leads.loc[restated, ["lead_id", "valid_from"]])
    assert restatement_keys.isin(form_keys).all()
    assert restatement_keys.isin(form_keys[forms["kind"] == "demo_request"]).any()


def test_leads_of_an_account_share_its_attributes(crm):
    """Industry, employees, country and technology are the account's; so is the domain, unless the mail is free."""
    leads = crm.leads.drop_duplicates("lead_id")
    assert 1.5 < leads.groupby("account_id").size().mean() < 4
    assert not leads.drop_duplicates(["account_id", *ACCOUNT_COLUMNS])["account_id"].duplicated().any()
    domain = leads["email"].str.split("@").str[1]
    at_account = domain.str.endswith(".example")
    assert 0.05 < (~at_account).mean() < 0.3
    assert domain[at_account].groupby(leads["account_id"]).nunique().max() == 1
    assert leads["email"].is_unique
    assert all(re.fullmatch(r"[a-z]+@[a-z.]+", email) for email in leads["email"])


def test_answers_depend_on_interest(crm):
    """Leads that become SQL left fewer answers blank at creation, and gave a nearer timeline."""
    leads = crm.leads.drop_duplicates("lead_id")
    becomes_sql = leads["lead_id"].isin(crm.outcomes.loc[crm.outcomes["outcome"] == "sql", "lead_id"])
    for question in ("budget", "authority", "need", "timeline", "phone"):
        assert leads.loc[becomes_sql, question].isna().mean() < leads.loc[~becomes_sql, question].isna().mean() - 0.05
    soon = leads["timeline"].dropna() == "this quarter"
    assert soon[becomes_sql].mean() > 1.4 * soon[~becomes_sql].mean()


def test_activities_and_conversions_are_as_frequent_as_intended(crm):
    """About 30 activities per lead; 8 to 12% reach SQL, 3 to 6% buy, 10 to 25% of customers churn within a year."""
    first = crm.outcomes.pivot_table(index="lead_id", columns="outcome", values="occurred_at", aggfunc="min")
    created = crm.leads.groupby("lead_id")["created_at"].first()
    mature = created[created < pd.Timestamp("2025-01-01", tz="UTC")].index
    reached = first.reindex(mature)
    assert 20 < len(crm.activities) / len(created) < 40
    assert 0.08 < reached["sql"].notna().mean() < 0.12
    assert 0.03 < reached["customer"].notna().mean() < 0.06
    customer_at = first["customer"].dropna()
    customer_at = customer_at[customer_at < pd.Timestamp("2024-12-20", tz="UTC")]
    churned = first["churned"].reindex(customer_at.index) - customer_at < 365 * DAY
    assert 0.10 < churned.mean() < 0.25
    assert set(crm.activities["kind"]) == set(KINDS)
    weekend = crm.activities["occurred_at"].dt.day_of_week >= 5
    assert 0.05 < weekend.mean() < 0.2


def test_the_truth_has_a_row_for_each_lead_of_the_population_on_each_monday(crm):
    """The rows are the leads that are recorded as in the population and have not in fact reached the target."""
    truth, outcomes = crm.truth, crm.outcomes
    assert ((truth["probability"] > 0) & (truth["probability"] < 1)).all()
    assert not truth.duplicated(["lead_id", "as_of", "target"]).any()
    assert (truth["as_of"].dt.day_of_week == 0).all()
    assert (truth["as_of"].dt.normalize() == truth["as_of"]).all()
    created = crm.leads.groupby("lead_id")["created_at"].first()
    for as_of in pd.to_datetime(["2024-01-08", "2024-09-02", "2025-06-16"]).tz_localize("UTC"):
        occurred = outcomes[outcomes["occurred_at"] < as_of]
        recorded = occurred[occurred["recorded_at"] <= as_of]
        newest = recorded.groupby("lead_id")["outcome"].last().reindex(created[created < as_of].index).fillna("lead")
        for target in TARGETS:
            population = _population(target.name)
            reached = set(occurred.loc[occurred["outcome"] == target.name, "lead_id"])
            expected = set(newest[newest.isin(population)].index) - reached
            rows = truth[(truth["as_of"] == as_of) & (truth["target"] == target.name)]
            assert set(rows["lead_id"]) == expected


def _population(target):
    return {
        "sql": ["lead", "mql", "sal"],
        "customer": ["lead", "mql", "sal", "sql", "opportunity"],
        "churned": ["customer"],
    }[target]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_reached_agrees_with_the_outcomes(crm, target):
    """``reached`` is whether the outcome is dated within the horizon; it is null where the horizon is not over."""
    truth = crm.truth[crm.truth["target"] == target.name]
    horizon_end = truth["as_of"] + target.horizon * DAY
    mature = horizon_end <= pd.Timestamp("2026-01-01", tz="UTC")
    assert (truth["reached"].notna() == mature).all()
    dates = crm.outcomes[crm.outcomes["outcome"] == target.name].set_index("lead_id")["occurred_at"]
    date = truth["lead_id"].map(dates)
    recorded = mature & (horizon_end <= pd.Timestamp("2025-12-20", tz="UTC"))  # later outcomes may not be recorded yet
    in_horizon = (date >= truth["as_of"]) & (date < horizon_end)
    assert (truth.loc[recorded, "reached"].astype(bool) == in_horizon[recorded]).all()
    assert np.ptp(in_horizon[recorded].astype(int)) == 1
