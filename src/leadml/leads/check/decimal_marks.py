"""Judge from a whole column of texts which mark is the decimal mark and which is between thousands.

One value can say so by itself, as 1.234,50 does. A value such as 1.167 cannot: it is 1,167 or 1.167, and only the other
values of the column tell which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from leadml.leads.check.plain_columns import trimmed
from leadml.leads.check.written_numbers import parts_of_numbers, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable

    Mark = Literal[".", ","]

OTHER: dict[Mark, Mark] = {".": ",", ",": "."}
MAX_EXAMPLES = 3  # enough to recognise the values in one line of a message
ONE_GROUP = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")  # either reading is possible
WITHOUT_MARK = re.compile(r"[0-9]{4,}")  # 1,000 or more


@dataclass(frozen=True)
class DecimalMark:
    """The decimal mark of a column; the other mark is between thousands, or does not occur.

    Parameters
    ----------
    decimal
        The mark that fits best.
    sure
        Whether a value has no other reading, and none contradicts it. Where False every value with a mark could be read
        with either, and the decimal mark is the likelier one; or there is a contradiction.
    examples
        Up to three of the values that say so.
    against
        Up to three of the values that say the opposite; empty where there is no contradiction.
    """

    decimal: Mark
    sure: bool
    examples: tuple[str, ...]
    against: tuple[str, ...] = ()


def decimal_mark(texts: Iterable[str | None]) -> DecimalMark | None:
    """Return the decimal mark of a column of texts; None where no number has a mark, so that both marks fit.

    A mark is decimal where digits other than three follow it, where a 0, nothing or more than three digits stand before
    it, behind groups with spaces or apostrophes, and as the last of both. It is for thousands where it occurs twice.
    Where there are only groups of three, it is for thousands, except where the column also has numbers of 1,000 or more
    without a mark, as programs do not write 1500 next to 1.167 thousand.

    Parameters
    ----------
    texts
        The values of one column; those that are no numbers say nothing.

    Examples
    --------
    >>> decimal_mark(["1.167", "12,5"])
    DecimalMark(decimal=',', sure=True, examples=('12,5',), against=())
    >>> decimal_mark(["1.167", "2.340"])
    DecimalMark(decimal=',', sure=False, examples=('1.167', '2.340'), against=())
    >>> decimal_mark(["1.5", "1,5"]).against
    ('1,5',)
    """
    column = pa.chunked_array([pa.array(texts, pa.string())])
    bodies = parts_of_numbers(trimmed(column))["body"].to_pylist()
    sure: dict[Mark, list[str]] = {".": [], ",": []}
    groups: dict[Mark, list[str]] = {".": [], ",": []}
    is_ungrouped = False
    for text, body in zip(column.to_pylist(), bodies, strict=True):
        if body is None:
            continue
        alone = ONE_GROUP.fullmatch(body)
        is_ungrouped |= WITHOUT_MARK.fullmatch(body) is not None
        if alone:
            groups[_as_mark(alone[1])].append(text)
        elif (decimal := _sure_mark(body)) is not None:
            sure[decimal].append(text)
    if any(sure.values()):
        return _of_majority(sure, is_sure=True)
    if not any(groups.values()):
        return None
    likely = groups if is_ungrouped else {OTHER[mark]: found for mark, found in groups.items()}
    return _of_majority(likely, is_sure=False)


def _of_majority(found: dict[Mark, list[str]], *, is_sure: bool) -> DecimalMark:
    """Return the mark that most values have; a value for the other one is a contradiction."""
    decimal: Mark = "." if len(found["."]) >= len(found[","]) else ","
    examples, against = (tuple(dict.fromkeys(found[mark]))[:MAX_EXAMPLES] for mark in (decimal, OTHER[decimal]))
    return DecimalMark(decimal, is_sure and not against, examples, against)


def _sure_mark(body: str) -> Mark | None:
    """Return the decimal mark that the body of a number has by itself; None where it has no mark or is no number."""
    marks = [_as_mark(character) for character in body if character in OTHER]
    if not marks:
        return None
    decimal = OTHER[marks[0]] if len(marks) > 1 and len(set(marks)) == 1 else marks[-1]
    digits = re.split("[eE]", body, maxsplit=1)[0]
    return decimal if re.fullmatch(well_formed(decimal), digits) else None


def _as_mark(character: str) -> Mark:
    return "." if character == "." else ","
