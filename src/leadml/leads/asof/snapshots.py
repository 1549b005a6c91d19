"""Compute the snapshots of dated leads: for training at each date of a calendar with labels, for scoring at one.

A training snapshot is never taken after the target was reached, unless it can be reached again, and never labelled
negative before its horizon has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.leads.asof.features import AS_OF, LEAD, features, weight_columns
from leadml.leads.asof.history import attribute_name
from leadml.leads.asof.population import find_mature_snapshots, population_snapshots
from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import CREATED_AT, LEAD_ID, SPLIT_KEY
from leadml.leads.check.time_zones import to_local, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.asof.history import Block
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.split import Holdout
    from leadml.params import SnapshotParams, SplitParams
    from leadml.types import Integers


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
THURSDAY = WEEKDAYS.index("thursday")


@dataclass(frozen=True)
class TrainingSnapshots:
    """Snapshots to fit on and snapshots of the holdout.

    Parameters
    ----------
    frame
        ``lead_id``, ``as_of``, ``mature_at`` and ``created_at`` (microseconds), ``split_key``, the fields and
        ``converted``, in the order of id and instant.
    holdout
        The rule that holds rows out.
    counts
        Those of `find_mature_snapshots`, and of the ``mature`` ones how many are ``usable`` (in either part of the
        split) and how many of these are ``drawn`` into the frame.
    """

    frame: pd.DataFrame
    holdout: Holdout
    counts: dict[str, int]


def snapshot_dates(first: int, last: int, choices: SnapshotParams, *, timezone: str | None) -> Integers:
    """Return the instants of a calendar of snapshots, microseconds, rising.

    Parameters
    ----------
    first, last
        The bounds of the calendar, both included, microseconds.
    choices
        Days between snapshots, and the day of the week of the first; each day where a lead has one snapshot.
    timezone
        The snapshots are at midnight of this zone; of UTC where it is None.

    Examples
    --------
    >>> from leadml.params import SnapshotParams
    >>> dates = snapshot_dates(0, 20 * DAY, SnapshotParams(), timezone=None)
    >>> pd.to_datetime(dates, unit="us").strftime("%a %d").tolist()
    ['Mon 05', 'Mon 12', 'Mon 19']
    """
    zone = timezone or "UTC"
    first_day, last_day = (to_local(np.array([first, last]), zone) // DAY).tolist()
    step: int = 1
    if choices.every != "once":
        weekday = (first_day + THURSDAY) % 7  # 1970 began on a Thursday
        first_day, step = first_day + (WEEKDAYS.index(choices.weekday) - weekday) % 7, choices.every
    days = np.arange(first_day, last_day + 2, step)
    instants = to_utc(days * DAY, zone, ambiguous="earlier", nonexistent="shift_forward")
    return instants[(instants >= first) & (instants <= last)]


def training_snapshots(
    view: AsOfView, dates: Integers, *, observed_until: int, most: int, split: SplitParams
) -> TrainingSnapshots:
    """Return the mature snapshots of a target that are to be fitted on or held out.

    Parameters
    ----------
    view
        The leads and how their snapshots are computed.
    dates
        Instants of the snapshots, microseconds, rising.
    observed_until
        The end of what was observed, microseconds; a snapshot whose label is due later is immature.
    most
        The greatest number of snapshots to fit on; the holdout has at most a third as many. Where there are more, those
        with the smallest hashes of lead and instant are drawn.
    split
        Share of the holdout, and seed.

    Raises
    ------
    ModelError
        Where no snapshot is mature, or one of the two parts is empty.
    """
    mature = find_mature_snapshots(view, dates, observed_until=observed_until)
    holdout = mature.holdout(split)
    learn, held_out = mature.parts(holdout, view.history)
    drawn = [mature.sample(learn, view.history, most=most), mature.sample(held_out, view.history, most=most // 3)]
    pairs = mature.at(np.concatenate(drawn))
    counts = mature.counts | {"usable": len(learn) + len(held_out), "drawn": len(pairs)}
    return TrainingSnapshots(_labelled_frame(view, pairs), holdout, counts)


def later_snapshots(view: AsOfView, dates: Integers, *, since: int, observed_until: int, most: int) -> pd.DataFrame:
    """Return the mature snapshots of the groups none of whose labels was known at an instant.

    Parameters
    ----------
    view, dates, observed_until
        As for `training_snapshots`.
    since
        The instant, microseconds.
    most
        The greatest number of snapshots; where there are more, they are drawn as for `training_snapshots`.

    Returns
    -------
    DataFrame
        The columns of `TrainingSnapshots.frame`; without a row where there is no such group.

    Raises
    ------
    ModelError
        Where no snapshot is mature.
    """
    mature = find_mature_snapshots(view, dates, observed_until=observed_until)
    later = mature.of_later_groups(since, view.history)
    return _labelled_frame(view, mature.at(mature.sample(later, view.history, most=most)))


def scoring_snapshots(view: AsOfView, as_of: int) -> Iterator[pd.DataFrame]:
    """Yield the features of the leads that are in the population at an instant, in the order of their ids."""
    for block in view.history.blocks():
        for snapshots in population_snapshots(view, block, np.array([as_of]), for_training=False):
            yield _feature_frame(view, block, snapshots).drop(columns=LEAD)


def compute_features(view: AsOfView, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return ``lead``, ``as_of`` and the fields of some snapshots of the leads of a block.

    Parameters
    ----------
    view
        The leads and how their snapshots are computed.
    block
        The leads of the snapshots.
    pairs
        ``lead`` and ``as_of`` of each snapshot.
    """
    snapshots = pa.table({name: pairs[name].to_numpy() for name in (LEAD, AS_OF)})
    weights = pa.table({name: pa.array(values, pa.int64()) for name, values in weight_columns(view.plan).items()})
    lazy = (view.engine.lazy(table) for table in (snapshots, block.states, block.activities, weights))
    table = features(*lazy, plan=view.plan).collect("pyarrow").to_native()
    columns: dict[str, NDArray[Any]] = {name: table[name].to_numpy() for name in (LEAD, AS_OF)}
    inner = {column.field.name: column.inner for column in activity_columns(view.plan)}
    inner |= {name: attribute_name(at) for at, name in enumerate(f.name for f in view.fields if f.source != "activity")}
    for field in view.fields:
        column = table[inner[field.name]]
        if field.kind == "category":
            columns[field.name] = np.array(column.to_pylist(), dtype=object)
        else:
            columns[field.name] = column.cast(pa.float64()).to_numpy()
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


def _labelled_frame(view: AsOfView, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the features and labels of some mature snapshots, by lead and instant."""
    frames: list[pd.DataFrame] = []
    for block in view.history.blocks():
        in_block = pairs[(pairs[LEAD] >= block.first) & (pairs[LEAD] < block.stop)]
        if len(in_block) or not frames:  # one frame without rows has the columns
            frames.append(_feature_frame(view, block, in_block))
    frame = pd.concat([each for each in frames if len(each)] or frames[:1], ignore_index=True)
    return frame.merge(pairs, on=[LEAD, AS_OF], how="left", validate="one_to_one").drop(columns=LEAD)


def _feature_frame(view: AsOfView, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the features with the id, the group and the creation of each lead."""
    frame = compute_features(view, block, pairs)
    lead = frame[LEAD].to_numpy()
    frame.insert(0, LEAD_ID, view.history.lead_ids[lead])
    frame.insert(1, SPLIT_KEY, view.history.split_keys[lead])
    frame.insert(2, CREATED_AT, view.history.created_at[lead])
    return frame.assign(**{name: values[lead] for name, values in view.history.kept.items()})
