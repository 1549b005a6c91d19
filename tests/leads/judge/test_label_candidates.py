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
    assert list(found(**columns)) == ["IsConverted", "Status", "Customer", "y"]


def test_stages_are_won_lost_and_open() -> None:
    """A status with a value for lost has open leads, and an unknown word is open and marked as guessed."""
    levels = {"Closed Won": 10, "Closed Lost": 50, "Working": 7, "Fence": 2, "": 5}
    candidate = found(status=levels)["status"]
    assert sides(candidate) == (("Closed Won",), ("Closed Lost",), ("Working", "", "Fence"))
    assert candidate.guessed == ("Fence",)
    assert candidate.won == pytest.approx(10 / 60)


@pytest.mark.parametrize("level", ["Open", "Pendiente", "perhaps"])
def test_answers_and_a_word_for_open_are_a_label(level: str) -> None:
    """Yes and no say won and lost beside any other word."""
    assert sides(found(converted={"Yes": 3, "No": 9, level: 2})["converted"]) == (("Yes",), ("No",), (level,))


def test_a_mark_and_nothing_else_says_yes_and_no() -> None:
    """Where there is no other value, the empty one is guessed to mean not converted."""
    candidate = found(converted={"x": 3, "": 9})["converted"]
    assert sides(candidate) == (("x",), ("",), ())
    assert candidate.guessed == ("",)


@pytest.mark.parametrize(
    "levels", [{"yes": 3, "no": 9, "unknown": 1}, {"0": 4, "1": 5, "2": 3, "17": 1}, {"Y": 1, "N": 2, "S": 3}]
)
def test_answers_in_a_column_of_another_name_are_no_outcomes(levels: dict[str, int]) -> None:
    """Neither beside other words nor beside other numbers."""
    assert found(housing=levels) == {}


def test_reasons_for_a_loss_are_not_won() -> None:
    """A word for won beside other words may mean something else; it is marked as guessed."""
    odd = ("Won't buy", "Bought from a friend", "Existing customer", "To be signed")
    candidate = found(Status={"Won": 9, "Lost": 9, **dict.fromkeys(odd, 1)})["Status"]
    assert candidate.positive == ("Won",)
    assert set(candidate.guessed) == set(odd)


def test_without_a_value_for_lost_stages_before_won_are_not_converted() -> None:
    """They are marked as guessed; only the empty value is open."""
    levels = {"Customer": 10, "Lead": 50, "Marketing Qualified Lead": 20, "": 3}
    candidate = found(**{"Lifecycle Stage": levels})["Lifecycle Stage"]
    assert sides(candidate) == (("Customer",), ("Lead", "Marketing Qualified Lead"), ("",))
    assert candidate.guessed == ("Lead", "Marketing Qualified Lead")


@pytest.mark.parametrize("levels", [{"yes": 9}, {"no": 9, "": 3}, {f"won {at}": 1 for at in range(40)}])
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
