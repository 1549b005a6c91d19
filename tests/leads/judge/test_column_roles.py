"""The role of a column follows from what it holds, then from its name, and the reason says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from leadml.leads.judge.column_content import ColumnContent, describe_column
from leadml.leads.judge.column_roles import find_created_at, find_lead_id, propose_field
from leadml.leads.read.files import Dialect, column_names, read_chunks

SIZE = 40
NUMBERS = [str(number) for number in range(SIZE)]
DAYS = [f"2024-{1 + number % 12:02}-{1 + number % 28:02}" for number in range(SIZE)]
CODES = [f"X{number * 37 % 97:02}" for number in range(SIZE)]
NAMES = ["Kim Lee", "Jo Doe", "Sam Smith", "Ana Diaz"] * 10


def content(values: Sequence[Any]) -> ColumnContent:
    """Return what a column of values holds."""
    return describe_column(pa.chunked_array([values]), Dialect())


def contents(**columns: Sequence[Any]) -> dict[str, ColumnContent]:
    """Return what some columns hold; an underscore in a name is a blank."""
    return {name.replace("_", " "): content(values) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("name", "values", "role", "kind", "reason"),
    [
        ("thing", ["x"] * SIZE, "excluded", None, "constant: the same value everywhere"),
        ("thing", [None] * SIZE, "excluded", None, "empty: no row has a value"),
        ("thing", ["n/a", ""] * 20, "excluded", None, "empty"),
        ("thing", ["x", None] * 20, "fit", "category", "1 level"),
        ("thing", [f"{at}@x.org" for at in range(SIZE)], "excluded", None, "personal data: seems to hold e-"),
        ("thing", CODES, "excluded", None, "id-like: different on nearly every row"),
        ("thing", NUMBERS, "excluded", None, "id-like: different on nearly every row"),
        ("account id", CODES, "excluded", None, "an id"),
        ("account id", [str(7 * number) for number in range(SIZE)], "excluded", None, "an id: differs on nearly every"),
        ("Customer No.", [7.0 * number for number in range(20)] + [None] * 20, "excluded", None, "an id"),
        ("revenue", [str(7 * number) for number in range(SIZE)], "fit", "number", "40 numbers"),
        ("Umsatz", [f"{number * 1234.5:,.2f} €" for number in range(SIZE)], "fit", "number", "40 numbers"),
        ("employees", ["5", "n/a", "7", "-"] * 10, "fit", "number", "2 numbers"),
        ("thing", ["0", "1"] * 20, "fit", "boolean", "true and false"),
        ("thing", ["1", "2"] * 20, "fit", "number", "2 numbers"),
        ("thing", ["1", "2", ""] * 13 + ["x1"], "fit", "category", "3 levels"),
        ("Page Views", ["1", "2"] * 20, "engagement", "number", "2 numbers"),
        ("PageViews__c", ["1", "2"] * 20, "engagement", "number", "2 numbers"),
        ("Informational", ["a", "b"] * 20, "fit", "category", "2 levels"),
        ("Platform", ["a", "b"] * 20, "fit", "category", "2 levels"),
        ("Last Activity", DAYS, "excluded", None, "a time other than"),
        ("Contact owner", NAMES, "excluded", None, "names of people"),
        ("Owner", ["Tim", "Ann"] * 20, "excluded", None, "names of people"),
        ("rep", ["tim.b", "ann.k"] * 20, "excluded", None, "names of people"),
        ("Téléphone", [f"06{at:08}" for at in range(SIZE)], "excluded", None, "personal data: seems to hold telephone"),
        ("Phone calls", ["1", "2"] * 20, "engagement", "number", "2 numbers"),
        ("Mobile visits", ["1", "2"] * 20, "engagement", "number", "2 numbers"),
        ("Code postal", ["75001", "69002"] * 20, "excluded", None, "personal data: seems to hold addresses"),
        ("RegionID", ["1", "2", "3", "4"] * 10, "fit", "category", "4 numbers, named like codes"),
        ("branch", ["001", "002", "045", "046"] * 10, "fit", "category", "4 levels"),
        ("digest", [f"{at:040x}" for at in range(SIZE)], "excluded", None, "id-like"),
        ("Account manager", ["north", "south"] * 20, "fit", "category", "2 levels"),
        ("Company", [f"Stern {number} GmbH" for number in range(SIZE)], "excluded", None, "names of companies"),
        ("Company size", ["small", "large"] * 20, "fit", "category", "2 levels"),
        ("Notes", [f"please call me about offer {number}" for number in range(SIZE)], "excluded", None, "free text"),
    ],
)  # fmt: skip
def test_the_role_of_a_field_follows_from_its_values_and_its_name(
    name: str, values: list[Any], role: str, kind: str | None, reason: str
) -> None:
    """What no model should use is excluded with the reason; whole words tell fit from engagement."""
    proposal = propose_field(name, content(values))
    assert (proposal.role, proposal.kind) == (role, kind)
    assert proposal.reason.startswith(reason)


def test_fields_of_the_bundled_file_are_of_fit_or_of_engagement(bank_file: Any) -> None:
    """Id and fields are found among its columns, and no time."""
    dialect = Dialect()
    (chunk,) = read_chunks(bank_file, dialect, column_names(bank_file, dialect), rows=10_000)
    found = {name: describe_column(chunk.table[name], dialect) for name in chunk.table.column_names}
    lead_id = find_lead_id(found)
    assert lead_id is not None
    assert (lead_id.column, lead_id.guessed) == ("id", False)
    assert find_created_at(found) is None
    groups = {
        name: propose_field(name, found[name]).role for name in ("age", "housing", "campaign", "contact", "poutcome")
    }
    assert list(groups.values()) == ["fit", "fit", "engagement", "engagement", "fit"]


@pytest.mark.parametrize("name", ["ID", "Lead ID", "Record ID", "Lead-Nr.", "lead_number", "uuid", "LeadId", "No."])
def test_an_id_differs_on_every_row_and_is_named_like_one(name: str) -> None:
    """Whatever the system calls it; a name alone is not enough."""
    found = find_lead_id({"x": content(DAYS), name: content(CODES)})
    assert found is not None
    assert (found.column, found.guessed) == (name, False)
    assert found.reason == "differs on every row and is named like an id"
    assert find_lead_id({name: content(["a", "b"] * 20)}) is None
    assert find_lead_id({name: content([*CODES[1:], None])}) is None


def test_the_id_of_the_lead_goes_before_other_ids_and_numbers() -> None:
    """A running number without the name of an id is taken for want of better, and marked as guessed."""
    found = contents(row=NUMBERS, Account_ID=CODES, Lead_ID=CODES[::-1])
    names = []
    while found:
        proposal = find_lead_id(found)
        assert proposal is not None
        names.append((proposal.column, proposal.guessed))
        del found[proposal.column]
    assert names == [("Lead ID", False), ("Account ID", False), ("row", True)]
    assert find_lead_id(contents(Lead_ID=CODES), ("Lead ID",)) is None


@pytest.mark.parametrize("name", ["created_at", "Create Date", "CreatedDate", "Angelegt am", "Créé le", "date added"])
def test_the_date_of_a_lead_is_a_time_that_is_named_like_a_creation(name: str) -> None:
    """It goes before other times, wherever it stands."""
    found = find_created_at({"Last Modified": content(DAYS), "date": content(DAYS), name: content(DAYS)})
    assert found is not None
    assert (found.column, found.guessed) == (name, False)
    assert find_created_at({name: content([*DAYS[1:], None])}) is not None
    assert find_created_at({name: content([*DAYS[4:], *[None] * 4])}) is None
    assert find_created_at({name: content(NAMES)}) is None


def test_the_creation_of_the_lead_goes_before_that_of_the_account() -> None:
    """Whatever stands first; where neither is of the lead, the first is guessed."""
    found = find_created_at(contents(Account_created=DAYS, Lead_created=DAYS))
    assert found is not None
    assert (found.column, found.guessed) == ("Lead created", False)
    found = find_created_at(contents(date_created=DAYS, date_entered=DAYS, signup_date=DAYS))
    assert found is not None
    assert (found.column, found.guessed) == ("date created", True)


def test_the_only_column_that_differs_everywhere_is_guessed_to_be_the_id() -> None:
    """Of two nobody knows which it is, and an address is none."""
    found = find_lead_id(contents(Deal=CODES, Region=["a", "b"] * 20))
    assert found is not None
    assert (found.column, found.guessed) == ("Deal", True)
    assert find_lead_id(contents(Deal=CODES, Other=CODES[::-1])) is None
    assert find_lead_id(contents(Write_to=[f"{at}@x.org" for at in range(SIZE)])) is None


def test_a_single_time_is_guessed_to_be_the_date_of_the_lead() -> None:
    """Of two nobody knows which it is, and the time of a change is none."""
    proposal = find_created_at(contents(date=DAYS, Last_Modified=DAYS))
    assert proposal is not None
    assert (proposal.column, proposal.guessed) == ("date", True)
    assert find_created_at(contents(date=DAYS, day=DAYS)) is None
    assert find_created_at(contents(Close_Date=DAYS)) is None
