"""A field: its topic, and its plain data."""

from __future__ import annotations

import dataclasses
import json

import pytest

from leadml.leads.check.contract import Contract
from leadml.leads.check.field import Field

WINDOW = Field("form_7d", "number", "engagement", "activity", "form", "{} forms in 7 days", "no forms are known")


def test_a_field_is_a_topic_by_itself_unless_it_has_one() -> None:
    """The windows of one activity have one subject, and a column is its own."""
    assert Field("age", "number", "fit").subject == "age"
    assert WINDOW.subject == dataclasses.replace(WINDOW, name="form_30d").subject == "form"


def test_a_field_without_words_is_a_column() -> None:
    """The texts are empty until a source of fields gives them."""
    field = Field("age", "number", "fit")

    assert (field.source, field.topic, field.words, field.words_if_missing) == ("column", "", "", "")


@pytest.mark.parametrize("field", [Field("a ", "boolean", "fit"), Field("ü", "category", "fit", "derived"), WINDOW])
def test_a_field_is_restored_from_its_plain_data(field: Field) -> None:
    """It survives JSON, and no part of it is lost."""
    stored = json.loads(json.dumps(field.to_json()))

    assert Field(*stored) == field
    assert stored == list(dataclasses.astuple(field))


def test_fields_with_the_same_parts_are_equal_and_cannot_be_changed(bank_contract: Contract) -> None:
    """So they can be members of a set."""
    assert len({Field("age", "number", "fit"), Field("age", "number", "fit"), WINDOW}) == 2
    assert len(set(bank_contract.fields)) == len(bank_contract.fields)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        WINDOW.name = "other"  # type: ignore[misc]
