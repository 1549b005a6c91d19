"""Say what the values of a column are, whatever its name: times, numbers, answers, levels, free text, ids.

Only values count. A column with a value that does not fit is not what the others are, but for words that mean
"not known".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.check.convert import booleans, numbers, texts
from leadml.leads.check.date_formats import date_format
from leadml.leads.check.decimal_marks import decimal_mark
from leadml.leads.read.files import Dialect

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from leadml.leads.check.date_formats import ColumnOfTimes
    from leadml.leads.check.decimal_marks import DecimalMark

ContentKind = Literal["empty", "constant", "time", "number", "boolean", "category", "text"]

# What exports write where a value is not known: of spreadsheets, pandas, Google Analytics, HubSpot, Salesforce, SAP.
MISSING_TEXTS = r"""
    -|--|---|.|?|\n|n/a|#n/a|#na|na|n.a.|nan|nil|none|-none-|--none--|null|<null>|<na>|(not set)|(not provided)|(blank)|
    (leer)|(none)|select|select...|please select|not available|not provided|not specified|k.a.|k. a.|keine angabe|
    nicht angegeben|non renseigné|s/d|#ref!|#value!|#name?|#div/0!|#null!|#num!
"""
MISSING_WORDS = frozenset(word.strip() for word in MISSING_TEXTS.split("|"))
CODE = re.compile("0[0-9]+")
MOST_OTHER_WORDS = 3  # other words without a digit that may mean "not known" in a column of numbers
MIN_SHARE_NUMBERS = 0.5  # of the filled values: below it a column of words with some numbers is one of words
MIN_SHARE_DISTINCT = 0.9  # below 1, because an export may repeat rows; lower excludes more columns as ids
WORDS_OF_A_SENTENCE, LETTERS_OF_A_TEXT = 4, 40  # on average; company names and job titles have fewer
MAX_SHARE_OF_TEXTS = 0.2  # below it, texts are chosen from a list, however long they are
ANSWERS = 2  # yes and no
MAX_GAP = 1.1  # numbers that run on fill the range from the least to the largest but for a tenth


@dataclass(frozen=True)
class ColumnContent:
    """What the values of a column are.

    Parameters
    ----------
    kind
        ``empty``, ``constant``, ``time``, ``number``, ``boolean``, ``category`` (levels) or ``text`` (free text).
    rows, filled
        Number of rows, and of those with a value that is known.
    levels
        How many rows have each value, the empty text for none or for one that is not known.
    runs_on
        Whether the values are whole numbers that differ on nearly every row and leave hardly a gap.
    missing
        Words of the column that mean that a value is not known.
    dates
        How times are written, or None; numbers that may be seconds since 1970 have it, too.
    mark
        The decimal mark of numbers in text, or None where no value has one.
    """

    kind: ContentKind
    rows: int
    filled: int
    levels: Mapping[str, int]
    runs_on: bool = False
    missing: tuple[str, ...] = ()
    dates: ColumnOfTimes | None = None
    mark: DecimalMark | None = None

    @property
    def distinct(self) -> int:
        """Number of different values that are known."""
        return len(self.levels) - ("" in self.levels)

    @property
    def is_distinct(self) -> bool:
        """Whether every row has a value, and nearly all values differ."""
        return self.filled == self.rows and self.distinct > MIN_SHARE_DISTINCT * self.rows


def describe_column(column: pa.ChunkedArray, dialect: Dialect) -> ColumnContent:
    """Return what the values of a column are.

    Parameters
    ----------
    column
        A column as it was read.
    dialect
        Words that mean a missing value.
    """
    if pa.types.is_temporal(column.type):
        return _typed_times(column)
    counted = Counter("" if value is None else value for value in texts(column, dialect)[0].tolist())
    levels, missing = _without(counted, {level for level in counted if level.strip().lower() in MISSING_WORDS})
    content = partial(_content, rows=len(column))
    known = [level for level in levels if level]
    if not known:
        return content("empty", levels, missing=missing)
    dates = date_format(known)
    if dates is not None and not dates.whole_numbers:
        return content("time", levels, missing=missing, dates=dates)
    words = _words_among_numbers(known, levels)
    if words is None:
        return content(_kind_of_words(known, levels), levels, missing=missing)
    levels, others = _without(levels, words)
    written = _written(column, words)  # as it stands in the file: 2.500 may be 2,500, and 2.5 may not
    is_answer = len(known) == ANSWERS and not booleans(pa.chunked_array([known]), dialect)[1].any()
    return content(
        "boolean" if is_answer else "number",
        levels,
        runs_on=_runs_on(written, len(column)),
        missing=tuple(sorted({*missing, *others})),
        mark=decimal_mark(written),
        dates=dates,
    )


def _content(kind: ContentKind, levels: Mapping[str, int], *, rows: int, **found: Any) -> ColumnContent:
    """Return the content of a column with some levels; one known value alone makes a constant, but for times."""
    several = len(levels) - ("" in levels) > 1 or kind in {"time", "empty"}
    filled = rows - levels.get("", 0)
    return ColumnContent(kind if several else "constant", rows, filled, levels, **found)


def _without(levels: Mapping[str, int], words: Collection[str]) -> tuple[Counter[str], tuple[str, ...]]:
    """Return levels in which some words count as the empty text, and the words."""
    counted: Counter[str] = Counter()
    for level, number in levels.items():
        counted["" if level in words else level] += number
    return counted, tuple(sorted(words))


def _written(column: pa.ChunkedArray, words: Collection[str]) -> list[str]:
    """Return the different values of a column as they are written, without some words; of typed columns as text."""
    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    different = pc.unique(pc.utf8_trim_whitespace(text)).drop_null().to_pylist()
    return [value for value in different if value and value not in words and value.lower() not in MISSING_WORDS]


def _typed_times(column: pa.ChunkedArray) -> ColumnContent:
    """Return the content of a column of Arrow dates or instants."""
    narrow = pa.types.is_date32(column.type) or pa.types.is_time32(column.type)
    whole = column.cast(pa.int32()) if narrow else column.cast(pa.int64())
    levels = Counter("" if value is None else str(value) for value in whole.to_pylist())
    return _content("time" if column.null_count < len(column) else "empty", levels, rows=len(column))


def _words_among_numbers(known: Sequence[str], levels: Mapping[str, int]) -> tuple[str, ...] | None:
    """Return the values of a column of numbers that are none and have no digit, or None where it holds other values.

    Digits with a zero before them are a code, of a place or of a product.
    """
    if any(CODE.fullmatch(level) for level in known):
        return None
    column = pa.chunked_array([known])
    bad = np.logical_and.reduce([numbers(column, Dialect(decimal=mark))[1] for mark in ".,"])
    words = [level for level, is_bad in zip(known, bad.tolist(), strict=True) if is_bad]
    share = 1 - sum(levels[word] for word in words) / sum(levels[level] for level in known)
    if len(words) > MOST_OTHER_WORDS or share < MIN_SHARE_NUMBERS or any(c.isdigit() for word in words for c in word):
        return None
    return tuple(words)


def _kind_of_words(known: Sequence[str], levels: Mapping[str, int]) -> ContentKind:
    """Return whether words are levels, answers or free text."""
    if len(known) == ANSWERS and not booleans(pa.chunked_array([known]), Dialect())[1].any():
        return "boolean"
    leads = sum(levels[level] for level in known)
    letters = sum(len(level) * levels[level] for level in known) / leads
    words = sum(len(level.split()) * levels[level] for level in known) / leads
    is_long = words >= WORDS_OF_A_SENTENCE or (letters >= LETTERS_OF_A_TEXT and words > 1)
    return "text" if is_long and len(known) > MAX_SHARE_OF_TEXTS * leads else "category"


def _runs_on(known: Sequence[str], rows: int) -> bool:
    """Return whether values are whole numbers that differ on nearly every row and leave hardly a gap."""
    if len(known) <= MIN_SHARE_DISTINCT * rows or not all(level.isascii() and level.isdigit() for level in known):
        return False
    numbers_ = [int(level) for level in known]
    return max(numbers_) - min(numbers_) + 1 <= MAX_GAP * len(numbers_)
