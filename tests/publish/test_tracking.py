"""MLflow: a complete store, a run with everything, and no row of a lead."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from leadml.jobs.places import Places
from leadml.jobs.status import describe, registered_alias
from leadml.jobs.train import Trained
from leadml.publish.tracking import track_training

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


def test_a_run_has_params_metrics_tables_figures_and_the_bundle(
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
        item.path for folder in ("bundle", "tables", "figures") for item in client.list_artifacts(run_id, folder)
    }
    assert {"bundle/manifest.json", "bundle/booster.txt", "tables/deciles.csv", "figures/reliability.svg"} <= artifacts


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

    assert warnings == ["MLflow's alias champion names version 7, but version 1 is in use"]


def test_a_store_that_is_no_database_has_no_alias(tmp_path: Path) -> None:
    """Status works without MLflow's store, and with a file that is no database."""
    (tmp_path / "mlflow.db").write_text("this is no database at all, not even nearly one", encoding="utf-8")

    assert registered_alias(tmp_path / "mlflow.db", "t") is None
    assert registered_alias(tmp_path / "none.db", "t") is None


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
