"""Give columns that say the same one type and one form of text.

Texts that look the same are the same text: padding is trimmed, and letters with accents are composed (Unicode's NFC).
"""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without dictionary, and as text where it holds text or nothing.

    Examples
    --------
    >>> plain_column(pa.chunked_array([pa.array(["web", None]).dictionary_encode()])).type
    DataType(string)
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_large_string(column.type) or column.type == pa.string_view():
        return column.cast(pa.string())
    return column


def is_text(arrow_type: pa.DataType) -> bool:
    """Return whether the type of a plain column is text."""
    return bool(pa.types.is_string(arrow_type))


def trimmed(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without padding, their letters composed.

    Parameters
    ----------
    text
        Column of strings.

    Examples
    --------
    >>> trimmed(pa.chunked_array([[" cafe\u0301 ", None]])).to_pylist() == ["caf\u00e9", None]
    True
    """
    is_ascii = pc.string_is_ascii(text)
    if not pc.all(is_ascii, min_count=0).as_py():
        levels = text.combine_chunks().dictionary_encode()  # each text once; Arrow's own NFC takes letters apart
        composed = [trimmed_word(level) for level in levels.dictionary.to_pylist()]
        return pa.chunked_array([pa.array(composed, pa.string()).take(levels.indices)])
    return pc.utf8_trim_whitespace(text)


def trimmed_word(word: str) -> str:
    """Return a word in the form of `trimmed`."""
    return unicodedata.normalize("NFC", word).strip()
