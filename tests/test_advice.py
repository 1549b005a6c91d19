"""Each piece of advice of the package has a case that follows it; `benchmarks/advice.py` follows them all."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))
advice, advice_cases, advice_messages = map(importlib.import_module, ("advice", "advice_cases", "advice_messages"))
sys.path.remove(str(FOLDER))
MESSAGES = advice_messages.messages()
# Cases of files of leads: they need no fit. The others take up to a minute, and make proof follows them.
QUICK = [message for message in MESSAGES if message.place.startswith("leads/read/")]


def test_every_piece_of_advice_has_a_case() -> None:
    """And every case is of one that is still given."""
    cases = {message.text: advice.case_of(message) for message in MESSAGES}

    assert [text for text, case in cases.items() if case is None] == []
    used = {case.text for case in cases.values()}
    assert [case.text for case in advice_cases.CASES if case.text not in used] == []
    assert len(MESSAGES) > 20


@pytest.mark.slow
@pytest.mark.parametrize("message", QUICK, ids=lambda message: message.place)
def test_who_follows_advice_about_a_file_gets_further(message: object, tmp_path: Path) -> None:
    """The text is shown, its words are followed, and the command does its work."""
    result = advice.tried(advice.case_of(message), message, tmp_path, 0)
    assert result.further, result.why


def test_advice_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """Where the text is not shown, where it does not say what was done, and where it stays."""

    def refused(words: str, followed: str):
        def steps(at):
            yield lambda: words
            at.follow(followed)
            yield lambda: words

        return advice_cases.Case("set limits", "nothing", steps)

    message = advice_messages.Message("a.py:1", f"got {advice_messages.VALUE}; set limits.allow_small: true")
    shown = "leads: got 3; set limits.allow_small: true"
    results = [
        advice.tried(refused(words, followed), message, tmp_path, number)
        for number, (words, followed) in enumerate(
            [("nothing", "limits"), (shown, "data.path"), (shown, "limits.allow_small")]
        )
    ]

    assert [(result.followed, result.further) for result in results] == [(False, False), (False, False), (True, False)]
    assert results[0].why.startswith("was not shown")
    assert results[1].why.startswith("does not say ['data.path']")
    assert results[2].why.startswith("leads no further")


@pytest.mark.parametrize(
    ("text", "is_advice"),
    [
        ("there are few; set limits.allow_small: true", True),
        ("it has one; name another with --out", True),
        ("got none; leadml init FILE makes one", True),
        ("not installed: pip install it", True),
        ("limits.allow_small lets it pass", False),
        ("leadml is clearly better than a method", False),
        ("set it to something", False),
    ],
)
def test_advice_says_what_to_do_and_names_what_is_changed(text: str, tmp_path: Path, *, is_advice: bool) -> None:
    """A key, an option, a command or something to install; docstrings are no advice."""
    (tmp_path / "module.py").write_text(f'"""{text}."""\nTEXT = "{text}"\n', encoding="utf-8")
    assert [message.text for message in advice_messages.messages(tmp_path)] == [text] * is_advice
