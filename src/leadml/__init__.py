"""leadml: how probable it is that each lead converts, why, and which stage it is in.

Train and score from a ``params.yaml``::

    project = leadml.open_project("params.yaml")
    project.check()                             # are the leads ready?
    project.train()                             # learn, evaluate on a holdout, keep the version
    model = project.model()                     # or leadml.load("models/subscribed")
    scored = model.score(leads)                 # one row a lead: probability, interval, stage, grade, reasons

Or without one, as with scikit-learn::

    classifier = leadml.LeadClassifier().fit(leads, converted)
    classifier.predict_proba(leads)

``leadml.propose_params`` proposes a ``params.yaml`` for a file, ``leadml.evaluate`` and ``leadml.solve_cuts`` work on
plain arrays of probabilities and outcomes, and ``leadml.simulate`` writes a CRM with a known truth to try it on.
"""

from __future__ import annotations

from importlib import import_module

__version__: str

TYPE_CHECKING = False  # not typing's own, whose import would be most of what importing leadml costs
if TYPE_CHECKING:
    from typing import Any

    from leadml.bundle.model import Model, load
    from leadml.errors import LeadmlError
    from leadml.jobs.project import Project, open_project
    from leadml.jobs.propose import propose_params
    from leadml.model.classifier import LeadClassifier
    from leadml.model.judge.evaluation import evaluate
    from leadml.simulator.write import simulate
    from leadml.stages.cuts import solve_cuts

_PLACES = {
    "LeadClassifier": "leadml.model.classifier",
    "LeadmlError": "leadml.errors",
    "Model": "leadml.bundle.model",
    "Project": "leadml.jobs.project",
    "evaluate": "leadml.model.judge.evaluation",
    "load": "leadml.bundle.model",
    "open_project": "leadml.jobs.project",
    "propose_params": "leadml.jobs.propose",
    "simulate": "leadml.simulator.write",
    "solve_cuts": "leadml.stages.cuts",
}

__all__ = [
    "LeadClassifier",
    "LeadmlError",
    "Model",
    "Project",
    "evaluate",
    "load",
    "open_project",
    "propose_params",
    "simulate",
    "solve_cuts",
]


def __getattr__(name: str) -> Any:
    """Import a name of the library when it is first asked for, so that ``import leadml`` costs nothing."""
    if name == "__version__":
        return import_module("importlib.metadata").version("leadml")
    if name not in _PLACES:
        msg = f"module 'leadml' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value  # next time without a detour; also where a room of the same name was imported since
    return value


def __dir__() -> list[str]:
    """Return the names of the library."""
    return [*__all__, "__version__"]
