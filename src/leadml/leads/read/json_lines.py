"""Read JSON lines, a JSON object for each lead, as the texts that CSV would have.

Numbers stay as they are written. Objects and lists are compact JSON. A line that is no object, or has a key twice, is a
fault with its line.
"""

from __future__ import annotations

import json
import re
from typing import IO, TYPE_CHECKING, Any

from leadml.errors import DataError, Fault, quoted
from leadml.leads.read.records import Records
from leadml.leads.read.text_file import open_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_LINE_LENGTH = 64 << 20  # characters of a lead: four cells of the largest size that CSV may have
HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")


class _Number(str):
    """A number as it is written, which is no text of the file."""

    __slots__ = ()


class _NoLeadError(ValueError):
    """What a line holds that is no lead."""


def read_keys(path: Path, *, encoding: str) -> list[str]:
    """Return the keys of all objects of a file, in the order in which they first appear.

    Raises
    ------
    DataError
        Where the file holds no object or cannot be read to its end.
    """
    keys: dict[str, None] = {}
    first_fault = None
    with open_text(path, encoding, wanted="JSON lines") as (text, position):
        for line, content in _lines(path, text, position):
            try:
                keys |= dict.fromkeys(_parse(content))
            except _NoLeadError as error:
                first_fault = first_fault or _fault(path, line, error)
    if not keys:
        raise DataError([first_fault or Fault(path.name, "must hold a JSON object with keys, got none")])
    return list(keys)


def read_objects(path: Path, keys: Sequence[str], *, encoding: str, decimal: str, rows: int) -> Iterator[Records]:
    """Yield the values of some keys of each object, at most ``rows`` objects at a time.

    Parameters
    ----------
    path
        The file.
    keys
        The keys.
    encoding
        Declared encoding.
    decimal
        Decimal mark of the text that a number becomes.
    rows
        Largest number of objects and faults of a chunk.

    Raises
    ------
    DataError
        Where the file cannot be read to its end.
    """
    values: list[list[str | None]] = []
    lines: list[int] = []
    places: list[int] = []
    faults: list[Fault] = []
    with open_text(path, encoding, wanted="JSON lines") as (text, position):
        for place, (line, content) in enumerate(_lines(path, text, position)):
            try:
                lead = _parse(content)
                record = [_text(lead.get(key), decimal) for key in keys]
            except _NoLeadError as error:
                faults.append(_fault(path, line, error))
            else:
                values.append(record)
                lines.append(line)
                places.append(place)
            if len(values) + len(faults) >= rows:
                yield Records(values, lines, places, faults)
                values, lines, places, faults = [], [], [], []
        yield Records(values, lines, places, faults)


def _lines(path: Path, text: IO[str], position: list[int]) -> Iterator[tuple[int, str]]:
    """Yield the number and the content of each line that is not blank."""
    while content := text.readline(MAX_LINE_LENGTH):
        line = position[0]
        if len(content) == MAX_LINE_LENGTH:
            message = f"must be a line of at most {MAX_LINE_LENGTH:,} characters, got more; write one lead on each line"
            raise DataError([Fault(f"{path.name}:{line}", message)])
        if not content.isspace():
            yield line, content.rstrip()
        position[0] = line + 1


def _parse(content: str) -> dict[str, Any]:
    try:
        lead = _DECODER.decode(content)
    except RecursionError:
        msg = "got lists or objects that are nested too deeply"
        raise _NoLeadError(msg) from None
    except json.JSONDecodeError as error:
        msg = f"got text that is not: {error.msg} at character {error.pos + 1:,}"
        raise _NoLeadError(msg) from None
    if not isinstance(lead, dict):
        msg = f"got {quoted(content)}"
        raise _NoLeadError(msg)
    return lead


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        names = [key for key, _ in pairs]
        msg = f"got the key {quoted(next(key for key in names if names.count(key) > 1))} twice"
        raise _NoLeadError(msg)
    return keys


def _constant(word: str) -> _Number | None:
    return None if word == "NaN" else _Number(word)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_Number, parse_float=_Number, parse_constant=_constant)


def _text(value: Any, decimal: str) -> str | None:
    """Return a value as the text that CSV would have; half of a surrogate pair becomes a question mark."""
    if value is None:
        return None
    if isinstance(value, _Number):
        return value if decimal == "." else value.replace(".", decimal)
    if not isinstance(value, str):
        try:
            value = _compact(value)
        except RecursionError:
            msg = "got lists or objects that are nested too deeply"
            raise _NoLeadError(msg) from None
    return value if value.isascii() else HALF_OF_A_PAIR.sub("?", value)


def _compact(value: Any) -> str:
    """Return a value as JSON without spaces, its numbers as they are written."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return f"{{{','.join(f'{_compact(key)}:{_compact(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_compact, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _fault(path: Path, line: int, error: _NoLeadError) -> Fault:
    return Fault(f"{path.name}:{line}", f"must be a JSON object with each key once, {error}; correct the line")
