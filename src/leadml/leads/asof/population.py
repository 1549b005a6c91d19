"""Choose the snapshots: the population at each date, those with a known label, and those of the training set.

A history that is too short for the target's horizon is refused. A mature snapshot takes about seven bytes of memory,
so that there may be many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import ModelError
from leadml.leads.asof.arrival import day_before
from leadml.leads.asof.features import AS_OF, LEAD
from leadml.leads.asof.labels import label_snapshots, target_codes
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


@dataclass(frozen=True)
class MatureSnapshots:
    """The snapshots whose label is known.

    Parameters
    ----------
    lead, date_index, label
        Arrays of shape (n_snapshots,): number of the lead, position of the instant in ``dates``, and 0 or 1.
    dates
        Instants of the snapshots, microseconds, rising.
    target
        What is predicted.
    counts
        ``mature`` snapshots, those that ``converted``, ``late`` ones (a conversion was recorded after the label was
        due) and ``immature`` ones.
    """

    lead: NDArray[np.int32]
    date_index: NDArray[np.unsignedinteger[Any]]
    label: Labels
    dates: Integers
    target: Target
    counts: dict[str, int]

    def holdout(self, split: SplitParams) -> Holdout:
        """Return the rule that holds out the newest share of the snapshots, and of these the groups that are drawn."""
        counts = np.bincount(self.date_index, minlength=len(self.dates))
        return holdout_since(self.dates[counts > 0], counts[counts > 0], split, by_group=True)

    def parts(self, holdout: Holdout, history: LeadHistory) -> tuple[Rows, Rows]:
        """Return the positions of the snapshots to fit on and of those held out; others are in neither part.

        Raises
        ------
        ModelError
            Where one of the parts is empty.
        """
        since = holdout.since or 0
        drawn = holdout.draws(pd.DataFrame({SPLIT_KEY: history.split_keys}))[self.lead]
        known_in_time = (self.dates + self.target.maturity <= since)[self.date_index]
        later = (self.dates >= since)[self.date_index]
        learn, held_out = np.flatnonzero(~drawn & known_in_time), np.flatnonzero(drawn & later)
        if not len(learn) or not len(held_out):
            msg = (
                f"there must be snapshots to fit on and to hold out, got {len(learn):,} and {len(held_out):,} of "
                f"{len(self.lead):,} with a known label; shorten the target's horizon or settling, because "
                f"{self.target.horizon} + {self.target.settling} days must lie between the two parts, or bring more "
                "months"
            )
            raise ModelError(msg)
        return learn, held_out

    def of_later_groups(self, since: int, history: LeadHistory) -> Rows:
        """Return where the snapshots are of groups none of whose labels was known at an instant (microseconds)."""
        mature_at = (self.dates + self.target.maturity)[self.date_index]
        group = pd.factorize(history.split_keys)[0][self.lead]
        groups = pd.factorize(history.split_keys)[0]
        was_known = np.bincount(group, weights=mature_at <= since, minlength=len(history.split_keys)) > 0
        # By another calendar of snapshots a lead may have had a label that it does not have by this one.
        was_known[groups[history.known_since + self.target.maturity <= since]] = True
        return np.flatnonzero(~was_known[group])

    def at(self, positions: Rows) -> pd.DataFrame:
        """Return ``lead``, ``as_of``, ``mature_at`` and ``converted`` of some snapshots, by lead and instant."""
        ordered = positions[np.lexsort((self.date_index[positions], self.lead[positions]))]
        as_of = self.dates[self.date_index[ordered]]
        columns = {LEAD: self.lead[ordered].astype(np.int64), AS_OF: as_of, MATURE_AT: as_of + self.target.maturity}
        return pd.DataFrame({**columns, LABEL: self.label[ordered].astype(np.int64)})

    def sample(self, positions: Rows, history: LeadHistory, *, most: int) -> Rows:
        """Return the ``most`` positions with the smallest hashes of lead and instant, or all where there are fewer."""
        if len(positions) <= most:
            return positions
        ids = pd.util.hash_array(history.lead_ids, categorize=False)
        as_of = self.dates.view(np.uint64)[self.date_index[positions]]
        hashes = pd.util.hash_array(ids[self.lead[positions]] ^ as_of, categorize=False)
        return positions[np.argpartition(hashes, most)[:most]]


def find_mature_snapshots(view: AsOfView, dates: Integers, *, observed_until: int) -> MatureSnapshots:
    """Return all snapshots whose label was due by the end of what was observed, microseconds.

    Raises
    ------
    ModelError
        Where there is none.
    """
    counts = {"mature": 0, "converted": 0, "late": 0, "immature": 0}
    found: list[tuple[NDArray[np.int32], NDArray[np.unsignedinteger[Any]], Labels]] = []
    index_type = np.min_scalar_type(len(dates))
    for block in view.history.blocks():
        for snapshots in population_snapshots(view, block, dates, for_training=True):
            mature = (snapshots[AS_OF] + view.target.maturity <= observed_until).to_numpy()
            lead, as_of, label = (snapshots[name].to_numpy()[mature] for name in (LEAD, AS_OF, LABEL))
            date_index = np.searchsorted(dates, as_of).astype(index_type)
            found.append((lead.astype(np.int32), date_index, label.astype(np.int8)))
            counts["mature"] += len(lead)
            counts["immature"] += int((~mature).sum())
            counts["converted"] += int(label.sum())
            counts["late"] += int(snapshots["late"].to_numpy()[mature][label == 0].sum())
    if not counts["mature"]:
        msg = (
            f"a snapshot must be {view.target.horizon} + {view.target.settling} days (horizon + settling) before the "
            "end of what was observed to have a label, got none; shorten the target's horizon or bring longer tables"
        )
        raise ModelError(msg)
    lead, date_index, label = (np.concatenate(part) for part in zip(*found, strict=True))
    return MatureSnapshots(lead, date_index, label, dates, view.target, counts)


def population_snapshots(
    view: AsOfView, block: Block, dates: Integers, *, for_training: bool
) -> Iterator[pd.DataFrame]:
    """Yield the snapshots of a block's leads at the dates at which they were in the population, with their labels.

    Parameters
    ----------
    view
        The leads and the target.
    block
        Some of the leads.
    dates
        Instants, microseconds, rising.
    for_training
        Whether to leave out leads that had reached the target when nobody had recorded it yet. Training must not learn
        from them; scoring cannot know them.

    Yields
    ------
    DataFrame
        The columns of `label_snapshots`, in the order of lead and instant.
    """
    reached = "reached" if for_training else "reached_and_recorded"
    for pairs in _pairs(view, block, dates, for_training=for_training):
        lazy = (view.engine.lazy(table) for table in (pairs, block.outcomes))
        labelled = label_snapshots(*lazy, target=view.target, codes=view.codes).sort(LEAD, AS_OF)
        snapshots: pd.DataFrame = labelled.collect("pyarrow").to_native().to_pandas()
        snapshots = snapshots[(snapshots["in_population"] == 1) & (view.target.again | (snapshots[reached] == 0))]
        if len(snapshots):
            yield snapshots.reset_index(drop=True)


def _pairs(view: AsOfView, block: Block, dates: Integers, *, for_training: bool) -> Iterator[pa.Table]:
    """Yield each lead with the dates at which it may be in the population.

    They begin when the lead is known and end at its greatest age, or after one where each lead has one; for training
    they also end when a target that can be reached once is reached.
    """
    history, target = view.history, view.target
    lead = np.arange(block.first, block.stop)
    first = np.searchsorted(dates, history.known_since[lead], side="left")
    last = np.full(len(lead), len(dates))
    if target.oldest is not None:
        last = np.searchsorted(dates, history.created_at[lead] + target.oldest * DAY, side="right")
    if target.once:
        last = np.minimum(last, np.searchsorted(day_before(dates, view.timezone), history.known_since[lead]))
    if for_training and not target.again:
        is_target = np.isin(block.outcomes["outcome"].to_numpy(), target_codes(target, view.codes))
        reached = np.full(len(lead), np.iinfo(np.int64).max)
        outcome_lead = block.outcomes[LEAD].to_numpy()[is_target] - block.first
        np.minimum.at(reached, outcome_lead, block.outcomes["occurred_at"].to_numpy()[is_target])
        last = np.minimum(last, np.searchsorted(dates, reached, side="right"))
    number = np.maximum(last - first, 0)
    for part in np.array_split(np.arange(len(lead)), max(-(-int(number.sum()) // view.max_pairs), 1)):
        size = number[part]
        if size.sum():
            offset = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            yield pa.table({LEAD: np.repeat(lead[part], size), AS_OF: dates[np.repeat(first[part], size) + offset]})
