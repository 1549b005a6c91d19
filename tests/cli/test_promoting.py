"""Commands that change the version in use: what they print and refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reviews import let_outcomes_in, stream

from leadml.cli import promoting
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.publish.registry import Registry

Run = Callable[..., str]


def test_promotion_and_rollback_say_what_is_in_use(
    run: Run, tmp_path: Path, make_project: Callable[..., Places], trained_project: tuple[Places, Trained]
) -> None:
    """And a promotion of the version in use is refused."""
    project = make_project(tmp_path / "p")
    registry: Registry = project.registry
    bundle = trained_project[1].model.bundle
    registry.add(bundle)
    registry.add(replace(bundle, candidates=bundle.candidates.iloc[:-1]))
    registry.promote("1", instead_of=None)
    options = ["--params", project.root / "params.yaml", "--set", "tracking.enabled=false"]

    assert registry.versions() == ["1", "2"]
    promoted = run("promote", "2", *options, "--by", "Ann", "--reason", "fewer calls", "--ungated")
    assert promoted == "subscribed: version 2 is in use; version 1 was in use before\n"
    assert "must be another than 2, which is in use" in run("promote", "2", *options, code=1)
    assert run("rollback", *options) == "subscribed: version 1 is in use; version 2 was taken back\n"
    assert registry.champion() == "1"


@pytest.mark.slow
def test_a_version_is_compared_judged_and_promoted(run: Run, flat_version: Path, tmp_path: Path) -> None:
    """What does not pass ends with code 3, and its promotion with code 1."""
    root = shutil.copytree(flat_version, tmp_path / "project")
    project = Places.open(root / "params.yaml")
    options = ["--params", root / "params.yaml"]
    other = ["--set", "model.max_rounds=10", "--set", "features.fit={field_4: number, channel: category}"]
    share = ["--set", "stages.sql={rule: share, top: 0.1}"]
    run("train", *options, *other, *share, "--accept-weak", "a test")
    assert "no later lead has a known outcome" in run("gate", "2", *options, code=3)
    let_outcomes_in(project, stream().days(60, seed=5))

    said = run("compare", "1", "2", *options)
    assert "won: from version 1 to 2" in said
    assert all(
        title in said for title in ("leads at or above each cut", "changes of stages from version", "mean points")
    )
    assert json.loads(run("compare", "1", "2", "--json", *options))["leads"] == 7000
    judged = run("gate", "2", *options, *share, code=3)
    assert "won: version 2 beside version 1, a change: worse" in judged
    assert "to use it all the same" in run("promote", "2", *options, *share, code=1)
    assert project.registry.champion() == "1"


def test_the_commands_have_their_help(run: Run) -> None:
    """Each of the module."""
    for name in ("compare", "gate", "promote", "rollback"):
        assert getattr(promoting, name).__doc__.split(";")[0] in " ".join(run(name, "--help").split())
