from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from leadml.simulator import market
from leadml.simulator.crm_tables import (
    TRUTH_SCHEMA,
    activities_table,
    email_addresses,
    instants,
    lead_ids,
    leads_table,
    outcomes_table,
    sample_activity_seconds,
    truth_table,
)
from leadml.simulator.lead_attributes import sample_leads
from leadml.simulator.paths import simulate_paths
from leadml.simulator.truth import TargetProbabilities
from leadml.simulator.world import KINDS, TARGETS, standard_world

DAY = pd.Timedelta(days=1)
WORLD = standard_world(150)
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


@pytest.fixture(scope="module")
def chunk():
    """Return 800 leads, their paths, and the seconds of their activities."""
    attributes = sample_leads(WORLD, 800, np.random.default_rng(1))
    paths = simulate_paths(WORLD, attributes, np.random.default_rng(2))
    return attributes, paths, sample_activity_seconds(paths, np.random.default_rng(3))


def test_ids_number_the_leads_of_all_chunks():
    """The first of a chunk follows the last of the one before."""
    assert lead_ids(0, 2).to_pylist() + lead_ids(2, 1).to_pylist() == lead_ids(0, 3).to_pylist()
    assert lead_ids(7, 0).to_pylist() == []


def test_instants_are_seconds_from_the_start():
    """A day later is a day later, in UTC and to the microsecond."""
    found = instants(np.array([0, 86_400, 31_622_400]))

    assert str(found.type) == "timestamp[us, tz=UTC]"
    assert [value.isoformat() for value in found.to_pylist()] == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-02T00:00:00+00:00",
        "2025-01-01T00:00:00+00:00",
    ]


def test_activities_have_a_second_of_their_day(chunk):
    """The same for a seed."""
    _, paths, seconds = chunk

    assert (seconds // 86_400 == paths.activities.day).all()
    assert np.array_equal(sample_activity_seconds(paths, np.random.default_rng(3)), seconds)


def test_a_table_of_leads_has_a_row_for_each_creation_and_restatement(chunk):
    """A chunk that begins at another number has the same rows with other ids, accounts and addresses."""
    attributes, paths, seconds = chunk
    one, other = (leads_table(attributes, paths, seconds, first=first).to_pandas() for first in (0, 5000))

    assert len(one) == 800 + len(paths.restatements.lead)
    assert one["lead_id"].nunique() == 800
    assert one["created_at"].is_monotonic_increasing
    names = ["lead_id", "account_id", "email"]
    assert not (one[names] == other[names]).any(axis=None)
    pd.testing.assert_frame_equal(one.drop(columns=names), other.drop(columns=names))


def test_addresses_of_leads_of_one_account_share_its_domain_unless_the_mail_is_free(chunk):
    """A different number has a different name."""
    attributes, _, _ = chunk
    addresses = email_addresses(attributes, first=0).to_pylist()
    domains = np.array([address.split("@")[1] for address in addresses])
    is_free = attributes.free_mail >= 0

    assert len(set(addresses)) == 800
    assert set(domains[is_free]) <= set(market.FREE_MAIL)
    account = attributes.account[~is_free]
    assert len(set(zip(account.tolist(), domains[~is_free], strict=True))) == len(set(account.tolist()))
    assert len(set(domains[~is_free])) == len(set(account.tolist()))


def test_tables_hold_only_what_is_recorded_by_the_end(chunk):
    """In the order of leads and time; what would be recorded later is left out."""
    attributes, paths, seconds = chunk
    tables = [
        activities_table(WORLD, attributes, paths, seconds, first=0, rng=np.random.default_rng(4)).to_pandas(),
        outcomes_table(WORLD, attributes, paths, first=0, rng=np.random.default_rng(4)).to_pandas(),
    ]
    by_form = np.isin(np.array(market.SOURCES)[attributes.source], ["organic", "paid_search"]).sum()
    in_time = [(events.day + events.lag < WORLD.days).sum() for events in (paths.activities, paths.transitions)]

    assert len(tables[0]) < by_form + len(paths.activities.day)
    for table, size in zip(tables, (in_time[0] + by_form, in_time[1]), strict=True):
        assert len(table) == size
        assert table["recorded_at"].max() < pd.Timestamp("2024-01-01", tz="UTC") + 150 * DAY
        assert table[["lead_id", "occurred_at"]].equals(
            table[["lead_id", "occurred_at"]].sort_values(["lead_id", "occurred_at"], kind="stable")
        )
    assert set(tables[0]["channel"]) <= set(market.CHANNELS)


def test_the_truth_of_a_horizon_that_is_not_over_is_null():
    """Rows keep their order, and a probability is written as it is."""
    rows = TargetProbabilities(
        lead=np.array([0, 2, 2]),
        snapshot_day=np.array([7, 7, 14]),
        target=np.array([0, 1, 2]),
        probability=np.array([0.25, 1e-9, 0.5]),
        reached=np.array([1, 0, -1]),
    )
    table = truth_table(rows, first=10)

    assert table.schema == TRUTH_SCHEMA
    assert table["lead_id"].to_pylist() == ["L00000010", "L00000012", "L00000012"]
    assert table["target"].to_pylist() == ["sql", "customer", "churned"]
    assert table["probability"].to_pylist() == [0.25, 1e-9, 0.5]
    assert table["reached"].to_pylist() == [True, False, None]
    assert str(table["as_of"][2]) == "2024-01-15 00:00:00+00:00"
