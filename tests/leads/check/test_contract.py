from __future__ import annotations

import json

import pytest

from leadml.errors import DataError
from leadml.leads.check.contract import Contract, Field, Label
from leadml.leads.read.table_source import require_columns


def test_a_contract_lists_its_columns_once_in_order(bank_contract):
    """The id comes first, then the label, then fit and engagement."""
    assert bank_contract.columns[:3] == ("id", "y", "age")
    assert len(set(bank_contract.columns)) == len(bank_contract.columns) == 17
    groups = [field.group for field in bank_contract.fields]
    assert groups == sorted(groups, reverse=True)


def test_a_stored_contract_comes_back_without_its_label():
    """What a bundle keeps is all that scoring needs."""
    label = Label("y", ("1",), ("0",))
    contract = Contract((Field("a", "number", "fit"),), "id", "seen", "Europe/Brussels", label)
    stored = json.loads(json.dumps(contract.to_json()))
    again = Contract.from_json(stored)
    assert again.label is None
    assert again.fields == contract.fields
    assert again.columns == ("id", "seen", "a")
    assert again.timezone == "Europe/Brussels"


def test_more_columns_in_any_order_are_no_trouble(contract):
    """A contract asks for its own columns and for no order."""
    require_columns(contract.columns, ["x", "y", "country", "age", "id"], source="leads.csv")


def test_each_missing_column_is_named_with_the_nearest(contract):
    """Every one that is missing has its line; where nothing is near, the others are counted."""
    with pytest.raises(DataError, match=r"^leads.csv: must have a column 'y', got none; it has 3 others\n") as caught:
        require_columns(contract.columns, ["id", "age", "contry\n"], source="leads.csv")
    assert str(caught.value.faults[1]).endswith("column 'country', got none; the nearest is 'contry\\n'")
