"""A proposed params.yaml is read back as it was meant, whatever the names and values of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.jobs.params_text import GUESSED, Choices
from leadml.leads.judge.column_roles import Proposal
from leadml.leads.judge.label_candidates import Candidate
from leadml.leads.read.files import Dialect
from leadml.params import normal_name, parse_params

LABEL = Candidate("won", 0, ("yes",), ("no",))
FIELD = Proposal("size", "fit", "number", "5 numbers")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
NAMES = st.lists(TEXT.map(normal_name).filter(bool), min_size=4, max_size=4, unique_by=str.casefold)


def choices(**changed: object) -> Choices:
    """Return choices for a file with one field."""
    plain = {
        "path": "leads.csv", "dialect": Dialect(), "label": LABEL, "wait_days": None, "date_format": {},
        "roles": (Proposal("won", "label", None, "a"), FIELD), "target": None,
    }  # fmt: skip
    return Choices(**{**plain, **changed})


@given(NAMES, st.lists(TEXT, min_size=3, max_size=3, unique_by=str.casefold))
def test_any_name_and_value_is_read_back(names: list[str], words: list[str]) -> None:
    """Quotes, colons, hashes, line ends and letters of all scripts stand in names, values and reasons."""
    won, lead_id, field, unused = (f"x{name}" for name in names)
    label = Candidate(won, 0, (f"a{words[0]}",), (f"b{words[1]}",), (f"c{words[2]}", ""))
    roles = (
        Proposal(won, "label", None, "a"),
        Proposal(lead_id, "lead_id", None, "b"),
        Proposal(field, "engagement", "category", "c", guessed=True),
        Proposal(unused, "excluded", None, f"because {words[0]}"),
    )
    params = parse_params(choices(label=label, roles=roles, dialect=Dialect(missing=(words[1],))).text())
    assert (params.target.column, params.data.lead_id, params.data.missing) == (won, lead_id, (words[1],))
    assert (params.target.positive, params.target.negative, params.target.open) == (
        label.positive, label.negative, label.open,
    )  # fmt: skip
    assert params.features.engagement == {field: "category"}
    assert params.features.excluded == {unused: f"because {words[0]}"}


def test_what_was_found_is_written() -> None:
    """Dialect, sheet, dates and days to wait are read back."""
    dialect = Dialect(";", "cp1252", ",", ("n/a",), "Leads 2024")
    roles = (*choices().roles, Proposal("at", "created_at", None, "a time"))
    text = choices(dialect=dialect, roles=roles, wait_days=76, date_format={"at": "day_first"}).text()
    params = parse_params(text)
    assert Dialect.from_params(params.data) == dialect
    assert (params.data.created_at, params.data.timezone, params.target.wait_days) == ("at", "UTC", 76)
    assert params.data.date_format == {"at": "day_first"}


def test_what_was_guessed_is_marked_beside_it() -> None:
    """A role with its reason, and each value of the label whose meaning was guessed."""
    label = Candidate("won", 2, ("yes",), ("Lead", "no"), guessed=("Lead",))
    text = choices(
        label=label, roles=(*choices().roles, Proposal("at", "created_at", None, "why", guessed=True))
    ).text()
    assert f'created_at: "at"  # {GUESSED}why' in text
    assert f'negative: ["Lead", "no"]  # {GUESSED}"Lead"' in text
    assert GUESSED not in choices().text()


@pytest.mark.parametrize(
    ("column", "target", "name"),
    [
        ("Is Converted?", None, "is_converted"), ("IsWon", None, "is_won"), ("y", None, "converted"),
        ("2024", None, "converted"), ("Größe", None, "grosse"), ("結果", None, "converted"), ("won", "sql", "sql"),
        ("x" * 60, None, "x" * 40),
    ],
)  # fmt: skip
def test_the_name_of_the_target_follows_from_the_label(column: str, target: str | None, name: str) -> None:
    """Where its letters give one, unless a person names it."""
    label = Candidate(column, 0, ("yes",), ("no",))
    proposed = choices(label=label, target=target, roles=(Proposal(column, "label", None, "a"), FIELD))
    assert proposed.target_name == name
    assert parse_params(proposed.text()).target.name == name
