"""The label is taken where the file tells it, and asked for where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from leadml.errors import LeadmlError
from leadml.jobs.answers import Answers, UndecidedError
from leadml.jobs.choose_label import choose_label
from leadml.leads.check.convert import texts
from leadml.leads.judge.column_content import describe_column
from leadml.leads.judge.label_candidates import Candidate
from leadml.leads.read.files import Dialect

WON = ["no", "no", "no", "yes"] * 25
OTHER = ["no", "yes"] * 50


def choose(answers: Answers | None = None, **columns: list[Any]) -> Candidate:
    """Return the label of some columns."""
    table = {name.replace("_", " "): pa.chunked_array([values]) for name, values in columns.items()}
    contents = {name: describe_column(column, Dialect()) for name, column in table.items()}
    values = {name: texts(column, Dialect())[0] for name, column in table.items()}
    return choose_label(contents, values, answers or Answers())


def test_a_sure_column_is_taken() -> None:
    """Other columns with two values, and later statuses, change nothing."""
    status = list(np.where(np.array(WON) == "yes", "Customer", "Lead"))
    assert choose(Opted_out=OTHER, Lifecycle_stage=status, Is_converted=WON).column == "Is converted"


def test_columns_that_agree_are_no_tie() -> None:
    """The first of them is taken; of two that disagree a person chooses."""
    again = ["nein" if word == "no" else "ja" for word in WON]
    assert choose(won=WON, Gewonnen=again).column == "won"
    with pytest.raises(
        UndecidedError, match=r"'won' and 'Gewonnen' both seem .* disagree; choose: leadml init FILE --label 'won'"
    ) as caught:
        choose(won=WON, Gewonnen=OTHER)
    assert (caught.value.option, caught.value.choices) == ("label", ("won", "Gewonnen"))
    assert choose(Answers(label="Gewonnen"), won=WON, Gewonnen=OTHER).column == "Gewonnen"


def test_without_a_column_that_speaks_of_an_outcome_a_person_is_asked() -> None:
    """The message lists the columns with few values, and the option that answers."""
    with pytest.raises(
        UndecidedError, match=r"few values: Opted out, verdict; name .* --label COLUMN --positive VALUE"
    ):
        choose(Opted_out=OTHER, verdict=["a", "b"] * 50, id=[str(at) for at in range(100)])


def test_following_the_message_gets_further() -> None:
    """A column of yes and no needs its name alone, another one the value that means won."""
    columns = {"Opted_out": OTHER, "verdict": ["a", "b"] * 50}
    assert choose(Answers(label="Opted out"), **columns).positive == ("yes",)
    with pytest.raises(UndecidedError, match=r"which values of 'verdict' mean converted: 'a', 'b'; .*--positive VALUE"):
        choose(Answers(label="verdict"), **columns)
    found = choose(Answers(label="verdict", positive=("b",)), **columns)
    assert (found.positive, found.negative) == (("b",), ("a",))
    many = {"reason": [f"reason {at % 25}" for at in range(100)]}
    with pytest.raises(UndecidedError, match=r"'reason 18', 'reason 19' and 13 more; name them: .*--positive VALUE"):
        choose(Answers(label="reason"), **many)
    found = choose(Answers(label="reason", positive=("reason 3",)), **many)
    assert (found.positive, len(found.negative)) == (("reason 3",), 24)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (Answers(label="wonn"), "--label must name a column, got 'wonn'; the nearest is 'won'"),
        (
            Answers(label="won", positive=("yess",)),
            "--positive must be a value of won, got 'yess'; the nearest is 'yes'",
        ),
        (Answers(label="won", open=("x",)), "--open must be a value of won, got 'x'"),
    ],
)
def test_a_name_that_does_not_exist_is_refused(answers: Answers, message: str) -> None:
    """With the nearest that does."""
    with pytest.raises(LeadmlError, match=message):
        choose(answers, won=WON)
