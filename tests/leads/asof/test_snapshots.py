"""Snapshots: at which instants, of which leads, with which label, and that training and scoring compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dated import crm, day, instants, micros, open_view, small, small_tables, write_tables

from leadml.leads.asof.snapshots import (
    TrainingSnapshots,
    later_snapshots,
    scoring_snapshots,
    snapshot_dates,
    training_snapshots,
)
from leadml.leads.asof.view import AsOfView
from leadml.leads.check.activity_plan import DAY
from leadml.params import SnapshotParams, SplitParams

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DATES = np.array([day(number) for number in range(7, 240, 7)])
UNTIL = day(240)
EVERYTHING = 10**9


@given(
    zone=st.sampled_from(ZONES),
    weekday=st.sampled_from(WEEKDAYS),
    every=st.integers(1, 40),
    first=st.integers(0, 2 * 10**15),
    days=st.integers(0, 900),
)
def test_dates_are_at_midnight_of_the_zone_from_the_first_such_weekday(
    zone: str, weekday: str, every: int, first: int, days: int
) -> None:
    """Each date is so many days after the one before, none is outside the bounds, and none that fits is left out."""
    last = first + days * DAY
    found = snapshot_dates(first, last, SnapshotParams(every=every, weekday=weekday), timezone=zone)
    local = [pd.Timestamp(int(at), unit="us", tz="UTC").tz_convert(ZoneInfo(zone)) for at in found]

    assert all(first <= at <= last for at in found)
    assert all(at.hour in {0, 1} and (at.minute, at.second) == (0, 0) for at in local)
    gaps = {(later.date() - early.date()).days for early, later in pairwise(local)}
    assert gaps <= {every}
    if local:
        opening = pd.Timestamp(first, unit="us", tz="UTC").tz_convert(ZoneInfo(zone)).date()
        due = opening + pd.Timedelta(days=(WEEKDAYS.index(weekday) - opening.weekday()) % 7)
        assert (local[0].date() - due).days in {0, every}
        assert last - found[-1] < every * DAY + 3_600_000_000
        assert found[0] - first <= (7 + every) * DAY
    elif days > 7 + every:
        pytest.fail("a calendar of so many days must have a date")


def test_a_calendar_of_weeks_keeps_its_weekday_over_changes_of_the_clock() -> None:
    """In Berlin all dates of a year are Wednesdays at midnight; two of the weeks have an hour less or more."""
    choices = SnapshotParams(every=7, weekday="wednesday")
    found = snapshot_dates(day(0), day(366), choices, timezone="Europe/Berlin")
    local = pd.to_datetime(found, unit="us", utc=True).tz_convert("Europe/Berlin")

    assert set(local.strftime("%a %H:%M")) == {"Wed 00:00"}
    assert len(found) == 53
    assert sorted({int(gap) for gap in np.diff(found) // 3_600_000_000}) == [167, 168, 169]


def test_a_calendar_that_ends_before_it_begins_is_empty() -> None:
    """There is no date and no refusal here; the caller says what is missing."""
    assert snapshot_dates(day(10), day(0), SnapshotParams(), timezone=None).tolist() == []


@pytest.fixture(scope="module")
def view(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of the simulated leads; the target is mql."""
    with open_view(tmp_path_factory.mktemp("view"), _choices(simulated_crm), target="mql") as opened:
        yield opened


@pytest.fixture(scope="module")
def training(view: AsOfView) -> TrainingSnapshots:
    """Return the training snapshots of the simulated leads."""
    return _training(view)


def _choices(simulated: Path, **changed: Any) -> dict[str, Any]:
    sources = {name: {**some, "path": str(simulated / some["path"])} for name, some in crm()["sources"].items()}
    return crm(sources=sources, **changed)


def _training(
    view: AsOfView, *, until: int = UNTIL, most: int = EVERYTHING, seed: int = 0, dates: Any = DATES
) -> TrainingSnapshots:
    return training_snapshots(view, dates, observed_until=until, most=most, split=SplitParams(folds=3, seed=seed))


def _population(folder: Path, as_of: int, *, horizon: int, settling: int) -> dict[str, tuple[bool, bool, bool]]:
    """Return whether each lead had reached mql, is known to have, and converts in time; open leads only, by hand."""
    leads = pd.read_parquet(folder / "leads.parquet").groupby("lead_id")["created_at"].min()
    outcomes = pd.read_parquet(folder / "outcomes.parquet")
    clocks = (micros(outcomes[name]).tolist() for name in ("occurred_at", "recorded_at"))
    rows: dict[str, list[tuple[int, int, str]]] = {}
    for lead, *row in zip(outcomes["lead_id"], *clocks, outcomes["outcome"], strict=True):
        rows.setdefault(lead, []).append((row[0], row[1], row[2]))
    funnel = {"mql", "sal", "sql", "opportunity", "customer", "evangelist"}
    ends = as_of + horizon * DAY
    found = {}
    for lead, created in zip(leads.index, micros(leads).tolist(), strict=True):
        own = rows.get(lead, [])
        known = [(occurred, name) for occurred, recorded, name in own if occurred < as_of and recorded <= as_of]
        if created >= as_of or (known and max(known)[1] in {"lost", "rejected", "churned"}):
            continue
        reaching = [(occurred, recorded) for occurred, recorded, name in own if name in funnel]
        found[lead] = (
            any(occurred < as_of for occurred, _ in reaching),
            any(occurred < as_of and recorded <= as_of for occurred, recorded in reaching),
            any(as_of <= occurred < ends and recorded <= ends + settling * DAY for occurred, recorded in reaching),
        )
    return found


def test_dates_before_the_first_lead_change_nothing(view: AsOfView, training: TrainingSnapshots) -> None:
    """70,000 such dates give the same frame."""
    before = view.history.created_at.min() - DAY * np.arange(70_000, 0, -1)

    pd.testing.assert_frame_equal(_training(view, dates=np.concatenate([before, DATES])).frame, training.frame)


@pytest.mark.parametrize("number", [35, 154])
def test_populations_and_labels_are_what_a_plain_loop_finds(
    view: AsOfView, training: TrainingSnapshots, simulated_crm: Path, number: int
) -> None:
    """Scoring has open leads not known to have reached the target, training those that had not reached it."""
    as_of = day(number)
    by_hand = _population(simulated_crm, as_of, horizon=30, settling=7)
    scored = pd.concat(list(scoring_snapshots(view, as_of)))
    at_date = training.frame[training.frame["as_of"] == as_of]
    labels = dict(zip(at_date["lead_id"], at_date["converted"], strict=True))

    assert sorted(scored["lead_id"]) == sorted(lead for lead, (_, known, _) in by_hand.items() if not known)
    assert labels == {lead: by_hand[lead][2] for lead in labels}
    open_leads = {lead for lead, (reached, _, _) in by_hand.items() if not reached}
    assert set(labels) <= open_leads
    if as_of >= training.holdout.since:
        assert len(labels) == pytest.approx(0.25 * len(open_leads), rel=0.4)


@pytest.mark.slow
def test_training_and_scoring_compute_the_same_features(view: AsOfView, training: TrainingSnapshots) -> None:
    """A training snapshot has the features that scoring computes of its lead at its instant, to the bit."""
    fields = [field.name for field in view.fields]
    compared = 0
    for as_of, part in list(training.frame.groupby("as_of"))[::3]:
        scored = pd.concat(list(scoring_snapshots(view, int(as_of)))).set_index("lead_id")
        expected = scored.loc[part["lead_id"], fields].reset_index()
        pd.testing.assert_frame_equal(expected, part[["lead_id", *fields]].reset_index(drop=True), check_exact=True)
        compared += len(part)

    assert compared > 1000


def test_no_snapshot_is_immature_and_none_comes_after_the_target(
    view: AsOfView, training: TrainingSnapshots, simulated_crm: Path
) -> None:
    """Horizon and settling have passed by the end of what was observed, and the target is reached later or never."""
    frame = training.frame
    outcomes = pd.read_parquet(simulated_crm / "outcomes.parquet")
    reaching = outcomes[outcomes["outcome"].isin({"mql", "sal", "sql", "opportunity", "customer", "evangelist"})]
    first = reaching.groupby("lead_id")["occurred_at"].min().reindex(frame["lead_id"])

    assert (frame["mature_at"] == frame["as_of"] + 37 * DAY).all()
    assert (frame["mature_at"] <= UNTIL).all()
    assert not (first.to_numpy() < instants(frame["as_of"]).to_numpy()).any()
    assert training.counts["immature"] > 0
    assert frame["lead_id"].value_counts().max() > 5


def test_rows_are_in_the_order_of_id_and_instant_each_once(training: TrainingSnapshots) -> None:
    """No pair of lead and instant is there twice."""
    frame = training.frame

    assert frame[["lead_id", "as_of"]].equals(frame[["lead_id", "as_of"]].sort_values(["lead_id", "as_of"]))
    assert not frame.duplicated(["lead_id", "as_of"]).any()
    assert len(frame) == training.counts["drawn"] <= training.counts["usable"] < training.counts["mature"]


def test_no_group_is_in_both_parts_and_all_labels_were_known(training: TrainingSnapshots) -> None:
    """The holdout begins at one instant; all snapshots to fit on were mature by then."""
    frame, holdout = training.frame, training.holdout
    learn, held_out = frame[holdout.learnable(frame)], frame[holdout.mask(frame)]

    assert len(learn) + len(held_out) == len(frame)
    assert not set(learn["split_key"]) & set(held_out["split_key"])
    assert not set(learn["lead_id"]) & set(held_out["lead_id"])
    assert learn["mature_at"].max() <= holdout.since <= held_out["as_of"].min()


def test_an_earlier_end_of_observation_leaves_out_more_and_changes_no_label(
    view: AsOfView, training: TrainingSnapshots
) -> None:
    """Snapshots that were mature earlier have the label that they had then."""
    earlier = _training(view, until=day(200))
    both = earlier.frame.merge(training.frame, on=["lead_id", "as_of"], suffixes=("", "_later"))

    assert earlier.counts["mature"] < training.counts["mature"]
    assert (
        earlier.counts["mature"] + earlier.counts["immature"] == training.counts["mature"] + training.counts["immature"]
    )
    assert (both["converted"] == both["converted_later"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("most", [1000, 2000])
def test_of_many_snapshots_a_limited_number_is_drawn_and_always_the_same(
    view: AsOfView, training: TrainingSnapshots, most: int
) -> None:
    """At most so many to fit on and a third as many held out; a higher limit adds snapshots and removes none."""
    drawn = _training(view, most=most).frame
    held_out = training.holdout.mask(drawn)
    pairs, more = (
        set(zip(frame["lead_id"], frame["as_of"], strict=True))
        for frame in (drawn, _training(view, most=2 * most).frame)
    )

    assert (int((~held_out).sum()), int(held_out.sum())) == (most, most // 3)
    assert pairs < more <= set(zip(training.frame["lead_id"], training.frame["as_of"], strict=True))


@pytest.mark.parametrize(("block", "at_once"), [(7, 50), (700, 10**6)])
def test_blocks_change_no_bit(simulated_crm: Path, tmp_path: Path, view: AsOfView, block: int, at_once: int) -> None:
    """Leads in many small blocks, and pairs in many small batches, give the frames of one block and one batch."""
    leads = pd.read_parquet(simulated_crm / "leads.parquet")
    few = leads[leads["lead_id"] < ("L00000030" if block == 7 else "L00001500")]
    write_tables(tmp_path, leads=few)
    choices = _choices(simulated_crm)
    choices["sources"]["leads"] = {**choices["sources"]["leads"], "path": "leads.parquet"}

    def frames(**settings: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        with open_view(tmp_path, choices, target="mql", **settings) as opened:
            some = replace(opened, max_pairs=at_once) if settings else opened
            dates = DATES[: 10 if block == 7 else 20]
            frame = _training(some, dates=dates).frame
            return frame, pd.concat(list(scoring_snapshots(some, day(150))), ignore_index=True)

    whole = frames()
    for one, other in zip(frames(block_leads=block), whole, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


LEADS = [("a", 0, 1.0), ("b", 1, 2.0), ("c", 40, 3.0)]
VISITS = [("a", 3, "visit"), ("b", 5, "demo")]
OUTCOMES = [("a", 10, "customer"), ("b", 50, "lost")]


@pytest.mark.slow
def test_a_lead_that_is_too_old_has_no_snapshot(tmp_path: Path) -> None:
    """A lead older than params allow is not scored."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, []))
    for oldest, left in ((None, ["a", "b", "c"]), (41, ["b", "c"]), (30, ["c"])):
        choices = small(snapshots={"oldest": oldest} if oldest else {})
        with open_view(tmp_path, choices) as view:
            frame = pd.concat(list(scoring_snapshots(view, day(41.5))))
            assert frame["lead_id"].tolist() == left


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "left"),
    [
        ({"outcome": "customer", "horizon": 30}, ["b"]),
        ({"outcome": "customer", "horizon": 30, "again": True}, ["a", "b"]),
        ({"outcome": "churned", "horizon": 30, "population": "customers"}, ["a"]),
        ({"outcome": "lost", "horizon": 30}, ["a", "b"]),
    ],
)
def test_the_target_decides_which_leads_are_scored(tmp_path: Path, target: dict[str, Any], left: list[str]) -> None:
    """Open leads that have not reached it, all open leads where it may be reached again, or customers."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, OUTCOMES))
    with open_view(tmp_path, small(targets={"won": target})) as view:
        frame = pd.concat(list(scoring_snapshots(view, day(30))))

    assert frame["lead_id"].tolist() == left


@pytest.mark.slow
def test_an_outcome_recorded_late_leaves_its_lead_in_scoring_and_out_of_training(tmp_path: Path) -> None:
    """Until it is recorded nobody knows it, so the lead is scored; training knows that the lead was not open."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["outcomes"]["recorded_at"] = instants([day(25), day(50)])
    write_tables(tmp_path, **made)
    choices = small()
    choices["sources"]["outcomes"] = {**choices["sources"]["outcomes"], "recorded_at": "recorded_at"}
    dates = np.array([day(number) for number in range(2, 60)])
    with open_view(tmp_path, choices) as view:
        scored = {
            number: [lead for frame in scoring_snapshots(view, day(number)) for lead in frame["lead_id"]]
            for number in (9, 20, 24.99, 25, 26)
        }
        training = training_snapshots(view, dates, observed_until=day(200), most=10**6, split=SplitParams())

    assert {number: "a" in leads for number, leads in scored.items()} == {
        9: True, 20: True, 24.99: True, 25: False, 26: False,
    }  # fmt: skip
    assert training.frame.loc[training.frame["lead_id"] == "a", "as_of"].max() <= day(10)


@pytest.mark.slow
def test_a_lead_that_was_not_recorded_yet_is_not_counted_as_drawn(tmp_path: Path) -> None:
    """Leads that are recorded after an instant have no snapshot then, so no count of snapshots includes them."""
    made = small_tables([(f"L{at}", at % 5, 1.0) for at in range(60)], VISITS, [("L1", 60, "customer")])
    made["leads"]["recorded_at"] = instants([day(20 if at % 2 else 0) for at in range(60)])
    write_tables(tmp_path, **made)
    choices = small()
    choices["sources"]["leads"] = {**choices["sources"]["leads"], "recorded_at": "recorded_at"}
    dates = np.array([day(number) for number in range(6, 90, 3)])
    with open_view(tmp_path, choices) as view:
        training = training_snapshots(view, dates, observed_until=day(200), most=10**6, split=SplitParams())
        scored = [lead for frame in scoring_snapshots(view, day(9)) for lead in frame["lead_id"]]

    assert len(scored) == 30
    assert training.counts["drawn"] == len(training.frame)


@pytest.mark.parametrize("since", [0, day(120), day(180), UNTIL])
def test_later_snapshots_are_of_groups_of_which_no_label_was_known(
    view: AsOfView, training: TrainingSnapshots, since: int
) -> None:
    """All mature snapshots of such groups, and with the features that training has."""
    all_of_them = later_snapshots(view, DATES, since=-1, observed_until=UNTIL, most=EVERYTHING)
    found = later_snapshots(view, DATES, since=since, observed_until=UNTIL, most=EVERYTHING)
    first = all_of_them.groupby("split_key")["mature_at"].transform("min")
    known = dict(zip(view.history.lead_ids, view.history.known_since + view.target.maturity, strict=True))
    by_group = pd.Series(list(known.values())).groupby(view.history.split_keys).min()
    is_later = (first > since) & (all_of_them["split_key"].map(by_group) > since)

    assert len(all_of_them) > len(training.frame)
    assert found.columns.tolist() == training.frame.columns.tolist()
    expected = all_of_them.loc[is_later, ["lead_id", "as_of"]]
    assert found[["lead_id", "as_of"]].to_numpy().tolist() == expected.to_numpy().tolist()
    same = training.frame.merge(found[["lead_id", "as_of"]], on=["lead_id", "as_of"])
    both = found.merge(training.frame[["lead_id", "as_of"]], on=["lead_id", "as_of"])
    if len(both):
        pd.testing.assert_frame_equal(both, same)
    assert (since == UNTIL) == found.empty


def test_of_many_later_snapshots_a_limited_number_is_drawn(view: AsOfView) -> None:
    """Always the same."""
    few = [later_snapshots(view, DATES, since=day(100), observed_until=UNTIL, most=50) for _ in range(2)]
    assert len(few[0]) == 50
    pd.testing.assert_frame_equal(*few)
