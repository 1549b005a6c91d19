from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.read.json_lines import MAX_LINE_LENGTH, read_keys, read_objects

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
VALUE = st.recursive(
    st.none() | st.booleans() | TEXT | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def _values(path, *, rows=100, decimal=".", encoding="utf-8"):
    keys = read_keys(path, encoding=encoding)
    parts = list(read_objects(path, keys, encoding=encoding, decimal=decimal, rows=rows))
    assert all(len(part.records) + len(part.faults) <= rows for part in parts)
    leads = [dict(zip(keys, record, strict=True)) for part in parts for record in part.records]
    faults = [str(fault) for part in parts for fault in part.faults]
    return leads, [line for part in parts for line in part.lines], faults


@given(st.lists(st.dictionaries(TEXT, VALUE, min_size=1, max_size=4), min_size=1, max_size=6), st.booleans())
def test_every_value_is_the_text_that_csv_would_have(write, leads, ascii_only):
    """Texts stay, numbers and booleans are as JSON writes them, lists and objects are compact JSON."""
    path = write("".join(json.dumps(lead, ensure_ascii=ascii_only) + "\n" for lead in leads), "leads.jsonl")
    read, lines, faults = _values(path, rows=2)
    assert (lines, faults) == (list(range(1, len(leads) + 1)), [])
    assert list(read[0]) == list(dict.fromkeys(key for lead in leads for key in lead))
    for lead, texts in zip(leads, read, strict=True):
        for key, text in texts.items():
            value = lead.get(key)
            if isinstance(value, str) or value is None:
                assert text == value
            else:
                assert json.loads(text) == value
                assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("number", ["1.50", "0.1000", "1e5", "-0", "12345678901234567890123", "1E-400", "9" * 5000])
def test_a_number_is_as_it_is_written(write, number):
    """Also inside a list; outside it has the decimal mark of the project's text, which a text keeps."""
    path = write(f'{{"a": {number}, "b": [{number}], "c": "{number}"}}\n', "leads.jsonl")
    assert _values(path)[0] == [{"a": number, "b": f"[{number}]", "c": number}]
    assert _values(path, decimal=",")[0] == [{"a": number.replace(".", ","), "b": f"[{number}]", "c": number}]


def test_what_is_missing_is_missing(write):
    """A key that is not there, null and NaN, which Python writes; infinity is a number that is not finite."""
    path = write('{"a": null, "b": NaN, "c": Infinity}\n{"d": true, "a": [NaN, false]}\n', "leads.jsonl")
    first, second = _values(path)[0]
    assert first == {"a": None, "b": None, "c": "Infinity", "d": None}
    assert second == {"a": "[null,false]", "b": None, "c": None, "d": "true"}


LINES = [
    ('{"id": 1', "got text that is not: Expecting ',' delimiter at character 9"),
    ("id,a", "got text that is not: Expecting value at character 1"),
    ("[1, 2]", "got '[1, 2]'"),
    ("7", "got '7'"),
    ("null", "got 'null'"),
    ('{"id": 1, "id": 2}', "got the key 'id' twice"),
    ('{"id": 1, "a": {"b": 1, "b": 1}}', "got the key 'b' twice"),
    ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "got lists or objects that are nested too deeply"),
    ('{"a": ' + '{"b":' * 100_000 + "1" + "}" * 100_000 + "}", "got lists or objects that are nested too deeply"),
    ('{"id": "a\tb"}', "got text that is not: Invalid control character at at character 10"),
]


@pytest.mark.parametrize(("line", "got"), LINES)
@pytest.mark.parametrize("rows", [1, 100])
def test_a_line_that_is_no_lead_is_a_fault_with_its_line(write, line, got, rows):
    """The others are read; a blank line is none, and every record counts for the places."""
    path = write(f'{{"id": 7}}\n\n{line}\n{{"id": 8}}\n', "leads.jsonl")
    leads, lines, faults = _values(path, rows=rows)
    assert ([lead["id"] for lead in leads], lines) == (["7", "8"], [1, 4])
    assert faults == [f"leads.jsonl:3: must be a JSON object with each key once, {got}; correct the line"]
    parts = list(read_objects(path, ["id"], encoding="utf-8", decimal=".", rows=rows))
    assert [place for part in parts for place in part.places] == [0, 2]


@pytest.mark.parametrize(("line", "got"), LINES)
def test_a_file_without_any_lead_is_refused_with_its_first_line(write, line, got):
    """Such as a list of leads, or JSON of several lines for each."""
    with pytest.raises(DataError) as caught:
        read_keys(write(f"\n{line}\n[]\n", "leads.jsonl"), encoding="utf-8")
    assert str(caught.value) == f"leads.jsonl:2: must be a JSON object with each key once, {got}; correct the line"


def test_a_file_without_keys_is_refused(write):
    """It has no column."""
    with pytest.raises(DataError, match=r"^leads\.jsonl: must hold a JSON object with keys, got none$"):
        read_keys(write("{}\n\n{}\n", "leads.jsonl"), encoding="utf-8")


def test_half_of_a_surrogate_pair_is_a_question_mark(write):
    """JavaScript writes it where it cuts a text inside an emoji; a whole pair is a character."""
    path = write(r'{"a": "x\ud83d", "b": "\ud83d\ude00", "c": ["\ude00"]}', "leads.jsonl")
    assert _values(path)[0] == [{"a": "x?", "b": "😀", "c": '["?"]'}]


def test_a_line_that_is_too_long_is_refused(tmp_path):
    """It would be read into memory as a whole."""
    path = tmp_path / "leads.jsonl"
    path.write_text('{"a": 1}\n{"a": "' + "x" * MAX_LINE_LENGTH, encoding="utf-8")
    with pytest.raises(DataError, match=r"^leads\.jsonl:2: must be a line of at most 67,108,864 characters, got more;"):
        read_keys(path, encoding="utf-8")


def test_an_encoding_and_gzip_are_read_as_those_of_csv(write):
    """A byte order mark is no part of the first line."""
    content = '\ufeff{"a": "é"}\r\n{"a": "b"}\r\n'
    assert _values(write(gzip.compress(content.encode()), "leads.ndjson.gz"))[0] == [{"a": "é"}, {"a": "b"}]
    assert _values(write(content[1:].encode("utf-16"), "leads.jsonl"), encoding="utf-16")[1] == [1, 2]
    with pytest.raises(
        DataError, match=r"^leads\.jsonl:2: must be utf-8, got byte 0xe9 at offset 16; set data\.encoding"
    ):
        read_keys(write(b'{"a": 1}\n{"a": "\xe9"}\n', "leads.jsonl"), encoding="utf-8")
    with pytest.raises(DataError, match=r"^leads\.jsonl: must be JSON lines, got a Parquet file"):
        read_keys(write(b"PAR1", "leads.jsonl"), encoding="utf-8")
