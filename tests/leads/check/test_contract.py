from __future__ import annotations

import json

import pytest
from tests.dated import crm, write_params

from leadml.errors import ParamsError
from leadml.leads.check.contract import Contract, Field, Label
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


def test_a_column_and_a_kind_of_activity_of_one_name_are_refused(tmp_path):
    """Both would be one reason."""
    params = load_params(write_params(tmp_path, crm()), ["features.fit={form: category}"])
    with pytest.raises(ParamsError, match=r"a column and a kind of activity must have different names.* 'form'"):
        Contract.from_params(params)
