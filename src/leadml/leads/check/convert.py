"""Convert raw Arrow columns to numbers, categories, booleans, ids and times.

Each function returns the values and a mask of those that do not have the declared kind. Nothing is guessed: there is
one decimal mark, missing values are declared words, and ids are text with all their digits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.check.plain_columns import is_text, plain_column, trimmed, trimmed_word
from leadml.leads.check.time_columns import read_instants
from leadml.leads.check.written_numbers import plain_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.time_columns import Times
    from leadml.leads.read.files import Dialect
    from leadml.params import DateOrder
    from leadml.types import Floats, Mask, Objects

NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
NOT_FINITE = r"^(?i)[-+]?(inf|infinity|nan)$"
MISSING_WORDS = ("", "null", "NULL")
WHOLE_NUMBER = r"^([-+]?[0-9]+)\.0+$"
TRAILING_ZEROS = r"^([-+]?[0-9]+\.[0-9]*[1-9])0+$"
BOOLEAN_WORDS = ("True", "False", "TRUE", "FALSE")
TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
MAX_ID_LENGTH = 256  # far above a UUID's 36; a longer text is a column of another kind, or an unclosed quote


def numbers(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Floats, Mask]:
    """Return a column as numbers.

    Parameters
    ----------
    column
        Text, or any of Arrow's numbers or booleans. Text may have marks between thousands, a currency, a percent sign
        and the minus of accountants, see `plain_numbers`.
    dialect
        Decimal mark and words for missing values.

    Returns
    -------
    tuple
        Array of shape (n_rows,) of numbers, NaN where missing or not finite, and the mask of values that are not
        numbers.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> numbers(pa.chunked_array([["1,5", "", "1.5", "1.500 €"]]), Dialect(decimal=","))
    (array([   1.5,    nan,    nan, 1500. ]), array([False, False,  True, False]))
    """
    column = plain_column(column)
    if not is_text(column.type):
        if not (pa.types.is_integer(column.type) or _is_real(column.type) or pa.types.is_boolean(column.type)):
            return np.full(len(column), np.nan), pc.is_valid(column).to_numpy(zero_copy_only=False)
        values = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        return _to_floats(values.cast(pa.float64(), safe=False)), np.zeros(len(column), dtype=bool)
    text = _replace_by_null(trimmed(column), (*MISSING_WORDS, *map(trimmed_word, dialect.missing)))
    has_other_mark = pc.match_substring(text, "." if dialect.decimal == "," else ",")
    plain = pc.replace_substring(text, ",", ".") if dialect.decimal == "," else text
    is_plain = pc.and_not(pc.match_substring_regex(plain, NUMBER), has_other_mark)
    values = _to_floats(pc.if_else(is_plain, plain, None).cast(pa.float64()))
    bad = pc.fill_null(pc.invert(is_plain), fill_value=False).to_numpy(zero_copy_only=False)
    if bad.any():  # the other ways of writing are sought only where the plain one does not fit, because that is slow
        others = text.filter(bad)
        written = plain_numbers(others, dialect.decimal)
        values[bad] = _to_floats(written.cast(pa.float64()))
        is_known = pc.or_(pc.is_valid(written), pc.match_substring_regex(others, NOT_FINITE))
        bad[bad] = ~is_known.to_numpy(zero_copy_only=False)
    return values, bad


def booleans(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Floats, Mask]:
    """Return a column as 1.0 (true), 0.0 (false) and NaN (missing), and the mask of values that are none of them.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> booleans(pa.chunked_array([["TRUE", "no", "", "maybe"]]), Dialect())
    (array([ 1.,  0., nan, nan]), array([False, False, False,  True]))
    """
    column = plain_column(column)
    if not is_text(column.type):
        values, bad = numbers(column, dialect)
        other = ~np.isnan(values) & (values != 0) & (values != 1)
        return np.where(other, np.nan, values), bad | other
    text = pc.replace_substring_regex(trimmed(column), WHOLE_NUMBER, r"\1")
    text = _replace_by_null(pc.utf8_lower(text), MISSING_WORDS)
    text = _replace_by_null(text, [trimmed_word(word).lower() for word in dialect.missing])
    is_true = pc.is_in(text, value_set=pa.array(TRUE_WORDS))
    is_boolean = pc.or_(is_true, pc.is_in(text, value_set=pa.array(FALSE_WORDS)))
    bad = pc.and_(pc.is_valid(text), pc.invert(is_boolean))
    values = pc.if_else(is_boolean, pc.cast(is_true, pa.float64()), None)
    return _to_floats(values), bad.to_numpy(zero_copy_only=False)


def texts(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Objects, Mask]:
    """Return a column as text, None where missing, and the mask of values that have no text form.

    Numbers have no zeros at the end, whole numbers no decimal point, and true and false are in lower case, so that a
    code is the same from CSV and from Parquet. Texts have no padding, and letters with accents are composed.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> texts(pa.chunked_array([[1.0, None, 2.5]]), Dialect())[0].tolist()
    ['1', None, '2.5']
    """
    text, bad = arrow_texts(column, dialect)
    return _to_objects(text), bad


def arrow_texts(column: pa.ChunkedArray, dialect: Dialect) -> tuple[pa.ChunkedArray, Mask]:
    """Return the texts and the mask of `texts`, the texts as an Arrow column."""
    text, bad = _as_text(plain_column(column))
    text = trimmed(text)
    if pc.any(pc.match_substring(text, ".")).as_py():  # most columns have no decimal point, and the patterns are slow
        for pattern in (WHOLE_NUMBER, TRAILING_ZEROS):
            text = pc.replace_substring_regex(text, pattern, r"\1")
    text = pc.if_else(pc.is_in(text, value_set=pa.array(BOOLEAN_WORDS)), pc.utf8_lower(text), text)
    return _replace_by_null(text, ("", *(plain_text(word) for word in dialect.missing))), bad


def written_texts(column: pa.ChunkedArray) -> Objects:
    """Return a column for people: texts without padding, other values as text, None where empty.

    Examples
    --------
    >>> written_texts(pa.chunked_array([[" 2.50 ", "", None]])).tolist()
    ['2.50', None, None]
    >>> written_texts(pa.chunked_array([[2.0, 0.25]])).tolist()
    ['2', '0.25']
    """
    column = plain_column(column)
    if pa.types.is_temporal(column.type):
        column = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+(Z?)$", r"\1")
    text = trimmed(_as_text(column)[0])
    return _to_objects(_replace_by_null(text, ("",)))


def plain_text(word: str) -> str:
    """Return a word in the form of `texts`: trimmed and composed, numbers without zeros at the end, true in lower case.

    Examples
    --------
    >>> [plain_text(word) for word in ("1.0", "2.50", "TRUE", "v1.0")]
    ['1', '2.5', 'true', 'v1.0']
    """
    word = re.sub(TRAILING_ZEROS, r"\1", re.sub(WHOLE_NUMBER, r"\1", trimmed_word(word)))
    return word.lower() if word in BOOLEAN_WORDS else word


def ids(column: pa.ChunkedArray) -> tuple[Objects, Mask]:
    """Return a column as ids with all their digits, and the mask of ids that are blank, too long or not text.

    Examples
    --------
    >>> ids(pa.chunked_array([["007", " ", "9007199254740993"]]))[0].tolist()
    ['007', ' ', '9007199254740993']
    """
    text, bad = arrow_ids(column)
    return _to_objects(text), bad


def arrow_ids(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Mask]:
    """Return the ids and the mask of `ids`, the ids as an Arrow column."""
    column = plain_column(column)
    if _is_real(column.type) and not _is_whole(column.type):
        return column.cast(pa.string()), np.ones(len(column), dtype=bool)
    text, bad = _as_text(column)
    is_blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0)
    is_invalid = pc.or_(pc.greater(pc.utf8_length(text), MAX_ID_LENGTH), pc.match_substring(text, "\0"))
    refused = pc.fill_null(pc.or_(is_blank, is_invalid), fill_value=True).to_numpy(zero_copy_only=False)
    return text, bad | refused


def times(column: pa.ChunkedArray, *, timezone: str | None, order: DateOrder | None = None) -> Times:
    """Return a column as microseconds since 1970 in UTC, and the mask of values that are missing or not an instant.

    Parameters
    ----------
    column
        Text in ISO 8601 or as people write it (see `iso_times`), seconds or milliseconds since 1970 as text or whole
        numbers, or Arrow dates or timestamps.
    timezone
        Zone of times without a zone; where it is None such times are refused. When the clocks go back, a time that
        exists twice is read as the later one, so that nothing is known before it happened. When the clocks go forward,
        a time that does not exist is refused. A date without a time is the first instant of its day.
    order
        Whether dates such as 05.01.2024 have the day or the month first; where it is None such dates are refused.

    Examples
    --------
    >>> written = ["1970-01-01T01:00:00+01:00", "1970-01-01", "Jan 1, 1970"]
    >>> times(pa.chunked_array([written]), timezone="UTC")[0].tolist()
    [0, 0, 0]
    """
    return read_instants(column, timezone, "NaT", order)


def nonexistent_times(column: pa.ChunkedArray, *, timezone: str | None, order: DateOrder | None = None) -> Mask:
    """Return the mask of times without a zone that do not exist in a zone, because its clocks go forward over them.

    Parameters
    ----------
    column
        A column as `times` reads it.
    timezone
        The zone; where it is None the mask is False everywhere.
    order
        Whether dates such as 05.01.2024 have the day or the month first, or None.

    Examples
    --------
    >>> nonexistent_times(pa.chunked_array([["2024-03-31 02:30", "2024-03-31 03:00"]]), timezone="Europe/Berlin")
    array([ True, False])
    """
    _, bad = read_instants(column, timezone, "NaT", order)
    return bad & ~read_instants(column, timezone, "shift_forward", order)[1]


def _is_real(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type))


def _is_whole(arrow_type: pa.DataType) -> bool:
    whole = pa.types.is_integer(arrow_type) or pa.types.is_boolean(arrow_type)
    return bool(whole or (pa.types.is_decimal(arrow_type) and arrow_type.scale == 0))


def _as_text(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Mask]:
    none_bad = np.zeros(len(column), dtype=bool)
    if is_text(column.type):
        return column, none_bad
    if _is_whole(column.type):
        return column.cast(pa.string()), none_bad
    if _is_real(column.type):
        real = column.cast(pa.float64(), safe=False)
        whole = pc.and_(pc.equal(real, pc.floor(real)), pc.less(pc.abs(real), 2.0**53))
        integer = pc.if_else(pc.fill_null(whole, fill_value=False), real, None).cast(pa.int64()).cast(pa.string())
        finite = pc.if_else(pc.is_finite(real), real, None)
        return pc.coalesce(integer, finite.cast(pa.string())), none_bad
    return pa.chunked_array([pa.nulls(len(column), pa.string())]), pc.is_valid(column).to_numpy(zero_copy_only=False)


def _replace_by_null(text: pa.ChunkedArray, words: Sequence[str]) -> pa.ChunkedArray:
    return pc.if_else(pc.is_in(text, value_set=pa.array(list(words), pa.string())), None, text)


def _to_floats(values: pa.ChunkedArray) -> Floats:
    array = np.array(pc.fill_null(values, fill_value=float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64)
    array[~np.isfinite(array)] = np.nan
    return array


def _to_objects(text: pa.ChunkedArray) -> Objects:
    values = np.empty(len(text), dtype=object)
    values[:] = text.to_pylist()
    return values
