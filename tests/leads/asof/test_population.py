"""Which snapshots there are: the population at each date, those whose label is known, and those of each part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import crm, day, instants, open_view, small, small_tables, write_tables

from leadml.errors import ModelError
from leadml.leads.asof.population import MatureSnapshots, find_mature_snapshots, population_snapshots
from leadml.leads.asof.view import AsOfView
from leadml.params import SplitParams

DATES = np.array([day(number) for number in range(7, 240, 7)])
UNTIL = day(200)
LEADS = [("a", 0, 1.0), ("b", 1, 2.0), ("c", 40, 3.0)]
VISITS = [("a", 3, "visit"), ("b", 5, "demo")]
OUTCOMES = [("a", 10, "customer"), ("b", 50, "lost")]


@pytest.fixture(scope="module")
def view(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsOfView]:
    """Return a view of the simulated leads; the target is mql."""
    sources = {name: {**some, "path": str(simulated_crm / some["path"])} for name, some in crm()["sources"].items()}
    with open_view(tmp_path_factory.mktemp("view"), crm(sources=sources), target="mql") as opened:
        yield opened


@pytest.fixture(scope="module")
def mature(view: AsOfView) -> MatureSnapshots:
    """Return the mature snapshots of the simulated leads."""
    return find_mature_snapshots(view, DATES, observed_until=UNTIL)


def _population(view: AsOfView, dates: Any, *, for_training: bool) -> pd.DataFrame:
    """Return the snapshots of all leads."""
    parts = [
        part
        for block in view.history.blocks()
        for part in population_snapshots(view, block, np.array(dates), for_training=for_training)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["lead", "as_of"])


def _days_of(folder: Path, choices: dict[str, Any], *, for_training: bool, numbers: Any) -> dict[str, list[int]]:
    """Return the days at which each lead of some small tables is in the population."""
    with open_view(folder, choices) as view:
        found = _population(view, [day(number) for number in numbers], for_training=for_training)
        ids = view.history.lead_ids
    days = (found["as_of"] - day(0)) // (day(1) - day(0))
    return {lead: days[found["lead"] == number].tolist() for number, lead in enumerate(ids)}


def test_mature_snapshots_are_those_of_the_population_whose_label_is_due(
    view: AsOfView, mature: MatureSnapshots
) -> None:
    """In the order of lead and instant, with the label of the population; the others are counted as immature."""
    population = _population(view, DATES, for_training=True)
    is_due = population["as_of"] + view.target.maturity <= UNTIL
    found = mature.at(np.arange(len(mature.lead)))

    assert found[["lead", "as_of", "converted"]].to_numpy().tolist() == (
        population.loc[is_due, ["lead", "as_of", "converted"]].to_numpy().tolist()
    )
    assert (found["mature_at"] == found["as_of"] + view.target.maturity).all()
    assert mature.counts == {
        "mature": is_due.sum(),
        "converted": found["converted"].sum(),
        "late": (population["late"] * (population["converted"] == 0))[is_due].sum(),
        "immature": (~is_due).sum(),
    }
    assert min(mature.counts["converted"], mature.counts["immature"]) > 0


def test_a_lead_is_in_the_population_from_its_creation_until_it_reaches_the_target(tmp_path: Path) -> None:
    """A lead is known after the instant at which it was created, and a lost lead is in it no more."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, OUTCOMES))
    days = _days_of(tmp_path, small(), for_training=False, numbers=range(0, 60, 5))

    assert days == {"a": [5, 10], "b": list(range(5, 55, 5)), "c": [45, 50, 55]}


def test_training_leaves_out_what_nobody_knew_at_the_instant(tmp_path: Path) -> None:
    """Scoring cannot know an outcome that is recorded later; training never learns from leads that had reached it."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["outcomes"]["recorded_at"] = instants([day(25), day(50)])
    write_tables(tmp_path, **made)
    choices = small()
    choices["sources"]["outcomes"]["recorded_at"] = "recorded_at"

    assert _days_of(tmp_path, choices, for_training=False, numbers=range(5, 40, 5))["a"] == [5, 10, 15, 20]
    assert _days_of(tmp_path, choices, for_training=True, numbers=range(5, 40, 5))["a"] == [5, 10]


@pytest.mark.slow
@pytest.mark.parametrize(("oldest", "last"), [(None, 49), (20, 21), (1, 2)])
def test_an_old_lead_leaves_the_population(tmp_path: Path, oldest: int | None, last: int) -> None:
    """On the last day it is as old as params allow."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, OUTCOMES))
    choices = small(snapshots={"oldest": oldest} if oldest else {})
    for for_training in (True, False):
        days = _days_of(tmp_path, choices, for_training=for_training, numbers=range(50))["b"]
        assert days == list(range(2, last + 1))


def test_a_target_that_can_be_reached_again_keeps_its_leads(tmp_path: Path) -> None:
    """Each snapshot has the label of its own horizon."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, [*OUTCOMES, ("a", 80, "customer")]))
    choices = small(targets={"won": {"outcome": "customer", "horizon": 30, "again": True}})
    with open_view(tmp_path, choices) as view:
        found = _population(view, [day(number) for number in (5, 20, 60, 85)], for_training=True)

    assert found.loc[found["lead"] == 0, "converted"].tolist() == [1, 0, 1, 0]


def test_the_parts_are_those_of_the_rule_of_the_holdout(view: AsOfView, mature: MatureSnapshots) -> None:
    """The rule divides frames of these snapshots in the same way, and no group is in both parts."""
    holdout = mature.holdout(SplitParams(seed=3))
    learn, held_out = mature.parts(holdout, view.history)
    frame = mature.at(np.arange(len(mature.lead)))
    frame["split_key"] = view.history.split_keys[frame["lead"]]
    learnable, masked = (mature.at(positions) for positions in (learn, held_out))

    pd.testing.assert_frame_equal(
        learnable, frame.loc[holdout.learnable(frame)].drop(columns="split_key").reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(
        masked, frame.loc[holdout.mask(frame)].drop(columns="split_key").reset_index(drop=True)
    )
    assert not set(view.history.split_keys[mature.lead[learn]]) & set(view.history.split_keys[mature.lead[held_out]])
    assert learnable["mature_at"].max() <= holdout.since <= masked["as_of"].min()


def test_a_sample_has_the_same_snapshots_whatever_their_order(view: AsOfView, mature: MatureSnapshots) -> None:
    """A larger sample has all of a smaller one, and where there are no more all are taken."""
    positions = np.arange(len(mature.lead))
    shuffled = np.random.default_rng(0).permutation(positions)
    samples = [set(mature.sample(positions, view.history, most=most).tolist()) for most in (1, 50, 500)]

    assert [len(sample) for sample in samples] == [1, 50, 500]
    assert samples[0] < samples[1] < samples[2]
    assert set(mature.sample(shuffled, view.history, most=50).tolist()) == samples[1]
    assert mature.sample(shuffled, view.history, most=len(positions)).tolist() == shuffled.tolist()


def test_a_sample_is_drawn_of_all_dates_and_leads_alike(view: AsOfView, mature: MatureSnapshots) -> None:
    """Half of the snapshots have about half of each date."""
    sample = mature.sample(np.arange(len(mature.lead)), view.history, most=len(mature.lead) // 2)
    whole, half = (np.bincount(index, minlength=len(DATES)) for index in (mature.date_index, mature.date_index[sample]))
    many = whole >= 100

    assert many.sum() > 10
    assert np.abs(half[many] / whole[many] - 0.5).max() < 0.2
    assert abs(mature.label[sample].mean() - mature.label.mean()) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dates", "until", "message"),
    [
        (
            [],
            100,
            (
                r"a snapshot must be 30 \+ 0 days \(horizon \+ settling\) before the end of what was observed to have "
                "a label, got none; shorten"
            ),
        ),
        ([90], 100, "got none; shorten the target's horizon or bring longer tables"),
        ([0], 100, "got none; shorten the target's horizon"),
        ([9], 100, "the newest 25% of the leads must be newer than others"),
    ],
)
def test_training_is_refused_where_no_snapshot_has_a_label(
    tmp_path: Path, dates: list[float], until: float, message: str
) -> None:
    """No date, none after a lead was created, none that is mature, or all on one day: the message says which."""
    write_tables(tmp_path, **small_tables(LEADS, VISITS, OUTCOMES))
    instants_of = np.array([day(number) for number in dates], dtype=np.int64)
    with open_view(tmp_path, small()) as view, pytest.raises(ModelError, match=message):
        find_mature_snapshots(view, instants_of, observed_until=day(until)).holdout(SplitParams())


@pytest.mark.parametrize("leads", [3, 400])
def test_training_is_refused_where_nothing_is_left_to_fit_on(tmp_path: Path, leads: int) -> None:
    """A horizon as long as the data leaves no snapshot whose label was known when the holdout begins."""
    random = np.random.default_rng(1)
    rows = [(f"L{number:03}", float(random.uniform(0, 10)), 1.0) for number in range(leads)]
    write_tables(tmp_path, **small_tables(rows, [(rows[0][0], 11, "visit")], [(rows[1][0], 12, "customer")]))
    dates = np.array([day(number) for number in (5, 8, 11, 14)])
    with open_view(tmp_path, small()) as view:
        mature = find_mature_snapshots(view, dates, observed_until=day(200))
        holdout = mature.holdout(SplitParams())
        with pytest.raises(ModelError, match=r"there must be snapshots to fit on and to hold out, got \d+ and \d+ of"):
            mature.parts(holdout, view.history)
