r"""Turn raw columns into numbers, categories, booleans, ids and times.

What enters is one Arrow column, text or typed; what leaves is a NumPy array and a mask of the values that cannot be
read as what was declared.
It refuses to guess: one decimal mark, declared words for "not known", and ids that stay text to the last digit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadml.leads.read.files import Dialect

    Objects = NDArray[np.object_]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Gap = Literal["NaT", "shift_forward"]

NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
NOT_FINITE = r"^(?i)[-+]?(inf|infinity|nan)$"
NUMBER_MISSING = ("", "null", "NULL")
WHOLE = r"^([-+]?[0-9]+)\.0+$"
BOOLEAN_WORDS = ("True", "False", "TRUE", "FALSE")
TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
LONGEST_ID = 256
NAIVE = r"^[0-9]{4}[0-9-]*([Tt ][0-9:.,]+)?$"
ZONED = r"^[0-9]{4}[0-9-]*[Tt ][0-9:.,]+ ?([Zz]|[-+][0-9]{2}(:?[0-9]{2})?)$"
FINER_THAN_MICRO = r"([.,][0-9]{6})[0-9]+"
MICROS = 86_400_000_000
PER_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": MICROS, "ns": 86_400_000_000_000}
FIRST_DAY, LAST_DAY = -719_162, 2_932_897  # years 1 to 9999
LAST_MIDNIGHT = pd.Timestamp("9999-12-31")
NOT_A_TIME = np.iinfo(np.int64).min


def numbers(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Floats, Mask]:
    """Return a column as numbers.

    Parameters
    ----------
    column
        Text, or any of Arrow's numbers or booleans.
    dialect
        Decimal mark and words for "not known".

    Returns
    -------
    tuple
        Numbers, NaN where missing or not finite, and the mask of what is no number.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> numbers(pa.chunked_array([["1,5", "", "1.5"]]), Dialect(decimal=","))
    (array([1.5, nan, nan]), array([False, False,  True]))
    """
    column = _decoded(column)
    if not _is_text(column.type):
        if not (pa.types.is_integer(column.type) or _is_real(column.type) or pa.types.is_boolean(column.type)):
            return np.full(len(column), np.nan), pc.is_valid(column).to_numpy(zero_copy_only=False)
        values = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        return _finite(values.cast(pa.float64(), safe=False)), np.zeros(len(column), dtype=bool)
    text = pc.utf8_trim_whitespace(column)
    text = _without(text, (*NUMBER_MISSING, *dialect.missing))
    text = pc.if_else(pc.match_substring_regex(text, NOT_FINITE), None, text)
    foreign = pc.match_substring(text, "." if dialect.decimal == "," else ",")
    text = pc.replace_substring(text, ",", ".") if dialect.decimal == "," else text
    good = pc.and_not(pc.match_substring_regex(text, NUMBER), foreign)
    bad = pc.fill_null(pc.invert(good), fill_value=False)
    readable = pc.if_else(bad, None, text)
    return _finite(readable.cast(pa.float64())), bad.to_numpy(zero_copy_only=False)


def booleans(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Floats, Mask]:
    """Return a column as 1.0 and 0.0, NaN where missing, and the mask of what is neither.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> booleans(pa.chunked_array([["TRUE", "no", "", "maybe"]]), Dialect())
    (array([ 1.,  0., nan, nan]), array([False, False, False,  True]))
    """
    column = _decoded(column)
    if not _is_text(column.type):
        values, bad = numbers(column, dialect)
        other = ~np.isnan(values) & (values != 0) & (values != 1)
        return np.where(other, np.nan, values), bad | other
    text = _without(pc.utf8_lower(pc.utf8_trim_whitespace(column)), NUMBER_MISSING)
    text = _without(text, [word.lower() for word in dialect.missing])
    true = pc.is_in(text, value_set=pa.array(TRUE))
    known = pc.or_(true, pc.is_in(text, value_set=pa.array(FALSE)))
    bad = pc.and_(pc.is_valid(text), pc.invert(known))
    values = pc.if_else(known, pc.cast(true, pa.float64()), None)
    return _finite(values), bad.to_numpy(zero_copy_only=False)


def texts(column: pa.ChunkedArray, dialect: Dialect) -> tuple[Objects, Mask]:
    """Return a column as text, None where missing, and the mask of what has no text form.

    Whole numbers are written without a point and true and false in small letters, so that a code is the same from CSV
    and from Parquet.

    Examples
    --------
    >>> from leadml.leads.read.files import Dialect
    >>> texts(pa.chunked_array([[1.0, None, 2.5]]), Dialect())[0].tolist()
    ['1', None, '2.5']
    """
    text, bad = arrow_texts(column, dialect)
    return _objects(text), bad


def arrow_texts(column: pa.ChunkedArray, dialect: Dialect) -> tuple[pa.ChunkedArray, Mask]:
    """Return what `texts` returns, as an Arrow column."""
    text, bad = _as_text(_decoded(column))
    text = pc.replace_substring_regex(text, WHOLE, r"\1")
    text = pc.if_else(pc.is_in(text, value_set=pa.array(BOOLEAN_WORDS)), pc.utf8_lower(text), text)
    return _without(text, ("", *(plain_text(word) for word in dialect.missing))), bad


def plain_text(word: str) -> str:
    """Return a word as `texts` writes it: whole numbers without a point, true and false in small letters.

    Examples
    --------
    >>> [plain_text(word) for word in ("1.0", "TRUE", "v1.0")]
    ['1', 'true', 'v1.0']
    """
    word = re.sub(WHOLE, r"\1", word)
    return word.lower() if word in BOOLEAN_WORDS else word


def ids(column: pa.ChunkedArray) -> tuple[Objects, Mask]:
    """Return a column as ids, to the last digit, and the mask of those that are blank, too long or not text.

    Examples
    --------
    >>> ids(pa.chunked_array([["007", " ", "9007199254740993"]]))[0].tolist()
    ['007', ' ', '9007199254740993']
    """
    text, bad = arrow_ids(column)
    return _objects(text), bad


def arrow_ids(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Mask]:
    """Return what `ids` returns, as an Arrow column."""
    column = _decoded(column)
    if _is_real(column.type) and not _is_whole(column.type):
        return column.cast(pa.string()), np.ones(len(column), dtype=bool)
    text, bad = _as_text(column)
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0)
    odd = pc.or_(pc.greater(pc.utf8_length(text), LONGEST_ID), pc.match_substring(text, "\0"))
    refused = pc.fill_null(pc.or_(blank, odd), fill_value=True).to_numpy(zero_copy_only=False)
    return text, bad | refused


def times(column: pa.ChunkedArray, *, timezone: str | None) -> tuple[NDArray[np.int64], Mask]:
    """Return a column as microseconds since 1970 in UTC and the mask of what is missing or no instant.

    Parameters
    ----------
    column
        Text in ISO 8601, or Arrow dates or timestamps.
    timezone
        Zone of times without one; where it is None such times are refused. Of an hour that its clocks show twice the
        later is meant, so that nothing is known before it happened; one that they skip is no instant.

    Examples
    --------
    >>> times(pa.chunked_array([["1970-01-01T01:00:00+01:00", "1970-01-01"]]), timezone="UTC")[0].tolist()
    [0, 0]
    """
    return _times(column, timezone, "NaT")


def skipped(column: pa.ChunkedArray, *, timezone: str | None) -> Mask:
    """Return the mask of times without a zone that the clocks of a zone never show.

    Examples
    --------
    >>> skipped(pa.chunked_array([["2024-03-31 02:30", "2024-03-31 03:00"]]), timezone="Europe/Berlin")
    array([ True, False])
    """
    return _times(column, timezone, "NaT")[1] & ~_times(column, timezone, "shift_forward")[1]


def _times(column: pa.ChunkedArray, timezone: str | None, gap: Gap) -> tuple[NDArray[np.int64], Mask]:
    column = _decoded(column)
    if _is_text(column.type):
        return _text_times(column, timezone, gap)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _typed_times(column, timezone, gap)
    return np.zeros(len(column), dtype=np.int64), np.ones(len(column), dtype=bool)


def _text_times(column: pa.ChunkedArray, timezone: str | None, gap: Gap) -> tuple[NDArray[np.int64], Mask]:
    text = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), FINER_THAN_MICRO, r"\1")
    zoned, naive = (
        pc.fill_null(pc.match_substring_regex(text, form), fill_value=False).to_numpy(zero_copy_only=False)
        for form in (ZONED, NAIVE)
    )
    words = pd.Series(_objects(text), dtype=object)
    micros = np.full(len(words), NOT_A_TIME)
    micros[zoned] = _micros(pd.to_datetime(words[zoned], format="ISO8601", errors="coerce", utc=True))
    if timezone is not None:
        local = pd.to_datetime(words[naive], format="ISO8601", errors="coerce")
        micros[naive] = _micros(_localized(local, timezone, gap))
    return _bounded(micros)


def _typed_times(column: pa.ChunkedArray, timezone: str | None, gap: Gap) -> tuple[NDArray[np.int64], Mask]:
    unit = "D" if pa.types.is_date32(column.type) else "ms" if pa.types.is_date64(column.type) else column.type.unit
    whole = column.cast(pa.int32()).cast(pa.int64()) if unit == "D" else column.cast(pa.int64())
    counts = pc.fill_null(whole, fill_value=0).to_numpy()
    per_day = PER_DAY[unit]
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    inside = valid & (counts >= FIRST_DAY * per_day) & (counts <= LAST_DAY * per_day - 1)
    counts = np.where(inside, counts, 0)
    micros = counts * (MICROS // per_day) if per_day <= MICROS else counts // (per_day // MICROS)
    if getattr(column.type, "tz", None) is None:
        naive = pd.Series(micros.view("M8[us]"))
        micros = np.full(len(naive), NOT_A_TIME) if timezone is None else _micros(_localized(naive, timezone, gap))
    return _bounded(np.where(inside, micros, NOT_A_TIME))


def _localized(naive: pd.Series, timezone: str, gap: Gap) -> pd.Series:
    """Return instants of naive times: the later of two, and missing or the next where the clocks skip one."""
    naive = naive.where(naive <= LAST_MIDNIGHT)  # a later one may be of the year 10000, which no calendar holds
    later = np.zeros(len(naive), dtype=bool)
    localized: pd.Series = naive.dt.tz_localize(timezone, ambiguous=later, nonexistent=gap)
    return localized


def _micros(stamps: pd.Series) -> NDArray[np.int64]:
    return np.asarray(stamps.dt.as_unit("us").to_numpy(dtype="M8[us]")).view(np.int64)


def _bounded(micros: NDArray[np.int64]) -> tuple[NDArray[np.int64], Mask]:
    bad = (micros < FIRST_DAY * MICROS) | (micros >= LAST_DAY * MICROS)
    return np.where(bad, 0, micros), bad


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_large_string(column.type) or column.type == pa.string_view():
        column = column.cast(pa.string())
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _is_real(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_whole(kind: pa.DataType) -> bool:
    whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return bool(whole or (pa.types.is_decimal(kind) and kind.scale == 0))


def _as_text(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Mask]:
    none = np.zeros(len(column), dtype=bool)
    if _is_text(column.type):
        return column, none
    if _is_whole(column.type):
        return column.cast(pa.string()), none
    if _is_real(column.type):
        real = column.cast(pa.float64(), safe=False)
        whole = pc.and_(pc.equal(real, pc.floor(real)), pc.less(pc.abs(real), 2.0**53))
        integer = pc.if_else(pc.fill_null(whole, fill_value=False), real, None).cast(pa.int64()).cast(pa.string())
        finite = pc.if_else(pc.is_finite(real), real, None)
        return pc.coalesce(integer, finite.cast(pa.string())), none
    return pa.chunked_array([pa.nulls(len(column), pa.string())]), pc.is_valid(column).to_numpy(zero_copy_only=False)


def _without(text: pa.ChunkedArray, words: Sequence[str]) -> pa.ChunkedArray:
    return pc.if_else(pc.is_in(text, value_set=pa.array(list(words), pa.string())), None, text)


def _finite(values: pa.ChunkedArray) -> Floats:
    array = np.array(pc.fill_null(values, fill_value=float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64)
    array[~np.isfinite(array)] = np.nan
    return array


def _objects(text: pa.ChunkedArray) -> Objects:
    values = np.empty(len(text), dtype=object)
    values[:] = text.to_pylist()
    return values
