"""Populations and labels: every flag is what a plain loop over a lead's outcomes says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dated import day

from leadml.leads.asof.engine import Engine, open_engine
from leadml.leads.asof.labels import MAX_CODES, label_snapshots, outcome_codes, target_codes
from leadml.leads.check.activity_plan import DAY, Target
from leadml.params import FUNNEL, OUTCOMES, ComputeParams

SEEDS = st.integers(0, 2**31 - 1)
CUSTOM = ("repeat purchase", "sql", "onboarded")
CODE = outcome_codes(CUSTOM)
AS_OF = day(200)
FLAGS = ("reached_and_recorded", "reached", "in_population", "converted", "late")
TARGETS = [
    Target("first", "mql", 30, 7, "open", again=False, oldest=None),
    Target("middle", "sql", 14, 0, "open", again=False, oldest=None),
    Target("last", "evangelist", 30, 30, "open", again=False, oldest=None),
    Target("gone", "churned", 60, 7, "customers", again=False, oldest=None),
    Target("anew", "customer", 30, 7, "customers", again=True, oldest=None),
    Target("refused", "rejected", 30, 0, "open", again=False, oldest=None),
    Target("bought", "repeat purchase", 90, 7, "open", again=True, oldest=None),
    Target("settled", "onboarded", 30, 1, "customers", again=False, oldest=None),
]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return DuckDB."""
    with open_engine(ComputeParams(memory_gb=0.5), threads=1) as opened:
        yield opened


def labelled(
    engine: Engine, snapshots: list[tuple[int, int]], outcomes: list[Row], target: Target
) -> list[dict[str, int]]:
    """Return the flags of each snapshot, in the order of lead and instant."""
    names = ("lead", "occurred_at", "recorded_at", "outcome")
    pairs = pa.table(
        {
            name: pa.array(column, pa.int64())
            for name, column in zip(("lead", "as_of"), zip(*snapshots, strict=True), strict=True)
        }
    )
    rows = pa.table({name: pa.array([row[name] for row in outcomes], pa.int64()) for name in names})
    found = label_snapshots(engine.lazy(pairs), engine.lazy(rows), target=target, codes=CODE).sort("lead", "as_of")
    table: pd.DataFrame = found.collect("pyarrow").to_native().to_pandas()
    return [{name: int(row[name]) for name in ("lead", "as_of", *FLAGS)} for row in table.to_dict("records")]


def by_hand(snapshot: tuple[int, int], outcomes: list[Row], target: Target) -> dict[str, int]:
    """Return the flags of a snapshot as a plain loop finds them."""
    lead, as_of = snapshot
    counted = set(FUNNEL[FUNNEL.index(target.outcome) :]) if target.outcome in FUNNEL else {target.outcome}
    word = {code: name for name, code in CODE.items()}
    own = [(row["occurred_at"], row["recorded_at"], word[row["outcome"]]) for row in outcomes if row["lead"] == lead]
    found = dict.fromkeys(FLAGS, 0)
    states: list[tuple[int, int, str]] = []
    state_outcomes = ("customer", "evangelist", "churned") if target.population == "customers" else OUTCOMES
    for occurred, recorded, name in own:
        known = occurred < as_of and recorded <= as_of
        if known and name in state_outcomes:
            states.append((occurred, OUTCOMES.index(name), name))
        if name not in counted:
            continue
        if occurred < as_of:
            found["reached"] = 1
            found["reached_and_recorded"] |= int(known)
        elif occurred < as_of + target.horizon * DAY:
            due = as_of + (target.horizon + target.settling) * DAY
            found["converted" if recorded <= due else "late"] = 1
    state = max(states)[2] if states else None
    if target.population == "customers":
        found["in_population"] = int(state in {"customer", "evangelist"})
    else:
        found["in_population"] = int(state not in {"lost", "rejected", "churned"})
    return {"lead": lead, "as_of": as_of, **found}


def random_rows(seed: int, target: Target, leads: int = 60) -> tuple[list[tuple[int, int]], list[Row]]:
    """Return snapshots and outcomes whose instants lie on, just before and just after every boundary."""
    random = np.random.default_rng(seed)
    edges = [0, -1, 5, target.horizon, target.horizon + target.settling, target.horizon - 1, -30]
    outcomes = []
    for lead in range(leads):
        for _ in range(int(random.integers(0, 6))):
            occurred = AS_OF + int(random.choice(edges)) * DAY + int(random.integers(-1, 2))
            due = AS_OF + (target.horizon + target.settling) * DAY
            recorded = int(random.choice([occurred, AS_OF, AS_OF + 1, due, due + 1, due - 1, occurred + DAY]))
            name = str(random.choice([target.outcome, *CODE]))
            outcomes.append({"lead": lead, "occurred_at": occurred, "recorded_at": recorded, "outcome": CODE[name]})
    snapshots = [(lead, as_of) for lead in range(leads) for as_of in (AS_OF - 30 * DAY, AS_OF, AS_OF + 7 * DAY)]
    return snapshots, outcomes


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@settings(max_examples=4)
@given(seed=SEEDS)
def test_every_flag_is_what_a_plain_loop_finds(engine: Engine, target: Target, seed: int) -> None:
    """Reached, reached and recorded, in the population, converted and late: for every target, on every boundary."""
    snapshots, outcomes = random_rows(seed, target)

    assert labelled(engine, snapshots, outcomes, target) == [
        by_hand(snapshot, outcomes, target) for snapshot in snapshots
    ]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS[:5:2], ids=lambda target: target.name)
@settings(max_examples=4)
@given(seed=SEEDS)
def test_later_outcomes_change_neither_population_nor_label(engine: Engine, target: Target, seed: int) -> None:
    """Outcomes known at the instant give the same population, and those recorded until the label is due its label."""
    snapshots, outcomes = random_rows(seed, target)
    snapshots = [snapshot for snapshot in snapshots if snapshot[1] == AS_OF]
    due = AS_OF + (target.horizon + target.settling) * DAY
    whole = labelled(engine, snapshots, outcomes, target)
    cuts = {
        ("in_population", "reached_and_recorded"): [
            row for row in outcomes if row["occurred_at"] < AS_OF >= row["recorded_at"]
        ],
        ("in_population", "reached_and_recorded", "converted"): [row for row in outcomes if row["recorded_at"] <= due],
    }

    for names, rows in cuts.items():
        again = labelled(engine, snapshots, rows, target)
        assert [[row[name] for name in names] for row in again] == [[row[name] for name in names] for row in whole]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_and_the_repetition_of_outcomes_change_nothing(engine: Engine, seed: int) -> None:
    """Outcomes twice and in another order give the same flags."""
    snapshots, outcomes = random_rows(seed, TARGETS[0])
    twice = [outcomes[at % len(outcomes)] for at in np.random.default_rng(seed).permutation(2 * len(outcomes))]

    assert labelled(engine, snapshots, twice, TARGETS[0]) == labelled(engine, snapshots, outcomes, TARGETS[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outcome", "after", "recorded", "flags"),
    [
        ("mql", -1, -1, {"reached", "reached_and_recorded", "in_population"}),
        ("mql", -1, 0, {"reached", "reached_and_recorded", "in_population"}),
        ("mql", -1, 1, {"reached", "in_population"}),
        ("mql", 0, 0, {"converted", "in_population"}),
        ("customer", 0, 0, {"converted", "in_population"}),
        ("mql", 30 * DAY - 1, 37 * DAY, {"converted", "in_population"}),
        ("mql", 30 * DAY - 1, 37 * DAY + 1, {"late", "in_population"}),
        ("mql", 30 * DAY, 30 * DAY, {"in_population"}),
        ("lost", -1, 0, set()),
        ("lost", -1, 1, {"in_population"}),
        ("lost", 0, 0, {"in_population"}),
        ("churned", -1, -1, set()),
        ("rejected", -1, -1, set()),
        ("onboarded", -1, -1, {"in_population"}),
    ],
)
def test_the_boundaries_lie_at_the_microsecond(
    engine: Engine, outcome: str, after: int, recorded: int, flags: set[str]
) -> None:
    """Before the instant the target is reached, from it to the horizon it converts; records count until it is due."""
    row = {"lead": 0, "occurred_at": AS_OF + after, "recorded_at": AS_OF + recorded, "outcome": CODE[outcome]}
    (found,) = labelled(engine, [(0, AS_OF)], [row], TARGETS[0])

    assert {name for name in FLAGS if found[name]} == flags


@pytest.mark.parametrize(
    ("words", "in_population"),
    [
        (["lost", "mql"], True),
        (["mql", "lost"], False),
        (["mql", "rejected", "sal"], True),
        (["customer", "churned"], False),
        (["churned", "customer"], True),
        ([], True),
    ],
)
def test_the_latest_known_outcome_decides_whether_a_lead_is_open(
    engine: Engine, words: list[str], *, in_population: bool
) -> None:
    """A lead that was lost and came back is open again, and the other way round."""
    rows = [
        {"lead": 0, "occurred_at": AS_OF - 100 + at, "recorded_at": AS_OF - 100 + at, "outcome": CODE[word]}
        for at, word in enumerate(words)
    ]
    (found,) = labelled(engine, [(0, AS_OF)], rows, TARGETS[5])

    assert found["in_population"] == in_population


def test_a_stage_of_the_funnel_is_reached_by_later_stages_too() -> None:
    """Other targets are reached by their own outcome only."""
    counted = {name: {word for word, code in CODE.items() if code in target_codes(target, CODE)} for name, target in (
        (target.outcome, target) for target in TARGETS[:4]
    )}  # fmt: skip

    assert counted["mql"] == set(FUNNEL)
    assert counted["sql"] == {"sql", "opportunity", "customer", "evangelist"}
    assert counted["evangelist"] == {"evangelist"}
    assert counted["churned"] == {"churned"}


def test_the_codes_of_leadml_come_first_and_never_change() -> None:
    """A project's own outcomes follow in the order of their names, once, whatever their order in params."""
    assert [CODE[name] for name in OUTCOMES] == list(range(9))
    assert outcome_codes(("b", "a", "b", "lost")) == outcome_codes(("a", "b"))
    assert max(outcome_codes(()).values()) < MAX_CODES
    assert CODE["onboarded"] < CODE["repeat purchase"]
