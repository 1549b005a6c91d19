from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ParamsError
from leadml.params.strict_yaml import read_yaml

WORD = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORD,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORD, below, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(WORD, PLAIN, max_size=4))
def test_json_is_read_without_a_change(data):
    """Data that Python writes as JSON, which is YAML too, are read with the same values and types."""
    assert json.dumps(read_yaml(json.dumps(data), name="p").data) == json.dumps(data)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"),
        ("'1.10'", "1.10"),
        ('"1.10"', "1.10"),
        ("'true'", "true"),
        ("1.10", 1.1),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("007", "007"),
        ("-01.5", "-01.5"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("<<", "<<"),
        ("! '5'", "5"),
    ],
)
def test_unquoted_words_are_converted_only_if_they_are_unambiguous(word, meaning):
    """NO (Norway) and times stay text, and leading zeros are not dropped."""
    got = read_yaml(f"key: {word}", name="p").data["key"]
    assert got == meaning
    assert type(got) is type(meaning)


def test_the_line_of_every_key_and_item_is_known():
    """Lines count from 1, and comments and nested lists count too."""
    text = "# first\na:\n  b: 1\n\n  c:\n    - x\n    - {d: 2}\ne: |\n  long\n  text\nf: 3\n"
    document = read_yaml(text, name="p")
    lines = {
        ("a",): 2, ("a", "b"): 3, ("a", "c"): 5, ("a", "c", 0): 6, ("a", "c", 1, "d"): 7, ("e",): 8, ("f",): 11,
    }  # fmt: skip
    assert {path: document.lines[path] for path in lines} == lines
    assert document.data["e"] == "long\ntext\n"


@pytest.mark.parametrize(
    ("text", "data"), [("", {}), ("# nothing\n", {}), ("\ufeffa: 1\n", {"a": 1}), ("word", "word")]
)
def test_an_empty_text_and_a_byte_order_mark_are_read(text, data):
    """An empty text is an empty mapping, and a byte order mark is not part of the text."""
    assert read_yaml(text, name="p").data == data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"^p:3: a is there twice, keep one$"),
        ("a:\n  b: 1\n  b: 2\n", r"^p:3: b is there twice"),
        ("a: 1\n'a': 2\n", r"^p:2: a is there twice"),
        ('"x\\e[31m": 1\n"x\\e[31m": 2\n', r"^p:2: x\\x1b\[31m is there twice"),
        ("a: &x 1\nb: *x\n", r"^p:2: aliases are not read"),
        ("a: &a [x]\nb: &b [*a, *a]\n", r"^p:2: aliases are not read"),
        ("a: 1\nb: !!python/object:os.system x\n", r"^p:2: tags are not read, got tag:yaml.org,2002:python/object"),
        ("a: !secret x\n", r"^p:1: tags are not read, got !secret"),
        ("a: !!int 5\n", r"^p:1: tags are not read, got tag:yaml.org,2002:int"),
        ("? [a, b]\n: 1\n", r"^p:1: a key must be one word"),
        ("a: 1\n---\nb: 2\n", r"^p:2: is not YAML: .*another document"),
        ("a:\n\tb: 1\n", r"^p:2: is not YAML: found character '\\t'"),
        ("a: [1, 2\nb: 3\n", r"^p:2: is not YAML: expected ',' or '\]'"),
        ("a: 'open\n", r"^p:2: is not YAML: found unexpected end of stream"),
        ("a: \0\n", r"^p: is not YAML: unacceptable character #x0000"),
        ("a" * 1_000_001, r"^p: must be at most 1,000,000 characters, got 1,000,001$"),
        ("a: " + "[" * 3000 + "]" * 3000, r"^p.*nested"),
        ("a: " + "1" * 5000, r"^p:1: .*digits"),
    ],
)
def test_what_is_ambiguous_or_hostile_is_refused(text, message):
    """Duplicate keys, aliases, tags, several documents, broken and huge texts are refused with their line."""
    with pytest.raises(ParamsError, match=message):
        read_yaml(text, name="p")
