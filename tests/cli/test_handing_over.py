"""The command hands over, takes back and tells, in this order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import crm, write_params
from tests.stores import silent, write_batch

from leadml.cli import handing_over
from leadml.jobs.places import Places
from leadml.publish.store.opening import writing_alone

Run = Callable[..., str]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Return the options that name a project whose store has one batch, of which the file was replaced."""
    path = write_params(tmp_path, crm())
    with writing_alone(str(Places.open(path, target="sql").store_url), silent) as store:
        write_batch(store, tmp_path, "b1", {"7": "MQL", "8": "SQL", "9": "MQL"})
    (tmp_path / "scored.csv").write_text("replaced", encoding="utf-8")
    return ["--params", str(path), "--target", "sql"]


def _fill_in(path: Path) -> None:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[frame["lead_id"] == "7", ["outcome", "occurred_at"]] = ["accepted", "2026-02-01"]
    frame.loc[frame["lead_id"] == "8", ["outcome", "occurred_at", "reason", "first_contact_at"]] = [
        "rejected", "2026-02-01", "no budget", "2026-02-01 10:00"
    ]  # fmt: skip
    frame.to_csv(path, index=False)


def test_leads_are_handed_over_and_taken_back(run: Run, words: list[str], tmp_path: Path) -> None:
    """Exit code 3 where sales are not told the reasons."""
    sales, outcomes = tmp_path / "sales.csv", tmp_path / "outcomes.csv"
    printed = run("handoff", "--out", str(sales), *words, code=3)
    assert f"handed over: 2 MQL, 1 SQL: {sales}\nwarning: 3 leads have no reasons: scored.csv no longer" in printed
    assert run("handoff", "--out", str(tmp_path / "2.csv"), *words).startswith("no lead is due for sales; no file")
    _fill_in(sales)
    printed = run("handoff", str(sales), "--outcomes", str(outcomes), *words)

    assert "taken back: 1 rejected, 1 accepted (2 new); without an outcome: 1\n" in printed
    assert "contacted before they were handed over, so without hours: 1\n" in printed
    assert "2 outcomes: " in printed
    assert "50% (" in printed
    assert "why rejected" in printed
    assert len(pd.read_csv(outcomes)) == 2


def test_machines_get_one_json_object(
    run: Run, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is said for people goes to stderr."""
    assert "leads must have been handed over, got none" in run("handoff", *words, code=1)
    sales = tmp_path / "sales.csv"
    run("handoff", "--out", str(sales), *words, code=3)
    _fill_in(sales)
    capsys.readouterr()
    handing_over.handoff(sales, as_json=True, target="sql", params=Path(words[1]))
    told = capsys.readouterr()
    found = json.loads(told.out)

    assert told.err.startswith("taken back: ")
    assert found["acceptance"][0]["acceptance"] == 0.5
    assert found["rejections"] == [{"reason": "no budget", "leads": 1}]
