"""Weigh labelled leads as if sales had worked them all, by those that were worked although they were below the cut.

Of the leads that were drawn from, the marked ones stand for all: each counts 1 / propensity times, and the others,
which nobody worked, not at all. A lead that counts more often has several rows, which stay together in every split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.jobs.store import store_url
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.sources.settings import SingleSnapshot, settings_from_params
from leadml.stages.exploring import times_counted

if TYPE_CHECKING:
    from leadml.jobs.places import Places
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.sources.training_set import TrainingParts
    from leadml.leads.split import Split
    from leadml.types import Rows


@dataclass(frozen=True, eq=False)
class Weighing:
    """The leads that were drawn from, and how they count.

    Parameters
    ----------
    drawn
        Of `leadml.publish.store.reviews.explored_scores`, of all versions.
    settings
        How snapshots are taken: those before a lead was drawn count once.
    """

    drawn: pd.DataFrame
    settings: SnapshotSettings

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return labelled rows, each as often as it counts."""
        if self.drawn.empty:
            return frame
        return frame.iloc[np.repeat(np.arange(len(frame)), self.times(frame))].reset_index(drop=True)

    def parts(self, parts: TrainingParts) -> TrainingParts:
        """Return the parts of a training set, each row as often as it counts."""
        return replace(parts, learn=self.rows(parts.learn), holdout=self.rows(parts.holdout))

    def split(self, split: Split) -> Split:
        """Return a split of such rows, which keeps those of a lead together."""
        return replace(split, is_weighed=not self.drawn.empty)

    def counts(self, frame: pd.DataFrame) -> dict[str, int]:
        """Return how many labelled rows stand for others, and how many count never; nothing if each counts once."""
        if self.drawn.empty:
            return {}
        times = self.times(frame)
        return {"weighed_rows": int((times > 1).sum()), "left_out_rows": int((times == 0).sum())}

    def times(self, frame: pd.DataFrame) -> Rows:
        """Return how often each row counts, shape (n_rows,)."""
        if self.drawn.empty:
            return np.ones(len(frame), dtype=np.intp)
        drawn = self.drawn.set_index(LEAD_ID).reindex(frame[LEAD_ID].to_numpy())
        propensity, explored, at = (drawn[name].to_numpy(dtype=np.float64) for name in ("propensity", "explored", "at"))
        propensity = np.where(self.settings.is_since(frame, at), propensity, np.nan)
        return times_counted(frame[LEAD_ID].to_numpy(dtype=object), propensity, explored)


EACH_ONCE = Weighing(pd.DataFrame({LEAD_ID: []}), SingleSnapshot())


def weighing_of(project: Places, *, now: str) -> Weighing:
    """Return how often the leads of a project count.

    Parameters
    ----------
    project
        The project.
    now
        The instant of the job in ISO 8601.

    Raises
    ------
    LeadmlError
        If params weigh explored leads, and the project has no store or it cannot be read.
    """
    if not project.params.score.weigh_explored:
        return EACH_ONCE
    from leadml.publish.store.opening import reading  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.reviews import explored_scores  # noqa: PLC0415

    with reading(store_url(project)) as store:
        if store is None:
            return EACH_ONCE
        drawn = explored_scores(store, project.target, None, until=now)
    return Weighing(drawn, settings_from_params(project.params, project.target))
