"""Choose who is looked at when: the population at each date, mature looks, and the sides of the split.

What enters is a view of dated leads and dates; what leaves is pairs of a lead and an instant, in training with labels.
It refuses a history that is too short for the horizon; a look is held in seven bytes or so, so that there may be many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import ModelError
from leadml.leads.asof.features import AS_OF, LEAD
from leadml.leads.asof.history import BLOCK_LEADS
from leadml.leads.asof.labels import label_snapshots, reaching
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import LABEL, MATURE_AT, SPLIT_KEY
from leadml.leads.split import holdout_since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.asof.history import Block, LeadHistory
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.activity_plan import Target
    from leadml.leads.split import Holdout
    from leadml.params import SplitParams
    from leadml.types import Integers, Labels, Rows


PAIRS_AT_ONCE = 500_000


@dataclass(frozen=True)
class MatureSnapshots:
    """Mature looks of a target.

    Parameters
    ----------
    lead, date, label
        Arrays of shape (n_looks,): number of the lead, place of the date among ``dates``, and 0 or 1.
    dates
        When leads were looked at, microseconds, rising.
    target
        What is predicted.
    counts
        ``mature`` looks, those that ``converted``, ``late`` ones (a conversion was recorded after the label was due)
        and ``immature`` ones.
    """

    lead: NDArray[np.int32]
    date: NDArray[np.unsignedinteger[Any]]
    label: Labels
    dates: Integers
    target: Target
    counts: dict[str, int]

    def plan_holdout(self, split: SplitParams) -> Holdout:
        """Return the rule that keeps a share of the accounts aside, from the instant from which that share is newer."""
        counts = np.bincount(self.date, minlength=len(self.dates))
        return holdout_since(self.dates[counts > 0], counts[counts > 0], split, by_group=True)

    def sides(self, holdout: Holdout, tables: LeadHistory) -> tuple[Rows, Rows]:
        """Return the places of the looks to learn from and of those to judge by; the others are of neither side.

        Raises
        ------
        ModelError
            Where there is none on one of the sides.
        """
        since = holdout.since or 0
        drawn = holdout.draws(pd.DataFrame({SPLIT_KEY: tables.split_keys}))[self.lead]
        timely = (self.dates + self.target.maturity <= since)[self.date]
        later = (self.dates >= since)[self.date]
        learn, judge = np.flatnonzero(~drawn & timely), np.flatnonzero(drawn & later)
        if not len(learn) or not len(judge):
            sizes = f"{len(learn):,} and {len(judge):,} of {len(self.lead):,} mature ones"
            gap = f"{self.target.horizon} + {self.target.settling} days lie between them"
            msg = f"looks must be on both sides of the split, got {sizes}: {gap}; shorten it or bring more months"
            raise ModelError(msg)
        return learn, judge

    def at(self, places: Rows) -> pd.DataFrame:
        """Return ``lead``, ``as_of``, ``mature_at`` and ``converted`` of some looks, by lead and instant."""
        kept = places[np.lexsort((self.date[places], self.lead[places]))]
        as_of = self.dates[self.date[kept]]
        columns = {LEAD: self.lead[kept].astype(np.int64), AS_OF: as_of, MATURE_AT: as_of + self.target.maturity}
        return pd.DataFrame({**columns, LABEL: self.label[kept].astype(np.int64)})

    def draw(self, places: Rows, tables: LeadHistory, *, most: int) -> Rows:
        """Return the places with the smallest hashes of lead and date: the same ones whatever else there is."""
        if len(places) <= most:
            return places
        ids = pd.util.hash_array(tables.lead_ids, categorize=False)
        as_of = self.dates.view(np.uint64)[self.date[places]]
        mixed = pd.util.hash_array(ids[self.lead[places]] ^ as_of, categorize=False)
        return places[np.argpartition(mixed, most)[:most]]


def find_mature_snapshots(view: AsOfView, dates: Integers, *, observed_until: int) -> MatureSnapshots:
    """Return all looks whose label was due by the end of what was observed, microseconds.

    Raises
    ------
    ModelError
        Where there is none.
    """
    counts = {"mature": 0, "converted": 0, "late": 0, "immature": 0}
    found: list[tuple[NDArray[np.int32], NDArray[np.unsignedinteger[Any]], Labels]] = []
    place_type = np.min_scalar_type(len(dates))
    for block in view.history.blocks():
        for looked in population_snapshots(view, block, dates, hindsight=True):
            mature = (looked[AS_OF] + view.target.maturity <= observed_until).to_numpy()
            lead, as_of, label = (looked[name].to_numpy()[mature] for name in (LEAD, AS_OF, LABEL))
            place = np.searchsorted(dates, as_of).astype(place_type)
            found.append((lead.astype(np.int32), place, label.astype(np.int8)))
            counts["mature"] += len(lead)
            counts["immature"] += int((~mature).sum())
            counts["converted"] += int(label.sum())
            counts["late"] += int(looked["late"].to_numpy()[mature][label == 0].sum())
    if not counts["mature"]:
        msg = (
            f"a look must be {view.target.horizon} + {view.target.settling} days before the end of what was observed "
            "to have a label, got none; shorten the target's horizon or bring longer tables"
        )
        raise ModelError(msg)
    lead, place, label = (np.concatenate(part) for part in zip(*found, strict=True))
    return MatureSnapshots(lead, place, label, dates, view.target, counts)


def population_snapshots(view: AsOfView, block: Block, dates: Integers, *, hindsight: bool) -> Iterator[pd.DataFrame]:
    """Yield the leads of a block at the dates at which they were in the population, and what came of them.

    Parameters
    ----------
    view
        The leads and the target.
    block
        Some of the leads.
    dates
        Instants, microseconds, rising.
    hindsight
        Whether to leave out looks at leads that had reached the target and of which that was not known: training must
        not learn from them, and scoring cannot tell.

    Yields
    ------
    DataFrame
        The columns of `label_snapshots`, in the order of lead and instant.
    """
    reached = "reached" if hindsight else "known_reached"
    for pairs in _pairs(view, block, dates, hindsight=hindsight):
        lazy = (view.engine.lazy(table) for table in (pairs, block.outcomes))
        labelled = label_snapshots(*lazy, target=view.target, codes=view.codes).sort(LEAD, AS_OF)
        looked: pd.DataFrame = labelled.collect("pyarrow").to_native().to_pandas()
        looked = looked[(looked["inside"] == 1) & (view.target.again | (looked[reached] == 0))]
        if len(looked):
            yield looked.reset_index(drop=True)


def _pairs(view: AsOfView, block: Block, dates: Integers, *, hindsight: bool) -> Iterator[pa.Table]:
    """Yield each lead with the dates since it is known, with hindsight only up to its reaching what is reached once."""
    tables, target = view.history, view.target
    lead = np.arange(block.first, min(block.first + BLOCK_LEADS, len(tables.lead_ids)))
    first = np.searchsorted(dates, tables.known_from[lead], side="left")
    last = np.full(len(lead), len(dates))
    if target.oldest is not None:
        last = np.searchsorted(dates, tables.created_at[lead] + target.oldest * DAY, side="right")
    if hindsight and not target.again:
        hit = np.isin(block.outcomes["outcome"].to_numpy(), reaching(target, view.codes))
        reached = np.full(len(lead), np.iinfo(np.int64).max)
        whose = block.outcomes[LEAD].to_numpy()[hit] - block.first
        np.minimum.at(reached, whose, block.outcomes["occurred_at"].to_numpy()[hit])
        last = np.minimum(last, np.searchsorted(dates, reached, side="right"))
    number = np.maximum(last - first, 0)
    for some in np.array_split(np.arange(len(lead)), max(-(-int(number.sum()) // PAIRS_AT_ONCE), 1)):
        size = number[some]
        if size.sum():
            offset = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            yield pa.table({LEAD: np.repeat(lead[some], size), AS_OF: dates[np.repeat(first[some], size) + offset]})
