"""What a sink is: a place that tables of leads are written to, chunk by chunk, and what opens one.

Rows become visible together when all chunks are written, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

BATCH = "batch_id"  # the column that tells which batch a row is of
READ_ROWS = 50_000  # rows that are read back at a time: as many as are written by default


@dataclass(frozen=True)
class FileChoices:
    """How rows are written to a file that people may open.

    Parameters
    ----------
    raw
        Whether the file is for machines: texts and numbers are written unchanged, with commas and points.
    delimiter, decimal
        Character between two values, and decimal mark, of CSV for people.
    """

    raw: bool = False
    delimiter: str = ","
    decimal: str = "."


class Sink(Protocol):
    """A place that rows are written to.

    Attributes
    ----------
    defused
        How many texts were escaped because a spreadsheet would run them as a formula.
    """

    defused: int

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; all frames have the same columns."""


class SinkFormat(Protocol):
    """A kind of file, or of folder, that rows can be written to: an entry of ``FORMATS`` in the module sinks.

    docs/extending.md has an example.
    """

    @property
    def suffix(self) -> str:
        """The end of the names of such files, with its dot."""

    def open(self, path: Path, choices: FileChoices) -> AbstractContextManager[Sink]:
        """Give a sink; its rows are published when the block ends without an error.

        Parameters
        ----------
        path
            File or folder to write.
        choices
            Whether people or machines read the file, and its marks.

        Raises
        ------
        LeadmlError
            If the rows cannot be written.
        """

    def holds(self, path: Path, batch_id: str) -> bool:
        """Return whether a file is there and its rows, if it has any, are those of a batch."""

    def rows(self, path: Path, batch_id: str) -> Iterator[pd.DataFrame]:
        """Yield the rows of a batch that a file holds, as they were written; values may be texts."""
