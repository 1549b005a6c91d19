"""Another version in use: the champion's file, the store and MLflow."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from leadml.bundle.champion import CHAMPION
from leadml.errors import BundleError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.promote import PROMOTION, Approval, Moved, promote, roll_back
from leadml.jobs.status import describe, registered_alias
from leadml.jobs.train import train
from leadml.publish.store.decisions import decisions_of
from leadml.publish.store.opening import reading

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
NOW = "2026-01-02T03:04:05+00:00"
QUICK = ("model.max_rounds=25", "evaluation.draws=50")
SHARES = ("stages.mql={rule: share, top: 0.2}", "stages.sql={rule: share, top: 0.1}")
ANN = Approval("Ann", "newer leads", ungated=True)  # these leads have no dates


def ignore(_: str) -> None:
    """Do nothing with the name of a step."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[..., Places]) -> Path:
    """Return the folder of a project with three versions in MLflow, of which the first is in use."""
    folder = tmp_path_factory.mktemp("promote") / "p"
    make_project(folder)
    for seed in range(3):
        train(_opened(folder, f"split.seed={seed}"), now=NOW, progress=ignore)
    return folder


def _opened(folder: Path, *overrides: str) -> Places:
    return Places.open(folder / "params.yaml", [*QUICK, *SHARES, *overrides])


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Places:
    """Return a copy of it."""
    shutil.copytree(trained, tmp_path / "p")
    return _opened(tmp_path / "p")


def _events(project: Places) -> list[tuple[str, str, str, str]]:
    with reading(str(project.store_url)) as store:
        assert store is not None
        found = store.read(lambda connection: decisions_of(connection, PROMOTION))
    return [(each["action"], each["version"], each["before"], each["by"]) for each in found]


def test_promotion_and_rollback_are_told_to_the_store_and_to_mlflow(project: Places) -> None:
    """The champion's file, the store's record and MLflow's alias say the same after each."""
    moved = [promote(project, version, ANN, now=NOW, progress=ignore) for version in ("2", "3")]
    assert moved == [Moved("subscribed", "2", "1"), Moved("subscribed", "3", "2")]
    assert (project.registry.champion(), registered_alias(project.tracking_store, "subscribed")) == ("3", "3")

    back = roll_back(project, Approval("Bob"), now=NOW, progress=ignore)
    assert back == Moved("subscribed", "2", "3")
    assert (project.registry.champion(), registered_alias(project.tracking_store, "subscribed")) == ("2", "2")
    assert _events(project) == [
        ("promote", "2", "1", "Ann"),
        ("promote", "3", "2", "Ann"),
        ("rollback", "2", "3", "Bob"),
    ]


@pytest.mark.parametrize(
    ("version", "match"),
    [
        ("1", "must be another than 1, which is in use, got '1'; there are 2, 3"),
        ("9", "must be a stored one, got '9'; there are 2, 3"),
        ("../2", "must be a stored one"),
    ],
)
def test_only_another_version_that_is_there_is_promoted(project: Places, version: str, match: str) -> None:
    """The version in use stays."""
    with pytest.raises(LeadmlError, match=match):
        promote(project, version, ANN, now=NOW, progress=ignore)
    assert project.registry.champion() == "1"


def test_a_version_that_was_changed_is_not_promoted(project: Places) -> None:
    """Its files are verified."""
    with (project.registry.path("2") / "model.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(BundleError):
        promote(project, "2", ANN, now=NOW, progress=ignore)
    assert project.registry.champion() == "1"


def test_a_name_is_needed_where_params_ask_for_one(project: Places) -> None:
    """For a promotion and for a rollback."""
    strict = _opened(project.root, "gate.approval=true")
    for change in (lambda: promote(strict, "2", Approval(" "), now=NOW, progress=ignore), lambda: _back(strict)):
        with pytest.raises(LeadmlError, match="by \\(--by\\) must name who approves"):
            change()
    assert promote(strict, "2", ANN, now=NOW, progress=ignore).version == "2"


def _back(project: Places) -> Moved:
    return roll_back(project, Approval(), now=NOW, progress=ignore)


def test_there_is_nothing_to_roll_back_to_at_first(project: Places) -> None:
    """The version in use stays."""
    with pytest.raises(BundleError, match="in use before, got none"):
        _back(project)
    assert project.registry.champion() == "1"


def test_leads_without_dates_pass_over_the_gate_or_stay(project: Places) -> None:
    """Nobody can tell which of them came later."""
    with pytest.raises(LeadmlError, match=r"leads must have dates \(data.created_at\).*version 1.*--ungated"):
        promote(project, "2", Approval("Ann", "newer leads"), now=NOW, progress=ignore)
    assert project.registry.champion() == "1"


@pytest.mark.parametrize("place", ["store", "MLflow"])
def test_nothing_moves_where_store_or_mlflow_cannot_be_reached(project: Places, place: str) -> None:
    """Neither the champion's file nor the other of the two."""
    file = project.tracking_store if place == "MLflow" else project.root / "leadml.db"
    assert place == "store" or file.is_file()
    file.write_bytes(b"this is no database at all, not even nearly one")
    for change in (lambda: promote(project, "2", ANN, now=NOW, progress=ignore),):
        with pytest.raises(LeadmlError):
            change()
    assert project.registry.champion() == "1"
    if place == "store":
        assert registered_alias(project.tracking_store, "subscribed") == "1"


def test_a_project_without_store_and_mlflow_has_its_file(project: Places) -> None:
    """Promotion and rollback need nothing else."""
    alone = _opened(project.root, "store=null", "tracking.enabled=false")
    promote(alone, "3", Approval(reason="a trial", ungated=True), now=NOW, progress=ignore)
    assert _back(alone) == Moved("subscribed", "1", "3")


def test_the_status_mends_an_alias_that_names_another_version(project: Places) -> None:
    """As after a kill between the champion's file and MLflow, or an edit of the file by hand."""
    (project.registry.folder / CHAMPION).write_text("3\n", encoding="utf-8")
    [warning] = [value for name, value in describe(project) if name == "warning"]
    assert warning == "MLflow's alias champion named version 1, but version 3 is in use: it was moved"
    assert registered_alias(project.tracking_store, "subscribed") == "3"
    assert "warning" not in dict(describe(project))


def test_a_first_version_is_in_use_even_if_mlflow_cannot_be_reached(project: Places) -> None:
    """It could be reached before the fit, or there would be none; a line says that the version is not in MLflow."""
    shutil.rmtree(project.registry.folder)

    def damage(_: str) -> None:
        with closing(sqlite3.connect(project.tracking_store)) as connection, connection:
            connection.execute("drop table if exists runs")

    copied = _opened(project.root, "split.seed=9", "tracking.experiment=copied")
    again = train(copied, now=NOW, progress=damage)
    assert again.champion == again.model.version == "1"
    assert again.run_id is None
    assert "the version is not in MLflow" in again.note


def test_a_damaged_version_in_use_is_replaced_by_a_persons_word_or_the_one_before(project: Places) -> None:
    """The gate cannot judge beside it; a rollback needs only the version that it returns to."""
    promote(project, "2", ANN, now=NOW, progress=ignore)
    with (project.registry.path("2") / "evaluation.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(LeadmlError, match="version 2, which is in use, must be whole to judge another beside it"):
        promote(project, "3", Approval(), now=NOW, progress=ignore)
    assert roll_back(project, Approval(), now=NOW, progress=ignore).version == "1"
    promote(project, "3", ANN, now=NOW, progress=ignore)
    assert [each[:3] for each in _events(project)][-2:] == [("rollback", "1", "2"), ("promote", "3", "1")]


def test_a_champion_file_that_cannot_be_read_is_never_replaced(project: Places) -> None:
    """Neither by a training nor by a promotion: it names the versions before."""
    file = project.registry.folder / CHAMPION
    file.write_text("v1", encoding="utf-8")
    for change in (
        lambda: train(project, now=NOW, progress=ignore),
        lambda: promote(project, "2", ANN, now=NOW, progress=ignore),
        lambda: _back(project),
    ):
        with pytest.raises(BundleError, match="must name a version by its number, got 'v1'"):
            change()
    assert file.read_text(encoding="utf-8") == "v1"
