from __future__ import annotations

import pyarrow as pa
import pytest

from leadml.errors import DataError
from leadml.leads.judge.column_roles import propose_roles
from leadml.leads.read.files import Dialect, column_names, read_chunks

SIZE = 40
IDS = [f"{number:04}" for number in range(SIZE)]
ANSWERS = ["no", "no", "no", "yes"] * 10


def _proposed(**columns):
    table = pa.table({name: pa.chunked_array([values]) for name, values in columns.items()})
    found = propose_roles(table, Dialect())
    assert [proposal.column for proposal in found] == list(columns)
    return {proposal.column: proposal for proposal in found}


def test_every_column_of_the_bundled_file_has_one_role(bank_file):
    """Id and label are found, and fields of engagement are distinguished from those of fit."""
    dialect = Dialect()
    (chunk,) = read_chunks(bank_file, dialect, column_names(bank_file, dialect), rows=10_000)
    roles = {proposal.column: proposal for proposal in propose_roles(chunk.table, dialect)}
    assert roles["id"].role == "lead_id"
    assert (roles["y"].role, roles["y"].positive, roles["y"].negative) == ("label", ("yes",), ("no",))
    assert (roles["age"].role, roles["age"].kind) == ("fit", "number")
    assert (roles["housing"].role, roles["housing"].kind) == ("fit", "boolean")
    assert (roles["campaign"].role, roles["poutcome"].kind) == ("engagement", "category")


@pytest.mark.parametrize(
    ("values", "role", "kind", "reason"),
    [
        (["x"] * SIZE, "excluded", None, "constant: the same value everywhere"),
        ([None] * SIZE, "excluded", None, "constant"),
        ([f"{number}@x.org" for number in range(SIZE)], "excluded", None, "personal data: seems to hold e-mail"),
        ([f"code {number}" for number in range(SIZE)], "excluded", None, "id-like: different on nearly every row"),
        (["0", "1"] * 20, "fit", "boolean", "true and false"),
        (["1", "2"] * 20, "fit", "number", "2 numbers"),
        (["1", "2", ""] * 13 + ["x"], "fit", "category", "3 levels"),
        ([f"0.{number:09}" for number in range(SIZE)], "fit", "number", "40 numbers"),
        ([number / 7 for number in range(SIZE)], "fit", "number", "40 numbers"),
    ],
)
def test_the_role_of_a_column_follows_from_its_values(values, role, kind, reason):
    """Constants, addresses and ids are excluded with the reason; the kind follows from all values."""
    proposal = _proposed(thing=values, won=ANSWERS)["thing"]
    assert (proposal.role, proposal.kind) == (role, kind)
    assert proposal.reason.startswith(reason)


def test_numbers_that_are_named_like_ids_are_excluded():
    """A number that differs on every row is a field, unless its name ends like an id."""
    found = _proposed(account_id=list(range(SIZE)), revenue=list(range(SIZE)), won=ANSWERS)
    assert found["account_id"].role == "excluded"
    assert found["revenue"].role == "fit"


def test_the_id_and_the_time_are_found_by_name_and_content():
    """A name alone is not enough: an id must differ on every row, and a time be one on every row."""
    days = [f"2024-01-{1 + number % 28:02}" for number in range(SIZE)]
    found = _proposed(lead_id=["x", "y"] * 20, ID=IDS, created=ANSWERS[::-1], Created_Date=days, won=ANSWERS)
    assert found["ID"].role == "lead_id"
    assert found["Created_Date"].role == "created_at"
    assert found["lead_id"].role == found["created"].role == "fit"


def test_the_reason_for_an_id_says_whether_it_differs_on_every_row():
    """An id that repeats differs on nearly every row."""
    repeated = [*IDS[:-1], IDS[0]]
    assert "different on every row" not in _proposed(id=repeated, won=ANSWERS)["id"].reason


@pytest.mark.parametrize(
    ("columns", "label", "positive"),
    [
        ({"won": ANSWERS, "other": ANSWERS}, "won", "yes"),
        ({"Status": ["Closed Won", "lost"] * 20, "last": ANSWERS}, "Status", "Closed Won"),
        ({"churned": ANSWERS, "Is Converted": ["0", "1"] * 20, "z": IDS}, "Is Converted", "1"),
        ({"age": IDS, "verdict": ["a", "a", "a", "b"] * 10}, "verdict", "b"),
        ({"won": ["yes", "yes", "yes", "no"] * 10}, "won", "yes"),
        ({"won": [*ANSWERS[:-1], None]}, "won", "yes"),
    ],
)
def test_the_label_is_found_by_name_or_as_the_last_of_two_values(columns, label, positive):
    """Known names come first; of the two values the positive one is known or rarer."""
    proposal = _proposed(**columns)[label]
    assert proposal.role == "label"
    assert proposal.positive == (positive,)
    assert len(proposal.negative) == 1


@pytest.mark.parametrize("columns", [{"id": IDS, "won": IDS}, {"pair": ANSWERS, "last": IDS}, {"won": ["yes"] * SIZE}])
def test_a_file_without_a_label_is_refused(columns):
    """The message names the columns and says what to do."""
    names = ", ".join(columns)
    with pytest.raises(
        DataError,
        match=f"^header: must have a column of two .* got {names}; name it 'converted', or write .* by hand from docs/",
    ):
        _proposed(**columns)
