"""What the benchmark of mutation testing counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))

from mutation import PACKAGE, PARTS, ROOT, TESTS, summary  # noqa: E402 - found by the line above

sys.path.remove(str(FOLDER))

RESULTS = FOLDER / "results"

REASON = {"where": "a.py f", "text": "x <= y", "reason": "they are never equal"}


def _row(part: str, code: int | None, after: str = "x <= y") -> dict[str, object]:
    return {"part": part, "where": "a.py f", "code": code, "before": "x < y", "after": after}


def test_shares_are_of_all_changes_and_survivors_have_their_reasons() -> None:
    """A failing test, a crash and a test that does not end find a change; a change that no test reaches survives."""
    rows = [_row("split", 1), _row("split", -11), _row("split", 36), _row("cuts", 0), _row("cuts", 33, "x > y")]
    figures = summary(rows, [REASON])

    assert (figures["mutants"], figures["killed"], figures["not_ended"]) == (5, 0.6, 1)
    assert figures["parts"] == [
        {"part": "split", "changes": 3, "found": 3, "share": 1.0},
        {"part": "cuts", "changes": 2, "found": 0, "share": 0.0},
    ]
    assert [(one["after"], one["reason"]) for one in figures["survivors"]] == [
        ("x <= y", "they are never equal"),
        ("x > y", ""),
    ]


@pytest.mark.parametrize("code", [None, 2, 34])
def test_a_change_that_was_not_judged_is_refused(code: int | None) -> None:
    """A run that was cut off gives no share."""
    with pytest.raises(ValueError, match=f"^each change must be judged, got one that ended with {code}$"):
        summary([_row("split", code)], [])


def test_parts_and_tests_are_there() -> None:
    """A module that was renamed would silently be left out."""
    for patterns in PARTS.values():
        assert all(list((ROOT / PACKAGE).glob(pattern)) for pattern in patterns)
    assert all((ROOT / path).exists() for path in TESTS)


def test_the_kept_result_has_a_reason_for_each_survivor() -> None:
    """At least 85 of 100 changes fail a test, and whoever keeps a new result reads what does not."""
    kept = json.loads((RESULTS / "mutation.json").read_text(encoding="utf-8"))["figures"]

    assert kept["killed"] >= 0.85
    assert [survivor for survivor in kept["survivors"] if not survivor["reason"].strip()] == []
