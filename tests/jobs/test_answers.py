"""A question says what is open and which option answers it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from leadml.errors import LeadmlError
from leadml.jobs.answers import Answers, UndecidedError


def test_nothing_is_settled_by_default() -> None:
    """Every answer is empty until a person gives it."""
    answers = Answers()
    assert not any(getattr(answers, each.name) for each in fields(answers))


def test_a_question_is_a_refusal_with_the_answers_that_there_are() -> None:
    """The command line shows its message as any other."""
    with pytest.raises(LeadmlError, match=r"^which\?$") as caught:
        raise UndecidedError("which?", "label", ["a", "b"])  # noqa: EM101 - the message is the test
    assert isinstance(caught.value, UndecidedError)
    assert (caught.value.option, caught.value.choices) == ("label", ("a", "b"))
    assert caught.value.option in {each.name for each in fields(Answers)}


@pytest.mark.parametrize(("option", "value"), [("label", "won"), ("positive", ("won",)), ("date_format", "won")])
def test_an_answer_settles_its_option_alone(option: str, value: object) -> None:
    """Of values there may be several, so that the first is one of them."""
    answers = Answers(target="deal").with_answer(UndecidedError("which?", option, ["won"]), "won")
    assert answers == Answers(target="deal", **{option: value})
