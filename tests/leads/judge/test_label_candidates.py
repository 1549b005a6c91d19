"""Which columns may be the label, in which order, and what their values mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.judge.label_candidates import Candidate, declared_candidate, find_candidates

ANSWERS = {"no": 70, "yes": 30}


def found(**columns: dict[str, int]) -> dict[str, Candidate]:
    """Return the candidates by name, in their order."""
    return {candidate.column: candidate for candidate in find_candidates(columns)}


def sides(candidate: Candidate | None) -> tuple[tuple[str, ...], ...]:
    """Return the values by their meaning."""
    assert candidate is not None
    return candidate.positive, candidate.negative, candidate.open


@pytest.mark.parametrize(
    "name",
    ["converted", "IsConverted", "Is Converted?", "HasConverted__c", "Gewonnen", "won", "gagné", "Lead converted"],
)
def test_a_yes_or_no_column_that_says_converted_is_a_label(name: str) -> None:
    """In several languages, with prefixes, and in camel case."""
    (candidate,) = find_candidates({name: ANSWERS})
    assert sides(candidate) == (("yes",), ("no",), ())
    assert candidate.won == 0.3


@pytest.mark.parametrize("name", ["Opted out", "newsletter", "is_active", "Owner", "converted pages", "marital status"])
def test_another_question_is_no_label(name: str) -> None:
    """Two values alone make no label."""
    assert found(**{name: ANSWERS}) == {}
    assert found(**{name: {"Kim Lee": 4, "Sam Smith": 6}}) == {}


def test_the_surest_column_comes_first() -> None:
    """A yes/no column that says converted goes before a status, and that before a name that labels have."""
    columns = {"y": ANSWERS, "Status": {"Won": 3, "Lost": 5}, "Customer": ANSWERS, "IsConverted": ANSWERS}
    assert list(found(**columns)) == ["IsConverted", "Customer", "Status", "y"]


def test_stages_are_won_lost_and_open() -> None:
    """A status with a value for lost has open leads, and an unknown word is open and marked as guessed."""
    levels = {"Closed Won": 10, "Closed Lost": 50, "Working": 7, "Fence": 2, "": 5}
    candidate = found(status=levels)["status"]
    assert sides(candidate) == (("Closed Won",), ("Closed Lost",), ("Working", "", "Fence"))
    assert candidate.guessed == ("Fence",)
    assert candidate.won == pytest.approx(10 / 60)


def test_without_a_value_for_lost_stages_before_won_are_not_converted() -> None:
    """They are marked as guessed; only the empty value is open."""
    levels = {"Customer": 10, "Lead": 50, "Marketing Qualified Lead": 20, "": 3}
    candidate = found(**{"Lifecycle Stage": levels})["Lifecycle Stage"]
    assert sides(candidate) == (("Customer",), ("Lead", "Marketing Qualified Lead"), ("",))
    assert candidate.guessed == ("Lead", "Marketing Qualified Lead")


@pytest.mark.parametrize(
    "levels", [{"yes": 9}, {"no": 9, "": 3}, {"yes": 9, "": 3}, {f"won {at}": 1 for at in range(40)}]
)
def test_a_column_without_two_outcomes_is_no_label(levels: dict[str, int]) -> None:
    """Nor is one with more values than a status has."""
    assert found(converted=levels) == {}


WORDS = st.text("abcdefgh", min_size=1, max_size=5)


@given(st.dictionaries(WORDS, st.integers(1, 50), min_size=2, max_size=8), st.data())
def test_every_value_of_a_named_column_has_one_meaning(levels: dict[str, int], data: st.DataObject) -> None:
    """The values that a person names mean what the person says, and every other value is on one side."""
    positive = data.draw(st.sampled_from(sorted(levels)))
    candidate = declared_candidate("x", levels, positive=[positive.upper()])
    assert sides(candidate)[0] == (positive,)
    assert sorted(word for side in sides(candidate) for word in side) == sorted(levels)


def test_a_named_column_with_answers_needs_no_values() -> None:
    """Yes and no are known; of two other words nobody knows which is won."""
    assert sides(declared_candidate("opted out", ANSWERS)) == (("yes",), ("no",), ())
    assert declared_candidate("verdict", {"a": 3, "b": 4}) is None
    assert sides(declared_candidate("s", {"a": 3, "b": 4, "c": 1}, positive=["a"], open_=["c"])) == (
        ("a",),
        ("b",),
        ("c",),
    )
