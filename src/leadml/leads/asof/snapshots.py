"""Look at dated leads: in training at every date of the calendar while a lead is open, in scoring once.

What enters is blocks of leads, a target and dates; what leaves is frames of features, in training with mature labels.
It never looks at a lead after the target was reached, and never calls a lead negative whose horizon has not passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.leads.asof.features import AS_OF, LEAD, features, weight_columns
from leadml.leads.asof.history import BLOCK_LEADS, attribute_name
from leadml.leads.asof.population import find_mature_snapshots, population_snapshots
from leadml.leads.check.contract import CREATED_AT, LEAD_ID, SPLIT_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.asof.history import Block
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.split import Holdout
    from leadml.params import SnapshotParams, SplitParams
    from leadml.types import Integers


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class TrainingSnapshots:
    """Snapshots to learn from and to judge by.

    Parameters
    ----------
    frame
        ``lead_id``, ``as_of``, ``mature_at`` and ``created_at`` (microseconds), ``split_key``, the fields and
        ``converted``, in the order of id and instant.
    holdout
        The rule that keeps some aside.
    counts
        Those of `find_mature_snapshots`, and of ``mature`` ones those ``usable`` on either side of the split and
        ``drawn``.
    """

    frame: pd.DataFrame
    holdout: Holdout
    counts: dict[str, int]


def snapshot_dates(first: int, last: int, choices: SnapshotParams, *, timezone: str | None) -> Integers:
    """Return the instants of a calendar at which leads are looked at, microseconds.

    Parameters
    ----------
    first, last
        Nothing before the first and after the last, microseconds.
    choices
        Days between looks, and the day of the week of the first.
    timezone
        Zone whose midnight counts; UTC where it is None.

    Examples
    --------
    >>> from leadml.leads.check.activity_plan import DAY
    >>> from leadml.params import SnapshotParams
    >>> dates = snapshot_dates(0, 20 * DAY, SnapshotParams(), timezone=None)
    >>> pd.to_datetime(dates, unit="us").strftime("%a %d").tolist()
    ['Mon 05', 'Mon 12', 'Mon 19']
    """
    zone = timezone or "UTC"
    ends = pd.to_datetime([first, last], unit="us", utc=True).tz_convert(zone).tz_localize(None)
    start = ends[0].normalize()
    start += pd.Timedelta(days=(WEEKDAYS.index(choices.weekday) - start.weekday()) % 7)
    days = np.arange(0, max((ends[1] - start).days + 2, 0), choices.every)
    naive = pd.DatetimeIndex(start + pd.to_timedelta(days, unit="D"))
    local = naive.tz_localize(zone, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")
    instants = local.tz_convert("UTC").as_unit("us").asi8
    return instants[(instants >= first) & (instants <= last)]


def training_snapshots(
    view: AsOfView, dates: Integers, *, observed_until: int, most: int, split: SplitParams
) -> TrainingSnapshots:
    """Return the mature snapshots of a target that are on either side of the split.

    Parameters
    ----------
    view
        The leads and how they are looked at.
    dates
        When they are looked at, microseconds, rising.
    observed_until
        The end of what was observed, microseconds; a look whose label is due later is immature.
    most
        How many snapshots to learn from, and for a third as many to judge by; of more, those with the smallest
        hashes of lead and date.
    split
        How the sides are chosen.

    Raises
    ------
    ModelError
        Where no look is mature, or none is on one of the sides.
    """
    looks = find_mature_snapshots(view, dates, observed_until=observed_until)
    holdout = looks.plan_holdout(split)
    sides = looks.sides(holdout, view.history)
    chosen = [looks.draw(side, view.history, most=share) for side, share in zip(sides, (most, most // 3), strict=True)]
    pairs = looks.at(np.concatenate(chosen))
    frames = []
    for block in view.history.blocks():
        inside = pairs[(pairs[LEAD] >= block.first) & (pairs[LEAD] < block.first + BLOCK_LEADS)]
        if len(inside):
            frames.append(_feature_frame(view, block, inside))
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.merge(pairs, on=[LEAD, AS_OF], how="left", validate="one_to_one")
    return TrainingSnapshots(
        frame.drop(columns=LEAD), holdout, looks.counts | {"usable": sum(map(len, sides)), "drawn": len(pairs)}
    )


def scoring_snapshots(view: AsOfView, as_of: int) -> Iterator[pd.DataFrame]:
    """Yield the features of the leads that were in the population at an instant, block by block in the order of ids."""
    for block in view.history.blocks():
        for looked in population_snapshots(view, block, np.array([as_of]), hindsight=False):
            yield _feature_frame(view, block, looked).drop(columns=LEAD)


def compute_features(view: AsOfView, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return ``lead``, ``as_of`` and the fields of some looks at the leads of a block."""
    looks = pa.table({name: pairs[name].to_numpy() for name in (LEAD, AS_OF)})
    weights = pa.table({name: pa.array(values, pa.int64()) for name, values in weight_columns(view.plan).items()})
    lazy = (view.engine.lazy(table) for table in (looks, block.states, block.activities, weights))
    table = features(*lazy, plan=view.plan).collect("pyarrow").to_native()
    columns: dict[str, NDArray[Any]] = {name: table[name].to_numpy() for name in (LEAD, AS_OF)}
    inner = {field.name: name for name, field in view.plan.layout}
    inner |= {name: attribute_name(at) for at, name in enumerate(f.name for f in view.fields if f.source != "activity")}
    for field in view.fields:
        column = table[inner[field.name]]
        if field.kind == "category":
            columns[field.name] = np.array(column.to_pylist(), dtype=object)
        else:
            columns[field.name] = column.cast(pa.float64()).to_numpy()
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


def _feature_frame(view: AsOfView, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
    frame = compute_features(view, block, pairs)
    lead = frame[LEAD].to_numpy()
    frame.insert(0, LEAD_ID, view.history.lead_ids[lead])
    frame.insert(1, SPLIT_KEY, view.history.split_keys[lead])
    frame.insert(2, CREATED_AT, view.history.created_at[lead])
    return frame
