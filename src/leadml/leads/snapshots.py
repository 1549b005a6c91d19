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

from leadml.errors import ModelError
from leadml.leads.features import AS_OF, LEAD, features, weight_columns
from leadml.leads.outcomes import label_snapshots, reaching
from leadml.leads.plan import DAY
from leadml.leads.schema import CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.split import plan_holdout
from leadml.leads.tables import BLOCK_LEADS, attribute_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.engine import Engine
    from leadml.leads.field import Field
    from leadml.leads.plan import ActivityPlan, Target
    from leadml.leads.split import Holdout
    from leadml.leads.tables import Block, Tables
    from leadml.params import SnapshotParams, SplitParams

    Integers = NDArray[np.int64]

PAIRS_AT_ONCE = 2_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class View:
    """How the leads of some tables are looked at.

    Parameters
    ----------
    tables
        The leads and what is known of them.
    target
        What is predicted.
    codes
        The whole number of each outcome.
    plan
        What is computed from activities.
    fields
        The fields of the frames.
    engine
        What computes.
    """

    tables: Tables
    target: Target
    codes: dict[str, int]
    plan: ActivityPlan
    fields: tuple[Field, ...]
    engine: Engine


@dataclass(frozen=True)
class Looked:
    """Snapshots to learn from and to judge by.

    Parameters
    ----------
    frame
        ``lead_id``, ``as_of``, ``mature_at`` and ``created_at`` (microseconds), ``split_key``, the fields and
        ``converted``, in the order of id and instant.
    holdout
        The rule that keeps some aside.
    counts
        ``mature`` snapshots, those that ``converted``, ``late`` ones (a conversion was recorded after the label was
        due), ``immature`` ones; ``usable`` ones on either side of the split, and those ``drawn`` of them.
    """

    frame: pd.DataFrame
    holdout: Holdout
    counts: dict[str, int]


def look_dates(first: int, last: int, choices: SnapshotParams, *, timezone: str | None) -> Integers:
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
    >>> from leadml.params import SnapshotParams
    >>> dates = look_dates(0, 20 * DAY, SnapshotParams(), timezone=None)
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


def training_snapshots(view: View, dates: Integers, *, observed_until: int, most: int, split: SplitParams) -> Looked:
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
        Where no look is mature.
    """
    counts = {"mature": 0, "converted": 0, "late": 0, "immature": 0}
    found: list[pd.DataFrame] = []
    for block in view.tables.blocks():
        for pairs in _open_pairs(view, block, dates, hindsight=True):
            looked = _looked_at(view, block, pairs)
            looked = looked[(looked["inside"] == 1) & (view.target.again | (looked["reached"] == 0))]
            mature = looked[AS_OF] + view.target.matures <= observed_until
            counts["mature"] += int(mature.sum())
            counts["immature"] += int((~mature).sum())
            counts["converted"] += int(looked[LABEL][mature].sum())
            counts["late"] += int(looked["late"][mature & (looked[LABEL] == 0)].sum())
            found.append(looked.loc[mature, [LEAD, AS_OF, LABEL]])
    pairs = pd.concat(found or [pd.DataFrame({LEAD: [], AS_OF: [], LABEL: []}, dtype=np.int64)], ignore_index=True)
    if pairs.empty:
        msg = (
            f"a look must be {view.target.horizon} + {view.target.settling} days before the end of what was observed "
            "to have a label, got none; shorten the target's horizon or bring longer tables"
        )
        raise ModelError(msg)
    pairs[MATURE_AT] = pairs[AS_OF] + view.target.matures
    holdout = plan_holdout(pairs, split)
    sides = _sides(pairs, holdout, view.tables)
    pairs = pd.concat(
        [_drawn(side, view.tables, share) for side, share in zip(sides, (most, most // 3), strict=True)],
    ).sort_values([LEAD, AS_OF], ignore_index=True)
    counts |= {"usable": sum(map(len, sides)), "drawn": len(pairs)}
    if not all(map(len, sides)):
        msg = (
            f"looks must be on both sides of the split, got {len(sides[0]):,} and {len(sides[1]):,} of "
            f"{counts['mature']:,} mature ones: between the sides lie {view.target.horizon} + {view.target.settling} "
            "days; shorten the horizon or bring longer tables"
        )
        raise ModelError(msg)
    frames = [
        _feature_frame(view, block, inside)
        for block in view.tables.blocks()
        if len(inside := _inside(pairs, block, view.tables))
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.merge(pairs, on=[LEAD, AS_OF], how="left", validate="one_to_one")
    return Looked(frame.drop(columns=LEAD), holdout, counts)


def scoring_snapshots(view: View, as_of: int) -> Iterator[pd.DataFrame]:
    """Yield the features of the leads that were in the population at an instant, block by block in the order of ids."""
    for block in view.tables.blocks():
        for pairs in _open_pairs(view, block, np.array([as_of]), hindsight=False):
            looked = _looked_at(view, block, pairs)
            inside = (looked["inside"] == 1) & (view.target.again | (looked["known_reached"] == 0))
            if inside.any():
                yield _feature_frame(view, block, looked.loc[inside, [LEAD, AS_OF]]).drop(columns=LEAD)


def compute_features(view: View, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
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


def _feature_frame(view: View, block: Block, pairs: pd.DataFrame) -> pd.DataFrame:
    frame = compute_features(view, block, pairs)
    lead = frame[LEAD].to_numpy()
    frame.insert(0, LEAD_ID, view.tables.lead_ids[lead])
    frame.insert(1, SPLIT_KEY, view.tables.split_keys[lead])
    frame.insert(2, CREATED_AT, view.tables.created_at[lead])
    return frame


def _open_pairs(view: View, block: Block, dates: Integers, *, hindsight: bool) -> Iterator[pa.Table]:
    """Yield each lead with the dates since it is known, with hindsight only up to its reaching what is reached once."""
    tables, target = view.tables, view.target
    lead = np.arange(block.first, min(block.first + BLOCK_LEADS, len(tables.lead_ids)))
    created = tables.created_at[lead]
    first = np.searchsorted(dates, tables.known_from[lead], side="left")
    last = np.full(len(lead), len(dates))
    if target.oldest is not None:
        last = np.searchsorted(dates, created + target.oldest * DAY, side="right")
    if hindsight and not target.again:
        hit = np.isin(block.outcomes["outcome"].to_numpy(), reaching(target, view.codes))
        reached = np.full(len(lead), np.iinfo(np.int64).max)
        whose = block.outcomes["lead"].to_numpy()[hit] - block.first
        np.minimum.at(reached, whose, block.outcomes["occurred_at"].to_numpy()[hit])
        last = np.minimum(last, np.searchsorted(dates, reached, side="right"))
    number = np.maximum(last - first, 0)
    for some in np.array_split(np.arange(len(lead)), max(-(-int(number.sum()) // PAIRS_AT_ONCE), 1)):
        size = number[some]
        if size.sum():
            offset = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            at = np.repeat(first[some], size) + offset
            yield pa.table({LEAD: np.repeat(lead[some], size), AS_OF: dates[at]})


def _looked_at(view: View, block: Block, pairs: pa.Table) -> pd.DataFrame:
    lazy = (view.engine.lazy(table) for table in (pairs, block.outcomes))
    labelled = label_snapshots(*lazy, target=view.target, codes=view.codes).sort(LEAD, AS_OF)
    frame: pd.DataFrame = labelled.collect("pyarrow").to_native().to_pandas()
    return frame


def _sides(pairs: pd.DataFrame, holdout: Holdout, tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs to learn from and those to judge by; a pair of neither side is left out."""
    leads = pd.DataFrame({LEAD_ID: tables.lead_ids, SPLIT_KEY: tables.split_keys})
    aside = holdout.aside(leads)[pairs[LEAD].to_numpy()]
    later = pairs[AS_OF].to_numpy() >= holdout.since
    timely = pairs[MATURE_AT].to_numpy() <= holdout.since
    return pairs[~aside & timely].reset_index(drop=True), pairs[aside & later].reset_index(drop=True)


def _drawn(pairs: pd.DataFrame, tables: Tables, most: int) -> pd.DataFrame:
    """Return the pairs with the smallest hashes of lead and date: the same ones whatever else there is."""
    if len(pairs) <= most:
        return pairs
    ids = pd.util.hash_array(tables.lead_ids, categorize=False)[pairs[LEAD].to_numpy()]
    mixed = pd.util.hash_array(ids ^ pairs[AS_OF].to_numpy().view(np.uint64), categorize=False)
    kept = np.argpartition(mixed, most)[:most]
    return pairs.iloc[np.sort(kept)].reset_index(drop=True)


def _inside(pairs: pd.DataFrame, block: Block, tables: Tables) -> pd.DataFrame:
    lead = pairs[LEAD].to_numpy()
    return pairs[(lead >= block.first) & (lead < min(block.first + BLOCK_LEADS, len(tables.lead_ids)))]
