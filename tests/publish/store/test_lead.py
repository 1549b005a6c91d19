"""What the store holds of one lead, and how it is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from tests.stores import NOW, rows, write_batch

from leadml.publish.store.lead import forget_lead, lead_history, remove_leads
from leadml.publish.store.opening import Store
from leadml.publish.store.tables import DECISIONS, METADATA, SCORES

pytest_plugins = ["tests.postgres"]


def _two_batches(store: Store, folder: Path) -> None:
    write_batch(store, folder, "b1", {"x": "IQL", "y": "MQL"}, as_of="2026-01-01T00:00:00+00:00")
    write_batch(store, folder, "b2", {"x": "MQL"}, as_of="2026-01-08T00:00:00+00:00", file="2.csv", version="2")


def test_a_history_has_each_score_and_each_change_of_the_stage(store: Store, tmp_path: Path) -> None:
    """Oldest first; a batch that is not complete is not in it."""
    _two_batches(store, tmp_path)
    write_batch(store, tmp_path, "b3", {"x": "SQL"}, file="3.csv", until="filled")
    found = lead_history(store, "x")

    assert found.scores[["as_of", "target", "stage", "version", "batch_id"]].values.tolist() == [
        ["2026-01-01T00:00:00+00:00", "sql", "IQL", "1", "b1"],
        ["2026-01-08T00:00:00+00:00", "sql", "MQL", "2", "b2"],
    ]
    assert found.scores["probability"].tolist() == [1 / 3, 1 / 2]
    assert found.stages[["at", "stage", "stage_source", "batch_id"]].values.tolist() == [
        ["2026-01-01T00:00:00+00:00", "IQL", "advised", "b1"],
        ["2026-01-08T00:00:00+00:00", "MQL", "advised", "b2"],
    ]
    assert lead_history(store, "unknown").scores.empty


def test_a_forgotten_lead_is_in_no_table_and_the_receipt_does_not_name_it(store: Store, tmp_path: Path) -> None:
    """The other leads stay, and the receipt tells which files had the lead."""
    _two_batches(store, tmp_path)
    receipt = forget_lead(store, "x", now=NOW)
    stored = [repr(row) for table in METADATA.sorted_tables for row in rows(store, table)]

    assert (receipt.number, receipt.scores, receipt.stage_changes, receipt.files) == (1, 2, 2, ("2.csv", "scored.csv"))
    assert not [row for row in stored if "'x'" in row]
    assert rows(store, SCORES, "lead_id") == [("y",)]
    (details,) = rows(store, DECISIONS)
    assert details[:3] == (1, NOW, "forget")
    counts = {"handoffs": 0, "manual_stages": 0, "outcomes": 0, "scores": 2, "stage_changes": 2}
    assert json.loads(details[3]) == {"files": ["2.csv", "scored.csv"], **counts}
    assert forget_lead(store, "y", now=NOW).number == 2


def test_a_lead_is_found_without_reading_all_others(store: Store, tmp_path: Path) -> None:
    """A store of a year holds many scores, and a lead has few of them."""
    _two_batches(store, tmp_path)
    statements: list[tuple[str, object]] = []
    sa.event.listen(store.connection, "before_cursor_execute", lambda *told: statements.append((told[2], told[3])))
    lead_history(store, "x")
    forget_lead(store, "x", now=NOW)
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
    store.connection.exec_driver_sql("BEGIN" if store.is_sqlite else "SET LOCAL enable_seqscan = off")
    plans = [
        str(store.connection.exec_driver_sql(f"{explain}{text}", values).all())
        for text, values in list(statements)
        if "leadml_scores" in text
    ]

    assert len(plans) == 3
    assert [plan for plan in plans if "SCAN leadml_scores" in plan or "Seq Scan on leadml_scores" in plan] == []


def test_suppressed_leads_are_removed_once(store: Store, tmp_path: Path) -> None:
    """All of them, known or not; the same list again looks at the batches since, a longer one at all."""
    _two_batches(store, tmp_path)
    assert remove_leads(store, ["x", "unknown"], now=NOW) == 4
    assert rows(store, SCORES, "lead_id") == [("y",)]
    write_batch(store, tmp_path, "b3", {"x": "SQL"}, file="3.csv")
    assert [remove_leads(store, ["unknown", "x"], now=NOW) for _ in range(2)] == [2, 0]
    assert remove_leads(store, ["unknown", "x", "y"], now=NOW) == 2
    assert remove_leads(store, [], now=NOW) == 0
    kept = rows(store, DECISIONS, "kind", "details")

    assert [kind for kind, _ in kept] == ["suppress"] * 3
    assert rows(store, SCORES) == []
    assert not [details for _, details in kept if "unknown" in details]
