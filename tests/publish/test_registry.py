"""The registry: numbered versions that never change, one of them in use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from leadml.errors import BundleError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.publish.registry import Registry

TrainedProject = tuple[Places, Trained]


def test_versions_are_numbered_and_an_equal_bundle_is_not_stored_twice(
    tmp_path: Path, trained_project: TrainedProject
) -> None:
    """Another bundle gets the next number; a damaged version is not equal to any bundle."""
    bundle = trained_project[1].model.bundle
    registry = Registry(tmp_path / "models" / "t")

    assert registry.add(bundle) == ("1", True)
    assert registry.add(bundle) == ("1", False)
    assert registry.add(replace(bundle, target="other")) == ("2", True)
    (registry.path("1") / "manifest.json").write_text("{}", encoding="utf-8")
    assert registry.add(bundle) == ("3", True)
    assert registry.versions() == ["1", "2", "3"]
    assert not [path for path in registry.folder.iterdir() if path.name.startswith(".tmp")]


def test_the_champion_can_be_changed(tmp_path: Path, trained_project: TrainedProject) -> None:
    """One version is in use."""
    registry = Registry(tmp_path)
    registry.add(trained_project[1].model.bundle)
    registry.add(replace(trained_project[1].model.bundle, target="other"))
    registry.promote("1")
    registry.promote("2")

    assert (registry.champion(), registry.champion_path()) == ("2", tmp_path / "2")


def test_an_equal_bundle_that_is_added_at_the_same_time_is_stored_once(
    tmp_path: Path, trained_project: TrainedProject
) -> None:
    """However many trainings end together."""
    bundle, registry = trained_project[1].model.bundle, Registry(tmp_path / "t")
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda _: registry.add(bundle), range(8)))
    assert sorted(added) == [("1", False)] * 7 + [("1", True)]
    assert registry.versions() == ["1"]


@pytest.mark.parametrize(
    ("pointer", "got"), [(None, "got none; train one first"), ("9", "got '9', which does not exist")]
)
def test_a_missing_champion_is_refused(tmp_path: Path, pointer: str | None, got: str) -> None:
    """Without a champion, or with one that does not exist, there is no version to score with."""
    registry = Registry(tmp_path / "t")
    if pointer:
        registry.promote(pointer)

    with pytest.raises(BundleError, match=f"must have a version in use, {got}"):
        registry.champion_path()
