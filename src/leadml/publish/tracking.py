"""Log a training as a run of MLflow, with params, metrics, tables, figures and a registered version.

leadml never loads a model from MLflow, and no row of a lead is logged. MLflow can load the registered version: it is a
bundle with a description that names leadml as the loader, so that MLflow stores neither code nor a pickle.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import tempfile
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadml.bundle.champion import CHAMPION
from leadml.errors import LeadmlError, inert
from leadml.leads.check.contract import AS_OF
from leadml.leads.sources.settings import SingleSnapshot
from leadml.model.judge.evaluation import Evaluation, as_rows
from leadml.publish import figures
from leadml.publish.files import bring_to_disk, locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

    from leadml.bundle.contents import Bundle
    from leadml.bundle.model import Model
    from leadml.params import Params

MAX_PARAM_LENGTH = 500  # servers of MLflow from before it allowed 6,000 refuse longer values
ARTIFACTS = "mlartifacts"
SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
LOADER = "leadml.publish.pyfunc"


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
    client.set_model_version_tag(model.target, number, f"leadml.{event['action']}", json.dumps(event, sort_keys=True))
    return number


def _registered(client: MlflowClient, model: Model) -> str:
    """Return the number under which MLflow has a version."""
    wanted = {"leadml.version": model.version, "leadml.model_hash": model.manifest.model_hash}
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
    found = client.search_model_versions(f"name = '{model.target}' and {query}")
    if not found:
        msg = f"version {model.version} is not in MLflow; leadml train again logs it"
        raise LeadmlError(msg)
    return str(max(int(each.version) for each in found))


def track_training(store: Path, model: Model, *, params: Params, champion: bool) -> str:
    """Log a version of a model; a version that has a finished run is not logged again.

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
    """
    with _mlflow(store) as client:
        experiment = _experiment(client, params.tracking.experiment, store)
        runs = client.search_runs([experiment], f"tags.`leadml.model_hash` = '{model.manifest.model_hash}'")
        finished = [
            run
            for run in runs
            if run.data.tags.get("leadml.version") == model.version and run.info.status == "FINISHED"
        ]
        if finished:
            return str(finished[0].info.run_id)
        return _log_run(client, experiment, model, params=params, champion=champion)


@contextmanager
def _mlflow(store: Path) -> Iterator[MlflowClient]:
    """Give a client of an SQLite store to one process at a time; MLflow's telemetry is off.

    Raises
    ------
    LeadmlError
        If MLflow or its database cannot do what is asked.
    """
    os.environ.update(SETTINGS)
    from mlflow import MlflowClient  # noqa: PLC0415 - MLflow takes seconds to import
    from mlflow.exceptions import MlflowException  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with locked(store.parent):
            if not store.exists():
                _create_store(store)
            yield MlflowClient(tracking_uri=f"sqlite:///{store.resolve()}")
    except (MlflowException, SQLAlchemyError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"tracking.store: MLflow must be able to read and write {store.name}, got: {inert(first)}"
        raise LeadmlError(msg) from error


def _create_store(store: Path) -> None:
    """Create MLflow's database under a temporary name and rename it, so that a crash leaves no incomplete store."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine  # noqa: PLC0415

    for abandoned in store.parent.glob(f"{store.name}.tmp*"):  # of a process that was killed in this function
        abandoned.unlink()
    temporary = store.with_name(f"{store.name}.tmp")
    engine = create_sqlalchemy_engine(f"sqlite:///{temporary.resolve()}")
    _initialize_tables(engine)
    engine.dispose()
    bring_to_disk(temporary)
    temporary.replace(store)
    bring_to_disk(store.parent)


def _experiment(client: MlflowClient, name: str, store: Path) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        return str(experiment.experiment_id)
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
        with tempfile.TemporaryDirectory() as folder:
            save_pyfunc(model, Path(folder) / "model")
            _write_tables_and_figures(Path(folder), model.bundle)
            client.log_artifacts(run_id, folder)
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


def run_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return the metrics of a run with the bounds of their intervals, and the metrics of the baselines."""
    values = {"test_leads": float(evaluation.leads), "ece_by_chance": evaluation.ece_by_chance}
    for row in as_rows(evaluation.metrics):
        name = row["metric"]
        values |= {name: row["value"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
    for row in as_rows(evaluation.models):
        values[f"{row['model']}/{row['metric']}".replace(" ", "_")] = row["value"]
    for row in as_rows(evaluation.stages):
        values[f"{row['stage']}/{row['figure']}"] = row["value"]
    return {name: value for name, value in values.items() if value == value}  # noqa: PLR0124 - NaN is not itself


def run_params(params: Params, bundle: Bundle) -> dict[str, str]:
    """Return every choice of params by its dotted key, and what the fit selected."""
    flat: dict[str, str] = {}
    _flatten(params.as_written(), "", flat)
    flat |= {f"chosen.{name}": str(value) for name, value in bundle.record.choices.items()}
    return {name: value[:MAX_PARAM_LENGTH] for name, value in flat.items()}


def _flatten(value: Any, key: str, flat: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-. /") else "_" for c in name)
            _flatten(inner, f"{key}.{safe}" if key else safe, flat)
    else:
        flat[key] = str(value)


def _write_tables_and_figures(folder: Path, bundle: Bundle) -> None:
    evaluation = bundle.evaluation
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    for name in Evaluation.TABLES:
        getattr(evaluation, name).to_csv(folder / "tables" / f"{name}.csv", index=False)
    bundle.candidates.to_csv(folder / "tables" / "candidates.csv", index=False)
    drawings = figures.all_figures(evaluation, target=bundle.target, unit=bundle.record.unit)
    for name, svg in drawings.items():
        (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")


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
