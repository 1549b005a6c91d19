"""Read the leads below the cut that a version drew to be worked anyway, and say what they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.jobs.store import open_store
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID
from leadml.leads.check.instants import shown_instant
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.source import training_source
from leadml.model.judge.calibration_line import log_odds
from leadml.review.exploration import Exploration, LeadsBelow, explored_rate

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Progress


def read_exploration(
    model: Model, project: Places, *, until: int, now: str, progress: Progress
) -> tuple[Exploration, int] | None:
    """Return what leads below the cut would convert if worked, and how many of the marked ones sales were given.

    Parameters
    ----------
    model
        The version in use.
    project
        The project, which has a store.
    until
        What is known by this instant is judged, microseconds.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Returns
    -------
    tuple
        None where no lead was drawn, or no outcome of those below the cut is known.

    Raises
    ------
    DataError
        If the outcomes cannot be read.
    """
    from leadml.publish.store.reviews import explored_scores  # noqa: PLC0415 - SQLAlchemy takes time

    with open_store(project, now=now, progress=progress) as (store, _):
        hash_ = model.manifest.model_hash
        drawn = explored_scores(store, model.target, hash_, until=shown_instant(until))
    if drawn.empty:
        return None
    at = drawn["at"].to_numpy(dtype=np.int64)
    pairs = ScoredPairs(drawn[LEAD_ID].to_numpy(dtype=object), at, model.bundle.leads.holdout, until)
    labels = training_source(project, model.target, now=now).labels(pairs, progress=progress)
    labels = labels[labels["fitted"] == 0].rename(columns={AS_OF: "at"})
    known = drawn.merge(labels[[LEAD_ID, "at", LABEL]], on=[LEAD_ID, "at"])
    if known.empty:
        return None
    is_marked = known["explored"].to_numpy(dtype=np.int64) == 1
    below = LeadsBelow(
        log_odds(known["probability"].to_numpy(dtype=np.float64)),
        known[LABEL].to_numpy(dtype=np.int8),
        known["propensity"].to_numpy(dtype=np.float64),
        is_marked,
    )
    return explored_rate(below), int(known["handed"].to_numpy(dtype=bool)[is_marked].sum())
