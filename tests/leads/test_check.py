from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from leadml.leads.check import check_chunk
from leadml.leads.ingest import Dialect, RawChunk
from leadml.leads.schema import CREATED_AT, LABEL, LEAD_ID, Field

GOOD = {"id": ["007", "8"], "age": ["30", ""], "country": ["NA", ""], "y": ["yes", "no"]}


def _chunk(**changed):
    table = pa.table({**GOOD, **changed})
    places = np.arange(table.num_rows)
    return RawChunk(table, "leads.csv", places + 2, places)


def test_good_rows_come_out_typed_with_their_lines(contract):
    """Ids are text, numbers are float64, labels 0 and 1, and each row knows its line."""
    checked = check_chunk(_chunk(), contract, Dialect())
    assert checked.faults == ()
    assert checked.rows == 2
    assert checked.where == ("leads.csv:2", "leads.csv:3")
    frame = checked.frame
    assert frame[LEAD_ID].tolist() == ["007", "8"]
    assert frame["age"].dtype == np.float64
    assert frame["age"].tolist()[0] == 30
    assert np.isnan(frame["age"][1])
    assert frame[LABEL].tolist() == [1, 0]


@pytest.mark.parametrize("country", [["NA", ""], ["", ""], ["", "BE"]])
def test_a_missing_category_is_none_whatever_stands_beside_it(contract, country):
    """What a chunk holds elsewhere does not change how a missing text is kept."""
    values = check_chunk(_chunk(country=country), contract, Dialect()).frame["country"].tolist()
    assert values == [value or None for value in country]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"age": ["1.234,5", "1"]}, "age must be a number with decimal mark '.', got '1.234,5'; set data.decimal: ','"),
        ({"age": ["unknown", "1"]}, "got 'unknown'; if it means not known, add 'unknown' to data.missing"),
        ({"age": ["12%", "1"]}, "leads.csv:2: age must be a number with decimal mark '.', got '12%'"),
        ({"age": ["\x1b[31m", "1"]}, "got '\\x1b[31m'"),
        ({"id": ["", "8"]}, "id must be an id of 1 to 256 characters as text or whole number, got nothing"),
        ({"id": [None, "8"]}, "as text or whole number, got nothing"),
        ({"id": ["a\0", "8"]}, "as text or whole number, got 'a\\x00'"),
        ({"y": ["won", "no"]}, "y must be one of 'yes', 'no', got 'won'"),
        ({"y": ["", "no"]}, "y must be one of 'yes', 'no', got nothing"),
        ({"y": ["YES", "no"]}, "y must be one of 'yes', 'no', got 'YES'"),
        ({"country": [b"\xff", None]}, "country must be text, a whole number or a boolean, got 'b'\\xff''"),
        ({"country": [["BE"], None]}, "country must be text, a whole number or a boolean, got '['BE']'"),
        ({"country": [{"a": 1}, None]}, "country must be text, a whole number or a boolean, got '{'a': 1}'"),
        (
            {"age": pa.array([10**7, None], pa.int32()).view(pa.date32())},
            "age must be a number with decimal mark '.', ",
        ),
    ],
)
def test_a_wrong_value_is_a_fault_with_its_line_column_and_remedy(contract, changed, message):
    """The row is left out, the other stays, and the fault says what was got."""
    checked = check_chunk(_chunk(**changed), contract, Dialect())
    assert checked.where == ("leads.csv:3",)
    (fault,) = checked.faults
    assert str(fault).startswith("leads.csv:2: ")
    assert message in str(fault)


@pytest.mark.parametrize("label", [[float("nan"), 0.0], [2.0, 0.0], [None, 0.0]])
def test_a_label_that_is_not_a_number_or_a_third_value_is_refused(contract, label):
    """A typed label must be one of the declared values too."""
    declared = replace(contract, label=replace(contract.label, positive=("1",), negative=("0",)))
    checked = check_chunk(_chunk(y=label), declared, Dialect())
    got = {"nan": "'nan'", "2.0": "'2.0'", "None": "nothing"}[str(label[0])]
    assert str(checked.faults[0]) == f"leads.csv:2: y must be one of '1', '0', got {got}"
    assert checked.frame[LABEL].tolist() == [0]


def test_a_fault_names_its_lead_and_a_row_may_have_several(contract):
    """Every wrong value of a row is told, with the id where it could be read."""
    checked = check_chunk(_chunk(age=["x", "1"], y=["?", "no"]), contract, Dialect())
    assert [(fault.column, fault.lead_id) for fault in checked.faults] == [("y", "007"), ("age", "007")]


def test_a_decimal_comma_is_read_where_it_is_declared(contract):
    """The mark that was declared is read and the other is refused."""
    checked = check_chunk(_chunk(age=["1,5", "1.5"]), contract, Dialect(decimal=","))
    assert checked.frame["age"].tolist() == [1.5]
    assert str(checked.faults[0]) == "leads.csv:3: age must be a number with decimal mark ',', got '1.5'"


def test_without_an_id_the_number_of_the_row_serves(contract):
    """Numbers go on from the chunk before."""
    checked = check_chunk(_chunk(), replace(contract, lead_id=None), Dialect(), before=40)
    assert checked.frame[LEAD_ID].tolist() == ["41", "42"]


@pytest.mark.parametrize(
    ("zone", "message"),
    [(None, "must be a time in ISO 8601 with a zone (or set data.timezone), got "), ("UTC", "in ISO 8601, got 'soon'")],
)
def test_a_time_without_a_zone_is_refused_unless_one_is_declared(contract, zone, message):
    """The message says how to declare a zone, and instants are kept in microseconds."""
    dated = replace(contract, created_at="when", timezone=zone)
    checked = check_chunk(
        _chunk(when=["2024-01-02" if zone is None else "soon", "2024-01-02T00:00Z"]), dated, Dialect()
    )
    assert message in str(checked.faults[0])
    assert checked.frame[CREATED_AT].tolist() == [1_704_153_600_000_000]


def test_booleans_are_numbers_and_leads_to_score_need_no_label(contract):
    """A contract without a label asks for none."""
    scoring = replace(contract, label=None, fields=(Field("country", "boolean", "fit"),))
    checked = check_chunk(_chunk(country=["yes", "perhaps"]), scoring, Dialect())
    assert checked.frame["country"].tolist() == [1]
    assert LABEL not in checked.frame
    assert str(checked.faults[0]) == "leads.csv:3: country must be true or false, got 'perhaps'"
