"""Let two versions score the same leads, whose outcomes became known after both were trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import LeadmlError
from leadml.jobs.weighed import weighing_of
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.sources.source import labelled_source
from leadml.params import normal_name
from leadml.review.gate.judge import Contest
from leadml.review.performance.slices import level_names

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Floats, Progress

FAST = 60e-6  # seconds for a lead: of small models some are ten times as fast as others, and nobody waits for any
TIMED_LEADS, TIMES = 5000, 3  # the shortest of three runs: other work of the machine only makes a run longer


@dataclass(frozen=True, eq=False)
class LaterLeads:
    """Labelled leads that both versions scored, in the order in which outcomes became known.

    Parameters
    ----------
    frame
        The rows, with the fields of the champion.
    champion, challenger
        The probabilities, shape (n_rows,).
    seconds
        The time that each of them takes for a lead; 0 without a row.
    """

    frame: pd.DataFrame
    champion: Floats
    challenger: Floats
    seconds: tuple[float, float]

    @property
    def times_as_slow(self) -> float:
        """The time of the challenger over that of the champion; 1 where it needs less than a minute for a million."""
        champion, challenger = self.seconds
        return challenger / champion if challenger > FAST else 1.0

    @property
    def until(self) -> int | None:
        """The instant of the newest outcome, microseconds; None without a row."""
        return int(self.frame[MATURE_AT].max()) if len(self.frame) else None

    def contest(self, champion: Model, slices: tuple[str, ...]) -> Contest:
        """Return the rows as the gate reads them, with the levels of some fields."""
        names = [normal_name(name) for name in slices]
        bins = champion.bundle.profile.bins
        return Contest(
            label=self.frame[LABEL].to_numpy(dtype=np.int8),
            champion=self.champion,
            challenger=self.challenger,
            groups=pd.factorize(self.frame[SPLIT_KEY])[0],
            days=self.frame[AS_OF].to_numpy() // DAY,
            slices={name: level_names(self.frame[name], bins.get(name)) for name in names if name in self.frame},
        )


def training_end(model: Model) -> int:
    """Return the instant until which outcomes were known to the training of a version, microseconds.

    Raises
    ------
    LeadmlError
        If its leads had no dates.
    """
    known_until = model.bundle.record.known_until
    if known_until is None:
        msg = (
            f"leads must have dates (data.created_at), to tell which are later than the training of version "
            f"{model.version}, got none; declare it and train again, or pass over the gate (leadml promote VERSION "
            "--ungated --reason REASON)"
        )
        raise LeadmlError(msg)
    return known_until


def labelled_leads(model: Model, project: Places, *, since: int, now: str, progress: Progress) -> pd.DataFrame:
    """Return the leads whose outcomes became known after an instant, with the fields that a version reads.

    Where params weigh explored leads, those that nobody worked are left out.

    Parameters
    ----------
    model
        The version.
    project
        The project.
    since
        The instant, microseconds.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the leads cannot be read, or lack a field of the version.
    LeadmlError
        If leads have no dates.
    """
    leads = labelled_source(model.bundle.leads, project, now=now).later(since, progress=progress)
    return weighing_of(project, now=now).worked(leads)


def scored_by_both(champion: Model, challenger: Model, *, leads: pd.DataFrame, other: pd.DataFrame) -> LaterLeads:
    """Return the leads that both versions can score.

    Parameters
    ----------
    champion, challenger
        The versions.
    leads, other
        Of `labelled_leads`, for each of them as of the same instant.

    Raises
    ------
    LeadmlError
        If the versions predict different things.
    """
    _require_one_target(champion, challenger)
    keys = [LEAD_ID, AS_OF]
    place = pd.MultiIndex.from_frame(other[keys]).get_indexer(pd.MultiIndex.from_frame(leads[keys]))
    order = [MATURE_AT, *keys]  # in the order in which outcomes became known, as evidence is taken
    leads = leads[place >= 0].sort_values(order, kind="stable", ignore_index=True)
    other = other.iloc[place[place >= 0]].sort_values(order, kind="stable", ignore_index=True)
    if leads.empty:
        return LaterLeads(leads, np.empty(0), np.empty(0), (0.0, 0.0))
    seconds = _seconds(champion, leads), _seconds(challenger, other)
    one, two = champion.bundle.model.predict(leads), challenger.bundle.model.predict(other)
    return LaterLeads(leads, one, two, seconds)


def _require_one_target(champion: Model, challenger: Model) -> None:
    """Refuse versions whose labels mean different things."""
    settings = [model.bundle.leads.settings.to_json() for model in (champion, challenger)]
    targets = [None if each is None else each["target"] for each in settings]
    meanings = [model.bundle.record.label_hash for model in (champion, challenger)]
    if targets[0] != targets[1] or meanings[0] != meanings[1]:
        msg = (
            f"both versions must predict the same, got other choices of the target in version {challenger.version}: "
            "the outcome, its values, its horizon or its population"
        )
        raise LeadmlError(msg)


def _seconds(model: Model, rows: pd.DataFrame) -> float:
    """Return how long a version takes for a lead."""
    some, found = rows.head(TIMED_LEADS), []
    for _ in range(TIMES):
        begin = time.perf_counter()
        model.bundle.model.predict(some)
        found.append(time.perf_counter() - begin)
    return min(found) / len(some)
