"""A suspicion stops the training where most draws of halves say so, and few draws are made where all agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.vote import most_say
from leadml.params import LeakParams

Severity = Literal["stop", "warn", ""]
SEVERITIES = st.lists(st.sampled_from(["stop", "warn", ""]), min_size=5, max_size=5)


def _rows(labels: list[int]) -> JudgedRows:
    label = np.array(labels, dtype=np.int8)
    frame = pd.DataFrame({"a": np.arange(len(label)), "b": np.arange(len(label)), "converted": label})
    outcome = Outcome(label, np.arange(len(label)))
    fields = [JudgedField(Field(name, "number", "fit"), frame[name], outcome) for name in "ab"]
    return JudgedRows(frame, frame, outcome, fields, LeakEvidence(), LeakParams())


ROWS = _rows([0, 1] * 20 + [0, 0, 1, 1])


def _finder(severities: list[Severity], made: list[int]) -> Callable[[JudgedRows], Iterator[Suspicion]]:
    """Return a check that says of field b what the draw is given."""

    def find(rows: JudgedRows) -> Iterator[Suspicion]:
        made.append(rows.outcome.draw)
        severity = severities[len(made) - 1]
        if severity:
            yield Suspicion("LK1", severity, f"draw {rows.outcome.draw}", "b")

    return find


@given(SEVERITIES)
def test_the_majority_of_five_draws_decides(severities: list[Severity]) -> None:
    """It stops exactly where three of the five say stop; a field of which the first draw says nothing is not drawn."""
    made: list[int] = []
    found = most_say(_finder(severities, made), ROWS)
    draws = severities[: len(made)]

    if not severities[0]:
        assert (found, len(made)) == ([], 1)
        return
    assert any(suspicion.severity == "stop" for suspicion in found) == (severities.count("stop") >= 3)
    assert bool(found) == (2 * sum(map(bool, draws)) > len(draws))
    assert 3 <= len(made) <= 5
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("severity", ["stop", "warn"])
def test_three_draws_that_agree_are_enough(severity: Severity) -> None:
    """The evidence is that of the first draw, as if there were no other."""
    made: list[int] = []
    (found,) = most_say(_finder([severity] * 3, made), ROWS)

    assert found == Suspicion("LK1", severity, "draw 0", "b")
    assert len(made) == 3


def test_a_divided_vote_is_told() -> None:
    """The evidence says how many draws stop."""
    (found,) = most_say(_finder(["warn", "stop", "", "stop", "stop"], []), ROWS)

    assert (found.severity, found.evidence) == ("stop", "draw 1; 3 of 5 draws of halves say so")


def test_suspicions_are_in_the_order_of_the_fields() -> None:
    """Whichever draw found them, and suspects that are no field come last."""

    def find(rows: JudgedRows) -> list[Suspicion]:
        names = ["together", "b", "a"]
        return [Suspicion("LK3", "stop", "", name) for name in names]

    assert [suspicion.field for suspicion in most_say(find, ROWS)] == ["a", "b", "together"]


@given(st.integers(0, 30))
def test_each_draw_divides_the_groups_into_equal_halves(draw: int) -> None:
    """Rows of a group stay together, and another draw is another division."""
    groups = np.repeat(np.arange(40), 3)
    outcome = Outcome(np.zeros(120, dtype=np.int8), groups, draw)
    first, second = outcome.halves

    assert set(groups[first]) & set(groups[second]) == set()
    assert len(set(groups[first])) == len(set(groups[second])) == 20
    assert not np.array_equal(first, Outcome(outcome.labels, groups, draw + 1).halves[0])


def test_a_draw_without_both_outcomes_in_each_half_is_not_made() -> None:
    """Where two of twenty leads converted, half of the draws have both in one half."""
    rows = _rows([1, 1] + [0] * 18)

    def find(judged: JudgedRows) -> list[Suspicion]:
        assert judged.outcome.has_both_classes
        return []

    assert most_say(find, rows) == []


@pytest.mark.parametrize(
    ("severities", "draws", "said"),
    [
        (["stop", "stop", "stop"], 3, ("stop", "draw 0")),
        (["warn", "warn", "warn"], 3, ("warn", "draw 0")),
        (["warn", "warn", ""], 3, ("warn", "draw 0; 2 of 3 draws of halves say so")),
        (["warn", "", ""], 3, None),
        (["stop", "warn", "stop", "stop"], 4, ("stop", "draw 0; 3 of 4 draws of halves say so")),
        (["stop", "warn", "warn", "warn"], 4, ("warn", "draw 1")),
        (["stop", "", "warn", "warn"], 4, ("warn", "draw 2; 3 of 4 draws of halves say so")),
        (["stop", "warn", "", ""], 4, None),
        (["stop", "stop", "warn", "warn", "warn"], 5, ("warn", "draw 2")),
        (["stop", "stop", "warn", "", ""], 5, ("warn", "draw 2; 3 of 5 draws of halves say so")),
        (["stop", "stop", "", "", ""], 5, None),
        (["warn", "stop", "warn", "stop", "stop"], 5, ("stop", "draw 1; 3 of 5 draws of halves say so")),
    ],
)
def test_draws_are_made_until_three_agree(
    severities: list[Severity], draws: int, said: tuple[Literal["stop", "warn"], str] | None
) -> None:
    """Three that stop or three that do not; the evidence is that of the first draw that is as sure."""
    made: list[int] = []
    found = most_say(_finder(severities, made), ROWS)

    assert found == ([Suspicion("LK1", said[0], said[1], "b")] if said else [])
    assert made == list(range(draws))


def test_later_draws_judge_the_suspects_of_the_first() -> None:
    """What another draw says of other fields does not count, and a draw is repeated while one field is undecided."""
    seen: list[frozenset[str] | None] = []

    def find(rows: JudgedRows) -> list[Suspicion]:
        seen.append(rows.suspects)
        severity: Literal["stop", "warn"] = "warn" if rows.outcome.draw == 1 else "stop"
        names = "b" if rows.outcome.draw == 0 else "ab"
        return [*(Suspicion("LK1", severity, "", name) for name in names), Suspicion("LK3", "stop", "", "together")]

    assert most_say(find, ROWS) == [
        Suspicion("LK1", "stop", "; 3 of 4 draws of halves say so", "b"),
        Suspicion("LK3", "stop", "", "together"),
    ]
    assert seen == [None, *[frozenset({"b", "together"})] * 3]


def test_draws_with_one_outcome_in_a_half_are_skipped() -> None:
    """Where two of twenty leads converted, three draws that have both outcomes in each half are made, in order."""
    rows = _rows([1, 1] + [0] * 18)
    made: list[int] = []
    possible = [draw for draw in range(20) if rows.with_halves(draw, suspects=[]).outcome.has_both_classes]

    assert most_say(_finder(["warn"] * 3, made), rows) == [Suspicion("LK1", "warn", "draw 0", "b")]
    assert made == possible[:3]
    assert made != [0, 1, 2]
