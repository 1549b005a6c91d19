"""Commands that change the version in use: what they print and refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
    assert "must be another than the one in use, got 2" in run("promote", "2", *options, code=1)
    assert run("rollback", *options) == "subscribed: version 1 is in use; version 2 was in use before\n"
    assert registry.champion() == "1"
