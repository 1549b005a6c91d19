"""Evidence for the leak gate: changes of fields, when the target was reached, and which activities followed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dated import KINDS, crm, day, instants, micros, open_view, small, small_tables, write_tables

from leadml.leads.asof.view import AsOfView
from leadml.leads.check.contract import Contract
from leadml.leads.judge.leak_evidence import (
    NEVER,
    activity_counts,
    conversions,
    field_changes,
    future_counts,
    reached_at,
    repeated_activities,
)
from leadml.params import Params


@pytest.fixture(scope="module")
def view(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of the simulated leads; the target is sql."""
    sources = {name: {**some, "path": str(simulated_crm / some["path"])} for name, some in crm()["sources"].items()}
    with open_view(tmp_path_factory.mktemp("view"), crm(sources=sources), target="sql") as opened:
        yield opened


def _contract() -> Contract:
    return Contract.from_params(Params.model_validate(crm()))


def _first(simulated: Path) -> dict[str, int]:
    outcomes = pd.read_parquet(simulated / "outcomes.parquet")
    reaching = outcomes[outcomes["outcome"].isin(["sql", "opportunity", "customer", "evangelist"])]
    first = reaching.groupby("lead_id")["occurred_at"].min()
    return dict(zip(first.index, micros(first).tolist(), strict=True))


def test_a_lead_reached_the_target_at_its_first_outcome_that_counts(view: AsOfView, simulated_crm: Path) -> None:
    """Leads that reached it are there once, the others not at all."""
    expected = _first(simulated_crm)
    found = reached_at(view)

    assert found.tolist() == [expected.get(lead, NEVER) for lead in view.history.lead_ids]
    table = conversions(view.history, found)
    assert dict(zip(table["lead_id"], table["occurred_at"], strict=True)) == expected


def test_every_change_of_a_field_has_its_instant(view: AsOfView, simulated_crm: Path) -> None:
    """From missing to filled, to another value, and back; an equal value is no change."""
    leads = pd.read_parquet(simulated_crm / "leads.parquet").sort_values(["lead_id", "valid_from"], kind="stable")
    now, before = leads.iloc[1:].reset_index(drop=True), leads.iloc[:-1].reset_index(drop=True)
    same = now["lead_id"] == before["lead_id"]
    changed = same & (now["budget"].notna() != before["budget"].notna())
    changes = field_changes(view.history, _contract())
    filled = changes[changes["field"] == "budget_given"]

    assert len(filled) > 10
    assert sorted(zip(filled["lead_id"], filled["changed_at"], strict=True)) == sorted(
        zip(now.loc[changed, "lead_id"], micros(now.loc[changed, "valid_from"]).tolist(), strict=True)
    )
    assert not {"source", "email_domain", "country_code"} & set(changes["field"])


def test_a_number_that_becomes_missing_or_known_is_a_change(tmp_path: Path) -> None:
    """From missing to missing is none."""
    sizes = [1.0, 1.0, np.nan, np.nan, 2.0, 3.0]
    made = small_tables([("a", 0, size) for size in sizes], [("a", 1, "visit")], [("a", 9, "customer")])
    made["leads"]["valid_from"] = instants([day(number) for number in range(6)])
    write_tables(tmp_path, **made)
    choices = small()
    choices["sources"]["leads"]["valid_from"] = "valid_from"
    with open_view(tmp_path, choices) as opened:
        changes = field_changes(opened.history, Contract.from_params(Params.model_validate(choices)))

    assert changes["changed_at"].tolist() == [day(2), day(4), day(5)]


def test_without_a_history_there_is_no_table_of_changes(view: AsOfView, tmp_path: Path) -> None:
    """It is None, which differs from a table without rows."""
    assert field_changes(view.history, Contract(_contract().fields, "lead_id")) is None


def test_a_history_of_leads_without_attributes_has_no_changes(tmp_path: Path) -> None:
    """Where only activities are used there is no field that could have changed."""
    made = small_tables([("a", 0, 1.0), ("b", 0, 1.0)], [("a", 1, "visit")], [("a", 9, "customer")])
    made["leads"]["valid_from"] = made["leads"]["created_at"]
    write_tables(tmp_path, **made)
    choices = small(features={"activities": {"kinds": {"visit": "visits"}}})
    choices["sources"]["leads"]["valid_from"] = "valid_from"
    with open_view(tmp_path, choices) as opened:
        changes = field_changes(opened.history, Contract.from_params(Params.model_validate(choices)))

    assert changes is None


def test_activities_are_counted_by_kind_and_by_their_instants(view: AsOfView, simulated_crm: Path) -> None:
    """All of them, those recorded before they occurred, and those after the target was reached."""
    activities = pd.read_parquet(simulated_crm / "activities")
    first = activities["lead_id"].map(_first(simulated_crm)).fillna(float(NEVER))
    after = micros(activities["occurred_at"]) > first.to_numpy()
    table = activity_counts(view, reached_at(view)).set_index("kind")

    assert tuple(table.index) == KINDS
    for kind in KINDS:
        of_kind = activities["kind"] == kind
        assert table.loc[kind].tolist() == [int(of_kind.sum()), 0, int((of_kind & after).sum())]


def test_an_activity_recorded_before_it_occurred_is_counted(tmp_path: Path) -> None:
    """A planned meeting is recorded before it takes place."""
    made = small_tables([("a", 0, 1.0)], [("a", 5, "visit"), ("a", 6, "visit")], [("a", 9, "customer")])
    made["activities"]["recorded_at"] = instants([day(4), day(6)])
    write_tables(tmp_path, **made)
    choices = small()
    choices["sources"]["activities"]["recorded_at"] = "recorded_at"
    with open_view(tmp_path, choices) as opened:
        table = activity_counts(opened, reached_at(opened))

    assert table.to_numpy().tolist() == [["visit", 2, 1, 0], ["demo", 0, 0, 0]]


@pytest.mark.parametrize("seed", [0, 1])
def test_future_counts_are_those_of_a_plain_loop(view: AsOfView, simulated_crm: Path, seed: int) -> None:
    """A window begins at the instant of the snapshot, its end is not in it; if not yet observed it is missing."""
    activities = pd.read_parquet(simulated_crm / "activities")
    activities["at"] = micros(activities["occurred_at"])
    random = np.random.default_rng(seed)
    snapshots = pd.DataFrame(
        {
            "lead_id": random.choice(view.history.lead_ids, 60, replace=False),
            "as_of": [day(int(number)) for number in random.integers(10, 200, 60)],
        }
    )
    until = day(190)
    found = future_counts(view, snapshots, observed_until=until).set_index(["lead_id", "as_of"])
    by_lead = dict(list(activities.groupby("lead_id")))
    total = 0
    for (lead, as_of), row in found.iterrows():
        own = by_lead.get(lead, activities.iloc[:0])
        for kind in KINDS:
            for days in (7, 30):
                end = as_of + days * (day(1) - day(0))
                expected = ((own["kind"] == kind) & (own["at"] >= as_of) & (own["at"] < end)).sum()
                total += int(expected)
                count = row[f"{kind}_{days}d"]
                assert count == expected if end <= until else np.isnan(count)
    assert total > 20


def test_activities_with_the_same_values_are_repeated(tmp_path: Path) -> None:
    """Another kind, instant or lead is not repeated, and leads without activities are not there."""
    visits = [
        ("a", 1, "visit"),
        ("a", 1, "visit"),
        ("a", 1, "visit"),
        ("a", 1, "demo"),
        ("b", 1, "visit"),
        ("b", 2, "visit"),
    ]
    made = small_tables([(name, 0, 1.0) for name in "abc"], visits, [("a", 9, "customer")])
    write_tables(tmp_path, **made)
    with open_view(tmp_path, small()) as opened:
        found = repeated_activities(opened, reached_at(opened))

    assert found.to_dict("list") == {"rows": [4, 2], "repeated": [2, 0], "converted": [1, 0]}
