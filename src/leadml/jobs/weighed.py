"""Weigh labelled leads as if sales had worked them all, by those that were worked although they were below the cut.

Of the leads below the cut that were drawn from, the marked ones stand for all: each counts 1 / propensity times, and
the others, which nobody worked, are left out. A lead that counts more often has several rows, which stay together in
every split. A dated lead is one of them from its first score below the cut to its next one at or above it; a flat lead
is one if it was created after leads were first explored, since the outcome of an older one may have been known before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import ModelError
from leadml.jobs.store import store_url
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID
from leadml.leads.sources.settings import SingleSnapshot, settings_from_params
from leadml.stages.exploring import times_counted

if TYPE_CHECKING:
    from leadml.jobs.places import Places
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.sources.training_set import TrainingParts
    from leadml.leads.split import Split
    from leadml.types import Floats, Rows

BOTH = 2  # outcomes


@dataclass(frozen=True, eq=False)
class Weighing:
    """The leads that were drawn from, and how they count.

    Parameters
    ----------
    drawn
        Of `leadml.publish.store.reviews.first_draws`.
    settings
        How snapshots are taken.
    """

    drawn: pd.DataFrame
    settings: SnapshotSettings

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return labelled rows, each as often as it counts."""
        return frame if self.drawn.empty else frame.iloc[self.copies(frame)].reset_index(drop=True)

    def worked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the labelled rows that are not left out, each once: a comparison of two models needs no weights."""
        return frame if self.drawn.empty else frame[self._times(frame) > 0].reset_index(drop=True)

    def parts(self, parts: TrainingParts) -> TrainingParts:
        """Return the parts of a training set, each row as often as it counts.

        Raises
        ------
        ModelError
            If a part is left without leads of both outcomes.
        """
        counted = replace(parts, learn=self.rows(parts.learn), holdout=self.rows(parts.holdout))
        for name, rows in (("training set", counted.learn), ("holdout", counted.holdout)):
            if rows[LABEL].nunique() < BOTH and not self.drawn.empty:
                msg = (
                    f"the {name} must have worked leads of both outcomes, got {len(rows):,} rows of which "
                    f"{int(rows[LABEL].sum()):,} converted; set score.weigh_explored: false until more are known"
                )
                raise ModelError(msg)
        return counted

    def split(self, split: Split) -> Split:
        """Return a split of such rows, which keeps those of a lead together."""
        return replace(split, is_weighed=not self.drawn.empty)

    def counts(self, frame: pd.DataFrame) -> dict[str, int]:
        """Return how many labelled rows stand for others, and how many are left out; nothing where none was drawn."""
        if self.drawn.empty:
            return {}
        (propensity, _), times = self._drawn(frame), self._times(frame)
        is_marked = ~np.isnan(propensity) & (times > 0)
        return {"weighed_rows": int(is_marked.sum()), "left_out_rows": int((times == 0).sum())}

    def copies(self, frame: pd.DataFrame) -> Rows:
        """Return the numbers of rows, each as often as it counts."""
        return np.repeat(np.arange(len(frame)), self._times(frame))

    def _times(self, frame: pd.DataFrame) -> Rows:
        if self.drawn.empty:
            return np.ones(len(frame), dtype=np.intp)
        return times_counted(frame[LEAD_ID].to_numpy(dtype=object), *self._drawn(frame))

    def _drawn(self, frame: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return of each row the chance to be marked, NaN where it was not drawn from, and whether it was marked."""
        known = self.drawn.set_index(LEAD_ID).reindex(frame[LEAD_ID].to_numpy()).astype(np.float64)
        begin, end, propensity, explored = (
            known[name].to_numpy() for name in ("at", "ended", "propensity", "explored")
        )
        is_within = self.settings.is_within(frame[AS_OF].to_numpy(), begin, end, float(self.drawn["at"].min()))
        return np.where(is_within, propensity, np.nan), explored


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
    from leadml.publish.store.reviews import first_draws  # noqa: PLC0415

    with reading(store_url(project)) as store:
        if store is None:
            return EACH_ONCE
        drawn = first_draws(store, project.target, until=now)
    return Weighing(drawn, settings_from_params(project.params, project.target))
