"""Open the text of a file, plain, gzipped or as the only file of a zip archive, and say what keeps it from being read.

Bytes that do not decode in the declared encoding, archives that are damaged and files of other formats are refused.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from leadml.errors import DataError, Fault, inert, quoted
from leadml.leads.read.file_names import TEXT, ZIP, is_passed_over, suffix_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet or zip archive; name it .xlsx or .zip, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or another file of Office; name it .xls, or save it as CSV",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\xff\xfe": "UTF-16; set data.encoding: utf-16",
    b"\xfe\xff": "UTF-16; set data.encoding: utf-16",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file; add .gz to its name",
    b"<": "a web page or XML, perhaps of a login that has expired; fetch the file again",
}
WINDOWS, EXCEL_ON_A_MAC = "cp1252", "mac_roman"  # of Western Europe and America; only the second reads every byte
BLOCK_BYTES = 1 << 20  # changes no message, only memory: 1 MiB, and its text
LINE_END = re.compile(r"\r\n|\r|\n")
SHOWN_MEMBERS = 3  # of an archive: enough to recognise it in one line


def format_of(path: Path) -> str:
    """Return the suffix of a file's text without its compression: ``.csv`` for ``LEADS.CSV.GZ``.

    Raises
    ------
    DataError
        Where a zip archive does not hold exactly one file of text.
    """
    if path.suffix.lower() == ZIP:
        with _faults_of_archives(path), _open_archive(path) as archive:
            return suffix_of(_member(path, archive).filename) or ""
    return (suffix_of(path.name) or "").removesuffix(".gz")


@contextmanager
def open_text(path: Path, encoding: str, *, wanted: str) -> Iterator[tuple[IO[str], list[int]]]:
    """Give the text of a file, its line ends as they are, and a list of one line number, which is that of faults.

    Errors of the standard library in the block become faults of the file.

    Parameters
    ----------
    path
        The file.
    encoding
        Declared encoding; a byte order mark of UTF-8 is no part of the text.
    wanted
        Name of the format, for messages: ``CSV``.

    Raises
    ------
    DataError
        Where the file cannot be read to its end, or has another format.
    """
    position = [1]
    try:
        with _faults_of_archives(path):
            _check_signature(path, encoding, wanted)
            with _open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=codec_name(encoding), newline="") as text:
                yield text, position
    except UnicodeError:
        raise DataError([_decoding_fault(path, encoding)]) from None


def first_bytes(path: Path, size: int) -> bytes:
    """Return the first bytes of a file's text, decompressed.

    Raises
    ------
    DataError
        Where the file cannot be read.
    """
    with _faults_of_archives(path), _open_bytes(path) as raw:
        return raw.read(size)


@contextmanager
def _faults_of_archives(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        kind = "zip archive" if path.suffix.lower() == ZIP else "gzip file"
        raise DataError(
            [Fault(path.name, f"must be a whole {kind}, got one that is damaged: {inert(error)}")]
        ) from None
    except OSError as error:
        raise DataError([Fault(str(path), f"must be readable, got {error.strerror or error}")]) from None


@contextmanager
def _open_bytes(path: Path) -> Iterator[IO[bytes]]:
    suffix = path.suffix.lower()
    if suffix == ZIP:
        with _open_archive(path) as archive, _open_member(path, archive) as raw:
            yield raw
    else:
        with cast("IO[bytes]", gzip.open(path, "rb")) if suffix == ".gz" else path.open("rb") as raw:
            yield raw


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (NotImplementedError, ValueError, struct.error) as error:  # of a damaged list of the files in it
        raise zipfile.BadZipFile(str(error)) from None


def _open_member(path: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    member = _member(path, archive)
    try:
        return archive.open(member)
    except (ValueError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from None
    except RuntimeError:  # the standard library's error where a password is needed, or where it lacks the method
        got = "one that has a password" if member.flag_bits & 1 else "one that is compressed in another way"
        message = f"must be a zip archive without a password that is compressed by deflate, got {got}; unpack it"
        raise DataError([Fault(path.name, message)]) from None


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only file of an archive, which must be text; what systems add to archives does not count."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(is_passed_over(part) for part in PurePosixPath(member.filename).parts)
    ]
    if len(members) == 1 and suffix_of(members[0].filename) in TEXT:
        return members[0]
    shown = ", ".join(quoted(member.filename) for member in members[:SHOWN_MEMBERS])
    more = f" and {len(members) - SHOWN_MEMBERS:,} more" if len(members) > SHOWN_MEMBERS else ""
    message = f"must hold one file ending in {', '.join(TEXT)}, got {shown or 'none'}{more}; unpack it"
    raise DataError([Fault(path.name, message)])


def codec_name(encoding: str) -> str:
    """Return Python's name of an encoding; the one for UTF-8 ignores a byte order mark."""
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name).decode(name)
    except (LookupError, ValueError, TypeError):
        message = f"must be a text encoding, got {quoted(encoding)}; use utf-8 or cp1252, for example"
        raise DataError([Fault("data.encoding", message)]) from None
    return "utf-8-sig" if name == "utf-8" else name


def _check_signature(path: Path, encoding: str, wanted: str) -> None:
    if path.stat().st_size == 0:
        raise DataError([Fault(path.name, "must hold a header and leads, got an empty file")])
    with _open_bytes(path) as raw:
        start = raw.read(16).removeprefix(codecs.BOM_UTF8).lstrip()
    is_wide = codec_name(encoding).startswith(("utf-16", "utf-32"))
    for signature, description in SIGNATURES.items():
        if start.startswith(signature) and not (is_wide and "UTF-16" in description):
            raise DataError([Fault(path.name, f"must be {wanted}, got {description}")])


def _decoding_fault(path: Path, encoding: str) -> Fault:
    """Return the fault of the first byte that does not decode, with its line and its offset in the file."""
    decoder = codecs.getincrementaldecoder(codec_name(encoding).removesuffix("-sig"))()
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
    other = EXCEL_ON_A_MAC if codec_name(encoding) == WINDOWS else WINDOWS
    remedy = f"set data.encoding, for example {other}, or leadml init FILE --encoding {other}"
    message = f"must be {inert(encoding)}, got {got}; {remedy}"
    return Fault(f"{path.name}:{lines}", message)


def _count_line_ends(text: str, before: str = "") -> int:
    """Return the number of lines that end in a text; a line feed after a return in ``before`` is not counted."""
    ends = len(LINE_END.findall(text))
    return ends - 1 if before.endswith("\r") and text.startswith("\n") else ends
