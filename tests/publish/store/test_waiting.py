"""Rows wait in any order and are inserted in the order of their table."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from tests.stores import rows

from leadml.publish.store.opening import Store
from leadml.publish.store.tables import SCORES, STAGE_CHANGES
from leadml.publish.store.waiting import WaitingRows, insert_rows

pytest_plugins = ["tests.postgres"]

NAMES = ("lead_id", "probability", "probability_low", "probability_high", "stage")


def _columns(*lead_ids: str) -> dict[str, Any]:
    size = len(lead_ids)
    numbers = dict.fromkeys(NAMES[1:4], [0.5] * size)
    return {"lead_id": list(lead_ids), **numbers, "stage": ["LEAD"] * size}


def test_all_parts_are_inserted_in_the_order_of_ids(store: Store) -> None:
    """Once: what was inserted waits no more. The order is that of bytes."""
    waiting, order = WaitingRows(SCORES, NAMES), list[object]()
    waiting.add(_columns("b", "é"))
    waiting.add(_columns("a", "B"))
    sa.event.listen(store.connection, "before_cursor_execute", lambda *told: order.append(told[3]))
    for _ in range(2):
        store.write(lambda connection: waiting.insert(connection, {"batch": 1}))

    assert sorted(rows(store, SCORES, "lead_id")) == [("B",), ("a",), ("b",), ("é",)]
    if store.is_sqlite:
        assert [row[1] for row in order[1]] == ["B", "a", "b", "é"]  # type: ignore[index,attr-defined]


def test_rows_of_one_lead_keep_their_numbers(store: Store) -> None:
    """The key of a change has two columns beside the batch."""
    names = ("lead_id", "number", "at", "stage", "stage_source", "advised", "recorded")
    waiting = WaitingRows(STAGE_CHANGES, names)
    rest = {name: ["", ""] for name in names}
    waiting.add({**rest, "lead_id": ["x", "x"], "number": [1, 0], "stage": ["SQL", "MQL"]})
    store.write(lambda connection: waiting.insert(connection, {"batch": 3}))

    assert rows(store, STAGE_CHANGES, "batch", "number", "stage") == [(3, 0, "MQL"), (3, 1, "SQL")]


def test_no_rows_are_inserted_where_none_wait(store: Store) -> None:
    """Neither by the collection nor by the insertion itself."""
    store.write(lambda connection: WaitingRows(SCORES, NAMES).insert(connection, {"batch": 1}))
    store.write(lambda connection: insert_rows(connection, SCORES, _columns(), {"batch": 1}))

    assert rows(store, SCORES) == []
