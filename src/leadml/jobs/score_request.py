"""Which leads a job scores, and where the rows go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadml.errors import LeadmlError
from leadml.params.output import OutputParams
from leadml.publish.sink import FileChoices
from leadml.publish.sinks import check_suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params import Params


@dataclass(frozen=True)
class ScoreRequest:
    """Which leads are scored, and where the rows go.

    Parameters
    ----------
    file
        The flat leads; None if leads are dated.
    as_of
        The date or time in ISO 8601 as of which dated leads are scored; None for flat leads.
    out
        The file to write, or None for the database that params name.
    held_out
        Whether only the leads of the holdout are scored.
    contributions
        The file for every contribution, or None.
    raw
        Whether CSV is written for machines: texts and numbers are unchanged.
    only_open
        Whether only the leads are scored whose outcome is open by the params.
    """

    file: Path | None = None
    as_of: str | None = None
    out: Path | None = None
    held_out: bool = False
    contributions: Path | None = None
    raw: bool = False
    only_open: bool = False


def file_choices(params: Params | None, *, raw: bool = False) -> FileChoices:
    """Return how files are written for people, as params say, or for machines."""
    output = params.output if params else OutputParams()
    return FileChoices(raw, output.delimiter, output.decimal)


@dataclass(frozen=True)
class Destination:
    """Where the rows of a request are written.

    Parameters
    ----------
    out, contributions
        Files, or None.
    database
        Address and table, or None; used if ``out`` is None.
    choices
        How files are written.
    """

    out: Path | None
    contributions: Path | None
    database: tuple[str, str] | None
    choices: FileChoices

    @property
    def name(self) -> str:
        """The destination in words: the file or the table."""
        return str(self.out or f"table {self.database[1] if self.database else ''}")

    @property
    def not_scored(self) -> Path:
        """The file for the refused rows: in the folder of ``out``, or in the working folder."""
        out = self.out or Path(f"{self.database[1] if self.database else 'scored'}.csv")
        return out.with_name(f"{out.stem}.not_scored.csv")

    def check(self, sources: Sequence[Path]) -> None:
        """Refuse a destination that is missing, that overwrites the leads, or that takes two tables into one file.

        Parameters
        ----------
        sources
            Files and folders that leads are read from; nothing may be written into them.

        Raises
        ------
        LeadmlError
            If a file cannot be a destination.
        """
        if self.out is None and self.database is None:
            msg = "out (--out) must name a file, or output.database an address, got neither"
            raise LeadmlError(msg)
        outputs = [path for path in (self.out, self.not_scored, self.contributions) if path is not None]
        inputs = [source.resolve() for source in sources]
        for at, path in enumerate(outputs):
            check_suffix(path)
            resolved = path.resolve()
            if any(resolved == source or source in resolved.parents for source in inputs):
                msg = f"{path}: must not be the file of the leads or in their folder; write to another folder"
                raise LeadmlError(msg)
            if resolved in {other.resolve() for other in outputs[:at]}:
                msg = f"{path}: must differ from the other files that are written, got the same; name another file"
                raise LeadmlError(msg)
