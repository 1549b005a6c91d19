"""Features as of an instant: nothing later is used, and every number is what a plain loop counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dated import crm, day, micros, open_view, write_tables

from leadml.leads.asof.engine import Engine, open_engine
from leadml.leads.asof.features import features, weight_columns
from leadml.leads.asof.history import Block
from leadml.leads.asof.snapshots import compute_features, scoring_snapshots
from leadml.leads.asof.view import AsOfView
from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import DAY, WEIGHT_ONE, ActivityPlan, decay_weights
from leadml.params import ComputeParams

SEEDS = st.integers(0, 2**31 - 1)
FEW = settings(max_examples=5)
PLAN = ActivityPlan((("visit", "visits"), ("demo", "demos")), (1, 7, 30), decay_weights(5), 10, channels=True)
COUNTS = tuple(f"{kind}_{days}d" for kind in ("visit", "demo") for days in PLAN.windows)
NAMES = [column.field.name for column in activity_columns(PLAN)]
AS_OF = day(400)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return DuckDB."""
    with open_engine(ComputeParams(memory_gb=0.5), threads=1) as opened:
        yield opened


def computed(
    engine: Engine, snapshots: Rows, states: Rows, activities: Rows, plan: ActivityPlan = PLAN
) -> pd.DataFrame:
    """Return what the engine computes of plain rows."""
    tables = (
        _table(snapshots, ("lead", "as_of")),
        _table(states, ("lead", "version", "created_at", "valid_from", "recorded_at", "colour")),
        _table(activities, ("lead", "occurred_at", "recorded_at", "kind", "channel")),
        pa.table({name: pa.array(values, pa.int64()) for name, values in weight_columns(plan).items()}),
    )
    found = features(*(engine.lazy(table) for table in tables), plan=plan).collect("pyarrow").to_native()
    names = {column.inner: column.field.name for column in activity_columns(plan)}
    return found.to_pandas()[["lead", "as_of", "colour", *names]].rename(columns=names)


def _table(rows: Rows, names: tuple[str, ...]) -> pa.Table:
    columns = {name: pa.array([row[name] for row in rows], pa.int64()) for name in names if name != "colour"}
    if "colour" in names:
        columns["colour"] = pa.array([row["colour"] for row in rows], pa.string())
    return pa.table(columns)


def counted(
    snapshot: dict[str, Any], states: Rows, activities: Rows, plan: ActivityPlan = PLAN
) -> dict[str, Any] | None:
    """Return the features of one snapshot as a plain loop counts them; None where the lead was not known."""
    as_of = snapshot["as_of"]
    known = [
        state
        for state in states
        if state["lead"] == snapshot["lead"]
        and max(state["created_at"], state["valid_from"]) < as_of
        and state["recorded_at"] <= as_of
    ]
    if not known:
        return None
    state = max(known, key=lambda some: some["version"])
    ages: list[tuple[int, int, int | None]] = []
    for row in activities:
        if row["lead"] == snapshot["lead"] and row["occurred_at"] < as_of and row["recorded_at"] <= as_of:
            age = 0
            while row["occurred_at"] < as_of - (age + 1) * DAY:
                age += 1
            ages.append((age, row["kind"], row["channel"]))
    found = {"lead": snapshot["lead"], "as_of": as_of, "colour": state["colour"]}
    found["lead_age"] = (as_of - state["created_at"] - 1) // DAY
    for number, (kind, _) in enumerate(plan.kinds):
        of_kind = [age for age, code, _ in ages if code == number]
        found |= {f"{kind}_{days}d": sum(age < days for age in of_kind) for days in plan.windows}
        found |= {f"{kind}_last": min(of_kind, default=np.nan), f"{kind}_first": max(of_kind, default=np.nan)}
        found[f"{kind}_decayed"] = _decayed(of_kind, plan)
    for days in plan.windows:
        found[f"active_days_{days}d"] = len({age for age, _, _ in ages if age < days})
        found[f"channels_{days}d"] = len({channel for age, _, channel in ages if age < days} - {None})
    all_ages = [age for age, _, _ in ages]
    recent = sum(age < plan.trend for age in all_ages)
    total = sum(age < 2 * plan.trend for age in all_ages)
    found |= {"activity_last": min(all_ages, default=np.nan), "activity_decayed": _decayed(all_ages, plan)}
    found["activity_trend"] = (recent - (total - recent)) / total if total else np.nan
    return found


def _decayed(ages: list[int], plan: ActivityPlan) -> float:
    return sum(plan.weights[age] for age in ages if age < len(plan.weights)) / WEIGHT_ONE


def expected(snapshots: Rows, states: Rows, activities: Rows) -> pd.DataFrame:
    """Return what the plain loop counts for each snapshot, in the order of lead and instant."""
    ordered = sorted(snapshots, key=lambda snapshot: (snapshot["lead"], snapshot["as_of"]))
    rows = [row for snapshot in ordered if (row := counted(snapshot, states, activities)) is not None]
    return pd.DataFrame(rows, columns=["lead", "as_of", "colour", *NAMES])


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two frames are equal to the bit, NaN to NaN and None to None."""
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    for name in one.columns:
        left, right = one[name].to_numpy(), other[name].to_numpy()
        if np.dtype(object) in {left.dtype, right.dtype}:
            blank = [np.array(["" if pd.isna(value) else str(value) for value in side]) for side in (left, right)]
            if not np.array_equal(*blank):
                return False
        elif not np.array_equal(left.astype(float), right.astype(float), equal_nan=True):
            return False
    return True


def random_rows(seed: int, *, leads: int = 25, each: int = 15) -> tuple[Rows, Rows, Rows]:
    """Return snapshots, states and activities whose instants lie on, just before and just after every boundary."""
    random = np.random.default_rng(seed)

    def near(size: int) -> list[int]:
        days = random.choice([0, 1, 5, 6, 7, 8, 9, 10, 19, 20, 29, 30, 31, 90, 120], size)
        return [int(AS_OF - some * DAY + shift) for some, shift in zip(days, random.integers(-1, 2, size), strict=True)]

    snapshots, states, activities = [], [], []
    for lead in range(leads):
        instants = {AS_OF, AS_OF - 7 * DAY, AS_OF + int(random.integers(0, 3)) * DAY}
        snapshots += [{"lead": lead, "as_of": instant} for instant in sorted(instants)]
        created = near(1)[0]
        since = sorted(near(3))
        states += [
            {
                "lead": lead,
                "version": version,
                "created_at": created,
                "valid_from": valid,
                "recorded_at": valid + int(random.choice([0, 0, 1, DAY])),
                "colour": random.choice(["red", "blue"]) if random.random() < 0.8 else None,
            }
            for version, valid in enumerate(since)
        ]
        activities += [
            {
                "lead": lead,
                "occurred_at": occurred,
                "recorded_at": occurred + int(random.choice([0, 0, 0, 1, DAY, 40 * DAY])),
                "kind": int(random.integers(-1, 2)),
                "channel": [None, 0, 1, 2][int(random.integers(0, 4))],
            }
            for occurred in near(each)
        ]
    return snapshots, states, activities


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_every_number_is_what_a_plain_loop_counts(engine: Engine, seed: int) -> None:
    """Windows, recency, first age, decay, distinct days and channels, trend, age and state agree to the bit."""
    rows = random_rows(seed)

    assert same(computed(engine, *rows), expected(*rows))


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_the_order_of_rows_changes_nothing(engine: Engine, seed: int) -> None:
    """Shuffled snapshots, states and activities give the same bits."""
    rows = random_rows(seed)
    random = np.random.default_rng(seed)
    shuffled = [[some[at] for at in random.permutation(len(some))] for some in rows]

    assert same(computed(engine, *shuffled), computed(engine, *rows))


@pytest.mark.slow
@FEW
@given(seed=SEEDS, shift=st.integers(-300 * DAY, 10**15))
def test_only_distances_in_time_matter(engine: Engine, seed: int, shift: int) -> None:
    """All instants moved by the same microseconds give the same features."""
    rows = random_rows(seed)
    clocks = ("as_of", "created_at", "valid_from", "recorded_at", "occurred_at")
    moved = [
        [{name: value + shift * (name in clocks) if name in clocks else value for name, value in row.items()}
         for row in some]
        for some in rows
    ]  # fmt: skip
    found = computed(engine, *moved)

    assert same(found.assign(as_of=found["as_of"] - shift), computed(engine, *rows))


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_a_snapshot_does_not_depend_on_other_leads_and_snapshots(engine: Engine, seed: int) -> None:
    """Without the rows of other leads, and without other snapshots of its lead, it has the same bits."""
    rows = random_rows(seed)
    all_snapshots = computed(engine, *rows)
    snapshot = rows[0][np.random.default_rng(seed).integers(len(rows[0]))]
    lead, as_of = snapshot["lead"], snapshot["as_of"]
    single = computed(engine, [snapshot], *([row for row in some if row["lead"] == lead] for some in rows[1:]))
    is_same_pair = (all_snapshots["lead"] == lead) & (all_snapshots["as_of"] == as_of)

    assert same(single, all_snapshots[is_same_pair].reset_index(drop=True))


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_counts_rise_with_the_window_and_ages_are_in_order(engine: Engine, seed: int) -> None:
    """A longer window has all that a shorter one has; the first is not younger than the last; a trend is -1 to 1."""
    found = computed(engine, *random_rows(seed))

    for stem in ("visit", "demo", "active_days", "channels"):
        for short, long in zip(PLAN.windows[:-1], PLAN.windows[1:], strict=True):
            assert (found[f"{stem}_{short}d"] <= found[f"{stem}_{long}d"]).all()
    for kind in ("visit", "demo"):
        assert ((found[f"{kind}_last"] <= found[f"{kind}_first"]) | found[f"{kind}_last"].isna()).all()
        assert (found[f"{kind}_last"].isna() == found[f"{kind}_first"].isna()).all()
        assert ((found[f"{kind}_last"] >= found["activity_last"]) | found[f"{kind}_last"].isna()).all()
        assert (found[f"{kind}_decayed"] <= found["activity_decayed"]).all()
    assert all((found[f"active_days_{days}d"] <= days).all() for days in PLAN.windows)
    assert found["activity_trend"].dropna().between(-1, 1).all()


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_counts_over_disjoint_activities_add_up(engine: Engine, seed: int) -> None:
    """Counts and decayed counts of two parts are those of the whole; the last is the later of the two."""
    snapshots, states, activities = random_rows(seed)
    half = np.random.default_rng(seed).random(len(activities)) < 0.5
    parts = [[row for row, in_half in zip(activities, half, strict=True) if in_half == part] for part in (True, False)]
    whole, one, other = (computed(engine, snapshots, states, some) for some in (activities, *parts))

    for name in (*COUNTS, "visit_decayed", "demo_decayed", "activity_decayed"):
        assert (one[name] + other[name] == whole[name]).all(), name
    for name in ("visit_last", "activity_last"):
        assert np.array_equal(np.fmin(one[name], other[name]), whole[name], equal_nan=True)
    assert np.array_equal(np.fmax(one["visit_first"], other["visit_first"]), whole["visit_first"], equal_nan=True)


@pytest.mark.slow
@FEW
@given(seed=SEEDS)
def test_what_occurs_or_is_recorded_later_changes_nothing(engine: Engine, seed: int) -> None:
    """Activities and states at the instant or after it, or recorded after it, are not used."""
    snapshots, states, activities = random_rows(seed)
    snapshots = [{"lead": lead, "as_of": AS_OF} for lead in range(25)]
    random = np.random.default_rng(seed)
    later, versions = [], []
    for lead in range(25):
        for _ in range(30):
            occurred = AS_OF + int(random.choice([0, 1, DAY]))
            early = random.random() < 0.5
            instants = (AS_OF - DAY, AS_OF + int(random.choice([1, DAY]))) if early else (occurred, occurred - DAY)
            row = {"lead": lead, "occurred_at": instants[0], "recorded_at": instants[1]}
            later.append({**row, "kind": 0, "channel": 9})
            clocks = {"created_at": states[3 * lead]["created_at"], "valid_from": instants[0]}
            version = {"lead": lead, "version": 9, **clocks, "recorded_at": instants[1], "colour": "late"}
            versions.append({**version, "version": 9 + len(versions)})
    plain = computed(engine, snapshots, states, activities)

    assert same(computed(engine, snapshots, states + versions, activities + later), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("occurred", "recorded", "used"),
    [
        (AS_OF, AS_OF - DAY, False),
        (AS_OF - 1, AS_OF - 1, True),
        (AS_OF + 1, AS_OF - DAY, False),
        (AS_OF - DAY, AS_OF, True),
        (AS_OF - DAY, AS_OF - 1, True),
        (AS_OF - DAY, AS_OF + 1, False),
    ],
)
def test_the_boundaries_of_occurring_and_recording_are_exact_to_the_microsecond(
    engine: Engine, occurred: int, recorded: int, *, used: bool
) -> None:
    """An activity or a state is used if it occurred before the instant and was recorded by it."""
    state = {"lead": 0, "created_at": 0, "valid_from": 0, "recorded_at": 0, "version": 0, "colour": "red"}
    newer = {**state, "valid_from": occurred, "recorded_at": recorded, "version": 1, "colour": "blue"}
    visit = {"lead": 0, "occurred_at": occurred, "recorded_at": recorded, "kind": 0, "channel": 0}
    found = computed(engine, [{"lead": 0, "as_of": AS_OF}], [state, newer], [visit])

    assert found["visit_7d"].tolist() == [float(used)]
    assert found["colour"].tolist() == ["blue" if used else "red"]


@pytest.mark.slow
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_an_activity_recorded_late_is_used_from_that_instant_on(engine: Engine, shift: int) -> None:
    """A snapshot a microsecond before the recording does not use it; snapshots at that instant and later do."""
    recorded = AS_OF + 40 * DAY
    state = {"lead": 0, "created_at": 0, "valid_from": 0, "recorded_at": 0, "version": 0, "colour": "red"}
    demo = {"lead": 0, "occurred_at": AS_OF, "recorded_at": recorded, "kind": 1, "channel": 0}
    found = computed(engine, [{"lead": 0, "as_of": recorded + shift}], [state], [demo])

    assert found["demo_decayed"].gt(0).tolist() == [shift >= 0]
    assert found["demo_first"].fillna(-1).tolist() == [-1.0 if shift < 0 else 39.0 if shift == 0 else 40.0]


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_lead_has_snapshots_from_the_microsecond_after_its_creation(engine: Engine, shift: int) -> None:
    """At the instant of creation, or before, it has none; right after it the age is 0."""
    state = {"lead": 0, "created_at": AS_OF, "valid_from": 0, "recorded_at": 0, "version": 0, "colour": None}
    found = computed(engine, [{"lead": 0, "as_of": AS_OF + shift}], [state], [])

    assert found["lead_age"].tolist() == ([0.0] if shift > 0 else [])


def test_a_lead_without_activities_has_zeros_and_no_ages(engine: Engine) -> None:
    """Counts are 0, and ages and trend are missing."""
    state = {"lead": 0, "created_at": 0, "valid_from": 0, "recorded_at": 0, "version": 0, "colour": None}
    row = computed(engine, [{"lead": 0, "as_of": AS_OF}], [state], []).iloc[0]

    assert all(row[name] == 0 for name in (*COUNTS, "visit_decayed", "active_days_7d", "channels_30d"))
    missing = ["visit_last", "visit_first", "demo_last", "demo_first", "activity_last", "activity_trend"]
    assert [name for name in NAMES if pd.isna(row[name])] == missing


def test_a_plan_without_activities_computes_only_the_age(engine: Engine) -> None:
    """Where no activities are declared there are no counts."""
    plan = ActivityPlan((), (), (), 30, channels=False)
    rows = random_rows(1)
    found = computed(engine, *rows, plan)

    assert list(found.columns) == ["lead", "as_of", "colour", "lead_age"]
    assert found["lead_age"].tolist() == expected(*rows)["lead_age"].tolist()


@pytest.fixture(scope="module")
def view(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of the simulated leads."""
    choices = crm()
    sources = choices["sources"]
    sources = {name: {**some, "path": str(simulated_crm / some["path"])} for name, some in sources.items()}
    with open_view(tmp_path_factory.mktemp("view"), {**choices, "sources": sources}, target="mql") as opened:
        yield opened


@pytest.fixture(scope="module")
def pairs(view: AsOfView) -> pd.DataFrame:
    """Return 1,000 snapshots of random leads at random instants, a third of them at the instant of a row."""
    random = np.random.default_rng(3)
    (block,) = view.history.blocks()
    lead = random.integers(0, len(view.history.lead_ids), 1000)
    created = view.history.created_at[lead]
    as_of = created + random.integers(1, 200 * DAY, 1000)
    for table, clock in (
        (block.activities, "occurred_at"),
        (block.activities, "recorded_at"),
        (block.states, "recorded_at"),
    ):
        at = random.integers(0, len(table), 120)
        start = int(random.integers(0, 800))
        lead[start : start + 120] = table["lead"].to_numpy()[at]
        as_of[start : start + 120] = table[clock].to_numpy()[at] + random.integers(-1, 2, 120)
    frame = pd.DataFrame({"lead": lead, "as_of": as_of}).drop_duplicates()
    return frame.sort_values(["lead", "as_of"], ignore_index=True)


def _renamed(table: pa.Table, pairs: pd.DataFrame, *, cut: bool) -> pa.Table:
    """Return the rows of each pair's lead, under the number of the pair, cut at its instant or whole."""
    rows = table.to_pandas().merge(pairs.rename_axis("snapshot").reset_index(), on="lead")
    if cut:
        happened = "occurred_at" if "occurred_at" in rows else "valid_from"
        rows = rows[(rows[happened] < rows["as_of"]) & (rows["recorded_at"] <= rows["as_of"])]
    rows = rows.assign(lead=rows["snapshot"])[table.column_names]
    return pa.Table.from_pandas(rows, preserve_index=False)


def _features(view: AsOfView, snapshots: pd.DataFrame, states: pa.Table, activities: pa.Table) -> pd.DataFrame:
    return compute_features(view, Block(0, len(states), states, {"activities": activities}.__getitem__), snapshots)


@pytest.mark.slow
def test_features_of_the_full_tables_are_those_of_the_tables_of_that_day(view: AsOfView, pairs: pd.DataFrame) -> None:
    """For 1,000 snapshots, tables that are cut at the instant of each give the same features to the bit."""
    (block,) = view.history.blocks()
    full = _features(view, pairs, block.states, block.activities)
    numbered = pairs.assign(lead=np.arange(len(pairs)))
    cut = _features(
        view, numbered, _renamed(block.states, pairs, cut=True), _renamed(block.activities, pairs, cut=True)
    )
    known = full.merge(pairs.rename_axis("snapshot").reset_index(), on=["lead", "as_of"]).sort_values("snapshot")

    assert len(full) > 900
    assert full["email_open_30d"].sum() > 0
    assert same(known.drop(columns=["lead", "snapshot"]).reset_index(drop=True), cut.drop(columns="lead"))


@pytest.mark.slow
def test_a_million_later_rows_change_nothing(view: AsOfView, pairs: pd.DataFrame) -> None:
    """Half of them occurred at the instant or later, half were recorded after it."""
    (block,) = view.history.blocks()
    numbered = pairs.assign(lead=np.arange(len(pairs)))
    states, activities = (_renamed(table, pairs, cut=False) for table in (block.states, block.activities))
    random = np.random.default_rng(4)
    size = 1_000_000
    snapshot = random.integers(0, len(pairs), size)
    as_of = pairs["as_of"].to_numpy()[snapshot]
    later = as_of + random.integers(0, 300 * DAY, size)
    half = np.arange(size) % 2 == 0
    occurred = np.where(half, later, as_of - random.integers(1, 60 * DAY, size))
    recorded = np.where(half, occurred - random.integers(0, 2, size) * DAY, later + 1)
    kind, channel = random.integers(-1, 5, size), random.integers(0, 9, size)
    added = pa.table(
        {"lead": snapshot, "occurred_at": occurred, "recorded_at": recorded, "kind": kind, "channel": channel}
    )
    added = pa.concat_tables([activities, added.cast(activities.schema)])

    assert same(_features(view, numbered, states, added), _features(view, numbered, states, activities))


@pytest.mark.parametrize("number", [60, 121.5, 200])
def test_scoring_as_of_a_date_is_the_same_with_tables_cut_at_that_date(
    view: AsOfView, simulated_crm: Path, tmp_path: Path, number: float
) -> None:
    """Rows that occurred or were recorded later are removed from the files, and no snapshot changes."""
    as_of = day(number)
    _cut(simulated_crm, tmp_path, as_of)
    choices = crm()
    activities = {**choices["sources"]["activities"], "path": "activities.parquet"}
    with open_view(
        tmp_path, {**choices, "sources": {**choices["sources"], "activities": activities}}, target="mql"
    ) as cut:
        before = _scored(cut, as_of)
    after = _scored(view, as_of)

    assert len(after) > 100
    assert set(after["lead_id"]) == set(before["lead_id"])
    assert same(after, before)


def _scored(view: AsOfView, as_of: int) -> pd.DataFrame:
    return pd.concat(list(scoring_snapshots(view, as_of)), ignore_index=True)


def _cut(simulated: Path, folder: Path, as_of: int) -> None:
    leads, activities, outcomes = (
        pd.read_parquet(simulated / name) for name in ("leads.parquet", "activities", "outcomes.parquet")
    )
    cut: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "leads": lambda rows: rows[(micros(rows["valid_from"]) < as_of) & (micros(rows["recorded_at"]) <= as_of)],
        "activities": lambda rows: rows[(micros(rows["occurred_at"]) < as_of) & (micros(rows["recorded_at"]) <= as_of)],
    }
    write_tables(
        folder,
        leads=cut["leads"](leads),
        activities=cut["activities"](activities),
        outcomes=cut["activities"](outcomes),
    )
