"""Log a training as a run of MLflow, with params, metrics, tables, figures and a registered version.

leadml never loads a model from MLflow, and no row of a lead is logged. MLflow can load the registered version: it is a
bundle with a description that names leadml as the loader, so that MLflow stores neither code nor a pickle.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import platform
import shutil
import sqlite3
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

from leadml.bundle.champion import CHAMPION
from leadml.errors import LeadmlError, inert, quoted
from leadml.leads.check.contract import AS_OF
from leadml.leads.sources.settings import SingleSnapshot
from leadml.leads.sources.temporary import temporary_folder
from leadml.publish.files import bring_to_disk, locked, share_equal_files
from leadml.publish.run_content import run_metrics, run_params, write_tables_and_figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.models import ModelSignature

    from leadml.bundle.model import Model
    from leadml.params import Params

ARTIFACTS = "mlartifacts"
SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
LOADER = "leadml.publish.pyfunc"
WAIT_SECONDS = 20  # for another program that writes to the database, as long as MLflow itself waits


def put_in_use(store: Path, model: Model, event: dict[str, str]) -> None:
    """Move MLflow's alias ``champion`` to a version that is registered, and note the event there.

    Parameters
    ----------
    store
        MLflow's SQLite file.
    model
        The version.
    event
        What was done, when, by whom and why.
    """
    with _mlflow(store) as client:
        number = _noted(client, model, event)
        client.set_registered_model_alias(model.target, CHAMPION, number)


def note_event(store: Path, model: Model, event: dict[str, str]) -> None:
    """Note an event at a version that is registered; see `put_in_use`."""
    with _mlflow(store) as client:
        _noted(client, model, event)


def _noted(client: MlflowClient, model: Model, event: dict[str, str]) -> str:
    """Note an event, and return the number under which MLflow has the version."""
    number = _registered(client, model)
    if number is None:
        msg = f"version {model.version} is not in MLflow; leadml train again logs it"
        raise LeadmlError(msg)
    client.set_model_version_tag(model.target, number, f"leadml.{event['action']}", json.dumps(event, sort_keys=True))
    return number


def _registered(client: MlflowClient, model: Model) -> str | None:
    """Return the number under which MLflow has a version, None if it has none."""
    wanted = {"leadml.version": model.version, "leadml.model_hash": model.manifest.model_hash}
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
    found = client.search_model_versions(f"name = '{model.target}' and {query}")
    return str(max(int(each.version) for each in found)) if found else None


def track_training(store: Path, model: Model, *, params: Params, champion: bool) -> str:
    """Log a version of a model; a version that has a finished run is not logged again, but registered if it is not.

    Parameters
    ----------
    store
        MLflow's SQLite file; it is created if it does not exist.
    model
        The version, as it was loaded.
    params
        The choices; all are logged.
    champion
        Whether the version is in use; if so it gets MLflow's alias ``champion``.

    Returns
    -------
    str
        The id of the run.

    Raises
    ------
    LeadmlError
        If MLflow or its database cannot do what is asked.
    """
    name = params.tracking.experiment
    with _mlflow(store) as client:
        found = client.get_experiment_by_name(name)
        logged = None if found is None else _finished_run(client, found, model)
        if logged is not None:
            if _registered(client, model) is None:  # somebody deleted it there
                _register(client, model, logged, champion=champion)
            return logged
        experiment = _checked(found, store) if found is not None else _new_experiment(client, name, store)
        return _log_run(client, experiment, model, params=params, champion=champion)


def require_trackable(store: Path, experiment: str) -> None:
    """Refuse a store that MLflow could not log a version in, before the work.

    Parameters
    ----------
    store
        MLflow's SQLite file, which need not exist.
    experiment
        Name of the experiment.

    Raises
    ------
    LeadmlError
        If the file cannot be read and written or is of another release of MLflow, if the experiment is deleted, or if
        its files would be written where the store was before it was moved.
    """
    if not store.exists():
        return
    with _mlflow(store) as client:
        connection = sqlite3.connect(store, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")  # which a file refuses that may only be read
        finally:
            connection.close()
        found = client.get_experiment_by_name(experiment)
        if found is not None:
            _checked(found, store)


def _checked(experiment: Experiment, store: Path) -> str:
    """Return the id of an experiment that a run can be added to, or refuse the experiment."""
    name, location = quoted(experiment.name), urlparse(experiment.artifact_location)
    if experiment.lifecycle_stage != "active":
        msg = f"tracking.experiment must be one that is not deleted, got {name}; restore it in MLflow or name another"
        raise LeadmlError(msg)
    folder, beside = Path(url2pathname(location.path)), store.parent.resolve() / ARTIFACTS
    if location.scheme == "file" and folder.name == ARTIFACTS and folder != beside:
        msg = (
            f"tracking.experiment must have its files beside {store.name}, got {name}, which has them where the store "
            "was before it was moved or copied; name another"
        )
        raise LeadmlError(msg)
    return str(experiment.experiment_id)


def _finished_run(client: MlflowClient, experiment: Experiment, model: Model) -> str | None:
    """Return the id of the run of a version, None if it has no finished one."""
    query = f"tags.`leadml.model_hash` = '{model.manifest.model_hash}'"
    for run in client.search_runs([experiment.experiment_id], query):
        if run.data.tags.get("leadml.version") == model.version and run.info.status == "FINISHED":
            return str(run.info.run_id)
    return None


@contextmanager
def _mlflow(store: Path) -> Iterator[MlflowClient]:
    """Give a client of an SQLite store to one process at a time; MLflow's telemetry is off.

    Raises
    ------
    LeadmlError
        If MLflow or its database cannot do what is asked, whatever they raise: a version is stored by then, and a
        record beside it must not end the job.
    """
    os.environ.update(SETTINGS)
    store = store.resolve()
    try:
        from mlflow import MlflowClient  # noqa: PLC0415 - MLflow takes seconds to import

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        store.parent.mkdir(parents=True, exist_ok=True)
        with locked(store.parent), _address(store) as address:
            if not store.exists():
                _create_store(store)
            yield MlflowClient(tracking_uri=address, registry_uri=address)
    except LeadmlError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        msg = (
            f"tracking.store: MLflow must be able to read and write {store.name}, got: {inert(first)}; mend or upgrade "
            f"it (mlflow db upgrade sqlite:///{store}), name another file, or set tracking.enabled: false"
        )
        raise LeadmlError(msg) from error


@contextmanager
def _address(store: Path) -> Iterator[str]:
    """Give the address of an SQLite file.

    SQLAlchemy reads a ``?`` in an address, and from 2.1 a ``%``, not as parts of a path. MLflow would make a folder
    for a path in which they are escaped. So such a file gets a second name, for as long as it is used.
    """
    if not {"?", "%"} & {*str(store)}:
        yield f"sqlite:///{store}"
        return
    with temporary_folder() as folder:
        name = folder / "mlflow.db"
        name.symlink_to(store)
        yield f"sqlite:///{name}"


def _create_store(store: Path) -> None:
    """Create MLflow's database under a temporary name and rename it, so that a crash leaves no incomplete store."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine  # noqa: PLC0415

    for abandoned in store.parent.glob(f"{glob.escape(store.name)}.tmp*"):  # of a process that was killed here
        abandoned.unlink()
    temporary = store.with_name(f"{store.name}.tmp")
    with _address(temporary) as address:
        engine = create_sqlalchemy_engine(address)
        _initialize_tables(engine)
        engine.dispose()
    bring_to_disk(temporary)
    temporary.replace(store)
    bring_to_disk(store.parent)


def _new_experiment(client: MlflowClient, name: str, store: Path) -> str:
    location = (store.parent.resolve() / ARTIFACTS).as_uri()
    return str(client.create_experiment(name, artifact_location=location))


def _log_run(client: MlflowClient, experiment: str, model: Model, *, params: Params, champion: bool) -> str:
    """Log a run and return its id; the run is finished only after its version is registered."""
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - MLflow takes seconds to import

    tags = {
        "leadml.version": model.version,
        "leadml.model_hash": model.manifest.model_hash,
        "leadml.pid": str(os.getpid()),
    }
    run = client.create_run(experiment, tags=tags, run_name=f"{model.target} {model.version}")
    run_id = str(run.info.run_id)
    status = "FAILED"
    try:
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, 0) for name, value in run_metrics(model.evaluation).items()]
        logged = [Param(name, value) for name, value in run_params(params, model.bundle).items()]
        client.log_batch(run_id, metrics=metrics, params=logged, tags=[RunTag("leadml.target", model.target)])
        with temporary_folder() as temporary:
            folder = temporary / "run"  # beside the lock of the temporary folder
            save_pyfunc(model, folder / "model")
            write_tables_and_figures(folder, model.bundle)
            client.log_artifacts(run_id, str(folder))
        place = urlparse(client.get_run(run_id).info.artifact_uri)
        if place.scheme in {"", "file"}:  # a version is on the disk once, and not once more in the run
            share_equal_files(model.folder, Path(url2pathname(place.path)) / "model" / model.version)
        _register(client, model, run_id, champion=champion)
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)
    return run_id


def save_pyfunc(model: Model, folder: Path) -> None:
    """Write a version as a model of MLflow: its bundle, and files that say how MLflow loads and calls it.

    ``mlflow.pyfunc.load_model`` verifies the bundle as `leadml.load` does, and ``predict`` is `Model.score`.

    Parameters
    ----------
    model
        The version.
    folder
        The folder to create.
    """
    from mlflow.models import Model as Description  # noqa: PLC0415 - MLflow takes seconds to import
    from mlflow.pyfunc import add_to_model  # noqa: PLC0415 - MLflow takes seconds to import

    shutil.copytree(model.folder, folder / model.version)
    described = Description(signature=_signature(model))
    add_to_model(described, LOADER, data=model.version, python_env="python_env.yaml", predict_fn="score")
    described.save(str(folder / "MLmodel"))
    environment = f"python: {platform.python_version()}\ndependencies:\n- -r requirements.txt\n"
    (folder / "python_env.yaml").write_text(environment, encoding="utf-8")
    (folder / "requirements.txt").write_text(f"leadml[tracking]=={version('leadml')}\n", encoding="utf-8")


def _signature(model: Model) -> ModelSignature:
    """Return the columns that a version reads.

    None is required and ids and booleans may have any type, because leadml itself checks each column and value.
    """
    from mlflow.models import ModelSignature  # noqa: PLC0415 - MLflow takes seconds to import
    from mlflow.types import ColSpec, DataType, Schema  # noqa: PLC0415 - MLflow takes seconds to import
    from mlflow.types.schema import AnyType  # noqa: PLC0415 - MLflow takes seconds to import

    leads = model.bundle.leads
    contract = leads.frame_contract
    kinds = {field.name: field.kind for field in contract.column_fields}
    types = {"number": DataType.double, "category": DataType.string}
    stamp = () if isinstance(leads.settings, SingleSnapshot) else (AS_OF,)
    columns = [
        ColSpec(types.get(kinds.get(name, ""), AnyType()), name, required=False) for name in (*contract.columns, *stamp)
    ]
    return ModelSignature(inputs=Schema(columns))


def _register(client: MlflowClient, model: Model, run_id: str, *, champion: bool) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - MLflow takes seconds to import

    try:
        client.create_registered_model(model.target)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {"leadml.version": model.version, "leadml.model_hash": model.manifest.model_hash}
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    registered = client.create_model_version(
        model.target, source, run_id, tags=tags, description=f"leadml version {model.version}"
    )
    if champion:
        client.set_registered_model_alias(model.target, CHAMPION, str(registered.version))
