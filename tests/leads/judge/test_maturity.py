"""When labels are known and how long conversions take: young leads are unknown, never negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import crm, day, instants, micros, open_view, small, small_tables, write_tables

from leadml.leads.asof.view import AsOfView
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import Contract
from leadml.leads.judge.findings import Finding, Severity
from leadml.leads.judge.leak_evidence import reached_at
from leadml.leads.judge.maturity import AGES, ReachedByAge, conversions_by_age, judge_dates
from leadml.params import Params

COUNTS = {"mature": 9000, "usable": 8000, "drawn": 7000, "immature": 6000, "converted": 2000, "late": 1234}
MATURE = Finding(
    "DT1",
    "passed",
    (
        "9,000 snapshots are mature, 8,000 of them are in a part of the split, and 7,000 of those are drawn; 6,000 are "
        "left out, because 14 + 3 days (horizon + settling) have not passed"
    ),
)
LATE = Finding(
    "DT2",
    "warn",
    "1,234 labels count as negative though a conversion was recorded later",
    "raise the target's settling, which is 3 days now",
)
NO_HISTORY = Finding(
    "DT3",
    "warn",
    "leads have one row each, so attributes are those of the export, not those at the snapshot",
    "declare sources.leads.valid_from, or leave out what is filled in later",
)


@pytest.fixture(scope="module")
def view(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of the simulated leads; the target is sql."""
    sources = {name: {**some, "path": str(simulated_crm / some["path"])} for name, some in crm()["sources"].items()}
    with open_view(tmp_path_factory.mktemp("view"), crm(sources=sources), target="sql") as opened:
        yield opened


@pytest.mark.parametrize("number", [100, 200, 244])
def test_the_table_is_what_a_plain_loop_counts(view: AsOfView, simulated_crm: Path, number: int) -> None:
    """For each age: leads that were observed to it, and those of them that had reached the target before it."""
    leads = pd.read_parquet(simulated_crm / "leads.parquet").groupby("lead_id")["created_at"].min()
    outcomes = pd.read_parquet(simulated_crm / "outcomes.parquet")
    reaching = outcomes[outcomes["outcome"].isin(["sql", "opportunity", "customer", "evangelist"])]
    first = reaching.groupby("lead_id")["occurred_at"].min()
    created_at, reached = (dict(zip(some.index, micros(some).tolist(), strict=True)) for some in (leads, first))
    expected = []
    for days in AGES:
        old = [(lead, created) for lead, created in created_at.items() if created + days * DAY <= day(number)]
        won = [lead for lead, created in old if lead in reached and reached[lead] < created + days * DAY]
        if old:
            expected.append((ReachedByAge(days, len(old), len(won)), len(won) / len(old)))

    found = conversions_by_age(view, reached_at(view), day(number))
    assert [(row, row.share) for row in found] == expected


def test_an_age_counts_only_leads_that_were_observed_to_it(view: AsOfView) -> None:
    """Fewer leads are observed to a higher age, and the ages that none has are left out."""
    rows = conversions_by_age(view, reached_at(view), day(244))

    assert [row.days for row in rows] == [age for age in AGES if age <= 244]
    counts = [row.leads for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert conversions_by_age(view, reached_at(view), day(0)) == ()


def test_young_leads_are_unknown(tmp_path: Path) -> None:
    """A lead of yesterday counts at no age, though it has not converted."""
    leads = [("a", 0, 1.0), ("b", 0, 1.0), ("c", 29, 1.0)]
    write_tables(tmp_path, **small_tables(leads, [("a", 1, "visit")], [("a", 10, "customer")]))
    with open_view(tmp_path, small()) as view:
        rows = conversions_by_age(view, reached_at(view), day(30))

    assert [(row.days, row.leads, row.reached) for row in rows] == [(7, 2, 0), (14, 2, 1), (30, 2, 1)]


@pytest.fixture(scope="module")
def small_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of four leads, two of which became customers; labels are known after 14 + 3 days."""
    leads = [("a", 0, 1.0), ("b", 0, 1.0), ("c", 16, 1.0), ("d", 17, 1.0)]
    tables = small_tables(leads, [("a", 1, "visit")], [("a", 14, "customer"), ("b", 6, "customer")])
    folder = write_tables(tmp_path_factory.mktemp("small"), **tables)
    target = {"outcome": "customer", "horizon": 14, "settling": 3}
    with open_view(folder, small(targets={"won": target})) as opened:
        yield opened


def test_a_conversion_counts_before_the_age_and_a_lead_from_the_age_on(small_view: AsOfView) -> None:
    """A conversion on the day itself is too late by an instant, and a lead of just that age was observed to it."""
    rows = conversions_by_age(small_view, reached_at(small_view), day(30))

    assert rows == (ReachedByAge(7, 4, 1), ReachedByAge(14, 3, 1), ReachedByAge(30, 2, 2))
    assert [row.share for row in rows] == [1 / 4, 1 / 3, 1.0]


@pytest.mark.parametrize(
    ("converted", "late", "severity"),
    [
        (2000, 100, "passed"),
        (2000, 101, "warn"),
        (20, 1, "passed"),
        (20, 2, "warn"),
        (1, 1, "warn"),
        (0, 0, "passed"),
        (0, 1, "warn"),
    ],
)
def test_more_late_records_than_a_twentieth_of_the_conversions_are_a_warning(
    small_view: AsOfView, converted: int, late: int, severity: Severity
) -> None:
    """Settling is too short then; where no lead converted, one late record is too many."""
    evidence = f"{late} labels count as negative though a conversion was recorded later"
    remedy = "raise the target's settling, which is 3 days now" if severity == "warn" else ""

    assert judge_dates(small_view, {**COUNTS, "converted": converted, "late": late}, _contract()) == [
        MATURE,
        Finding("DT2", severity, evidence, remedy),
    ]


@pytest.mark.parametrize(
    ("valid_from", "source", "expected"),
    [
        (None, "column", [MATURE, LATE, NO_HISTORY]),
        (None, "activity", [MATURE, LATE]),
        ("valid_from", "column", [MATURE, LATE]),
        ("valid_from", "activity", [MATURE, LATE]),
    ],
)
def test_attributes_without_a_history_are_a_warning(
    small_view: AsOfView, valid_from: str | None, source: str, expected: list[Finding]
) -> None:
    """Their values are those of the export; without attributes there is no warning."""
    contract = _contract()
    fields = tuple(field for field in contract.fields if field.source == source)

    assert fields
    assert judge_dates(small_view, COUNTS, replace(contract, valid_from=valid_from, fields=fields)) == expected


def test_instants_of_tests_are_converted_back_and_forth() -> None:
    """A day after the start is a day of microseconds more."""
    assert micros(instants([day(1)])).tolist() == [day(0) + DAY]


def _contract() -> Contract:
    return Contract.from_params(Params.model_validate(crm()))
