"""A filled-in file is read as texts, whichever spreadsheet wrote it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.dated import crm, write_params

from leadml.errors import DataError
from leadml.jobs.filled_file import read_filled
from leadml.jobs.places import Places

ROW = {"lead_id": "7", "outcome": "accepted", "occurred_at": "2026-02-02", "owner": "J\u00fcrgen"}


@pytest.fixture
def project(tmp_path: Path) -> Places:
    """Return a project whose own files have another delimiter and another encoding."""
    choices = crm()
    choices["data"] |= {"encoding": "cp1252", "delimiter": "|", "sheet": "Leads"}
    return Places.open(write_params(tmp_path, choices), target="sql")


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-8"), (",", "cp1252"), ("|", "cp1252")]
)
def test_a_file_may_come_from_any_spreadsheet(project: Places, delimiter: str, encoding: str) -> None:
    """Blank lines are none of its rows, columns that nobody asks for are not read."""
    frame = pd.DataFrame([ROW | {"grade": "A1"}, dict.fromkeys(ROW, "")])
    frame.to_csv(project.root / "filled.csv", index=False, sep=delimiter, encoding=encoding)

    assert list(read_filled(project, project.root / "filled.csv")) == [
        ROW | {"reason": "", "source": "", "first_contact_at": "", "location": "filled.csv:2"}
    ]


@pytest.mark.parametrize("name", ["FILLED.CSV", "filled.txt", "filled.tsv", "filled.xlsx", "filled.jsonl"])
def test_a_file_may_have_any_name_that_leads_may_have(project: Places, name: str) -> None:
    """Whatever the delimiter and the sheet of the project's own files are."""
    path, frame = project.root / name, pd.DataFrame([ROW])
    if name.endswith("xlsx"):
        frame.to_excel(path, index=False)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ";")

    (row,) = read_filled(project, path)
    assert {key: row[key] for key in ROW} == ROW


def test_numbers_and_instants_of_parquet_are_texts(project: Places) -> None:
    """As CSV would have them."""
    frame = pd.DataFrame([ROW | {"lead_id": 7, "occurred_at": pd.Timestamp("2026-02-02 10:00"), "source": None}])
    frame.to_parquet(project.root / "filled.parquet")
    (row,) = read_filled(project, project.root / "filled.parquet")

    assert (row["lead_id"], row["occurred_at"], row["source"]) == ("7", "2026-02-02 10:00:00", "")


def test_a_row_that_cannot_be_read_is_refused(project: Places) -> None:
    """With its line."""
    (project.root / "filled.csv").write_text("lead_id,outcome,occurred_at\n7,accepted\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"^filled.csv:2: "):
        list(read_filled(project, project.root / "filled.csv"))
