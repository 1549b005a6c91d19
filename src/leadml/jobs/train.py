"""Train a model on leads whose outcome is known: learn a bundle, keep it as a version and file it in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leadml.bundle.model import load
from leadml.errors import MissingExtraError
from leadml.jobs.learn import learn
from leadml.leads.sources.source import training_source
from leadml.publish.text_tables import model_table

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.params import Params
    from leadml.types import Progress


@dataclass(frozen=True, repr=False)
class Trained:
    """What a training made.

    Parameters
    ----------
    model
        The version, as it was read back.
    is_new
        Whether it was written now; the same data and choices give the version there was.
    champion
        The version in use.
    run_id
        MLflow's run; None where tracking is off.
    """

    model: Model
    is_new: bool
    champion: str
    run_id: str | None

    def __repr__(self) -> str:
        """Return which version was made and which is in use, in one line."""
        state = "new" if self.is_new else "the same as before"
        return f"<version {self.model.version} of {self.model.target} ({state}); version {self.champion} is in use>"

    def _repr_html_(self) -> str:
        """Return the model beside its baselines, for notebooks."""
        return model_table(self.model.evaluation).to_html(repr(self)[1:-1])


def train(project: Places, *, now: str, progress: Progress) -> Trained:
    """Train, evaluate, keep and track a model.

    Parameters
    ----------
    project
        The choices and places.
    now
        The instant of the training in ISO 8601, for the record.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError, ModelError
        Where the data are not ready, a leak is suspected, or a rule has no cut.
    MissingExtraError
        Where a run should be filed and MLflow is not installed.
    """
    params, registry = project.params, project.registry
    require_tracking(params)
    training = training_source(project, project.target, now=now).training(progress=progress)
    bundle = learn(training, params, target=project.target, trained_at=now, progress=progress)
    progress("keeping the bundle")
    version, is_new = registry.add(bundle)
    champion = registry.usable_champion()
    if champion is None:
        registry.promote(version)
        champion = version
    model = load(registry.path(version))
    run_id = None
    if params.tracking.enabled:
        from leadml.publish.tracking import track_training  # noqa: PLC0415 - MLflow takes seconds to import

        progress("writing to MLflow")
        run_id = track_training(project.store, model, params=params, champion=champion == version)
    return Trained(model, is_new, champion, run_id)


def require_tracking(params: Params) -> None:
    """Refuse to go on where MLflow is asked for and not installed.

    Raises
    ------
    MissingExtraError
        Where it is not there.
    """
    if params.tracking.enabled and find_spec("mlflow") is None:
        msg = "MLflow is not installed: pip install 'leadml[tracking]', or set tracking.enabled: false"
        raise MissingExtraError(msg)
