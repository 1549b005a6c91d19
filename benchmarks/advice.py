"""Follow every piece of advice that the package gives, and see whether one gets further.

`messages` counts the texts of the source that say what to do and name a key, an option or a command
(`advice_messages`). Each is shown by a command in a project of its own, followed as a person would who knows only that
text (`advice_cases`), and the command is run again.

- `messages`: texts with advice.
- `followed`: of these, those that were shown and whose words were followed.
- `further`: of these, those after which the text was gone and no other error stood in its place.

Run with: python benchmarks/advice.py [--json] [--keep] [--recorded] [--only WORDS]
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from advice_attempt import start_from
from advice_cases import CASES
from advice_messages import messages
from measure import finish, options

if TYPE_CHECKING:
    from advice_cases import Case
    from advice_messages import Message

for _module in (
    "advice_reading", "advice_starting", "advice_starting_more", "advice_judging", "advice_judging_tables",
    "advice_judging_leaks", "advice_reviewing", "advice_serving", "advice_tracking",
):  # fmt: skip
    import_module(_module)


@dataclass(frozen=True)
class Result:
    """Whether a piece of advice was followed, whether one got further, and why not."""

    followed: bool
    further: bool
    why: str = ""


def main() -> None:
    """Follow all advice; print what has no case, and what does not lead further."""
    chosen = options(__doc__ or "", "advice", in_parts=False, only="")
    advice = messages()
    results: list[Result] = []
    with TemporaryDirectory() as name:
        for number, message in enumerate(advice):
            if chosen.only not in message.text:
                continue
            case = case_of(message)
            began = time.perf_counter()
            result = (
                Result(followed=False, further=False, why="no case")
                if case is None
                else tried(case, message, Path(name), number)
            )
            results.append(result)
            if not result.further:
                print(f"{message.place}: {message.text}\n    {result.why}", flush=True)
            elif chosen.only:
                print(f"{message.place}: {time.perf_counter() - began:.1f} s", flush=True)
    counts = {name: sum(getattr(result, name) for result in results) for name in ("followed", "further")}
    print(f"{len(results)} texts with advice, {counts['followed']} followed, {counts['further']} led further")
    finish("advice", {"messages": len(results), **counts}, chosen)


def case_of(message: Message) -> Case | None:
    """Return the case of a message; None if there is none."""
    found = [case for case in CASES if case.text in message.text.replace("\n", " ")]
    longest = max((len(case.text) for case in found), default=0)  # a text may be the beginning of another
    found = [case for case in found if len(case.text) == longest]
    if len(found) > 1:
        text = f"one case must be of {message.text!r}, got {[case.text for case in found]}"
        raise ValueError(text)
    return found[0] if found else None


def tried(case: Case, message: Message, root: Path, number: int) -> Result:
    """Return what came of following a message."""
    bases = root / "bases"
    bases.mkdir(exist_ok=True)
    attempt = start_from(case.base, root / f"case{number}", bases)
    steps = case.steps(attempt)
    try:
        before = attempt.do(next(steps))
        if not message.pattern.search(before):
            return Result(followed=False, further=False, why=f"was not shown, but: {before}")
        last = next(steps)
        unsaid = [words for words in attempt.followed if words not in before]
        if unsaid or not attempt.followed:
            return Result(
                followed=False, further=False, why=f"does not say {unsaid or 'anything that was followed'}: {before}"
            )
        after = attempt.do(last)
    except Exception:  # noqa: BLE001 - a traceback is what advice must never lead to
        return Result(followed=False, further=False, why=traceback.format_exc())
    if attempt.refused or message.pattern.search(after):
        return Result(followed=True, further=False, why=f"leads no further: {after}")
    return Result(followed=True, further=True)


if __name__ == "__main__":
    main()
