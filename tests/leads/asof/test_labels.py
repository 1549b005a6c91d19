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
from leadml.leads.asof.labels import CODES, label_snapshots, outcome_codes, reaching
from leadml.leads.check.activity_plan import DAY, Target
from leadml.params import FUNNEL, OUTCOMES, ComputeParams

SEEDS = st.integers(0, 2**31 - 1)
CUSTOM = ("repeat purchase", "sql", "onboarded")
CODE = outcome_codes(CUSTOM)
AS_OF = day(200)
FLAGS = ("known_reached", "reached", "inside", "converted", "late")
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


def labelled(engine: Engine, looks: list[tuple[int, int]], outcomes: list[Row], target: Target) -> list[dict[str, int]]:
    """Return the flags of each look, in the order of lead and instant."""
    names = ("lead", "occurred_at", "recorded_at", "outcome")
    pairs = pa.table(
        {
            name: pa.array(column, pa.int64())
            for name, column in zip(("lead", "as_of"), zip(*looks, strict=True), strict=True)
        }
    )
    rows = pa.table({name: pa.array([row[name] for row in outcomes], pa.int64()) for name in names})
    found = label_snapshots(engine.lazy(pairs), engine.lazy(rows), target=target, codes=CODE).sort("lead", "as_of")
    table: pd.DataFrame = found.collect("pyarrow").to_native().to_pandas()
    return [{name: int(row[name]) for name in ("lead", "as_of", *FLAGS)} for row in table.to_dict("records")]


def judged(look: tuple[int, int], outcomes: list[Row], target: Target) -> dict[str, int]:
    """Return the flags of a look as a plain loop finds them."""
    lead, as_of = look
    hits = set(FUNNEL[FUNNEL.index(target.outcome) :]) if target.outcome in FUNNEL else {target.outcome}
    word = {code: name for name, code in CODE.items()}
    mine = [(row["occurred_at"], row["recorded_at"], word[row["outcome"]]) for row in outcomes if row["lead"] == lead]
    found = dict.fromkeys(FLAGS, 0)
    states: list[tuple[int, int, str]] = []
    telling = ("customer", "evangelist", "churned") if target.population == "customers" else OUTCOMES
    for occurred, recorded, name in mine:
        known = occurred < as_of and recorded <= as_of
        if known and name in telling:
            states.append((occurred, OUTCOMES.index(name), name))
        if name not in hits:
            continue
        if occurred < as_of:
            found["reached"] = 1
            found["known_reached"] |= int(known)
        elif occurred < as_of + target.horizon * DAY:
            due = as_of + (target.horizon + target.settling) * DAY
            found["converted" if recorded <= due else "late"] = 1
    state = max(states)[2] if states else None
    if target.population == "customers":
        found["inside"] = int(state in {"customer", "evangelist"})
    else:
        found["inside"] = int(state not in {"lost", "rejected", "churned"})
    return {"lead": lead, "as_of": as_of, **found}


def drawn(seed: int, target: Target, leads: int = 60) -> tuple[list[tuple[int, int]], list[Row]]:
    """Return looks and outcomes whose instants lie on, just before and just after every boundary."""
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
    looks = [(lead, as_of) for lead in range(leads) for as_of in (AS_OF - 30 * DAY, AS_OF, AS_OF + 7 * DAY)]
    return looks, outcomes


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS)
def test_every_flag_is_what_a_plain_loop_finds(engine: Engine, target: Target, seed: int) -> None:
    """Reached, known, inside, converted and late, for every kind of target, on every boundary."""
    looks, outcomes = drawn(seed, target)

    assert labelled(engine, looks, outcomes, target) == [judged(look, outcomes, target) for look in looks]


@pytest.mark.parametrize("target", TARGETS[:5:2], ids=lambda target: target.name)
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS)
def test_what_is_known_does_not_depend_on_what_comes_later(engine: Engine, target: Target, seed: int) -> None:
    """Cut at the look, outcomes give the same population; cut when the label is due, the same label."""
    looks, outcomes = drawn(seed, target)
    looks = [look for look in looks if look[1] == AS_OF]
    due = AS_OF + (target.horizon + target.settling) * DAY
    whole = labelled(engine, looks, outcomes, target)
    cuts = {
        ("inside", "known_reached"): [row for row in outcomes if row["occurred_at"] < AS_OF >= row["recorded_at"]],
        ("inside", "known_reached", "converted"): [row for row in outcomes if row["recorded_at"] <= due],
    }

    for names, rows in cuts.items():
        again = labelled(engine, looks, rows, target)
        assert [[row[name] for name in names] for row in again] == [[row[name] for name in names] for row in whole]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_and_the_repetition_of_outcomes_change_nothing(engine: Engine, seed: int) -> None:
    """Outcomes twice and in another order give the same flags."""
    looks, outcomes = drawn(seed, TARGETS[0])
    twice = [outcomes[at % len(outcomes)] for at in np.random.default_rng(seed).permutation(2 * len(outcomes))]

    assert labelled(engine, looks, twice, TARGETS[0]) == labelled(engine, looks, outcomes, TARGETS[0])


@pytest.mark.parametrize(
    ("outcome", "after", "recorded", "flags"),
    [
        ("mql", -1, -1, {"reached", "known_reached", "inside"}),
        ("mql", -1, 0, {"reached", "known_reached", "inside"}),
        ("mql", -1, 1, {"reached", "inside"}),
        ("mql", 0, 0, {"converted", "inside"}),
        ("customer", 0, 0, {"converted", "inside"}),
        ("mql", 30 * DAY - 1, 37 * DAY, {"converted", "inside"}),
        ("mql", 30 * DAY - 1, 37 * DAY + 1, {"late", "inside"}),
        ("mql", 30 * DAY, 30 * DAY, {"inside"}),
        ("lost", -1, 0, set()),
        ("lost", -1, 1, {"inside"}),
        ("lost", 0, 0, {"inside"}),
        ("churned", -1, -1, set()),
        ("rejected", -1, -1, set()),
        ("onboarded", -1, -1, {"inside"}),
    ],
)
def test_the_boundaries_lie_at_the_microsecond(
    engine: Engine, outcome: str, after: int, recorded: int, flags: set[str]
) -> None:
    """Before the look is reached; from the look to the horizon converts; recorded when it is due counts."""
    row = {"lead": 0, "occurred_at": AS_OF + after, "recorded_at": AS_OF + recorded, "outcome": CODE[outcome]}
    (found,) = labelled(engine, [(0, AS_OF)], [row], TARGETS[0])

    assert {name for name in FLAGS if found[name]} == flags


@pytest.mark.parametrize(
    ("words", "inside"),
    [
        (["lost", "mql"], True),
        (["mql", "lost"], False),
        (["mql", "rejected", "sal"], True),
        (["customer", "churned"], False),
        (["churned", "customer"], True),
        ([], True),
    ],
)
def test_the_newest_known_outcome_says_whether_a_lead_is_open(
    engine: Engine, words: list[str], *, inside: bool
) -> None:
    """A lead that was lost and came back is open again, and the other way round."""
    rows = [
        {"lead": 0, "occurred_at": AS_OF - 100 + at, "recorded_at": AS_OF - 100 + at, "outcome": CODE[word]}
        for at, word in enumerate(words)
    ]
    (found,) = labelled(engine, [(0, AS_OF)], rows, TARGETS[5])

    assert found["inside"] == inside


def test_a_stage_is_reached_by_those_beyond_it() -> None:
    """Targets of the funnel count later stages, others themselves only."""
    reached = {name: {word for word, code in CODE.items() if code in reaching(target, CODE)} for name, target in (
        (target.outcome, target) for target in TARGETS[:4]
    )}  # fmt: skip

    assert reached["mql"] == set(FUNNEL)
    assert reached["sql"] == {"sql", "opportunity", "customer", "evangelist"}
    assert reached["evangelist"] == {"evangelist"}
    assert reached["churned"] == {"churned"}


def test_codes_are_those_of_leadml_first_and_never_move() -> None:
    """Own words come after in the order of their names, once, whatever order params have them in."""
    assert [CODE[name] for name in OUTCOMES] == list(range(9))
    assert outcome_codes(("b", "a", "b", "lost")) == outcome_codes(("a", "b"))
    assert max(outcome_codes(()).values()) < CODES
    assert CODE["onboarded"] < CODE["repeat purchase"]
