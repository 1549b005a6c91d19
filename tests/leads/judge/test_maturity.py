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
from leadml.leads.judge.maturity import AGES, conversions_by_age, judge_dates
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
    """Leads that were observed to an age, and those of them that had reached the target before it."""
    leads = pd.read_parquet(simulated_crm / "leads.parquet").groupby("lead_id")["created_at"].min()
    outcomes = pd.read_parquet(simulated_crm / "outcomes.parquet")
    hits = outcomes[outcomes["outcome"].isin(["sql", "opportunity", "customer", "evangelist"])]
    first = hits.groupby("lead_id")["occurred_at"].min()
    came_at, reached = (dict(zip(some.index, micros(some).tolist(), strict=True)) for some in (leads, first))
    expected = []
    for days in AGES:
        old = [(lead, came) for lead, came in came_at.items() if came + days * DAY <= day(number)]
        won = [lead for lead, came in old if lead in reached and reached[lead] < came + days * DAY]
        if old:
            expected.append({"days": days, "leads": len(old), "reached": len(won), "share": len(won) / len(old)})

    assert conversions_by_age(view, reached_at(view), day(number)) == expected


def test_a_share_does_not_depend_on_the_leads_that_are_too_young(view: AsOfView) -> None:
    """Fewer leads are observed to a higher age, and the ages that none has are left out."""
    rows = conversions_by_age(view, reached_at(view), day(244))

    assert [row["days"] for row in rows] == [age for age in AGES if age <= 244]
    counts = [row["leads"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert conversions_by_age(view, reached_at(view), day(0)) == []


def test_young_leads_are_unknown(tmp_path: Path) -> None:
    """A lead of yesterday is in no row, though it has not converted."""
    leads = [("a", 0, 1.0), ("b", 0, 1.0), ("c", 29, 1.0)]
    write_tables(tmp_path, **small_tables(leads, [("a", 1, "visit")], [("a", 10, "customer")]))
    with open_view(tmp_path, small()) as view:
        rows = conversions_by_age(view, reached_at(view), day(30))

    assert [(row["days"], row["leads"], row["reached"]) for row in rows] == [(7, 2, 0), (14, 2, 1), (30, 2, 1)]


@pytest.mark.parametrize(("late", "severity"), [(0, "passed"), (5, "passed"), (6, "warn")])
def test_many_late_records_are_a_warning(view: AsOfView, late: int, severity: str) -> None:
    """More than a twentieth of the conversions came after the label was due: settling is too short."""
    findings = {finding.code: finding for finding in judge_dates(view, {**COUNTS, "late": late}, _contract())}

    assert findings["DT2"].severity == severity
    assert f"{late} labels count as negative though" in findings["DT2"].evidence
    assert findings["DT2"].remedy == ("raise the target's settling, 0 days now" if severity == "warn" else "")


def test_where_nobody_converted_one_late_record_is_a_warning(view: AsOfView) -> None:
    """No division by none."""
    counts = {**COUNTS, "converted": 0, "late": 1}

    assert {f.code: f.severity for f in judge_dates(view, counts, _contract())}["DT2"] == "warn"


def test_what_is_left_out_is_counted(view: AsOfView) -> None:
    """Looks that are mature, usable, drawn and immature, and the days that must pass."""
    finding = judge_dates(view, COUNTS, _contract())[0]

    assert (finding.code, finding.severity) == ("DT1", "passed")
    assert str(finding) == (
        "DT1 1,000 looks are mature, 500 of them on a side of the split, and 400 of those are drawn; 7 are left out, "
        "because 30 + 0 days have not passed"
    )


def test_attributes_without_a_history_are_a_warning(view: AsOfView) -> None:
    """They are those of the export; no attributes, no warning."""
    contract = _contract()
    without = replace(contract, valid_from=None)
    bare = replace(without, fields=tuple(field for field in contract.fields if field.source == "activity"))

    assert "DT3" not in {finding.code for finding in judge_dates(view, COUNTS, contract)}
    assert "DT3" not in {finding.code for finding in judge_dates(view, COUNTS, bare)}
    warned = next(finding for finding in judge_dates(view, COUNTS, without) if finding.code == "DT3")
    assert warned.severity == "warn"
    assert "those of the export, not those of the look; declare sources.leads.valid_from" in str(warned)


def test_instants_of_tests_are_what_they_say() -> None:
    """Days from the start, back and forth."""
    assert micros(instants([day(1)])).tolist() == [day(0) + DAY]


def _contract() -> Contract:
    return Contract.from_params(Params.model_validate(crm()))
