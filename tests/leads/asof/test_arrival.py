"""Leads that get one snapshot: the day of it, in training and scoring."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dated import day, open_view, small, small_tables, write_tables

from leadml.leads.asof.arrival import day_before
from leadml.leads.asof.population import population_snapshots
from leadml.leads.asof.snapshots import scoring_snapshots, snapshot_dates
from leadml.leads.check.activity_plan import DAY
from leadml.params import SnapshotParams

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")
HOUR = DAY // 24
# A lead each seven hours: over two weeks each hour of the day, midnight too, and the change of Berlin's clocks.
BEGIN = int(pd.Timestamp("2024-03-24", tz="UTC").timestamp() * 1e6)
LEADS = [(f"{number:02}", (BEGIN + 7 * number * HOUR - day(0)) / DAY, 1.0) for number in range(48)]


@given(zone=st.sampled_from(ZONES), at=st.integers(0, 2 * 10**15))
def test_the_day_before_begins_at_midnight_of_yesterday(zone: str, at: int) -> None:
    """On the clocks of the zone; of a midnight it is the midnight before."""
    before = pd.Timestamp(int(day_before(np.array([at]), zone)[0]), unit="us", tz="UTC").tz_convert(ZoneInfo(zone))
    today = pd.Timestamp(at, unit="us", tz="UTC").tz_convert(ZoneInfo(zone))

    assert (today.date() - before.date()).days == 1
    assert before.hour in {0, 1}  # in Sao Paulo clocks skipped midnight
    assert (before.minute, before.second, before.microsecond) == (0, 0, 0)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_each_lead_is_learnt_and_scored_once_at_the_first_midnight_after_it_came(
    tmp_path: Path, zone: str | None
) -> None:
    """Training and a scoring at each midnight take the same leads at the same instants, none twice and none never."""
    write_tables(tmp_path, **small_tables(LEADS, [], []))
    choices = SnapshotParams(every="once")
    dates = snapshot_dates(BEGIN, BEGIN + 20 * DAY, choices, timezone=zone)
    with open_view(tmp_path, small(snapshots={"every": "once"}, data={"timezone": zone})) as view:
        (block,) = view.history.blocks()
        learnt = pd.concat(population_snapshots(view, block, dates, for_training=True))
        ids, created = view.history.lead_ids, view.history.created_at
        scored = [(lead, at) for at in dates for frame in scoring_snapshots(view, int(at)) for lead in frame["lead_id"]]
    pairs = list(zip(ids[learnt["lead"]], learnt["as_of"], strict=True))

    assert sorted(scored) == sorted(pairs)
    assert Counter(lead for lead, _ in scored) == Counter(dict.fromkeys(ids, 1))
    first = {lead: dates[np.searchsorted(dates, at, side="right")] for lead, at in zip(ids, created, strict=True)}
    assert dict(scored) == first


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_a_scoring_a_day_misses_no_lead_at_any_hour(tmp_path: Path, hour: int) -> None:
    """Late in the day it also takes those of this day, which come again on the next, and none that is older."""
    write_tables(tmp_path, **small_tables(LEADS, [], []))
    with open_view(tmp_path, small(snapshots={"every": "once"}, data={"timezone": "Europe/Berlin"})) as view:
        created = dict(zip(view.history.lead_ids, view.history.created_at, strict=True))
        found = [
            (lead, at)
            for number in range(20)
            for at in [BEGIN + number * DAY + hour * HOUR]
            for frame in scoring_snapshots(view, at)
            for lead in frame["lead_id"]
        ]

    assert {lead for lead, _ in found} == set(created)
    assert max(at - created[lead] for lead, at in found) < 2 * DAY + HOUR  # a day of Berlin can have 25 hours
