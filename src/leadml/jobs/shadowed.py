"""Read what shadows said of the leads that a review judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.jobs.store import open_store
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_instant
from leadml.review.assess import CONFIDENCE
from leadml.review.gate.shadows import shadow_table

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.review.assess import ReviewedScores
    from leadml.types import Progress


def read_shadows(
    model: Model, project: Places, scores: ReviewedScores, *, until: int, now: str, progress: Progress
) -> pd.DataFrame | None:
    """Return the figures of each shadow beside those of a version, on the same leads; None where no shadow scored.

    Parameters
    ----------
    model
        The version in use.
    project
        The project, which has a store.
    scores
        The scores of the version, with what is known of their outcomes.
    until
        What is known by this instant is judged, microseconds.
    now
        The instant of the job in ISO 8601.
    progress
        Called while another job writes to the store.
    """
    from leadml.publish.store.shadows import shadow_scores  # noqa: PLC0415 - SQLAlchemy takes time

    with open_store(project, now=now, progress=progress) as (store, _):
        said = shadow_scores(store, model.target, model.manifest.model_hash, until=shown_instant(until))
    if said.empty:
        return None
    said = said.assign(at=said["at"].to_numpy(dtype=np.int64) // DAY)  # of two batches of a day the later one counts
    said = said.drop_duplicates(["version", "lead_id", "at"], keep="last")
    known = np.flatnonzero(scores.known & scores.is_look)
    judged = pd.DataFrame({"lead_id": scores.lead_id[known], "at": scores.day[known], "row": known})
    rows = judged.drop_duplicates(["lead_id", "at"], keep="last")["row"].to_numpy()
    columns = scores.lead_id[rows], scores.day[rows], scores.probability[rows], scores.label[rows]
    return shadow_table(said, *columns, confidence=CONFIDENCE)
