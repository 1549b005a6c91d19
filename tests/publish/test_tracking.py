"""MLflow: a complete store, a run with everything, and no row of a lead."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.dummy import DummyClassifier

from leadml.errors import BundleError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.status import describe, registered_alias
from leadml.jobs.train import Trained
from leadml.publish.tracking import require_trackable, track_training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
START_TOGETHER = """
import sys, pathlib
from leadml.publish.tracking import _mlflow
with _mlflow(pathlib.Path(sys.argv[1])) as client:
    client.create_experiment(sys.argv[2])
"""


@pytest.fixture(scope="module")
def logged(trained_project: tuple[Places, Trained], tmp_path_factory: pytest.TempPathFactory):
    """Return the store of a version that was logged twice, and the ids of both runs."""
    project, trained = trained_project
    store = tmp_path_factory.mktemp("store") / "mlflow.db"
    ids = [track_training(store, trained.model, params=project.params, champion=True) for _ in range(2)]
    return store, ids


def test_a_version_has_one_run(logged: tuple[Path, list[str]]) -> None:
    """Logging the same version again returns the same run."""
    _, ids = logged

    assert ids[0] == ids[1]


def test_a_run_has_params_metrics_tables_figures_and_the_model(
    logged: tuple[Path, list[str]],
    trained_project: tuple[Places, Trained],
) -> None:
    """Every choice and every metric with its interval is in the run."""
    store, (run_id, _) = logged
    client = MlflowClient(f"sqlite:///{store}")
    run = client.get_run(run_id)

    assert run.info.status == "FINISHED"
    assert run.data.params["stages.sql.rule"] == trained_project[0].params.stages.sql.rule
    assert run.data.params["features.fit.age"] == "number"
    assert {"roc_auc", "roc_auc_low", "roc_auc_high", "logistic_regression/log_loss", "SQL/precision"} <= set(
        run.data.metrics
    )
    assert run.data.metrics["roc_auc"] == trained_project[1].model.evaluation.metric("roc_auc")["value"]
    artifacts = {
        item.path for folder in ("model/1", "tables", "figures") for item in client.list_artifacts(run_id, folder)
    }
    assert {
        "model/1/manifest.json",
        "model/1/booster.txt",
        "tables/deciles.csv",
        "figures/reliability.svg",
    } <= artifacts


def test_the_first_version_has_the_alias(
    logged: tuple[Path, list[str]], trained_project: tuple[Places, Trained]
) -> None:
    """The registered model has the name of the target, and the alias names the version in use."""
    store, (run_id, _) = logged
    version = MlflowClient(f"sqlite:///{store}").get_model_version_by_alias("subscribed", "champion")

    assert (version.run_id, version.tags["leadml.version"]) == (run_id, "1")
    assert version.tags["leadml.model_hash"] == trained_project[1].model.bundle.model_hash
    assert registered_alias(store, "subscribed") == "1"


def test_status_warns_if_alias_and_champion_differ(
    logged: tuple[Path, list[str]],
    trained_project: tuple[Places, Trained],
    tmp_path: Path,
) -> None:
    """A status has a row if MLflow's alias names another version than the one in use."""
    store, _ = logged
    project = replace(trained_project[0])
    assert not [value for name, value in describe(project) if name == "warning"]
    copied = project.root / project.params.tracking.store
    copied.write_bytes(store.read_bytes())
    with sqlite3.connect(copied) as connection:
        connection.execute("update model_version_tags set value = '7' where key = 'leadml.version'")
    connection.close()
    warnings = [value for name, value in describe(project) if name == "warning"]
    copied.unlink()

    assert warnings == [
        "MLflow's alias champion named version 7, but version 1 is in use: switch tracking on to move it"
    ]


def test_a_store_that_is_no_database_has_no_alias(tmp_path: Path) -> None:
    """Status works without MLflow's store, and with a file that is no database."""
    (tmp_path / "mlflow.db").write_text("this is no database at all, not even nearly one", encoding="utf-8")

    assert registered_alias(tmp_path / "mlflow.db", "t") is None
    assert registered_alias(tmp_path / "none.db", "t") is None


def test_a_version_that_was_deleted_in_mlflow_is_registered_again(
    logged: tuple[Path, list[str]], trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """By its run, which is there already: a training again does what a status then asks for."""
    store, (run_id, _) = logged
    copied = Path(shutil.copy(store, tmp_path))
    client = MlflowClient(f"sqlite:///{copied}")
    client.delete_registered_model("subscribed")
    project, trained = trained_project

    assert track_training(copied, trained.model, params=project.params, champion=True) == run_id
    assert client.get_model_version_by_alias("subscribed", "champion").run_id == run_id


@pytest.fixture
def registry(logged: tuple[Path, list[str]]) -> Iterator[Path]:
    """Point MLflow at the store, and return the folder of what was logged."""
    mlflow.set_tracking_uri(f"sqlite:///{logged[0]}")
    mlflow.set_registry_uri(f"sqlite:///{logged[0]}")
    yield next((logged[0].parent / "mlartifacts").glob("*/artifacts/model"))
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


def test_mlflow_loads_the_champion_and_predicts_what_it_scores(
    registry: Path, trained_project: tuple[Places, Trained], bank_file: Path
) -> None:
    """A registered version gives the scored rows of the model, to the bit, and refuses no row that the model scores."""
    leads = pd.read_csv(bank_file, dtype={"id": str}).head(200)
    leads.loc[3, "job"] = None
    leads = leads.astype(dict.fromkeys(leads.select_dtypes("number"), float))
    leads.loc[5, "age"] = np.nan
    predicted = mlflow.pyfunc.load_model("models:/subscribed@champion").predict(leads)
    scored = trained_project[1].model.score(leads)

    volatile = [
        "scored_at",
        "batch_id",
    ]  # the batch's id is of all columns, of which MLflow passes on the declared ones
    pd.testing.assert_frame_equal(predicted.drop(columns=volatile), scored.drop(columns=volatile), check_exact=True)
    assert predicted["model_version"].eq("1").all()


def test_the_signature_has_the_columns_that_the_model_reads(registry: Path) -> None:
    """Numbers are doubles, categories texts, ids and booleans anything, and none is required."""
    columns = {column.name: column for column in mlflow.models.get_model_info(str(registry)).signature.inputs}

    assert not any(column.required for column in columns.values())
    assert {name: str(columns[name].type) for name in ("id", "age", "job", "housing")} == {
        "id": "Any",
        "age": "DataType.double",
        "job": "DataType.string",
        "housing": "Any",
    }
    assert not {"y", "duration"} & set(columns)


def test_a_registered_version_holds_no_code_no_pickle_and_no_path(
    registry: Path, trained_project: tuple[Places, Trained]
) -> None:
    """It is the files of the bundle, and three files of text."""
    names = {path.relative_to(registry).as_posix() for path in registry.rglob("*") if path.is_file()}
    bundle = {f"1/{path.name}" for path in trained_project[1].model.folder.iterdir()}

    names -= {"registered_model_meta"}  # MLflow's own, written where it loads a version

    assert names == {"MLmodel", "python_env.yaml", "requirements.txt", *bundle}
    assert str(trained_project[0].root) not in (registry / "MLmodel").read_text(encoding="utf-8")


def test_a_registered_version_takes_no_room(registry: Path, trained_project: tuple[Places, Trained]) -> None:
    """Its files are those of the version on the disk."""
    for file in trained_project[1].model.folder.iterdir():
        assert (registry / "1" / file.name).samefile(file)


def test_a_damaged_version_is_refused_by_its_hash(registry: Path, tmp_path: Path) -> None:
    """MLflow does not get a model from a bundle in which a byte was changed."""
    copied = shutil.copytree(registry, tmp_path / "model")
    trees = copied / "1" / "booster.txt"
    trees.write_bytes(trees.read_bytes()[:-100])

    with pytest.raises(BundleError, match=r"1: booster\.txt is not as it was written; use another version or train"):
        mlflow.pyfunc.load_model(str(copied))


def test_mlflow_still_loads_the_models_of_others(logged: tuple[Path, list[str]], tmp_path: Path) -> None:
    """A training leaves no setting behind that forbids to load what somebody saved with MLflow."""
    mlflow.sklearn.save_model(DummyClassifier().fit([[0], [1]], [0, 1]), tmp_path / "model", pip_requirements=[])

    assert mlflow.sklearn.load_model(str(tmp_path / "model")).predict([[0]]).tolist() == [0]


def test_the_path_of_the_leads_is_not_logged(
    logged: tuple[Path, list[str]],
    trained_project: tuple[Places, Trained],
) -> None:
    """It is in no file of the run and not in the store."""
    store, _ = logged
    everything = store.read_bytes() + b"".join(
        path.read_bytes() for path in (store.parent / "mlartifacts").rglob("*") if path.is_file()
    )

    assert b"roc_auc" in everything
    assert str(trained_project[0].data.parent).encode() not in everything


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two experiments: ``leadml``, and ``deleted``, which is deleted; a test must not change it."""
    store = tmp_path_factory.mktemp("made") / "mlflow.db"
    client = MlflowClient(f"sqlite:///{store}")
    for name in ("leadml", "deleted"):
        client.create_experiment(name, artifact_location=(store.parent / "mlartifacts").as_uri())
    client.delete_experiment(client.get_experiment_by_name("deleted").experiment_id)
    return store


def test_a_store_that_can_be_logged_to_is_accepted(made: Path, tmp_path: Path) -> None:
    """Also a new one, which is not made yet, and a new experiment."""
    require_trackable(made, "leadml")
    require_trackable(made, "new")
    require_trackable(tmp_path / "mlflow.db", "leadml")

    assert list(tmp_path.iterdir()) == []


def test_a_deleted_experiment_is_refused(made: Path, trained_project: tuple[Places, Trained]) -> None:
    """Before a training, and where the version is to be logged."""
    project, trained = trained_project
    tracking = project.params.tracking.model_copy(update={"experiment": "deleted"})
    params = project.params.model_copy(update={"tracking": tracking})
    must = (
        r"^tracking\.experiment must be one that is not deleted, got 'deleted'; restore it in MLflow or name another$"
    )
    with pytest.raises(LeadmlError, match=must):
        require_trackable(made, "deleted")
    with pytest.raises(LeadmlError, match=must):
        track_training(made, trained.model, params=params, champion=False)


def _older_schema(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("update alembic_version set version_num = 'acf3f17fdcc7'")
    connection.close()


def _read_only(store: Path) -> None:
    content = bytearray(store.read_bytes())
    content[18] = 3  # of a format that only later versions of SQLite write: https://www.sqlite.org/fileformat.html
    store.write_bytes(content)


def _damaged(store: Path) -> None:
    store.write_bytes(store.read_bytes()[:100] + b"x" * 5000)


@pytest.mark.parametrize(
    ("harm", "got"),
    [
        (_older_schema, r"Detected out-of-date database schema \(found version acf3f17…"),
        (_read_only, "attempt to write a readonly database"),
        (_damaged, r".*database disk image is malformed"),
    ],
)
def test_a_store_that_mlflow_cannot_use_is_refused_in_one_line(
    made: Path, tmp_path: Path, harm: Callable[[Path], None], got: str
) -> None:
    """The line says what can be done, and nothing is written."""
    store = tmp_path / "mlflow.db"
    shutil.copy(made, store)
    harm(store)
    content = store.read_bytes()
    with pytest.raises(LeadmlError) as caught:
        require_trackable(store, "new")

    assert re.fullmatch(
        rf"tracking\.store: MLflow must be able to read and write mlflow\.db, got: {got}; mend or upgrade it "
        rf"\(mlflow db upgrade sqlite:///{re.escape(str(store))}\), name another file, or set tracking\.enabled: false",
        str(caught.value),
    )
    assert store.read_bytes() == content


def test_a_project_that_was_moved_logs_nothing_where_it_was(
    logged: tuple[Path, list[str]], trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """What is logged already stays logged, so that a version can still be put in use."""
    store, (run_id, _) = logged
    project, trained = trained_project
    moved = Path(shutil.copy(store, tmp_path))
    files = sorted((store.parent / "mlartifacts").rglob("*"))
    must = (
        r"^tracking\.experiment must have its files beside mlflow\.db, got 'leadml', which has them where the store "
        "was before it was moved or copied; name another$"
    )

    assert track_training(moved, trained.model, params=project.params, champion=False) == run_id
    with pytest.raises(LeadmlError, match=must):
        require_trackable(moved, "leadml")
    with pytest.raises(LeadmlError, match=must):
        track_training(moved, replace(trained.model, folder=tmp_path / "7"), params=project.params, champion=False)
    assert sorted((store.parent / "mlartifacts").rglob("*")) == files


def test_whatever_mlflow_raises_is_one_line(
    made: Path, trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """For example that the package of a cloud is missing: a version is stored, and its record must not end the job."""
    store = Path(shutil.copy(made, tmp_path))
    MlflowClient(f"sqlite:///{store}").create_experiment("far", artifact_location="hdfs://nowhere.invalid/leadml")
    project, trained = trained_project
    tracking = project.params.tracking.model_copy(update={"experiment": "far"})
    params = project.params.model_copy(update={"tracking": tracking})

    with pytest.raises(LeadmlError, match=r"^tracking\.store: MLflow must be able to read and write mlflow\.db, got: "):
        track_training(store, trained.model, params=params, champion=False)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names on Windows")
def test_a_run_is_in_the_folder_of_its_store_whatever_the_folder_is_called(
    trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """An address would end at a ``?``, and take ``%41`` for an A; no file is left anywhere else."""
    folder = tmp_path / "Who buys? 50%41 #1"
    project, trained = trained_project
    run_id = track_training(folder / "ml?.db", trained.model, params=project.params, champion=True)

    assert list(tmp_path.iterdir()) == [folder]
    assert {path.name for path in folder.iterdir()} == {"ml?.db", "mlartifacts"}
    assert (folder / "mlartifacts" / run_id / "artifacts" / "model" / "1" / "manifest.json").is_file()
    assert registered_alias(folder / "ml?.db", "subscribed") == "1"
    require_trackable(folder / "ml?.db", "leadml")


def test_a_store_is_made_where_a_link_leads(tmp_path: Path) -> None:
    """And the link stays one."""
    (tmp_path / "share").mkdir()
    (tmp_path / "mlflow.db").symlink_to("share/mlflow.db")
    subprocess.run([sys.executable, "-c", START_TOGETHER, str(tmp_path / "mlflow.db"), "e"], check=True)

    assert (tmp_path / "mlflow.db").is_symlink()
    assert (tmp_path / "share" / "mlflow.db").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.slow
def test_jobs_that_start_together_share_one_complete_store(tmp_path: Path) -> None:
    """Three processes on a folder without a store all succeed, and the store passes its integrity check."""
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", START_TOGETHER, str(tmp_path / "mlflow.db"), f"e{at}"], stderr=subprocess.PIPE
        )
        for at in range(3)
    ]
    errors = [job.communicate()[1].decode() for job in jobs]

    assert [job.returncode for job in jobs] == [0, 0, 0], errors
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    names = {row[0] for row in connection.execute("select name from experiments")}
    connection.close()
    assert {"e0", "e1", "e2"} <= names
    assert not list(tmp_path.glob("*.tmp-*"))
