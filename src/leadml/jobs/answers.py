"""What a person settles about a file of leads, and the question that is asked where only a person can know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params import DateOrder


@dataclass(frozen=True)
class Answers:
    """What a person has settled about a file.

    Parameters
    ----------
    label
        Column that says what became of leads.
    positive, negative, open
        Values of the label that mean converted, not converted, and not yet known.
    lead_id, created_at
        Columns of the id and of the time at which leads came.
    target
        Name of what is predicted.
    encoding, sheet
        Encoding of delimited text, and sheet of a workbook.
    date_format
        Whether the day or the month is written first.
    """

    label: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    lead_id: str | None = None
    created_at: str | None = None
    target: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    date_format: DateOrder | None = None

    def with_answer(self, question: UndecidedError, answer: str) -> Answers:
        """Return the answers with one more, to a question."""
        is_several = isinstance(getattr(self, question.option), tuple)
        settled: dict[str, Any] = {question.option: (answer,) if is_several else answer}
        return replace(self, **settled)


class UndecidedError(LeadmlError):
    """What nobody can know from a file; the message says which option answers it.

    Parameters
    ----------
    message
        What is open, and the option that settles it.
    option
        Name of the field of `Answers` that settles it.
    choices
        What it may be.
    """

    def __init__(self, message: str, option: str, choices: Sequence[str]) -> None:
        """Store what may be answered."""
        super().__init__(message)
        self.option, self.choices = option, tuple(choices)
