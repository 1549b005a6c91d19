"""Say by the name of a file how it is read, and which files of a folder are no leads."""

from __future__ import annotations

import re

DELIMITED = (".csv", ".tsv", ".txt")
JSON_LINES = (".jsonl", ".ndjson")
TEXT = (*DELIMITED, *JSON_LINES)
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
PARQUET = ".parquet"
ZIP = ".zip"
SUFFIXES = (*TEXT, *(f"{suffix}.gz" for suffix in TEXT), ZIP, *WORKBOOKS, PARQUET)
SHOWN_SUFFIXES = f"{', '.join(TEXT)} (each also .gz), {', '.join((ZIP, *WORKBOOKS, PARQUET))}"
# Files that systems, browsers and spreadsheets leave beside those of a person: hidden ones, lock files of Excel, the
# pictures of Windows, what macOS adds to archives, and downloads that are not complete.
PASSED_OVER = re.compile(
    r"\..*|~\$.*|thumbs\.db|desktop\.ini|__macosx|.*\.(tmp|part|crdownload)", re.IGNORECASE | re.DOTALL
)


def suffix_of(name: str) -> str | None:
    """Return the suffix of a file that can be read, in lower case; None where the file cannot be read.

    Examples
    --------
    >>> [suffix_of(name) for name in ("FEB.CSV", "leads.jsonl.gz", "leads.parquet.gz", "notes.docx")]
    ['.csv', '.jsonl.gz', None, None]
    """
    lower = name.lower()
    return next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), None)


def is_passed_over(name: str) -> bool:
    """Return whether a file of a folder or an archive is none of its owner, such as a hidden or a temporary file.

    Hadoop and Spark mark a folder that is complete by a file such as ``_SUCCESS``.

    Examples
    --------
    >>> [is_passed_over(name) for name in (".DS_Store", "~$leads.xlsx", "feb.csv.part", "_SUCCESS", "_feb.csv")]
    [True, True, True, True, False]
    """
    return PASSED_OVER.fullmatch(name) is not None or (name.startswith("_") and suffix_of(name) is None)
