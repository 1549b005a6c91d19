"""The errors that leadml refuses with.

What enters is what was wrong; what leaves is one line a fault that says what must hold, what was got and what to do.
A bug is never one of these: the command line shows its traceback.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_FAULTS = 20
LONGEST_VALUE = 60
CLOSE = 0.7


class LeadmlError(Exception):
    """What leadml refuses to do, in one line."""


class ParamsError(LeadmlError):
    """A choice in ``params.yaml`` or in ``--set`` that cannot be followed."""


class BundleError(LeadmlError):
    """A bundle that is not what was written, or not one at all."""


class ModelError(LeadmlError):
    """Data that cannot carry a model, a calibration or a cut."""


class MissingExtraError(LeadmlError):
    """A package that only some jobs need and that is not installed."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file.

    Parameters
    ----------
    where
        File and, where known, line: ``leads.csv:1042``.
    message
        What must hold, what was got, what to do.
    column
        Name of the column, empty where the whole row is at fault.
    lead_id
        Id of the lead, empty where it could not be read.
    reason
        What it shares with faults of its kind, whatever was got; empty where the message says it all.
    rows
        How many rows it stands for, the one that is named first.
    """

    where: str
    message: str
    column: str = ""
    lead_id: str = ""
    reason: str = ""
    rows: int = 1

    def __str__(self) -> str:
        """Return the fault as one line."""
        column = f"{inert(self.column)} " if self.column else ""
        return f"{self.where}: {column}{self.message}"


class DataError(LeadmlError):
    """Faults of a file, all at once: one line for all that are of one kind.

    Examples
    --------
    >>> print(DataError([Fault("leads.csv:3", "must be a number, got 'x'", "age")]))
    leads.csv:3: age must be a number, got 'x'
    >>> print(DataError(Fault(f"leads.csv:{line}", "must be there", "age") for line in (3, 5, 9)))
    leads.csv:3: age must be there; the same in 2 more rows
    """

    def __init__(self, faults: Iterable[Fault], *, counted: bool = True) -> None:
        """Keep the faults and show the first kinds of them; where not all were counted say so."""
        self.faults = tuple(faults)
        kinds: dict[tuple[str, str], list[Fault]] = {}
        for fault in self.faults:
            kinds.setdefault((fault.column, fault.reason or fault.message), []).append(fault)
        least = "" if counted else "at least "
        lines = [_kind_line(same, least) for same in list(kinds.values())[:SHOWN_FAULTS]]
        hidden = len(kinds) - len(lines)
        if hidden:
            lines.append(f"and {least}{hidden:,} more fault{'s' if hidden > 1 else ''}")
        super().__init__("\n".join(lines))


def _kind_line(same: list[Fault], least: str) -> str:
    more = sum(fault.rows for fault in same) - 1
    return f"{same[0]}; the same in {least}{more:,} more row{'s' if more > 1 else ''}" if more else str(same[0])


def inert(text: object) -> str:
    r"""Return a stranger's text without what could drive a terminal or fake a line.

    Examples
    --------
    >>> inert("a\x1b[31mb\nc")
    'a\\x1b[31mb\\nc'
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 1]}…"


def quoted(text: object) -> str:
    """Return a stranger's text between quotes, inert.

    Examples
    --------
    >>> quoted("1.234,5")
    "'1.234,5'"
    """
    return f"'{inert(text)}'"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint at the name that is nearest, empty where none is near.

    A name is near where it is written almost alike, or with the same letters in another order.

    Examples
    --------
    >>> nearest("leafs", ["leaves", "bins"])
    "; the nearest is 'leaves'"
    >>> nearest("renewed", ["rejected", "churned"])
    ''
    """
    by_small = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(by_small), n=1, cutoff=CLOSE)
    close = close or [known for known in by_small if sorted(known) == sorted(name.lower())]
    return f"; the nearest is {quoted(by_small[close[0]])}" if close else ""
