"""The command that shows cuts and tries rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadml.cli import cutting

Run = Callable[..., str]


def test_cuts_are_printed_and_another_rule_is_tried(run: Run, params: list[str]) -> None:
    """Nothing is changed, and that is said."""
    assert "cuts in use, with 90% intervals" in run("cuts", *params)
    printed = run("cuts", "--rule", "share=0.3", *params)
    assert "cuts with the other rule" in printed
    assert "nothing was changed; --save uses the new cuts from now on" in printed
    assert "the best 30% of leads" not in run("cuts", *params)


def test_cuts_are_read_by_machines(run: Run, params: list[str]) -> None:
    """One object: present and proposed cuts, and what changes."""
    found = json.loads(run("cuts", "--capacity", "20", "--stage", "sql", "--json", *params))

    assert [row["stage"] for row in found["present"]] == ["IQL", "MQL", "SQL"]
    assert (found["version"], found["saved"]) == ("1", 0)
    assert found["proposed"][2]["rule"] == "at most 20 of 200 leads a week"
    assert [row["stage"] for row in found["difference"]] == ["SQL"]


def test_a_rule_that_is_none_is_refused(run: Run, params: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what could be written; the command may be called from Python, too."""
    assert "must be precision=0.3" in run("cuts", "--rule", "precison=1", *params, code=1)
    cutting.cuts(params=Path(params[1]))
    assert "cuts in use" in capsys.readouterr().out


def test_rules_are_judged_for_people_and_for_machines(run: Run, params: list[str]) -> None:
    """A rule whose field the model does not have is named; without a rule nothing is judged."""
    tests = '{excluded: [{field: job, any_of: ["student"]}, {field: nothing, at_least: 1}]}'
    words = ["--set", f"stages.rules={{mql: {tests}}}", *params]
    printed = run("rules", *words)
    assert "not applied, because the model does not have the field: MQL excluded: nothing from 1\n" in printed
    assert "what each rule does beside the others, with 95% intervals" in printed
    found = json.loads(run("rules", "--json", *words))

    assert (found["rows"], found["moved"][0]["rule"]) == (1068, "job is student")
    assert [row["way"] for row in found["ways"]] == ["model alone", "both"] * 3
    assert "must have a rule that can be applied, got none" in run("rules", *params, code=1)
