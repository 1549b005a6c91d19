"""What is told of machines: how many acts are theirs, by which rule, and what could not be judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.dated import day, instants, open_view, small, small_tables, write_tables

from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.machines import judge_machines

LEADS = [("a", 0, 1.0), ("b", 1, 2.0)]
ACTS = [("a", 3, "visit"), ("a", 4, "demo"), ("b", 5, "demo"), ("b", 6, "visit"), ("b", 7, "sent")]
AGENTS = ["Firefox", None, "GoogleBot", "Firefox", None]
MACHINES = {"mail": ["visit"], "delivered": ["sent"]}


def choices(machines: dict[str, Any] | None, **columns: str) -> dict[str, Any]:
    """Return the choices of small tables with rules for machines."""
    made = small()
    made["features"]["activities"]["machines"] = machines
    made["sources"]["activities"] |= columns
    return made


def write(folder: Path) -> None:
    """Write tables in which one demo is a bot's."""
    tables = small_tables(LEADS, ACTS, [("a", 9, "customer")])
    mails = [f"m{number}" for number in range(len(ACTS))]
    write_tables(folder, **{**tables, "activities": tables["activities"].assign(agent=AGENTS, mail=mails)})


def judged(folder: Path, machines: dict[str, Any] | None, **columns: str) -> Finding:
    """Return the finding."""
    write(folder)
    with open_view(folder, choices(machines, **columns)) as view:
        return judge_machines(view)


def test_what_is_found_is_counted_by_its_rule(tmp_path: Path) -> None:
    """Deliveries are no acts."""
    finding = judged(tmp_path, MACHINES, agent="agent", message="mail")

    assert finding.severity == "passed"
    assert finding.evidence == (
        "1 of 4 acts are by machines and count in no field (agent or address 1, before or at delivery 0, burst 0, no "
        "pause 0)"
    )


def test_what_has_no_column_is_said(tmp_path: Path) -> None:
    """And what no kind is declared for."""
    nothing, no_kinds = judged(tmp_path / "a", MACHINES), judged(tmp_path / "b", {"hours": None}, agent="agent")

    assert nothing.evidence.endswith(
        "; not judged: agents, because sources.activities.agent names no column; the time of delivery, because "
        "sources.activities.message names no column"
    )
    assert no_kinds.evidence.endswith(
        "; not judged: acts on mails, because machines.mail names no kind; activity without a pause, because "
        "machines.hours is null"
    )


def test_without_rules_nothing_is_judged(tmp_path: Path) -> None:
    """That is said, too."""
    finding = judged(tmp_path, None)
    assert finding.severity == "not applicable"
    assert finding.evidence == "features.activities.machines is not set, so that all acts count as those of people"


def test_many_machines_are_a_warning(tmp_path: Path) -> None:
    """More than half of all acts."""
    assert judged(tmp_path, {"agents": ["fire"], "hours": None}, agent="agent").severity == "passed"
    assert judged(tmp_path / "b", {"agents": ["fire", "bot"], "hours": None}, agent="agent").severity == "warn"


def test_acts_of_machines_and_deliveries_count_in_no_field(tmp_path: Path) -> None:
    """Neither in those of their kind nor in those of all activities; without rules they do."""
    write(tmp_path)
    found = {}
    for name, machines in (("with", MACHINES), ("without", None)):
        with open_view(tmp_path, choices(machines, agent="agent", message="mail")) as view:
            (frame,) = scoring_snapshots(view, day(8))
        found[name] = frame.set_index("lead_id")
    fields = ["visit_30d", "demo_30d", "active_days_30d", "activity_last"]

    assert found["with"].loc["b", fields].tolist() == [1, 0, 1, 1]
    assert found["without"].loc["b", fields].tolist() == [1, 1, 3, 0]
    assert np.array_equal(found["with"].loc["a", fields], found["without"].loc["a", fields])
    assert instants([day(8)])[0].day == 9
