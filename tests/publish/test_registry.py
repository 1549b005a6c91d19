"""The registry: numbered versions that never change, one of them in use."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from leadml.bundle.champion import CHAMPION, read_champions
from leadml.errors import BundleError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.publish.files import TEMPORARY
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_what_a_killed_training_left_is_removed_by_the_next(tmp_path: Path, trained_project: TrainedProject) -> None:
    """Versions and what is no leadml's stay."""
    registry = Registry(tmp_path)
    (tmp_path / f"{TEMPORARY}0123456789ab").mkdir()
    (tmp_path / f"{TEMPORARY}0123456789ab" / "model.json").write_text("half", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    registry.add(trained_project[1].model.bundle)

    assert {path.name for path in tmp_path.iterdir()} == {"1", ".git"}


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path, trained_project: TrainedProject) -> None:
    """For example where a file stands in place of a folder, or a folder in place of a file."""
    (tmp_path / "models").write_text("", encoding="utf-8")
    with pytest.raises(LeadmlError, match=r"t: must be writable, got Not a directory$"):
        Registry(tmp_path / "models" / "t").add(trained_project[1].model.bundle)

    (tmp_path / "shadows").mkdir()
    with pytest.raises(LeadmlError, match=r"shadows: must be writable, got (Is a directory|Operation not permitted)$"):
        Registry(tmp_path).set_shadows([])


def test_the_champion_can_be_changed(tmp_path: Path, trained_project: TrainedProject) -> None:
    """One version is in use."""
    registry = Registry(tmp_path)
    registry.add(trained_project[1].model.bundle)
    registry.add(replace(trained_project[1].model.bundle, target="other"))
    registry.promote("1", instead_of=None)
    registry.promote("2", instead_of="1")

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
    ("pointer", "said"),
    [
        (None, "must have a version in use, got none; train one first"),
        ("9", "must name versions that exist, got '9', which does not exist; correct it, or put another in use"),
    ],
)
def test_a_missing_champion_is_refused(tmp_path: Path, pointer: str | None, said: str) -> None:
    """Without a champion, or with one that does not exist, there is no version to score with."""
    registry = Registry(tmp_path / "t")
    if pointer:
        registry.folder.mkdir()
        (registry.folder / CHAMPION).write_text(pointer, encoding="utf-8")

    with pytest.raises(BundleError, match=said):
        registry.champion_path()


@pytest.fixture
def three(tmp_path: Path, trained_project: TrainedProject) -> Registry:
    """Return a registry with three versions, of which the first is in use."""
    registry = Registry(tmp_path / "t")
    for target in ("a", "b", "c"):
        registry.add(replace(trained_project[1].model.bundle, target=target))
    registry.promote("1", instead_of=None)
    return registry


def test_a_rollback_brings_back_the_version_before(three: Registry) -> None:
    """And then the one before that; a version that is promoted again is remembered once."""
    three.promote("2", instead_of="1")
    three.promote("3", instead_of="2")
    three.promote("1", instead_of="3")
    three.promote("3", instead_of="1")
    used = []
    while len(read_champions(three.folder)) > 1:
        before, now = three.before(), three.champion()
        three.roll_back(instead_of=str(now))
        used.append(three.champion())
        assert used[-1] == before
    assert used == ["1", "2"]
    with pytest.raises(BundleError, match="in use before, got none"):
        three.before()


def test_without_the_file_of_the_champion_another_version_can_be_put_in_use(three: Registry) -> None:
    """The message says how."""
    (three.folder / CHAMPION).unlink()
    with pytest.raises(BundleError, match=r"got none; put one in use \(leadml promote 3\)"):
        three.champion_path()


def test_versions_that_do_not_exist_are_not_remembered(three: Registry) -> None:
    """A person may have written a wrong name into the file: a rollback goes to the version that was in use before."""
    (three.folder / CHAMPION).write_text("9\n1\n", encoding="utf-8")
    three.promote("2", instead_of="9")
    assert [each.version for each in read_champions(three.folder)] == ["2", "1"]
    assert three.before() == "1"


def test_a_rival_is_a_stored_version_that_is_not_in_use(three: Registry, tmp_path: Path) -> None:
    """What else is asked for is refused with those that there are."""
    assert three.rival("2") == three.path("2")
    for version, said in (
        ("1", "version must be another than 1, which is in use, got '1'; there are 2, 3"),
        ("7", "version must be a stored one, got '7'; there are 2, 3"),
    ):
        with pytest.raises(LeadmlError, match=said):
            three.rival(version)
    with pytest.raises(LeadmlError, match=r"got '1'; there is no other; train one on new leads .* \(leadml train\)"):
        Registry(tmp_path / "empty").rival("1")


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(three: Registry) -> None:
    """Each was decided while version 1 was in use."""

    def promote(version: str) -> str:
        try:
            three.promote(version, instead_of="1")
        except LeadmlError as error:
            return str(error)
        return version

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(promote, ["2", "3"]))
    [won] = [version for version in ("2", "3") if version in said]
    [told] = [text for text in said if text != won]
    assert three.champion() == won
    assert f"must have version 1 in use, got {won}" in told


def test_no_rollback_to_a_version_that_was_changed(three: Registry) -> None:
    """The version in use stays."""
    three.promote("2", instead_of="1")
    with (three.path("1") / "model.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(BundleError):
        three.roll_back(instead_of="2")
    assert three.champion() == "2"


def test_a_version_that_is_not_there_is_not_promoted(three: Registry) -> None:
    """The version in use stays."""
    with pytest.raises(FileNotFoundError):
        three.promote("9", instead_of="1")
    assert three.champion() == "1"
