"""Activities and outcomes: which rows are read, counted and left out, or refused with their line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dated import day

from leadml.errors import DataError
from leadml.leads.asof.events import OUTCOME_SCHEMA, EventReader, activity_schema, latest_instant
from leadml.leads.asof.labels import outcome_codes
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import Contract
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.params import ActivitiesParams, OutcomesParams

LATEST = day(800)
KINDS = {"visit": 0, "demo": 1}
CODES = outcome_codes(("bought",))
ACTIVITIES = ActivitiesParams(path="x", channel="channel", recorded_at="recorded_at")
OUTCOMES = OutcomesParams(path="x", names={"Won deal": "customer", "1.0": "sql", "TRUE": "mql"})
HEADER = "lead_id,occurred_at,recorded_at,kind,channel\n"


def reader(
    path: Path, timezone: str | None = "UTC", dialect: Dialect | None = None, date_format: Any = None
) -> EventReader:
    """Return a reader of events of three leads."""
    ids = pa.array(["007", "a", "b"], pa.string())
    contract = Contract((), timezone=timezone, date_format=date_format)
    return EventReader(FileSource(path, dialect or Dialect()), ids, contract, LATEST)


def rows(found: Any) -> list[tuple[Any, ...]]:
    """Return the rows of all chunks."""
    return [tuple(row.values()) for chunk in found for row in chunk.table.to_pylist()]


def test_activities_are_read_as_whole_numbers(write: Callable[..., Path]) -> None:
    """Leads and kinds by number, instants in microseconds; other kinds are -1, channels are numbered as they occur."""
    lines = [
        "a,2024-01-01,2024-01-02T00:00:00Z,visit,mail",
        "007,2024-01-01T01:00:00+01:00,2024-01-01,demo,",
        "b,2024-01-01 00:00:01,2024-01-01 00:00:01.000001,other,phone",
        "b,2024-01-01,2024-01-01,,mail",
    ]
    (chunk,) = reader(write(HEADER + "\n".join(lines))).activities(ACTIVITIES, KINDS)

    assert rows([chunk]) == [
        (1, day(0), day(1), 0, 0),
        (0, day(0), day(0), 1, None),
        (2, day(0) + 1_000_000, day(0) + 1_000_001, -1, 1),
        (2, day(0), day(0), -1, 0),
    ]
    assert chunk.table.schema == activity_schema(0)
    assert (chunk.rows, chunk.unknown) == (4, 0)


def test_without_a_column_of_recording_a_row_was_recorded_when_it_occurred(write: Callable[..., Path]) -> None:
    """Also without channels and with no kinds declared."""
    path = write("lead_id,occurred_at,kind\na,2024-01-02,visit\n")
    found = reader(path).activities(ActivitiesParams(path="x"), {})

    assert rows(found) == [(1, day(1), day(1), -1, None)]


def test_rows_of_unknown_leads_are_counted_and_left_out(write: Callable[..., Path]) -> None:
    """Ids are text: 7 is not 007."""
    lines = [f"{lead},2024-01-01,2024-01-01,visit,x" for lead in ("7", "a", "A", "007")]
    (chunk,) = reader(write(HEADER + "\n".join(lines))).activities(ACTIVITIES, KINDS)

    assert (chunk.rows, chunk.unknown, chunk.table["lead"].to_pylist()) == (4, 2, [1, 0])


def test_outcomes_are_known_by_the_words_of_leadml_and_of_the_project(write: Callable[..., Path]) -> None:
    """Each word has the code of its meaning; whole numbers and booleans are read as text."""
    words = ["customer", "Won deal", "bought", "1", "1.0", "TRUE", "true"]
    text = "lead_id,occurred_at,outcome\n" + "\n".join(f"a,2024-01-01,{word}" for word in words)
    (chunk,) = reader(write(text)).outcomes(OUTCOMES, CODES)
    meanings = ["customer", "customer", "bought", "sql", "sql", "mql", "mql"]

    assert chunk.table["outcome"].to_pylist() == [CODES[name] for name in meanings]
    assert chunk.table.schema == OUTCOME_SCHEMA


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_chunks_change_nothing(write: Callable[..., Path], chunk_rows: int) -> None:
    """Channels keep their numbers from chunk to chunk, from CSV and from Parquet."""
    lines = [
        f"{'ab'[at % 2]},2024-01-{at + 1:02},2024-01-{at + 1:02},visit,{['x', 'y', ''][at % 3]}" for at in range(9)
    ]
    path = write(HEADER + "\n".join(lines))
    whole = rows(reader(path).activities(ACTIVITIES, KINDS))
    found = list(replace(reader(path), chunk_rows=chunk_rows).activities(ACTIVITIES, KINDS))

    assert rows(found) == whole
    assert max(chunk.rows for chunk in found) == min(chunk_rows, 9)
    assert {row[4] for row in whole} == {0, 1, None}


@pytest.mark.parametrize("encoded", [False, True])
def test_typed_columns_give_the_same_rows(write: Callable[..., Path], tmp_path: Path, *, encoded: bool) -> None:
    """Parquet with timestamps, whole numbers and dictionaries is read like the text of CSV."""
    lines = ["a,2024-01-01,2024-01-02,1,true", "b,2024-01-03,2024-01-03,2,"]
    columns = {
        "lead_id": pa.array(["a", "b"]),
        "occurred_at": pa.array([day(0), day(2)], pa.timestamp("us", "UTC")),
        "recorded_at": pa.array([day(1), day(2)], pa.int64()).cast(pa.timestamp("us")).cast(pa.timestamp("ns")),
        "kind": pa.array([1, 2], pa.int16()),
        "channel": pa.array([True, None]),
    }
    if encoded:
        columns["lead_id"] = columns["lead_id"].dictionary_encode()
    pq.write_table(pa.table(columns), tmp_path / "typed.parquet")
    kinds = {"2": 7}

    assert rows(reader(tmp_path / "typed.parquet").activities(ACTIVITIES, kinds)) == rows(
        reader(write(HEADER + "\n".join(lines))).activities(ACTIVITIES, kinds)
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (",2024-01-01,2024-01-01,visit,x", "e.csv:3: lead_id must be an id of 1 to 256 characters as text or whole"),
        ("a,,2024-01-01,visit,x", "e.csv:3: occurred_at must be a time in ISO 8601, got nothing"),
        ("a,soon,2024-01-01,visit,x", "e.csv:3: occurred_at must be a time in ISO 8601, got 'soon'"),
        ("a,2024-01-01,01/02/2024,visit,x", "e.csv:3: recorded_at must be a date whose order is declared"),
        (
            "a,1969-12-31T23:59:59,2024-01-01,visit,x",
            "e.csv:3: occurred_at must lie between 1970 and tomorrow, got '196",
        ),
        (
            "a,2024-01-01,2999-01-01,visit,x",
            "e.csv:3: recorded_at must lie between 1970 and tomorrow, got '2999-01-01'",
        ),
        ("a,2024-01-01,2024-01-01,visit", "e.csv:3: must have 5 values as the header has, got 4"),
        ("a,\x1b[31m,2024-01-01,visit,x", "e.csv:3: occurred_at must be a time in ISO 8601, got '\\x1b[31m'"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_column(write: Callable[..., Path], line: str, message: str) -> None:
    """The message says what must hold and what was found, and names the lead where it could be read."""
    path = write(f"{HEADER}b,2024-01-01,2024-01-01,visit,x\n{line}\n", "e.csv")

    with pytest.raises(DataError) as caught:
        list(reader(path).activities(ACTIVITIES, KINDS))
    (fault,) = caught.value.faults
    assert str(fault).startswith(message)
    assert fault.lead_id in {"", "a"}


@pytest.mark.parametrize("word", ["won", "", "SQL", "lost!"])
def test_an_outcome_that_is_not_declared_is_refused(write: Callable[..., Path], word: str) -> None:
    """The message lists the known words and says what to write."""
    path = write(f"lead_id,occurred_at,outcome\na,2024-01-01,{word}\n", "o.csv")
    example = f"sources.outcomes.names: {{'{word}': lost}}"
    got = rf"'{word}'; give its meaning in params.yaml, for example {example}, or a new name where none of these fits"
    got = got if word else "nothing; leave out rows without an outcome$"

    with pytest.raises(DataError, match=rf"o.csv:2: outcome must be one of mql, .*sources.outcomes.names, got {got}"):
        list(reader(path).outcomes(OUTCOMES, CODES))


def test_a_fault_of_many_rows_is_one_line_with_a_count(write: Callable[..., Path]) -> None:
    """Each word that is not declared has a line, and each column with bad times."""
    lines = [f"a,2024-01-0{1 + at % 9},{word}" for at, word in enumerate(["won", "gone", "sql"] * 10)]
    path = write("lead_id,occurred_at,outcome\n" + "\n".join(lines), "o.csv")

    with pytest.raises(DataError, match="with a zone") as caught:
        list(reader(path, timezone=None).outcomes(OUTCOMES, CODES))
    messages = str(caught.value).splitlines()
    assert [(line.split(" must")[0], line.rsplit("; ", 1)[1]) for line in messages] == [
        ("o.csv:2: occurred_at", "the same in 29 more rows"),
        ("o.csv:2: outcome", "the same in 9 more rows"),
        ("o.csv:3: outcome", "the same in 9 more rows"),
    ]


def test_the_first_and_the_latest_instant_are_read(write: Callable[..., Path]) -> None:
    """The beginning of 1970 and the latest instant are read; a microsecond later is refused."""
    line = "a,1970-01-01,{},visit,x"
    stamps = {shift: str(pa.scalar(LATEST + shift, pa.timestamp("us"))) for shift in (0, 1)}

    assert rows(reader(write(HEADER + line.format(stamps[0]))).activities(ACTIVITIES, KINDS))[0][1:3] == (0, LATEST)
    with pytest.raises(DataError, match="recorded_at must lie between 1970 and tomorrow"):
        list(reader(write(HEADER + line.format(stamps[1]))).activities(ACTIVITIES, KINDS))
    assert latest_instant(5) == 5 + DAY


def test_times_without_a_zone_need_one_in_params(write: Callable[..., Path]) -> None:
    """Without data.timezone the message says how to set it; with it they are of that zone."""
    path = write(HEADER + "a,2024-01-01T00:00:00,2024-01-01T00:00:00,visit,x\n")
    with pytest.raises(DataError, match=r"occurred_at must be a time in ISO 8601 with a zone \(or set data.timezone\)"):
        list(reader(path, None).activities(ACTIVITIES, KINDS))

    (row,) = rows(reader(path, "Asia/Kolkata").activities(ACTIVITIES, KINDS))
    assert row[1] == day(0) - int(5.5 * 3600) * 1_000_000
    path = write(HEADER + "a,2024-03-31T02:30:00,2024-04-01,visit,x\n")
    with pytest.raises(DataError, match="occurred_at must be a time of Europe/Berlin, whose clocks skip this hour"):
        list(reader(path, "Europe/Berlin").activities(ACTIVITIES, KINDS))


@pytest.mark.parametrize("date_format", ["month_first", {"occurred_at": "month_first"}])
def test_dates_of_three_numbers_need_an_order_in_params(write: Callable[..., Path], date_format: Any) -> None:
    """Without data.date_format the message says how to set it; it holds for all columns, or for those that it names."""
    path = write(HEADER + "a,1/2/2024 3:04 PM,2024-01-02 15:04,visit,x\n")
    with pytest.raises(DataError, match=r"occurred_at must be .* \(set data.date_format: day_first or month_first\)"):
        list(reader(path).activities(ACTIVITIES, KINDS))

    (row,) = rows(reader(path, date_format=date_format).activities(ACTIVITIES, KINDS))
    assert row[1] == row[2]
    with pytest.raises(DataError, match=r"set data.date_format"):
        list(reader(path, date_format={"recorded_at": "month_first"}).activities(ACTIVITIES, KINDS))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("kind", pa.array([["x"]]), r"kind must be text, a whole number or a boolean, got '\['x'\]'"),
        ("kind", pa.array([{"a": 1}]), r"kind must be text, a whole number or a boolean"),
        ("kind", pa.array([b"\xff"]), r"kind must be text, got bytes that are not UTF-8"),
        ("occurred_at", pa.array([10**13], pa.timestamp("s", "UTC")), "occurred_at must be a time in ISO 8601, got"),
        ("occurred_at", pa.array([None], pa.timestamp("ns")), "occurred_at must be a time in ISO 8601, got nothing"),
        ("occurred_at", pa.array([5]), "occurred_at must be a time in ISO 8601, got '5'"),
        ("occurred_at", pa.array([["x"]]), "occurred_at must be a time in ISO 8601, got"),
        ("lead_id", pa.array([1.5]), "lead_id must be an id of 1 to 256 characters"),
        ("lead_id", pa.array([["a"]]), "lead_id must be an id of 1 to 256 characters"),
    ],
)
def test_values_without_a_plain_form_are_refused_with_their_row(
    tmp_path: Path, column: str, values: pa.Array, message: str
) -> None:
    """Lists, structures, bytes and instants outside the calendar are faults."""
    columns = {
        "lead_id": pa.array(["a"]),
        "occurred_at": pa.array([day(0)], pa.timestamp("us", "UTC")),
        "recorded_at": pa.array([day(0)], pa.timestamp("us", "UTC")),
        "kind": pa.array(["visit"]),
        "channel": pa.array(["x"]),
    }
    pq.write_table(pa.table({**columns, column: values}), tmp_path / "e.parquet")

    with pytest.raises(DataError, match=f"^e.parquet(:1)?: {message}"):
        list(reader(tmp_path / "e.parquet").activities(ACTIVITIES, KINDS))


def test_an_outcome_without_a_plain_form_is_refused(tmp_path: Path) -> None:
    """A list cannot be an outcome."""
    columns = {"lead_id": ["a"], "occurred_at": pa.array([day(0)], pa.timestamp("us", "UTC")), "outcome": [["won"]]}
    pq.write_table(pa.table(columns), tmp_path / "o.parquet")

    with pytest.raises(DataError, match=r"^o.parquet:1: outcome must be one of mql"):
        list(reader(tmp_path / "o.parquet").outcomes(OUTCOMES, CODES))


def test_a_row_with_several_faults_has_each_once(write: Callable[..., Path]) -> None:
    """Every wrong value is reported; a column with two roles is reported once."""
    path = write("lead_id,occurred_at,outcome\n,soon,won\n", "o.csv")
    with pytest.raises(DataError, match="lead_id must be an id") as caught:
        list(reader(path).outcomes(OUTCOMES, CODES))

    assert [fault.column for fault in caught.value.faults] == ["lead_id", "occurred_at", "outcome"]


def test_reading_stops_after_a_thousand_faults(write: Callable[..., Path]) -> None:
    """A file with so many faults has a wrong declaration; the rest of it would say no more."""
    path = write(HEADER + "a,soon,2024-01-01,visit,x\n" * 5000)

    with pytest.raises(DataError, match=r"got 'soon'; the same in at least 1,199 more rows$"):
        list(replace(reader(path), chunk_rows=600).activities(ACTIVITIES, KINDS))


def test_a_missing_column_is_named_before_any_row_is_read(write: Callable[..., Path]) -> None:
    """The message names the nearest column that exists."""
    path = write("lead,occured_at,outcome\na,soon,won\n", "o.csv")

    with pytest.raises(DataError, match="must have a column 'occurred_at', got none; the nearest is 'occured_at'"):
        list(reader(path).outcomes(OUTCOMES, CODES))


def test_an_empty_table_has_no_events(write: Callable[..., Path]) -> None:
    """A table may have a header and no rows."""
    assert rows(reader(write(HEADER)).activities(ACTIVITIES, KINDS)) == []


def test_a_table_of_outcomes_may_be_of_one_outcome(tmp_path: Path) -> None:
    """Params name it where the table has no such column; a word that is no outcome is a column that is missing."""
    table = pa.table({"lead_id": pa.array(["a"]), "occurred_at": pa.array([day(0)], pa.timestamp("us", "UTC"))})
    pq.write_table(table, tmp_path / "o.parquet")
    known = {"customer": 4, "lost": 2}
    roles = OutcomesParams(path="o.parquet", outcome="customer")
    (events,) = reader(tmp_path / "o.parquet").outcomes(roles, known)
    assert events.table["outcome"].to_pylist() == [4]
    with pytest.raises(DataError, match="must have a column 'order', got none"):
        list(reader(tmp_path / "o.parquet").outcomes(OutcomesParams(path="o.parquet", outcome="order"), known))
