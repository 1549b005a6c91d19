"""Say what leads below the cut would convert if worked, by those that a version drew to be worked anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.source import training_source
from leadml.model.judge.calibration_line import log_odds
from leadml.review.exploration import Exploration, LeadsBelow, explored_rate

if TYPE_CHECKING:
    import pandas as pd

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Progress


def exploration_of(
    drawn: pd.DataFrame, model: Model, project: Places, *, until: int, now: str, progress: Progress
) -> tuple[Exploration, int] | None:
    """Return what leads below the cut would convert if worked, and how many of the marked ones sales were given.

    Outcomes are read only where leads were drawn.

    Parameters
    ----------
    drawn
        Of `leadml.publish.store.reviews.explored_scores`.
    model, project, until, now, progress
        As for `leadml.jobs.review_data.read_review_data`.

    Returns
    -------
    tuple
        None where no lead was drawn, or no outcome of those below the cut is known.

    Raises
    ------
    DataError
        If the outcomes cannot be read.
    """
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
