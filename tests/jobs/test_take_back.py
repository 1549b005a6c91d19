"""What sales give back is stored once, dated, with the hours to the first contact; what is unclear is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.dated import crm, write_params
from tests.stores import rows, silent, write_batch

from leadml.errors import DataError, LeadmlError
from leadml.jobs.acceptance import acceptance, write_outcomes
from leadml.jobs.places import Places
from leadml.jobs.remember import forget
from leadml.jobs.take_back import TakenBack, take_back
from leadml.publish.store.handoffs import add_handoff, due_leads
from leadml.publish.store.opening import writing_alone
from leadml.publish.store.tables import HANDOFFS, OUTCOMES, STAGE_CHANGES

HANDED, NOW = "2026-02-01T10:00:00+00:00", "2026-02-03T00:00:00+00:00"
ACCEPTED = {"lead_id": "7", "outcome": "Accepted", "occurred_at": "2026-02-02", "owner": "ann", "source": "fair"}
REJECTED = {"lead_id": "8", "outcome": "rejected", "occurred_at": "2026-02-02 09:00", "reason": "no budget"}


@pytest.fixture
def project(tmp_path: Path) -> Places:
    """Return a project that handed three leads over, one of whose ids a spreadsheet would run."""
    places = Places.open(write_params(tmp_path, crm()), target="sql")
    with writing_alone(str(places.store_url), silent) as store:
        write_batch(store, tmp_path, "b1", {"7": "MQL", "8": "SQL", "=9": "MQL", "10": "LEAD"})
        add_handoff(store, "sql", due_leads(store, "sql"), file="sales.csv", now=HANDED)
    return places


def _give(project: Places, *given: dict[str, Any], name: str = "filled.csv") -> TakenBack:
    path, frame = project.root / name, pd.DataFrame(list(given))
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return take_back(project, path, now=NOW, progress=silent)


def _stored(project: Places, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    with writing_alone(str(project.store_url), silent) as store:
        return rows(store, table, *columns)


def test_outcomes_are_stored_once_and_move_the_leads(project: Places) -> None:
    """An undecided row is counted; the stage of each lead follows at once."""
    undecided = {"lead_id": "=9", "outcome": "", "occurred_at": ""}
    taken = _give(project, ACCEPTED, REJECTED, undecided)
    again = _give(project, ACCEPTED, REJECTED, undecided)

    assert (taken.outcomes, taken.added, taken.undecided) == ({"rejected": 1, "sal": 1}, 2, 1)
    assert (again.outcomes, again.added) == (taken.outcomes, 0)
    assert _stored(project, OUTCOMES, "lead_id", "occurred_at", "outcome", "reason", "owner", "origin") == [
        ("7", "2026-02-02T00:00:00+00:00", "sal", None, "ann", "fair"),
        ("8", "2026-02-02T09:00:00+00:00", "rejected", "no budget", None, None),
    ]
    changes = _stored(project, STAGE_CHANGES, "lead_id", "stage", "stage_source")
    assert ("7", "SAL", "recorded") in changes
    assert ("8", "IQL", "recycled") in changes


@pytest.mark.parametrize("name", ["filled.csv", "filled.parquet"])
@pytest.mark.parametrize(
    ("contact", "hours"),
    [
        (pd.Timestamp("2026-02-01T12:30:00Z"), 2.5),
        (pd.Timestamp("2026-02-02T13:00:00+01:00"), 26.0),
        (pd.Timestamp("2026-01-31T10:00:00Z"), None),  # before the hand-off: no answer to it
    ],
)
def test_hours_run_from_the_hand_off_to_the_first_contact(
    project: Places, name: str, contact: pd.Timestamp, hours: float | None
) -> None:
    """In any zone, from a text or an instant."""
    taken = _give(project, ACCEPTED | {"first_contact_at": contact}, name=name)

    assert _stored(project, OUTCOMES, "hours_to_contact") == [(hours,)]
    assert taken.contacted_before == (hours is None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"outcome": "maybe"}, r"outcome must be one of accepted, rejected, sal, .*, or empty, got 'maybe'"),
        ({"outcome": "rejected", "reason": " "}, r"reason must say why the lead is rejected, got nothing"),
        ({"outcome": "lost"}, r"outcome must be one of accepted, rejected, sal, .*, or empty, got 'lost'"),
        ({"outcome": ""}, r"outcome must be said where occurred_at is, got nothing"),
        (
            {"lead_id": "8", "occurred_at": "2026-02-02 09:00"},
            r"outcome must be one at one time, got 'rejected' and 'sal'",
        ),
        ({"occurred_at": "2.2.26"}, r"occurred_at must be a date or a time in ISO 8601, got '2.2.26'"),
        ({"occurred_at": "2026-02-04"}, r"occurred_at must not lie in the future, got '2026-02-04'"),
        ({"first_contact_at": "2026-02-02"}, r"first_contact_at must have a time of day, such as 2026-02-02 14:30"),
        ({"first_contact_at": "2026-02-09 10:00"}, r"first_contact_at must not lie in the future"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_and_nothing_is_stored(
    project: Places, changed: dict[str, str], message: str
) -> None:
    """Every fault of the file is named at once, with its line."""
    with pytest.raises(DataError, match=f"^filled.csv:3: {message}"):
        _give(project, REJECTED, ACCEPTED | changed)
    assert _stored(project, OUTCOMES) == []


def test_an_id_that_looks_like_a_formula_comes_back_with_its_mark(project: Places) -> None:
    """CSV for people has the mark, Parquet has none."""
    _give(project, ACCEPTED | {"lead_id": "'=9"})
    _give(project, ACCEPTED | {"lead_id": "=9", "outcome": "sql"}, name="filled.parquet")

    assert _stored(project, OUTCOMES, "lead_id", "outcome") == [("=9", "sal"), ("=9", "sql")]


def test_a_file_without_a_needed_column_is_refused(project: Places) -> None:
    """The other columns may be missing."""
    with pytest.raises(DataError, match=r"filled.csv: must have a column 'occurred_at'"):
        _give(project, {"lead_id": "7", "outcome": "accepted"})


def test_outcomes_are_written_as_the_sources_read_them(project: Places) -> None:
    """And told by source and owner; without any, nothing is written."""
    out = project.root / "outcomes.csv"
    with pytest.raises(LeadmlError, match=r"^sales must have given an outcome back, got none; nothing was written"):
        write_outcomes(project, out, now=NOW, progress=silent)
    _give(project, ACCEPTED, REJECTED)

    assert write_outcomes(project, out, now=NOW, progress=silent) == 2
    read = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert read.columns.tolist() == [
        "lead_id", "occurred_at", "recorded_at", "outcome", "reason", "owner", "source"
    ]  # fmt: skip
    assert read["recorded_at"].tolist() == [NOW, NOW]
    table = acceptance(project).table.set_index(["by", "name"])
    assert table.loc[("all", ""), ["handed_over", "accepted", "rejected", "open"]].tolist() == [3, 1, 1, 1]
    assert table.loc[("owner", "ann"), "accepted"] == 1


def test_leads_that_were_not_handed_over_and_suppressed_people_are_counted(project: Places) -> None:
    """An export of all leads may be given back: nothing of these is stored, and what is known of objectors goes."""
    (project.root / "objected.csv").write_text("lead_id\n8\n", encoding="utf-8")
    choices = project.params.as_written() | {"suppression": {"objected": {"path": "objected.csv"}}}
    without = replace(project, params=type(project.params).model_validate(choices))
    taken = _give(without, ACCEPTED, REJECTED, ACCEPTED | {"lead_id": "10"}, {"lead_id": "007", "outcome": ""})

    assert (taken.outcomes, taken.suppressed, taken.unknown, taken.undecided) == ({"sal": 1}, 1, ("10",), 1)
    assert _stored(project, OUTCOMES, "lead_id") == [("7",)]
    assert _stored(project, HANDOFFS, "lead_id") == [("7",), ("=9",)]


def test_whoever_is_forgotten_is_told_the_files_with_outcomes(project: Places) -> None:
    """The filled-in file and that of the outcomes, whose texts are as they are; nobody else's files."""
    _give(project, ACCEPTED | {"lead_id": "=9", "reason": "-1"})
    write_outcomes(project, project.root / "outcomes.csv", now=NOW, progress=silent)
    read = pd.read_csv(project.root / "outcomes.csv", dtype=str)

    assert read[["lead_id", "reason"]].to_numpy().tolist() == [["=9", "-1"]]
    told = ("filled.csv", "outcomes.csv", "sales.csv", "scored.csv")
    assert forget(project, "=9", now=NOW, progress=silent).files == told
    assert forget(project, "7", now=NOW, progress=silent).files == ("sales.csv", "scored.csv")
