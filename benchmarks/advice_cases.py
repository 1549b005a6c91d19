"""What a reader of each piece of advice does: a case shows the advice, follows it, and tries again.

A case is a function that yields two steps: the command that shows the advice, and, once it was followed, the command
that must get further. What is done between them is named by words of the advice (`Attempt.follow`, `Attempt.set`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advice_attempt import Attempt

    Steps = Iterator[Any]


@dataclass(frozen=True)
class Case:
    """A case: a part of the text of its advice, the base that it starts from, and its steps."""

    text: str
    base: str
    steps: Callable[[Attempt], Steps]


CASES: list[Case] = []


def case(text: str, base: str = "bank") -> Callable[[Callable[[Attempt], Steps]], Callable[[Attempt], Steps]]:
    """Return a decorator that adds a case.

    Parameters
    ----------
    text
        A part of the text of the advice, as the source has it, that no other advice has.
    base
        What the case starts from; see `advice_attempt.start_from`.
    """

    def add(steps: Callable[[Attempt], Steps]) -> Callable[[Attempt], Steps]:
        CASES.append(Case(text, base, steps))
        return steps

    return add
