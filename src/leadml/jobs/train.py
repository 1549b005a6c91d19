"""Train a model on leads whose outcome is known: learn a bundle, store it as a version and log it in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leadml.bundle.model import load
from leadml.errors import LeadmlError, MissingExtraError, quoted
from leadml.jobs.learn import learn
from leadml.jobs.weighed import weighing_of
from leadml.leads.sources.source import training_source
from leadml.publish.files import is_sqlite, require_room, require_writable, writing
from leadml.publish.text_tables import model_table

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Progress


@dataclass(frozen=True, repr=False, eq=False)
class Trained:
    """The result of a training.

    Parameters
    ----------
    model
        The version, loaded from its folder.
    is_new
        Whether the version was stored now; the same data and choices give the version that was stored before.
    champion
        Name of the version in use; None if there is none, because this one is weak.
    run_id
        Id of MLflow's run; None if tracking is off, or MLflow could not be reached.
    note
        What could not be done besides, in a sentence; empty if nothing.
    """

    model: Model
    is_new: bool
    champion: str | None
    run_id: str | None
    note: str = ""

    def __repr__(self) -> str:
        """Return the version of this training and the version in use, in one line."""
        state = "new" if self.is_new else "the same as before"
        use = "no version" if self.champion is None else f"version {self.champion}"
        return f"<version {self.model.version} of {self.model.target} ({state}); {use} is in use>"

    def _repr_html_(self) -> str:
        """Return the metrics of the model and its baselines as a table, for notebooks."""
        return model_table(self.model.evaluation).to_html(repr(self)[1:-1])


def train(project: Places, *, now: str, progress: Progress, accept_weak: str = "") -> Trained:
    """Train a model, evaluate it on the holdout, store it and log it.

    Without a version in use, it is put in use, unless it is weak.

    Parameters
    ----------
    project
        The choices and folders of the project.
    now
        The instant of the training in ISO 8601, for the record.
    progress
        Called with the name of each step as it begins.
    accept_weak
        A person's reason to use the version even if it is weak.

    Raises
    ------
    DataError, ModelError
        If the data are not ready, a leak is suspected, or a rule of the stages has no cut.
    MissingExtraError
        If params switch tracking on and MLflow is not installed.
    """
    params, registry = project.params, project.registry
    require_training(project)
    weighing = weighing_of(project, now=now)
    training = training_source(project, project.target, now=now).training(progress=progress)
    bundle = learn(
        training,
        params,
        target=project.target,
        trained_at=now,
        progress=progress,
        accept_weak=accept_weak,
        weighing=weighing,
    )
    progress("storing the version")
    version, is_new = registry.add(bundle)
    champion = registry.usable_champion()
    if champion is None and bundle.record.is_usable:
        registry.promote(version, instead_of=registry.champion())
        champion = version
    model = load(registry.path(version))
    run_id, note = None, ""
    if params.tracking.enabled:
        from leadml.publish.tracking import track_training  # noqa: PLC0415 - MLflow takes seconds to import

        progress("writing to MLflow")
        try:
            run_id = track_training(project.tracking_store, model, params=params, champion=champion == version)
        except LeadmlError as error:
            note = f"the version is not in MLflow ({error}); leadml train logs it once that is mended"
    return Trained(model, is_new, champion, run_id, note)


def require_training(project: Places) -> None:
    """Raise an error if a training could not be stored or logged, before the work.

    Raises
    ------
    BundleError, MissingExtraError, LeadmlError
        As `require_places` does; also if the disk of the models is full, or MLflow cannot log to its store.
    """
    require_places(project)
    params = project.params
    require_room(project.registry.folder, megabytes=params.gate.megabytes, key="output.models")
    if params.tracking.enabled:
        from leadml.publish.tracking import require_trackable  # noqa: PLC0415 - MLflow takes seconds to import

        require_trackable(project.tracking_store, params.tracking.experiment)


def require_places(project: Places) -> None:
    """Raise an error if a version could not be put in use, or MLflow not be told of it.

    Raises
    ------
    BundleError
        If the file that names the version in use cannot be read.
    MissingExtraError
        If params switch tracking on and MLflow is not installed.
    LeadmlError
        If the folder of the models, or MLflow's store, cannot be written to.
    """
    require_writable(project.registry.folder, key="output.models")
    project.registry.champion()  # a file that cannot be read is to be corrected before the work
    if not project.params.tracking.enabled:
        return
    if find_spec("mlflow") is None:
        msg = "MLflow is not installed: pip install 'leadml[tracking]', or set tracking.enabled: false"
        raise MissingExtraError(msg)
    require_writable(project.tracking_store.parent, key="tracking.store")
    with writing(project.tracking_store):
        is_known = not project.tracking_store.exists() or is_sqlite(project.tracking_store)
    if not is_known:
        got = quoted(project.tracking_store.name)
        msg = f"tracking.store must be a new file or one that MLflow made, got {got}; name another"
        raise LeadmlError(msg)
