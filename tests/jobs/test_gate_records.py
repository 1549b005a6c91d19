"""Answers of the gate, as they are said and stored."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from leadml.jobs.gate_records import Gated

FOUND = Gated(
    at="2026-01-01T00:00:00+00:00", target="won", champion="1", challenger="2", champion_hash="a", challenger_hash="b",
    kind="change", answer="not enough evidence", reasons=("4,400 leads are needed",), since="2025-01-01",
    until="2025-12-01", figures={"leads": 100, "needed": 4400}, enough_on="2026-05-01",
)  # fmt: skip


def test_an_answer_survives_json() -> None:
    """As the store keeps it."""
    assert Gated.from_json(json.loads(json.dumps(FOUND.to_json()))) == FOUND


def test_an_answer_is_one_line() -> None:
    """With the day on which there is another one."""
    assert FOUND.line == (
        "won: version 2 beside version 1, a change: not enough evidence: 4,400 leads are needed; enough of them are "
        "expected by 2026-05-01"
    )


@pytest.mark.parametrize(
    ("answer", "kind", "passes", "decided"),
    [
        ("better", "change", True, True),
        ("not worse", "refresh", True, False),
        ("worse", "change", False, True),
        ("no better", "change", False, True),
        ("worse", "refresh", False, False),
        ("not enough evidence", "change", False, False),
        ("refused", "change", False, True),  # by leads: this one has some
        ("refused", "refresh", False, False),
    ],
)
def test_what_passes_and_what_counts(answer: str, kind: str, passes: bool, decided: bool) -> None:  # noqa: FBT001
    """Only answers that leads gave on a change are attempts."""
    found = replace(FOUND, answer=answer, kind=kind)  # type: ignore[arg-type]
    assert (found.passes, found.is_decided_change) == (passes, decided)
