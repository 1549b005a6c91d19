from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from leadml.leads.check.contract import CREATED_AT, LABEL, LEAD_ID, RECORDED_AT, SPLIT_KEY, VALID_FROM, Field
from leadml.leads.check.derived_columns import derived_fields
from leadml.leads.check.rows import check_chunk
from leadml.leads.read.files import Dialect, RawChunk
from leadml.params import DerivedParams

VALUES = {"id": ["007", "8"], "age": ["30", ""], "country": ["NA", ""], "y": ["yes", "no"]}


def _chunk(**changed):
    table = pa.table({**VALUES, **changed})
    places = np.arange(table.num_rows)
    return RawChunk(table, "leads.csv", places + 2, places)


def test_rows_without_faults_are_converted_and_have_their_lines(contract):
    """Ids are text, numbers are float64, labels are 0 and 1, and each row has its line."""
    checked = check_chunk(_chunk(), contract, Dialect())
    assert checked.faults == ()
    assert checked.rows == 2
    assert checked.locations == ("leads.csv:2", "leads.csv:3")
    frame = checked.frame
    assert frame[LEAD_ID].tolist() == ["007", "8"]
    assert frame["age"].dtype == np.float64
    assert frame["age"].tolist()[0] == 30
    assert np.isnan(frame["age"][1])
    assert frame[LABEL].tolist() == [1, 0]


@pytest.mark.parametrize("country", [["NA", ""], ["", ""], ["", "BE"]])
def test_a_missing_category_is_none_whatever_the_other_rows_hold(contract, country):
    """The other values of a chunk do not change how a missing text is stored."""
    values = check_chunk(_chunk(country=country), contract, Dialect()).frame["country"].tolist()
    assert values == [value or None for value in country]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"age": ["1.234,5", "1"]}, "age must be a number with decimal mark '.', got '1.234,5'; set data.decimal: ','"),
        ({"age": ["unknown", "1"]}, "got 'unknown'; if it means not known, add 'unknown' to data.missing"),
        ({"age": ["1,5", "1"]}, "age must be a number with decimal mark '.', got '1,5'; set data.decimal: ','"),
        ({"age": ["12 apples", "1"]}, "leads.csv:2: age must be a number with decimal mark '.', got '12 apples'"),
        ({"age": ["\x1b[31m", "1"]}, "got '\\x1b[31m'"),
        ({"id": ["", "8"]}, "id must be an id of 1 to 256 characters as text or whole number, got nothing"),
        ({"id": [None, "8"]}, "as text or whole number, got nothing"),
        ({"id": ["a\0", "8"]}, "as text or whole number, got 'a\\x00'"),
        ({"y": ["won", "no"]}, "y must be one of 'yes', 'no', got 'won'"),
        ({"y": ["", "no"]}, "y must be one of 'yes', 'no', got nothing"),
        ({"y": ["yea", "no"]}, "y must be one of 'yes', 'no', got 'yea'"),
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
    """The row is left out, the other row is not affected, and the fault shows the value."""
    checked = check_chunk(_chunk(**changed), contract, Dialect())
    assert checked.locations == ("leads.csv:3",)
    (fault,) = checked.faults
    assert str(fault).startswith("leads.csv:2: ")
    assert message in str(fault)


@pytest.mark.parametrize("label", [[float("nan"), 0.0], [2.0, 0.0], [None, 0.0]])
def test_a_label_that_is_neither_positive_nor_negative_is_refused(contract, label):
    """A typed label must be one of the declared values, as text must."""
    declared = replace(contract, label=replace(contract.label, positive=("1",), negative=("0",)))
    checked = check_chunk(_chunk(y=label), declared, Dialect())
    got = {"nan": "'nan'", "2.0": "'2.0'", "None": "nothing"}[str(label[0])]
    assert str(checked.faults[0]) == f"leads.csv:2: y must be one of '1', '0', got {got}"
    assert checked.frame[LABEL].tolist() == [0]


def test_every_wrong_value_of_a_row_is_a_fault_that_names_the_lead(contract):
    """Each fault of a row has the id, where the id could be read."""
    checked = check_chunk(_chunk(age=["x", "1"], y=["?", "no"]), contract, Dialect())
    assert [(fault.column, fault.lead_id) for fault in checked.faults] == [("y", "007"), ("age", "007")]


def test_the_declared_decimal_mark_is_read(contract):
    """The declared decimal mark is read and the other is refused."""
    checked = check_chunk(_chunk(age=["1,5", "1.5"]), contract, Dialect(decimal=","))
    assert checked.frame["age"].tolist() == [1.5]
    assert str(checked.faults[0]) == (
        "leads.csv:3: age must be a number with decimal mark ',', got '1.5'; set data.decimal: '.'"
    )


@pytest.mark.parametrize(("mark", "text"), [(".", "1,167"), (",", "1.167")])
def test_no_advice_makes_decimals_of_thousands(contract, mark, text):
    """A value that can be thousands is read as thousands, so that it is no fault that has a remedy."""
    checked = check_chunk(_chunk(age=[text, "1"]), contract, Dialect(decimal=mark))
    assert checked.faults == ()
    assert checked.frame["age"].tolist() == [1167, 1]


def test_without_an_id_column_the_number_of_the_row_is_the_id(contract):
    """Ids count on from the records of earlier files."""
    checked = check_chunk(_chunk(), replace(contract, lead_id=None), Dialect(), before=40)
    assert checked.frame[LEAD_ID].tolist() == ["41", "42"]


@pytest.mark.parametrize(
    ("zone", "message"),
    [(None, "must be a time in ISO 8601 with a zone (or set data.timezone), got "), ("UTC", "in ISO 8601, got 'soon'")],
)
def test_a_time_without_a_zone_is_refused_unless_one_is_declared(contract, zone, message):
    """The message says how to declare a zone, and instants are in microseconds."""
    dated = replace(contract, created_at="when", timezone=zone)
    checked = check_chunk(
        _chunk(when=["2024-01-02" if zone is None else "soon", "2024-01-02T00:00Z"]), dated, Dialect()
    )
    assert message in str(checked.faults[0])
    assert checked.frame[CREATED_AT].tolist() == [1_704_153_600_000_000]


def test_leads_to_score_need_no_label(contract):
    """A contract without a label reads no label; booleans are converted to numbers."""
    scoring = replace(contract, label=None, fields=(Field("country", "boolean", "fit"),))
    checked = check_chunk(_chunk(country=["yes", "perhaps"]), scoring, Dialect())
    assert checked.frame["country"].tolist() == [1]
    assert LABEL not in checked.frame
    assert str(checked.faults[0]) == "leads.csv:3: country must be true or false, got 'perhaps'"


def _dated(contract, **roles):
    return replace(contract, label=None, timezone="UTC", **roles)


def test_times_and_accounts_of_dated_leads_have_the_names_of_their_roles(contract):
    """Times are in microseconds; the split key is the account, or the id of a lead without an account."""
    roles = {"created_at": "came", "recorded_at": "written", "valid_from": "since", "account": "firm"}
    dates = {name: ["2024-01-02", "2024-01-02T00:00:00Z"] for name in ("came", "written", "since")}
    frame = check_chunk(_chunk(**dates, firm=["acme", ""]), _dated(contract, **roles), Dialect()).frame
    for name in (CREATED_AT, RECORDED_AT, VALID_FROM):
        assert frame[name].tolist() == [1_704_153_600_000_000] * 2
    assert frame[SPLIT_KEY].tolist() == ["acme", "8"]
    assert LABEL not in frame


@pytest.mark.parametrize("role", ["created_at", "recorded_at", "valid_from"])
def test_a_wrong_time_is_a_fault_of_its_own_column(contract, role):
    """The fault names the column of the file instead of the role."""
    checked = check_chunk(_chunk(when=["soon", "2024-01-02"]), _dated(contract, **{role: "when"}), Dialect())
    assert [str(fault) for fault in checked.faults] == ["leads.csv:2: when must be a time in ISO 8601, got 'soon'"]
    assert checked.faults[0].lead_id == "007"


@pytest.mark.parametrize("role", ["created_at", "recorded_at", "valid_from"])
def test_a_time_that_the_clocks_skip_is_a_fault_and_one_that_they_repeat_is_read(contract, role):
    """Only the row with the skipped time is refused."""
    dated = replace(_dated(contract, **{role: "when"}), timezone="Europe/Berlin")
    checked = check_chunk(_chunk(when=["2024-03-31 02:30", "2024-10-27 02:30"]), dated, Dialect())
    (fault,) = checked.faults
    assert str(fault) == (
        "leads.csv:2: when must be a time of Europe/Berlin, whose clocks skip this hour (write its offset, or correct "
        "it), got '2024-03-31 02:30'"
    )
    assert checked.frame[role].tolist() == [1_729_992_600_000_000]


@pytest.mark.parametrize(
    ("date_format", "messages"),
    [
        (None, ["whose order is declared (set data.date_format: day_first or month_first), got '13.02.2024'",
                "whose order is declared (set data.date_format: day_first or month_first), got '02.13.2024'"]),
        ("day_first", ["with the day first (see data.date_format), got '02.13.2024'"]),
        ("month_first", ["with the month first (see data.date_format), got '13.02.2024'"]),
        ({"when": "day_first"}, ["with the day first (see data.date_format), got '02.13.2024'"]),
        ({"other": "day_first"}, ["data.date_format: day_first or month_first), got '13.02.2024'", "'02.13.2024'"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["created_at", "recorded_at", "valid_from"])
def test_a_date_of_three_numbers_is_read_in_the_declared_order_only(contract, role, date_format, messages):
    """One that contradicts the order is a fault, and without an order each is one."""
    dated = replace(_dated(contract, **{role: "when"}), date_format=date_format)
    checked = check_chunk(_chunk(when=["13.02.2024", "02.13.2024"]), dated, Dialect())
    for fault, message in zip(checked.faults, messages, strict=True):
        assert str(fault).endswith(message)
        assert "when must be a date" in str(fault)
    assert checked.frame[role].tolist() == [1_707_782_400_000_000] * (2 - len(messages))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("role", ["created_at", "recorded_at", "valid_from"])
def test_a_missing_time_is_refused_in_every_unit(contract, role, unit):
    """A null is refused, even where the file stores it as the smallest number."""
    when = pa.array([None, 1], pa.timestamp(unit))
    checked = check_chunk(_chunk(when=when), _dated(contract, **{role: "when"}), Dialect())
    assert [str(fault) for fault in checked.faults] == ["leads.csv:2: when must be a time in ISO 8601, got nothing"]


def test_an_account_that_is_not_text_is_refused(contract):
    """Bytes that are no text are not an account."""
    checked = check_chunk(_chunk(firm=[b"\xff", b"\xfe"]), _dated(contract, account="firm"), Dialect())
    assert [fault.column for fault in checked.faults] == ["firm", "firm"]
    assert "firm must be text, a whole number or a boolean" in str(checked.faults[0])


def test_derived_fields_are_in_the_frame_and_their_columns_are_not(contract):
    """The frame has the classes and the evidence; declared words are missing values in their columns too."""
    choices = DerivedParams(email="mail", title="job", company_size="staff", country="land", evidence=("need",))
    columns = {
        "mail": ["a@gmail.com", "?"],
        "job": ["CEO", "?"],
        "staff": [7, 70],
        "land": ["de", "?"],
        "need": ["?", "x"],
    }
    declared = _dated(contract, derived=choices)
    declared = replace(declared, fields=(*contract.fields, *derived_fields(choices)))
    frame = check_chunk(_chunk(**columns), declared, Dialect(missing=("?",))).frame
    assert frame.loc[0, ["email_domain", "title_rank", "company_size", "country_code"]].tolist() == [
        "free", "executive", "2-10", "DE",
    ]  # fmt: skip
    assert frame["email_domain"].tolist()[1] is None
    assert frame["company_size"].tolist() == ["2-10", "51-200"]
    assert frame[["need_given", "evidence_given"]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert not {"mail", "job", "staff", "land", "need"} & set(frame.columns)


def test_without_ids_the_split_key_is_a_hash_of_the_fields_of_leads(contract):
    """Rows with the same values have the same split key; fields computed from activities are not part of it."""
    visits = Field("visits_7d", "number", "engagement", "activity")
    declared = replace(contract, lead_id=None, fields=(*contract.fields, visits))
    frame = check_chunk(_chunk(age=["1", "1"], country=["BE", "BE"]), declared, Dialect()).frame
    assert frame[SPLIT_KEY].nunique() == 1
