"""Commands about what the store holds: history and forget."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dated import crm, write_params
from tests.stores import silent, write_batch

from leadml.cli import remembering
from leadml.jobs.places import Places
from leadml.publish.store.opening import writing_alone

Run = Callable[..., str]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Return the options that name a project of three targets whose store has one batch."""
    path = write_params(tmp_path, crm())
    with writing_alone(str(Places.open(path, target="sql").store_url), silent) as store:
        write_batch(store, tmp_path, "b1", {"7": "MQL"})
    return ["--params", str(path)]


def test_a_history_is_printed_for_people_and_for_machines(run: Run, words: list[str]) -> None:
    """No target need be named: the store is that of all."""
    assert run("history", "7", *words).startswith("lead 7\nscores")
    found = json.loads(run("history", "7", "--json", *words))

    assert (found["lead_id"], found["scores"][0]["probability"], found["scores"][0]["as_of"]) == ("7", 0.5, None)
    assert [change["stage"] for change in found["stages"]] == ["MQL"]


def test_a_lead_is_forgotten_with_a_receipt(run: Run, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The receipt says what people must do themselves; the command may be called from Python, too."""
    remembering.forget("7", params=Path(words[1]))
    printed = capsys.readouterr().out

    assert "scores removed: 1, changes of its stage removed: 1 (receipt 1, which does not name the lead)" in printed
    assert "a file that had the lead: scored.csv\n" in printed
    assert "must know the lead '7', got no score of it" in run("history", "7", *words, code=1)


def test_a_stage_is_set_by_hand(run: Run, words: list[str]) -> None:
    """And ended; one of the two must be asked for, and a reason is."""
    assert run("override", "7", "--stage", "SQL", "--reason", "called us", *words) == "lead 7 is SQL now\n"
    assert "called us" in run("history", "7", *words)
    assert run("override", "7", "--end", *words) == "lead 7 is MQL now\n"
    assert "either --stage or --end must be given, got neither" in run("override", "7", *words, code=1)
    assert "must say why the stage is set by hand" in run("override", "7", "--stage", "SQL", *words, code=1)
