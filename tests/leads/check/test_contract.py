from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dated import crm, write_params

from leadml.errors import ParamsError
from leadml.leads.check.contract import OPEN, Contract, Field, Label
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


@pytest.mark.parametrize("date_format", [None, "day_first", {"a": "month_first"}])
def test_the_order_of_dates_survives_json(date_format):
    """A bundle reads dates as the training did: of all columns, or of those that are named."""
    contract = Contract((), date_format=date_format)
    loaded = Contract.from_json(json.loads(json.dumps(contract.to_json())))
    orders = {"day_first": ("day_first", "day_first"), None: (None, None)}
    expected = ("month_first", None) if isinstance(date_format, dict) else orders[date_format]
    assert (loaded.date_order("a"), loaded.date_order("b")) == expected


def test_columns_of_dates_are_compared_in_their_normal_form(tmp_path):
    """Names of columns are trimmed and composed in params as in files."""
    names = ["sources.activities.occurred_at=caf\u00e9", "data.date_format={' cafe\u0301': day_first}"]
    contract = Contract.from_params(load_params(write_params(tmp_path, crm()), names))
    assert contract.date_order("caf\u00e9") == "day_first"


def test_a_column_and_a_kind_of_activity_of_one_name_are_refused(tmp_path):
    """Both would be one reason."""
    params = load_params(write_params(tmp_path, crm()), ["features.fit={form: category}"])
    with pytest.raises(ParamsError, match=r"a column and a kind of activity must have different names.* 'form'"):
        Contract.from_params(params)


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=4)


@given(
    st.lists(WORDS, min_size=3, max_size=6, unique_by=str.casefold), st.sampled_from([str.upper, str.title, str.lower])
)
def test_case_and_spaces_around_a_label_make_no_difference(words, change):
    """Each word of the label is told by its letters alone, and any other is none of the three."""
    won, lost, *waiting = words
    label = Label("y", (won,), (lost,), tuple(waiting[1:]))
    written = [f" {change(word)}\t" for word in words]
    assert label.codes(written).tolist() == [1, 0, -1, *[OPEN] * (len(waiting) - 1)]


def test_an_empty_label_is_open_only_where_it_is_declared():
    """A missing label is refused unless the empty text is among the open values."""
    assert Label("y", ("1",), ("0",)).codes([None, ""]).tolist() == [-1, -1]
    assert Label("y", ("1",), ("0",), ("",)).codes([None, "", " ", "1.0"]).tolist() == [OPEN, OPEN, OPEN, -1]
