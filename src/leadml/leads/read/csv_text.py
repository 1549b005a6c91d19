"""Read CSV text record by record, with the line of each.

What enters is a CSV file, gzipped or not, and how it is written; what leaves is lists of texts and their line numbers.
It refuses bytes that are no text in the declared encoding, quotes that never close, and files that are not CSV; a
record with too many or too few values is a fault with its line, never padded and never shifted.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from leadml.errors import DataError, Fault, inert, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIMITERS = {",": "','", ";": "';'", "\t": '"\\t"', "|": "'|'"}
SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet or zip archive; save it as CSV",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\xff\xfe": "UTF-16; set data.encoding: utf-16",
    b"\xfe\xff": "UTF-16; set data.encoding: utf-16",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file; name it .csv.gz",
    b"<": "a web page or XML, perhaps of a login that has expired; fetch the file again",
}
BLOCK = 1 << 20
LINE_END = re.compile(r"\r\n|\r|\n")

Records = tuple[list[list[str]], list[int], list[int], list[Fault]]


def read_header(path: Path, *, delimiter: str, encoding: str) -> list[str]:
    """Return the names in the first line of a CSV file, as they are written.

    Raises
    ------
    DataError
        Where the file is empty, is not CSV, or has another delimiter.
    """
    with _refusing(path, encoding), _opened(path, encoding) as file:
        return _header(path, csv.reader(file, delimiter=delimiter, strict=True), delimiter)


def read_records(path: Path, *, delimiter: str, encoding: str, rows: int) -> Iterator[Records]:
    """Yield records of a CSV file, at most ``rows`` at a time, below its header.

    Yields
    ------
    tuple
        Records with as many values as the header has names, the line each begins at, how many records come before
        each, and the faults of the others.
    """
    with _refusing(path, encoding) as position, _opened(path, encoding) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        width = len(_header(path, reader, delimiter))
        records: list[list[str]] = []
        lines: list[int] = []
        places: list[int] = []
        faults: list[Fault] = []
        position[0], place = reader.line_num + 1, -1
        for record in reader:
            line, position[0] = position[0], reader.line_num + 1
            if not record:
                continue
            place += 1
            if len(record) == width:
                records.append(record)
                lines.append(line)
                places.append(place)
            else:
                message = f"must have {width} values as the header has, got {len(record)}; mend the row"
                faults.append(Fault(f"{path.name}:{line}", message))
            if len(records) + len(faults) >= rows:
                yield records, lines, places, faults
                records, lines, places, faults = [], [], [], []
        yield records, lines, places, faults


def _header(path: Path, reader: Iterator[list[str]], delimiter: str) -> list[str]:
    names = next(reader, None)
    if not names:
        raise DataError([Fault(f"{path.name}:1", "must begin with the names of the columns, got an empty line")])
    others = [shown for mark, shown in DELIMITERS.items() if mark != delimiter and mark in names[0]]
    if len(names) == 1 and others:
        message = f"header has one column, {quoted(names[0])}; set data.delimiter: {others[0]}"
        raise DataError([Fault(f"{path.name}:1", message)])
    return names


@contextmanager
def _refusing(path: Path, encoding: str) -> Iterator[list[int]]:
    """Turn what the standard library raises while reading into faults with a line."""
    position = [1]
    try:
        _check_signature(path, encoding)
        yield position
    except UnicodeError:
        raise DataError([_undecodable(path, encoding)]) from None
    except csv.Error as error:
        message = f"is not CSV: {error}; look for a quote that does not close or stands inside a value"
        raise DataError([Fault(f"{path.name}:{position[0]}", message)]) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError([Fault(path.name, f"must be a whole gzip file, got one that is damaged: {error}")]) from None
    except OSError as error:
        raise DataError([Fault(str(path), f"must be readable, got {error.strerror or error}")]) from None


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[IO[str]]:
    with _bytes(path) as raw, io.TextIOWrapper(raw, encoding=_codec(encoding), newline="") as text:
        yield text


def _bytes(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _codec(encoding: str) -> str:
    """Return Python's name of an encoding; a mark at the start of UTF-8 is passed over."""
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name).decode(name)
    except (LookupError, ValueError, TypeError):
        message = f"must be an encoding, got {quoted(encoding)}; name one of text, utf-8 or cp1252 for example"
        raise DataError([Fault("data.encoding", message)]) from None
    return "utf-8-sig" if name == "utf-8" else name


def _check_signature(path: Path, encoding: str) -> None:
    if path.stat().st_size == 0:
        raise DataError([Fault(path.name, "must hold a header and leads, got an empty file")])
    with _bytes(path) as raw:
        start = raw.read(16).removeprefix(codecs.BOM_UTF8).lstrip()
    wide = _codec(encoding).startswith(("utf-16", "utf-32"))
    for signature, what in SIGNATURES.items():
        if start.startswith(signature) and not (wide and "UTF-16" in what):
            raise DataError([Fault(path.name, f"must be CSV, got {what}")])


def _undecodable(path: Path, encoding: str) -> Fault:
    """Return where the first byte is that is no text: its line and its place in the file."""
    decoder = codecs.getincrementaldecoder(_codec(encoding).removesuffix("-sig"))()
    read, lines, last = 0, 1, ""
    got = "a file that ends inside a character"
    with _bytes(path) as raw:
        while block := raw.read(BLOCK):
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, errors="ignore")
                lines += _line_ends(before, last)
                place = read - held + error.start
                got = f"byte 0x{error.object[error.start]:02x} at offset {place:,}"
                break
            except UnicodeError as error:
                got = f"a file that is not: {error}"
                break
            lines += _line_ends(text, last)
            read, last = read + len(block), text[-1:] or last
    message = f"must be {inert(encoding)}, got {got}; set data.encoding, for example cp1252"
    return Fault(f"{path.name}:{lines}", message)


def _line_ends(text: str, before: str = "") -> int:
    """Return how many lines end in a text; a line feed after a carriage return that came before ends none."""
    ends = len(LINE_END.findall(text))
    return ends - 1 if before.endswith("\r") and text.startswith("\n") else ends
