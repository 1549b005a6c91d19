"""The tables of dated leads: the same from every type of source and in every order, and which rows are refused."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import TABLES, crm, day, instants, open_view, small, small_tables, write_tables

from leadml.errors import DataError
from leadml.leads.asof.history import LeadHistory
from leadml.leads.asof.snapshots import scoring_snapshots

Frames = dict[str, pd.DataFrame]
LEADS = [("a", 0, 1.0), ("b", 1, 2.5), ("c", 2, np.nan), ("007", 3, 4.0)]
VISITS = [("a", 3, "visit"), ("b", 5, "demo"), ("a", 4, "other"), ("zz", 5, "visit"), ("007", 4, "visit")]
OUTCOMES = [("a", 10, "customer"), ("b", 50, "lost"), ("zz", 50, "lost")]


def content(folder: Path, choices: dict[str, Any], target: str | None = None, **settings: Any) -> dict[str, Any]:
    """Return all that is read from the tables of a folder, in an order that does not depend on the files."""
    with open_view(folder, choices, target=target, **settings) as view:
        found = view.history
        events = {name: [] for name in ("activities", "outcomes")}
        for block in found.blocks():
            events["activities"].append(block.activities.to_pandas())
            events["outcomes"].append(block.outcomes.to_pandas())
        plain = {name: pd.concat(parts) for name, parts in events.items()}
        for table in plain.values():
            if "channel" in table:  # numbers of channels follow the order in which they come
                table["channel"] = table["channel"].isna()
        sorted_events = {name: sorted(map(str, table.to_numpy().tolist())) for name, table in plain.items()}
        return {
            "lead_ids": found.lead_ids.tolist(),
            "split_keys": found.split_keys.tolist(),
            "created_at": found.created_at.tolist(),
            "states": str([tuple(row.values()) for row in found.states.to_pylist()]),
            "coverage": str(found.coverage),
            "rows_by_code": str(found.rows_by_code),
            "counts": found.counts,
            **sorted_events,
            "features": str(
                [tuple(row) for frame in scoring_snapshots(view, day(60)) for row in frame.astype(object).to_numpy()]
            ),
        }


@pytest.fixture(scope="module")
def frames(simulated_crm: Path) -> Frames:
    """Return the first 120 of the simulated leads, and the activities and outcomes of ten more."""
    simulated = {
        name: pd.read_parquet(simulated_crm / path)
        for name, path in zip(TABLES, ("leads.parquet", "activities", "outcomes.parquet"), strict=True)
    }
    leads = simulated["leads"]
    found = {name: table[table["lead_id"] < "L00000130"].reset_index(drop=True) for name, table in simulated.items()}
    found["leads"] = leads[leads["lead_id"] < "L00000120"].reset_index(drop=True)
    return found


def _written(frames: Frames) -> Frames:
    """Return tables as text: instants in ISO 8601, missing values empty."""
    made = {}
    for name, table in frames.items():
        made[name] = table.copy()
        for column in table.columns:
            if isinstance(table[column].dtype, pd.DatetimeTZDtype):
                made[name][column] = [None if pd.isna(at) else at.isoformat() for at in table[column]]
    return made


def _choices(suffix: str, *, folder: bool = False) -> dict[str, Any]:
    sources = crm()["sources"]
    return crm(sources={
        name: {**some, "path": name if folder else f"{name}{suffix}"} for name, some in sources.items()
    })  # fmt: skip


def _parquet(folder: Path, frames: Frames) -> dict[str, Any]:
    write_tables(folder, **frames)
    return _choices(".parquet")


def _csv(folder: Path, frames: Frames) -> dict[str, Any]:
    for name, table in _written(frames).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return _choices(".csv")


def _gzip(folder: Path, frames: Frames) -> dict[str, Any]:
    for name, table in _written(frames).items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    return _choices(".csv.gz")


def _folders(folder: Path, frames: Frames) -> dict[str, Any]:
    for name, table in frames.items():
        (folder / name).mkdir()
        half = len(table) // 2
        table[half:].to_parquet(folder / name / "one.parquet", index=False)
        _written({name: table[:half]})[name].to_csv(folder / name / "two.csv", index=False)
    return _choices("", folder=True)


def _shuffled(folder: Path, frames: Frames) -> dict[str, Any]:
    mixed = {name: table.sample(frac=1, random_state=5) for name, table in frames.items()}
    write_tables(folder, **{name: table[table.columns[::-1]] for name, table in mixed.items()})
    return _choices(".parquet")


def _sqlite(folder: Path, frames: Frames) -> dict[str, Any]:
    with closing(sqlite3.connect(folder / "crm.db")) as connection:
        for name, table in _written(frames).items():
            table.to_sql(name, connection, index=False)
        connection.commit()
    url = {"url": "sqlite:///crm.db"}
    sources = {
        name: {**{key: value for key, value in some.items() if key != "path"}, **url, "table": name}
        for name, some in crm()["sources"].items()
    }
    sources["outcomes"] = {**sources["outcomes"], "table": None, "query": "SELECT * FROM outcomes WHERE 1 = 1;"}
    return crm(sources=sources)


@pytest.mark.slow
@pytest.mark.parametrize("write", [_csv, _gzip, _folders, _shuffled, _sqlite], ids=lambda write: write.__name__[1:])
def test_every_source_gives_the_same_tables_to_the_bit(
    tmp_path: Path, frames: Frames, write: Callable[..., dict[str, Any]]
) -> None:
    """CSV, gzip, folders of both, SQLite and shuffled rows and columns are read like Parquet."""
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = content(tmp_path / "one", _parquet(tmp_path / "one", frames), "mql")
    other = content(tmp_path / "other", write(tmp_path / "other", frames), "mql")

    assert other == one
    assert len(one["lead_ids"]) == 120
    assert one["counts"]["activities_of_unknown_leads"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("block", [17, 50])
def test_blocks_hold_the_rows_of_their_leads(tmp_path: Path, frames: Frames, block: int) -> None:
    """Small blocks give the same leads, and each activity and outcome is in the block of its lead."""
    choices = _parquet(tmp_path, frames)
    whole = content(tmp_path, choices, "mql")

    assert content(tmp_path, choices, "mql", block_leads=block) == whole
    with open_view(tmp_path, choices, target="mql", block_leads=block) as view:
        blocks = list(view.history.blocks())
        assert [some.first for some in blocks] == list(range(0, 120, block))
        for some in blocks:
            for table in (some.states, some.activities, some.outcomes):
                leads = table["lead"].to_numpy()
                assert ((leads >= some.first) & (leads < some.first + block)).all()


def _small(folder: Path, made: Frames | None = None, **roles: dict[str, str]) -> dict[str, Any]:
    write_tables(folder, **(made or small_tables(LEADS, VISITS, OUTCOMES)))
    choices = small()
    choices["sources"] = {name: {**some, **roles.get(name, {})} for name, some in choices["sources"].items()}
    return choices


def _read(folder: Path, choices: dict[str, Any], now: str = "2026-01-01T00:00:00Z") -> LeadHistory:
    with open_view(folder, choices, now=now) as view:
        return view.history


def test_leads_are_in_the_order_of_their_ids_and_counted(tmp_path: Path) -> None:
    """Ids are text; rows of unknown leads are counted, left out, and do not belong to the coverage."""
    found = _read(tmp_path, _small(tmp_path))

    assert found.lead_ids.tolist() == ["007", "a", "b", "c"] == found.split_keys.tolist()
    assert found.created_at.tolist() == [day(3), day(0), day(1), day(2)]
    assert found.coverage["outcomes"].newest == day(50)
    assert found.unknown_ids == {"activities": "zz", "outcomes": "zz"}
    assert found.counts == {
        "rows": 4, "merged": 0, "activities": 5, "activities_of_unknown_leads": 1, "outcomes": 3,
        "outcomes_of_unknown_leads": 1,
    }  # fmt: skip


def test_rows_that_repeat_another_are_merged(tmp_path: Path) -> None:
    """A lead with two equal rows is one lead."""
    made = small_tables([*LEADS, *LEADS[:2]], VISITS, OUTCOMES)

    assert (_read(tmp_path, _small(tmp_path, made)).counts["rows"], _read(tmp_path, small()).counts["merged"]) == (6, 2)


def test_a_kind_that_is_not_declared_counts_only_in_features_of_all_activities(tmp_path: Path) -> None:
    """It has no features of its own."""
    with open_view(tmp_path, _small(tmp_path)) as view:
        row = next(scoring_snapshots(view, day(6))).set_index("lead_id").loc["a"]

    assert (row["visit_7d"], row["demo_7d"], row["active_days_7d"]) == (1, 0, 2)


@pytest.mark.slow
def test_a_snapshot_has_the_newest_known_state(tmp_path: Path) -> None:
    """The state was valid before the instant and recorded by it."""
    made = small_tables([("a", 0, 1.0), ("a", 0, 2.0), ("a", 0, 3.0)], VISITS, OUTCOMES[1:])
    made["leads"]["valid_from"] = instants([day(number) for number in (0, 10, 20)])
    made["leads"]["recorded_at"] = instants([day(number) for number in (0, 30, 21)])
    choices = _small(tmp_path, made, leads={"valid_from": "valid_from", "recorded_at": "recorded_at"})
    with open_view(tmp_path, choices) as view:
        sizes = [next(scoring_snapshots(view, day(at)))["size"][0] for at in (5, 15, 20.5, 21, 40)]

    assert sizes == [1, 1, 1, 3, 3]


def test_without_a_column_of_recording_a_state_was_recorded_when_it_became_valid(tmp_path: Path) -> None:
    """The newest state belongs to the coverage of the leads."""
    made = small_tables([("a", 0, 1.0), ("a", 0, 2.0)], [], [])
    made["leads"]["valid_from"] = instants([day(0), day(90)])
    found = _read(tmp_path, _small(tmp_path, made, leads={"valid_from": "valid_from"}))

    assert found.coverage["leads"].newest == day(90)


def test_the_newest_account_is_the_group_of_a_lead(tmp_path: Path) -> None:
    """An account is often filled in later; all snapshots of its leads are in one group all the same."""
    states = [("a", 0, 1.0), ("a", 0, 2.0), ("b", 1, 1.0), ("b", 1, 2.0), ("b", 1, 3.0), ("c", 2, 1.0)]
    made = small_tables(states, VISITS, OUTCOMES)
    made["leads"]["valid_from"] = instants([day(number) for number in (0, 10, 1, 11, 12, 2)])
    made["leads"]["firm"] = [None, "acme", "zeta", "acme", None, None]
    found = _read(tmp_path, _small(tmp_path, made, leads={"account": "firm", "valid_from": "valid_from"}))

    assert found.split_keys.tolist() == ["acme", "acme", "c"]


def test_leads_of_one_account_share_its_key(tmp_path: Path) -> None:
    """A lead without an account has its own id as key."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["leads"]["firm"] = ["acme", "acme", None, "zeta"]
    found = _read(tmp_path, _small(tmp_path, made, leads={"account": "firm"}))

    assert dict(zip(found.lead_ids, found.split_keys, strict=True)) == {
        "a": "acme", "b": "acme", "c": "c", "007": "zeta",
    }  # fmt: skip


NAMES = [
    "version", "recent", "earlier", "Lead", "AS_OF", "RECENT", "company.size", 'a"b', "größe 😀", "select", "newest",
    "age", "weight", "attribute_0", "k0_7d", "activity_0", "{}", "a'b",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_any_name_may_be_a_column_or_a_kind(tmp_path: Path, engine: str) -> None:
    """No name of a column or a kind clashes with a name of the engine; one name is a column or a kind, not both."""
    half = len(NAMES) // 2
    for at, (columns, kinds) in enumerate([(NAMES[:half], NAMES[half:]), (NAMES[half:], NAMES[:half])]):
        made = small_tables(LEADS, [("b", 3, name) for name in [*kinds, *kinds]], [])
        for number, name in enumerate(columns):
            made["leads"][name] = made["leads"]["size"] * number
        made["leads"]["Size"] = -made["leads"]["size"]
        features = {
            "fit": dict.fromkeys(["size", "Size", *columns], "number"),
            "activities": {"kinds": {name: f"of {name}" for name in kinds}, "windows": [7]},
        }
        folder = tmp_path / str(at)
        choices = {**_small(folder, made), "features": features, "compute": {"engine": engine}}
        with open_view(folder, choices) as view:
            row = next(scoring_snapshots(view, day(5))).set_index("lead_id").loc["b"]

        expected = [2.5, -2.5, *(2.5 * number for number in range(len(columns)))]
        assert [row[name] for name in ("size", "Size", *columns)] == expected
        assert {row[f"{name}_7d"] for name in kinds} == {2.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "roles", "message"),
    [
        ({"created_at": ["soon"] * 4}, {}, "created_at must be a time in ISO 8601, got 'soon'"),
        ({"size": ["big"] * 4}, {}, "size must be a number with decimal mark '.', got 'big'; if it means not known"),
        ({"lead_id": ["", "b", "c", "d"]}, {}, "leads.parquet:1: lead_id must be an id of 1 to 256 characters"),
        (
            {"lead_id": ["a", "a", "b", "c"]},
            {},
            "leads.parquet:1: lead_id must be there once, got 'a' on another row too, with another created_at",
        ),
    ],
)
def test_bad_rows_of_leads_are_faults_and_the_others_are_read(
    tmp_path: Path, changed: dict[str, Any], roles: dict[str, str], message: str
) -> None:
    """Training refuses them and scoring goes on without them; where no row is left, reading refuses."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    for name, values in changed.items():
        made["leads"][name] = values
    choices = _small(tmp_path, made, leads=roles)
    try:
        faults = _read(tmp_path, choices).faults
    except DataError as error:
        faults = error.faults

    assert str(faults[0]).startswith(message) or message in str(faults[0])


def test_a_bad_row_of_a_database_is_named_by_its_lead(tmp_path: Path) -> None:
    """The number of a row says nothing in a database."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["leads"]["size"] = ["1", "big", "2", "3"]
    made["outcomes"]["outcome"] = ["customer", "gone", "lost"]
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        for name in ("leads", "outcomes"):
            _written(made)[name].to_sql(name, connection, index=False)
        connection.commit()
    tables = {name: {"path": None, "url": "sqlite:///crm.db", "table": name} for name in ("leads", "outcomes")}
    with pytest.raises(DataError, match=r"^outcomes table:2 \(lead 'b'\): outcome must be one of .*, got 'gone'; give"):
        _read(tmp_path, _small(tmp_path, made, **tables))
    found = _read(tmp_path, _small(tmp_path, made, leads=tables["leads"], outcomes={"names": {"gone": "lost"}}))

    assert str(found.faults[0]).startswith("leads table:2 (lead 'b'): size must be a number")


@pytest.mark.slow
@pytest.mark.parametrize("role", ["created_at", "recorded_at", "valid_from"])
@pytest.mark.parametrize("number", [-365 * 60, 365 * 75])
def test_an_instant_before_1970_or_after_tomorrow_is_a_fault(tmp_path: Path, role: str, number: int) -> None:
    """A mistyped year must not move the end of the coverage into the future."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["leads"]["valid_from"] = made["leads"]["recorded_at"] = made["leads"]["created_at"]
    made["leads"].loc[1, role] = instants([day(number)])[0]
    roles = {"valid_from": "valid_from", "recorded_at": "recorded_at"}
    found = _read(tmp_path, _small(tmp_path, made, leads=roles))

    assert [(fault.location, fault.column, fault.lead_id) for fault in found.faults] == [("leads.parquet:2", role, "b")]
    assert "must lie between 1970 and tomorrow" in str(found.faults[0])
    assert found.lead_ids.tolist() == ["007", "a", "c"]
    assert found.coverage["leads"].newest == day(3)


def test_rows_are_read_up_to_a_day_after_the_job(tmp_path: Path) -> None:
    """Clocks differ, so a row of the next 24 hours is read; a row a second later is refused."""
    choices = _small(tmp_path)
    assert _read(tmp_path, choices, now="2024-02-19T00:00:00Z").coverage["outcomes"].newest == day(50)
    with pytest.raises(DataError, match="occurred_at must lie between 1970 and tomorrow"):
        _read(tmp_path, choices, now="2024-02-18T23:59:59Z")


def test_several_rows_of_a_lead_need_valid_from(tmp_path: Path) -> None:
    """Rows that differ, if only in when they were recorded, are refused without it; equal rows are merged."""
    made = small_tables([("a", 0, 1.0), ("a", 0, 2.0), ("b", 0, 1.0), ("b", 0, 1.0)], [], [])
    made["leads"]["written"] = instants([day(number) for number in (0, 9, 0, 0)])
    made["leads"]["since"] = instants([day(number) for number in (0, 5, 0, 0)])
    message = (
        "got 'a' on another row too, with another written, another size; declare sources.leads.valid_from, or keep one"
    )
    found = _read(tmp_path, _small(tmp_path, made, leads={"recorded_at": "written"}))
    assert [message in str(fault) for fault in found.faults] == [True, True]
    assert (found.counts["rows"], found.counts["merged"], found.lead_ids.tolist()) == (4, 1, ["b"])

    states = _read(tmp_path, _small(tmp_path, made, leads={"recorded_at": "written", "valid_from": "since"}))
    assert (states.faults, states.counts["merged"], len(states.states)) == ((), 1, 3)


def test_a_lead_has_one_creation(tmp_path: Path) -> None:
    """A state with another instant is a fault that names both rows; the other states are read."""
    made = small_tables([("c", 0, 1.0), ("a", 1, 2.0), ("b", 2, 3.0), ("a", 0, 1.0)], VISITS, OUTCOMES)
    made["leads"]["valid_from"] = instants([day(0), day(5), day(2), day(3)])
    made["leads"] = made["leads"].rename(columns={"created_at": "came"})
    found = _read(tmp_path, _small(tmp_path, made, leads={"valid_from": "valid_from", "created_at": "came"}))

    (fault,) = found.faults
    assert (fault.location, fault.column, fault.lead_id) == ("leads.parquet:2", "came", "a")
    assert fault.message == "must be the same on every row of a lead, got another at leads.parquet:4; correct one"
    assert (found.lead_ids.tolist(), found.created_at.tolist()) == (["a", "b", "c"], [day(0), day(2), day(0)])
    assert found.states["lead"].to_pylist() == [0, 1, 2]


def test_no_leads_are_refused(tmp_path: Path) -> None:
    """A table with a header and no rows has no leads."""
    (tmp_path / "leads.csv").write_text("lead_id,created_at,size\n", encoding="utf-8")
    choices = _small(tmp_path)
    choices["sources"]["leads"] = {"path": "leads.csv"}

    with pytest.raises(DataError, match=r"leads\.csv: must hold leads, got none below the header"):
        _read(tmp_path, choices)


def test_a_project_without_activities_counts_none(tmp_path: Path) -> None:
    """Leads and outcomes are enough."""
    choices = _small(tmp_path)
    del choices["sources"]["activities"]
    choices["features"] = {"fit": {"size": "number"}}
    found = _read(tmp_path, choices)

    assert (found.counts["activities"], found.counts["outcomes"]) == (0, 3)


def test_the_blocks_are_removed_when_the_job_ends(tmp_path: Path) -> None:
    """Blocks lie in a temporary folder while the job runs."""
    with open_view(tmp_path, _small(tmp_path)) as view:
        folder = view.history.folder
        assert sorted(path.name for path in folder.iterdir()) == [
            "activities-00000.parquet", "leadml-job.lock", "outcomes-00000.parquet",
        ]  # fmt: skip

    assert not folder.exists()
