from __future__ import annotations

import json

import pytest
from tests.dated import crm, write_params

from leadml.errors import DataError, ParamsError
from leadml.leads.check.contract import Contract, Field, Label
from leadml.leads.read.columns import require_columns
from leadml.params import load_params


def test_a_contract_lists_its_columns_once_in_order(bank_contract):
    """The id comes first, then the label, then the fields of fit and of engagement."""
    assert bank_contract.columns[:3] == ("id", "y", "age")
    assert len(set(bank_contract.columns)) == len(bank_contract.columns) == 17
    groups = [field.group for field in bank_contract.fields]
    assert groups == sorted(groups, reverse=True)


def test_a_contract_survives_json_without_its_label():
    """The contract of a bundle has all columns that scoring needs, and no label."""
    label = Label("y", ("1",), ("0",))
    contract = Contract((Field("a", "number", "fit"),), "id", "created", "Europe/Brussels", label)
    stored = json.loads(json.dumps(contract.to_json()))
    loaded = Contract.from_json(stored)
    assert loaded.label is None
    assert loaded.fields == contract.fields
    assert loaded.columns == ("id", "created", "a")
    assert loaded.timezone == "Europe/Brussels"


def test_other_columns_and_any_order_are_accepted(contract):
    """A table may have more columns than the contract, in any order."""
    require_columns(contract.columns, ["x", "y", "country", "age", "id"], source="leads.csv")


def test_each_missing_column_is_shown_with_the_most_similar_name(contract):
    """Each missing column has one line; where no name is similar, the line has the number of columns."""
    with pytest.raises(DataError, match=r"^leads.csv: must have a column 'y', got none; it has 3 others\n") as caught:
        require_columns(contract.columns, ["id", "age", "contry\n"], source="leads.csv")
    assert str(caught.value.faults[1]).endswith("column 'country', got none; the nearest is 'contry\\n'")


def test_a_column_and_a_kind_of_activity_of_one_name_are_refused(tmp_path):
    """Both would be one reason."""
    params = load_params(write_params(tmp_path, crm()), ["features.fit={form: category}"])
    with pytest.raises(ParamsError, match=r"a column and a kind of activity must have different names.* 'form'"):
        Contract.from_params(params)
