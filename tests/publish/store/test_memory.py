"""What is remembered of leads: the last change of each, the advice of each target, and what was set by hand."""

from __future__ import annotations

import sqlalchemy as sa
from tests.stores import NOW

from leadml.publish.store.memory import (
    ENDED,
    Memory,
    manual_stages,
    memory_of,
    recorded_columns,
    stored_outcomes,
)
from leadml.publish.store.opening import Store
from leadml.publish.store.tables import MANUAL_STAGES, OUTCOMES
from leadml.stages.facts import Fact, Recorded
from leadml.stages.ladder import stages_of

pytest_plugins = ["tests.postgres"]

ROWS = [
    ("x", "sql", "IQL", "advised", "IQL", "", None),
    ("y", "sql", "MQL", "recorded", "LEAD", "MQL", None),
    ("x", "customer", "SQL", "advised", "SQL", "", None),
    ("x", "", "MQL", "manual", "LEAD", "MQL", None),
]
CLOSED = ("x", "demo", "LEAD", "recorded", ENDED, "", NOW)


def test_the_last_change_of_each_lead_is_found() -> None:
    """Of a lead without one, that of a new lead."""
    found = Memory.of(ROWS).last(["y", "new", "x"])

    assert found.stage.tolist() == ["MQL", "LEAD", "MQL"]
    assert found.stage_source.tolist() == ["recorded", "advised", "manual"]
    assert found.recorded.tolist() == ["MQL", "", "MQL"]
    assert [found.recorded_of(at) for at in (0, 1)] == [Recorded(2), Recorded()]
    assert Memory.of([]).last([]).stage.tolist() == []


def test_the_advice_of_each_target_is_kept_apart_until_all_ends() -> None:
    """What people said is no advice."""
    memory = Memory.of(ROWS)
    ended = memory.then(Memory.of([CLOSED]))

    assert stages_of(memory.advised_by("sql", ["x", "y"])).tolist() == ["IQL", "LEAD"]
    assert stages_of(memory.advised_by_others("sql", ["x", "y"])).tolist() == ["SQL", "LEAD"]
    assert stages_of(memory.advised_by_others("", ["x"])).tolist() == ["SQL"]
    assert memory.then(Memory.of([])) is memory
    assert [ended.advised_by(target, ["x"]).tolist() for target in ("sql", "customer")] == [[0], [0]]
    assert ended.advised_by_others("new", ["x"]).tolist() == [0]
    assert recorded_columns(ended.last(["x"]).recorded_of(0)) == {"recorded": "", "rejected_at": NOW}


def test_a_new_store_remembers_nothing(store: Store) -> None:
    """Neither changes nor outcomes nor stages by hand."""
    assert store.read(lambda connection: memory_of(connection, None, ["x"])).lead_id.tolist() == []
    assert store.read(lambda connection: stored_outcomes(connection, NOW)) == {}
    assert store.read(lambda connection: manual_stages(connection, NOW)) == {}


def test_a_stage_by_hand_holds_until_it_ends(store: Store) -> None:
    """By its date or by hand; the last one counts."""
    days = [f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 9)]
    entries = [
        {"lead_id": lead, "number": number, "at": days[at], "stage": stage, "until": until, "reason": "r"}
        for lead, number, at, stage, until in (
            ("x", 1, 1, "SQL", None), ("x", 2, 3, "MQL", days[5]), ("y", 1, 2, "IQL", None), ("y", 2, 4, "", None)
        )
    ]  # fmt: skip
    store.write(lambda connection: connection.execute(sa.insert(MANUAL_STAGES), entries))

    found = [store.read(lambda connection, at=at: manual_stages(connection, at)) for at in days]
    assert found == [{}, {"x": 4}, {"x": 4, "y": 1}, {"x": 2, "y": 1}, {"x": 2}, {}, {}, {}]


def test_outcomes_are_known_from_when_they_were_recorded(store: Store) -> None:
    """They are not new to a batch: their changes were stored with them."""
    row = {"lead_id": "x", "number": 1, "occurred_at": "1970-01-01T00:00:01+00:00", "outcome": "sal"}
    store.write(lambda connection: connection.execute(sa.insert(OUTCOMES).values(**row, recorded_at=NOW)))

    assert store.read(lambda connection: stored_outcomes(connection, NOW)) == {"x": [Fact(10**6, "sal", is_new=False)]}
    assert store.read(lambda connection: stored_outcomes(connection, "2000")) == {}
