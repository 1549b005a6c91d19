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
from leadml.leads.judge.leak_evidence import reached_at
from leadml.leads.judge.maturity import AGES, ReachedByAge, conversions_by_age, judge_dates
from leadml.params import Params

COUNTS = {"mature": 1000, "converted": 100, "late": 0, "immature": 7, "usable": 500, "drawn": 400}


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


@pytest.mark.parametrize(("late", "severity"), [(0, "passed"), (5, "passed"), (6, "warn")])
def test_many_late_records_are_a_warning(view: AsOfView, late: int, severity: str) -> None:
    """More than a twentieth of the conversions was recorded after the label was due, so settling is too short."""
    findings = {finding.code: finding for finding in judge_dates(view, {**COUNTS, "late": late}, _contract())}

    assert findings["DT2"].severity == severity
    assert f"{late} labels count as negative though" in findings["DT2"].evidence
    assert findings["DT2"].remedy == ("raise the target's settling, which is 0 days now" if severity == "warn" else "")


def test_where_no_lead_converted_one_late_record_is_a_warning(view: AsOfView) -> None:
    """There is no division by zero."""
    counts = {**COUNTS, "converted": 0, "late": 1}

    assert {f.code: f.severity for f in judge_dates(view, counts, _contract())}["DT2"] == "warn"


def test_snapshots_that_are_left_out_are_counted(view: AsOfView) -> None:
    """The finding counts mature, usable, drawn and immature snapshots, and names the days that must pass."""
    finding = judge_dates(view, COUNTS, _contract())[0]

    assert (finding.code, finding.severity) == ("DT1", "passed")
    assert str(finding) == (
        "DT1 1,000 snapshots are mature, 500 of them are in a part of the split, and 400 of those are drawn; 7 are "
        "left out, because 30 + 0 days (horizon + settling) have not passed"
    )


def test_attributes_without_a_history_are_a_warning(view: AsOfView) -> None:
    """Their values are those of the export; without attributes there is no warning."""
    contract = _contract()
    without = replace(contract, valid_from=None)
    bare = replace(without, fields=tuple(field for field in contract.fields if field.source == "activity"))

    assert "DT3" not in {finding.code for finding in judge_dates(view, COUNTS, contract)}
    assert "DT3" not in {finding.code for finding in judge_dates(view, COUNTS, bare)}
    warned = next(finding for finding in judge_dates(view, COUNTS, without) if finding.code == "DT3")
    assert warned.severity == "warn"
    assert "those of the export, not those at the snapshot; declare sources.leads.valid_from" in str(warned)


def test_instants_of_tests_are_converted_back_and_forth() -> None:
    """A day after the start is a day of microseconds more."""
    assert micros(instants([day(1)])).tolist() == [day(0) + DAY]


def _contract() -> Contract:
    return Contract.from_params(Params.model_validate(crm()))
