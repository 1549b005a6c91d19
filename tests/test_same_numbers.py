"""What `benchmarks/same_numbers.py` finds different, on results written by hand."""

from __future__ import annotations

import base64
import importlib
import json
import struct
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))
same_numbers = importlib.import_module("same_numbers")
sys.path.remove(str(FOLDER))

PACKED = base64.b64encode(struct.pack("<2d", 0.5, -1.25)).decode()
OTHER = base64.b64encode(struct.pack("<2d", 0.5, -1.2500000000000002)).decode()
RESULTS = {
    "models/1/booster.txt": "tree\nleaf_value=0.1 0.2\n",
    "models/1/tables.json": json.dumps({"start": -1.5, "tables": [{"fields": [0, 1], "values": PACKED}]}),
    "models/1/model.json": json.dumps({"stages": {"cuts": [{"stage": "MQL", "probability": 0.25, "rule": "top"}]}}),
    "scored.csv": 'lead_id,probability,stage,reason_1,reason_1_points\n1,0.5,MQL,"job, good",2.5\n2,0.1,Lead,age,0\n',
    "contributions.csv": "lead_id,field,log_odds,points\n1,job,0.25,2.5\n1,age,0,0\n",
}


def _write(folder: Path, **changed: str) -> Path:
    for name, text in RESULTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(Path(name).stem, text), encoding="utf-8")
    return folder


def _differing(mine: Path, others: Path) -> dict[str, int]:
    rows = list(same_numbers.compare_results("bank", mine, others))
    assert all(row.compared for row in rows)
    return {row.what: row.differing for row in rows if row.differing}


def test_the_same_results_do_not_differ(tmp_path: Path) -> None:
    """In any order of rows and columns."""
    text = "stage,lead_id,reason_1_points,reason_1,probability\nLead,2,0,age,0.1\nMQL,1,2.5,'job, good',0.5\n"
    one, other = _write(tmp_path / "one"), _write(tmp_path / "other", scored=text.replace("'", '"'))

    assert _differing(one, other) == {}


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("models/1/booster.txt", "0.2", "0.3", "trees"),
        ("models/1/tables.json", "-1.5", "-1.6", "tables"),
        ("models/1/tables.json", PACKED, OTHER, "tables"),
        ("models/1/model.json", "0.25", "0.26", "cuts"),
        ("scored.csv", "1,0.5,MQL", "1,0.6,MQL", "scores"),
        ("scored.csv", "Lead", "IQL", "scores"),
        ("scored.csv", ",age", ",days", "texts"),
        ("contributions.csv", "2.5", "2.4", "contributions"),
    ],
)
def test_a_changed_digit_is_found(tmp_path: Path, name: str, old: str, new: str, what: str) -> None:
    """Where it is, and nowhere else."""
    one = _write(tmp_path / "one")
    other = _write(tmp_path / "other", **{Path(name).stem: RESULTS[name].replace(old, new, 1)})

    assert _differing(one, other) == {what: 1}


def test_tables_of_another_layout_hold_the_same_numbers() -> None:
    """Other keys and other packing are no difference; a changed number is one."""
    old = {"start": -1.5, "values": PACKED, "name": "x"}
    new = {"from": {"start": -1.5}, "values": [[0.5], [-1.25]]}

    assert same_numbers.compare_tables("bank", old, new).differing == 0
    assert same_numbers.compare_tables("bank", old, new | {"values": [0.5, -1.26]}).differing == 1
    assert same_numbers.compare_tables("bank", old, new | {"more": 1}).differing == 1


def test_a_row_of_one_table_alone_differs_as_a_whole(tmp_path: Path) -> None:
    """Whichever table has it."""
    one = _write(tmp_path / "one")
    other = _write(tmp_path / "other", scored=RESULTS["scored.csv"].replace("\n2,", "\n3,"))

    assert _differing(one, other) == {"scores": 6, "texts": 2}


def test_columns_that_one_table_has_alone_are_counted(tmp_path: Path) -> None:
    """The others are compared all the same."""
    one = _write(tmp_path / "one")
    other = _write(tmp_path / "other", scored="lead_id,probability,reason_1\n1,0.5,\n2,0.1,age\n")

    assert _differing(one, other) == {"texts": 1, "columns of one alone": 2}


def test_files_with_other_bytes_are_counted(tmp_path: Path) -> None:
    """And files that one folder alone has; those in words apart."""
    for folder, files in {"one": {"a.csv": "1", "b.json": "{}", "c.csv": ""}, "other": {"a.csv": "2"}}.items():
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text, encoding="utf-8")

    rows = same_numbers.compare_folders("crm", "simulator", tmp_path / "one", tmp_path / "other")
    assert [(row.compared, row.differing, row.fails) for row in rows] == [(2, 2, True), (1, 1, False)]
