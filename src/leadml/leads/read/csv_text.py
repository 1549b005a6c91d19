"""Read CSV text record by record, with the line number of each record.

Files may be gzipped. Bytes that do not decode in the declared encoding, quotes that never close and files that are not
CSV are refused. A record with too many or too few values is a fault with its line: values are never added or shifted.
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
BLOCK_BYTES = 1 << 20  # changes no message, only memory: 1 MiB, and its text
LINE_END = re.compile(r"\r\n|\r|\n")

Records = tuple[list[list[str]], list[int], list[int], list[Fault]]


def read_header(path: Path, *, delimiter: str, encoding: str) -> list[str]:
    """Return the column names in the first line of a CSV file, exactly as they are written.

    Raises
    ------
    DataError
        Where the file is empty, is not CSV, or has another delimiter.
    """
    with _faults_of_reading(path, encoding), _open_text(path, encoding) as file:
        return _header(path, csv.reader(file, delimiter=delimiter, strict=True), delimiter)


def read_records(path: Path, *, delimiter: str, encoding: str, rows: int) -> Iterator[Records]:
    """Yield the records of a CSV file below its header, at most ``rows`` at a time.

    Yields
    ------
    tuple
        Records with as many values as the header has names, the line on which each of them begins, the number of
        records before each of them, and the faults of the other records.

    Raises
    ------
    DataError
        Where the file cannot be read to its end.
    """
    with _faults_of_reading(path, encoding) as position, _open_text(path, encoding) as file:
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
                message = f"must have {width} values as the header has, got {len(record)}; correct the row"
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
def _faults_of_reading(path: Path, encoding: str) -> Iterator[list[int]]:
    """Give a list of one line number, and turn errors of the standard library into faults on that line."""
    position = [1]
    try:
        _check_signature(path, encoding)
        yield position
    except UnicodeError:
        raise DataError([_decoding_fault(path, encoding)]) from None
    except csv.Error as error:
        message = f"is not CSV: {error}; look for a quote that does not close or stands inside a value"
        raise DataError([Fault(f"{path.name}:{position[0]}", message)]) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError([Fault(path.name, f"must be a whole gzip file, got one that is damaged: {error}")]) from None
    except OSError as error:
        raise DataError([Fault(str(path), f"must be readable, got {error.strerror or error}")]) from None


@contextmanager
def _open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    with _open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=_codec_name(encoding), newline="") as text:
        yield text


def _open_bytes(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _codec_name(encoding: str) -> str:
    """Return Python's name of an encoding; the one for UTF-8 ignores a byte order mark."""
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name).decode(name)
    except (LookupError, ValueError, TypeError):
        message = f"must be a text encoding, got {quoted(encoding)}; use utf-8 or cp1252, for example"
        raise DataError([Fault("data.encoding", message)]) from None
    return "utf-8-sig" if name == "utf-8" else name


def _check_signature(path: Path, encoding: str) -> None:
    if path.stat().st_size == 0:
        raise DataError([Fault(path.name, "must hold a header and leads, got an empty file")])
    with _open_bytes(path) as raw:
        start = raw.read(16).removeprefix(codecs.BOM_UTF8).lstrip()
    is_wide = _codec_name(encoding).startswith(("utf-16", "utf-32"))
    for signature, description in SIGNATURES.items():
        if start.startswith(signature) and not (is_wide and "UTF-16" in description):
            raise DataError([Fault(path.name, f"must be CSV, got {description}")])


def _decoding_fault(path: Path, encoding: str) -> Fault:
    """Return the fault of the first byte that does not decode, with its line and its offset in the file."""
    decoder = codecs.getincrementaldecoder(_codec_name(encoding).removesuffix("-sig"))()
    bytes_read, lines, last = 0, 1, ""
    got = "a file that ends inside a character"
    with _open_bytes(path) as raw:
        while block := raw.read(BLOCK_BYTES):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, errors="ignore")
                lines += _count_line_ends(before, last)
                offset = bytes_read - pending + error.start
                got = f"byte 0x{error.object[error.start]:02x} at offset {offset:,}"
                break
            except UnicodeError as error:
                got = f"a file that is not: {error}"
                break
            lines += _count_line_ends(text, last)
            bytes_read, last = bytes_read + len(block), text[-1:] or last
    message = f"must be {inert(encoding)}, got {got}; set data.encoding, for example cp1252"
    return Fault(f"{path.name}:{lines}", message)


def _count_line_ends(text: str, before: str = "") -> int:
    """Return the number of lines that end in a text; a line feed after a return in ``before`` is not counted."""
    ends = len(LINE_END.findall(text))
    return ends - 1 if before.endswith("\r") and text.startswith("\n") else ends
