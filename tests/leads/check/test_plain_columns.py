from __future__ import annotations

import math
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.convert import booleans, numbers, texts
from leadml.leads.check.plain_columns import is_text, plain_column, trimmed, trimmed_word
from leadml.leads.read.files import Dialect

BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)]
WORDS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=6), max_size=6)


@given(WORDS)
def test_a_column_is_trimmed_and_composed_as_each_of_its_words(words):
    """The other texts of a column, and whether they are ASCII, change no text."""
    read = trimmed(pa.chunked_array([pa.array(words, pa.string())])).to_pylist()
    assert read == [word if word is None else trimmed_word(word) for word in words]


@given(WORDS, st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", " ", "\u00a0", "\t"]))
def test_texts_that_look_the_same_are_the_same(words, form, padding):
    """Neither padding nor the form in which another system writes accents makes another level."""
    other = [word if word is None else padding + unicodedata.normalize(form, word) + padding for word in words]
    read, again = (texts(pa.chunked_array([pa.array(each, pa.string())]), Dialect())[0] for each in (words, other))
    assert read.tolist() == again.tolist()


def test_a_declared_word_is_missing_however_its_accents_are_written():
    """Numbers, booleans and texts compare it in the same form."""
    column = pa.chunked_array([["cafe\u0301 "]])
    for read in (numbers, booleans, texts):
        values, bad = read(column, Dialect(missing=("caf\u00e9",)))
        assert not bad.any()
        assert values[0] is None or math.isnan(values[0])


@pytest.mark.parametrize("arrow_type", BYTES)
def test_bytes_remain_bytes(arrow_type):
    """Whoever reads a table makes text of those that are; a column of pictures or keys is not guessed to be text."""
    column = pa.chunked_array([pa.array([b"\xffab", None], arrow_type)])
    assert not is_text(plain_column(column).type)
    assert texts(column, Dialect())[1].tolist() == [True, False]


@pytest.mark.parametrize("column", [pa.array(["a"]).dictionary_encode(), pa.array(["a"], pa.large_string()),
                                    pa.array(["a"], pa.string_view()), pa.nulls(1)])  # fmt: skip
def test_every_type_of_text_is_one_type(column):
    """Dictionaries, large texts, views and columns without values are strings."""
    assert plain_column(pa.chunked_array([column])).type == pa.string()
