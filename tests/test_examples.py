"""The exports of the examples: what their pages say that each column is taken for is what `leadml init` proposes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadml.cli import app
from leadml.params import load_params

ROOT = Path(__file__).parents[1]
ROLES = {
    "hubspot": ("Record ID", "Create Date", "Lifecycle Stage"),
    "salesforce": ("Id", "CreatedDate", "IsConverted"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROLES)
def test_a_page_says_what_each_column_is_taken_for(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Id, date, label, fields and what is excluded; the proposal is ready to train."""
    script = ROOT / "benchmarks" / "export_files.py"
    subprocess.run([sys.executable, script, f"{name}.csv", tmp_path / "data"], check=True)
    monkeypatch.chdir(tmp_path)
    for words in (["init", f"data/{name}.csv"], ["check"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
    params = load_params(tmp_path / "params.yaml")
    page = (ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE))
    rows = {column.strip(): role for columns, role in rows.items() for column in re.split(r", (?!\d)", columns)}

    assert (params.data.lead_id, params.data.created_at, params.target.column) == ROLES[name]
    fields = {*params.features.fit, *params.features.engagement}
    taken = {re.sub(r" \(.*", "", column) for column, role in rows.items() if role.strip() in {"fields", "numbers"}}
    assert fields >= taken - {"..."}
    assert len(taken) > 3
    excluded = {column for column, role in rows.items() if role.strip() == "excluded"}
    names = {"First and Last Name": "Last Name"}
    assert {names.get(column, column) for column in excluded} <= set(params.features.excluded)
