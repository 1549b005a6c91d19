"""The errors that leadml raises when it refuses to go on.

Each fault is one line that says what must hold, what was got and what to do. A bug is never one of these errors: the
command line shows its traceback.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FAULT_LINES = 20  # so that a terminal of 24 lines shows them with the first and the last line of the message
MAX_TEXT_LENGTH = 60  # half of a line of 120 characters, so that what must hold fits beside it
SIMILARITY_CUTOFF = 0.7  # one wrong letter of four, 2 * 3 / 8 = 0.75, is a misprint; two of six, 0.67, another word


class LeadmlError(Exception):
    """What leadml refuses to do and why, in one line."""


class ParamsError(LeadmlError):
    """A choice in ``params.yaml`` or in ``--set`` that leadml cannot follow."""


class RetiredKeyWarning(FutureWarning):
    """A choice was given that params had once: it is passed over, and the text says what leadml does in its place."""


class BundleError(LeadmlError):
    """A bundle that is damaged, was changed, or is not a bundle."""


class ModelError(LeadmlError):
    """Data from which no model, calibration or cut can be computed."""


class MissingExtraError(LeadmlError):
    """A package that is not installed and that only some jobs need."""


@dataclass(frozen=True)
class Fault:
    """One fault of a file or of a table in a database.

    Parameters
    ----------
    location
        File and, where known, line: ``leads.csv:1042``.
    message
        What must hold, what was got, what to do.
    column
        Name of the column; empty where the fault concerns the whole row.
    lead_id
        Id of the lead; empty where it could not be read.
    requirement
        What must hold, without the value that was got: faults of one column and one requirement are shown as one line.
        Empty where the message serves.
    rows
        Number of rows that have the fault, the row at ``location`` included.
    """

    location: str
    message: str
    column: str = ""
    lead_id: str = ""
    requirement: str = ""
    rows: int = 1

    def __str__(self) -> str:
        """Return the fault as one line."""
        column = f"{inert(self.column)} " if self.column else ""
        return f"{self.location}: {column}{self.message}"


class DataError(LeadmlError):
    """All faults of a file, with one line for the faults that share column and requirement.

    Parameters
    ----------
    faults
        The faults, in the order of the file.
    complete
        Whether the file was read to its end; if not, the message says "at least" before each count.

    Examples
    --------
    >>> print(DataError([Fault("leads.csv:3", "must be a number, got 'x'", "age")]))
    leads.csv:3: age must be a number, got 'x'
    >>> print(DataError(Fault(f"leads.csv:{line}", "must be there", "age") for line in (3, 5, 9)))
    leads.csv:3: age must be there; the same in 2 more rows
    """

    def __init__(self, faults: Iterable[Fault], *, complete: bool = True) -> None:
        """Store all faults and build the message from the first 20 lines."""
        self.faults = tuple(faults)
        alike: dict[tuple[str, str], list[Fault]] = {}
        for fault in self.faults:
            alike.setdefault((fault.column, fault.requirement or fault.message), []).append(fault)
        at_least = "" if complete else "at least "
        lines = [_fault_line(faults, at_least) for faults in list(alike.values())[:MAX_FAULT_LINES]]
        omitted = len(alike) - len(lines)
        if omitted:
            lines.append(f"and {at_least}{omitted:,} more fault{'s' if omitted > 1 else ''}")
        super().__init__("\n".join(lines))


def _fault_line(faults: list[Fault], at_least: str) -> str:
    more = sum(fault.rows for fault in faults) - 1
    return f"{faults[0]}; the same in {at_least}{more:,} more row{'s' if more > 1 else ''}" if more else str(faults[0])


def inert(text: object) -> str:
    r"""Return untrusted text as one printable line of at most 60 characters.

    Characters that are not printable are escaped, so that the text can neither control a terminal nor add a line.

    Examples
    --------
    >>> inert("a\x1b[31mb\nc")
    'a\\x1b[31mb\\nc'
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))
    return shown if len(shown) <= MAX_TEXT_LENGTH else f"{shown[: MAX_TEXT_LENGTH - 1]}…"


def quoted(text: object) -> str:
    """Return untrusted text as `inert` does, between quotation marks.

    Examples
    --------
    >>> quoted("1.234,5")
    "'1.234,5'"
    """
    return f"'{inert(text)}'"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint that names the most similar of some names, or an empty text where none is similar.

    Upper and lower case count as the same. A name is similar where `difflib.get_close_matches` finds a similarity of at
    least 0.7, or where it has the same letters in another order.

    Examples
    --------
    >>> nearest("leafs", ["leaves", "bins"])
    "; the nearest is 'leaves'"
    >>> nearest("renewed", ["rejected", "churned"])
    ''
    """
    by_lower_case = {candidate.lower(): candidate for candidate in names}
    matches = difflib.get_close_matches(name.lower(), list(by_lower_case), n=1, cutoff=SIMILARITY_CUTOFF)
    matches = matches or [candidate for candidate in by_lower_case if sorted(candidate) == sorted(name.lower())]
    return f"; the nearest is {quoted(by_lower_case[matches[0]])}" if matches else ""
