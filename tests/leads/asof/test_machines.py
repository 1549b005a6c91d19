"""Acts of machines are recognised by what they say and by their pattern, and not before that could be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.asof.machines import PAUSE, REASONS, SECOND, find_machines, machine_columns
from leadml.params import MachineParams

RULES = MachineParams(delivered=("delivered",), mail=("open", "click"), addresses=("203.0.113.0/24", "2001:db8::7"))
HOUR = 3600


def activities(*rows: tuple[Any, ...], rules: MachineParams = RULES, lag: int = 0) -> pa.Table:
    """Return activities of one lead: second, kind, mail, agent, address; a row may leave out the last ones."""
    padded = [(*row, *[None] * (5 - len(row))) for row in rows]
    columns = [pa.chunked_array([pa.array(column)]) for column in zip(*padded, strict=True)]
    texts = {
        name: column.cast(pa.string())
        for name, column in zip(("message", "agent", "address"), columns[2:], strict=True)
    }
    seconds = columns[0].to_numpy() * SECOND
    told = {"lead": np.zeros(len(rows), dtype=np.int64), "occurred_at": seconds, "recorded_at": seconds + lag * SECOND}
    return pa.table({**told, **machine_columns(columns[1], texts, rules)})


def reasons(*rows: tuple[Any, ...], **others: Any) -> list[str]:
    """Return the reason of each activity; empty for an act of a person."""
    found = find_machines(activities(*rows, **others), others.get("rules", RULES))
    return [REASONS[reason] if reason >= 0 else "" for reason in found.reason]


def test_a_machine_that_names_itself_is_known() -> None:
    """By a word of its agent, whatever its case, or by its network."""
    told = [("ProofPoint/2",), ("Firefox",), *((None, address) for address in ("203.0.113.9", "198.51.100.1"))]
    told += [(None, "2001:db8::7"), (None, "?")]
    rows = [(100 * at, "visit", None, *words) for at, words in enumerate(told)]
    assert reasons(*rows) == ["agent or address", "", "agent or address", "", "agent or address", ""]


def test_nobody_reads_a_mail_that_is_not_there() -> None:
    """An act before its delivery, or up to two seconds after it; that of another mail does not count."""
    rows = [(100, "delivered", "m"), (95, "open", "m"), (102, "click", "m"), (103, "open", "m"), (101, "open", "other")]
    assert reasons(*rows) == ["delivery", "before or at delivery", "before or at delivery", "", ""]


@pytest.mark.parametrize(("seconds", "found"), [([0, 2, 4], True), ([0, 2, 5], False), ([0, 0], False)])
def test_all_links_at_once_are_followed_by_a_machine(seconds: list[int], *, found: bool) -> None:
    """Three acts on one mail, each at most two seconds after the one before; on different mails they are no burst."""
    burst = [(1000 + at, "click", "m") for at in seconds]
    others = [(1000, "click", "a"), (1001, "click", "b"), (1002, "click", "c")]

    assert reasons(*burst) == ["burst" if found else ""] * len(seconds)
    assert reasons(*others) == [""] * 3
    assert reasons(*((at, kind, None) for at, kind, _ in others)) == ["burst"] * 3  # without mails, of the lead


def test_nobody_is_active_for_hours_without_a_pause() -> None:
    """The whole run is a machine's, and only that one; null judges none."""
    run = [(at, "visit") for at in range(0, 4 * HOUR + 1, 300)]
    broken = [(at, "visit") for at in range(0, 4 * HOUR + 1, 300) if not 2 * HOUR <= at < 2 * HOUR + 600]

    assert set(reasons(*run, (100 * HOUR, "visit"))) == {"no pause", ""}
    assert reasons(*run, (100 * HOUR, "visit")).count("no pause") == len(run)
    assert set(reasons(*broken)) == {""}
    assert set(reasons(*run, rules=RULES.model_copy(update={"hours": None}))) == {""}


def test_an_act_is_a_machines_only_from_when_that_could_be_known() -> None:
    """With the last act of the burst, the fourth hour of the run, or the record of what tells it."""
    burst = find_machines(activities(*((1000 + at, "click", "m") for at in (0, 1, 2)), lag=50), RULES)
    run = find_machines(activities(*((at, "visit") for at in range(0, 5 * HOUR, 300))), RULES)
    late = find_machines(activities((100, "delivered", "m"), (90, "open", "m")), RULES)

    assert burst.since.to_pylist() == [1052 * SECOND] * 3
    assert run.since.to_pylist() == [max(at, 4 * HOUR) * SECOND for at in range(0, 5 * HOUR, 300)]
    assert late.since.to_pylist() == [100 * SECOND, 100 * SECOND]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from("ab"), st.sampled_from(["open", "click"])), max_size=30))
def test_bursts_are_those_of_a_plain_search(acts: list[tuple[int, str, str]]) -> None:
    """For each mail alone, in the order of time, whatever the order of rows."""
    rows = [(at, kind, mail) for at, mail, kind in acts]
    expected = []
    for at, _, mail in rows:
        times = sorted(other for other, _, same in rows if same == mail)
        first = last = times.index(at)
        while first and times[first] - times[first - 1] <= 2:
            first -= 1
        while last + 1 < len(times) and times[last + 1] - times[last] <= 2:
            last += 1
        expected.append("burst" if last - first >= 2 else "")
    assert (reasons(*rows) if rows else []) == expected


def test_no_activities_have_no_machines() -> None:
    """A block may be empty."""
    table = activities((0, "open", "m")).slice(0, 0)
    assert find_machines(table, RULES).since.to_pylist() == []
    assert PAUSE == 600 * SECOND
