"""The past of a project played as if it were live."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.reviews import LATER, flat_project, let_outcomes_in, stream
from tests.stores import silent

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.replay import Replayed, replay
from leadml.review.replay.policies import POLICIES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of leads of six months; from the middle on the odds of all of them are 1.6 times as high."""
    project = flat_project(tmp_path_factory.mktemp("replay") / "project")
    let_outcomes_in(project, stream(drift="odds", drift_day=40).days(110, seed=3))
    return project


def _played(project: Places, *overrides: str, since: str | None = None) -> Replayed:
    opened = Places.open(project.root / "params.yaml", overrides)
    return replay(opened, since=since, now=LATER, progress=silent)


@pytest.fixture(scope="module")
def played(drifting: Places) -> Replayed:
    """Return its replay."""
    return _played(drifting)


def test_every_policy_has_every_month(played: Replayed) -> None:
    """From the first month that begins with enough known outcomes."""
    assert played.figures["policy"].tolist() == list(POLICIES)
    months = played.periods.groupby("policy")["period"].apply(list)
    assert all(each == ["2024-12", "2025-01", "2025-02", "2025-03", "2025-04"] for each in months)
    leads = played.periods.groupby("policy")["leads"].sum()
    assert set(leads) == {leads["loop"]}
    assert f"{leads['loop']:,} predictions from 2024-12 to 2025-04, outcomes known by day" in played.line


def test_where_the_level_moves_the_loop_follows(played: Replayed) -> None:
    """It is better than one model for good, and no worse than a model a month."""
    loss = played.figures.set_index("policy")["log_loss"]
    assert loss["oracle"] < loss["loop"] < loss["once"]
    assert loss["loop"] < loss["refit"]


def test_nothing_later_is_read(drifting: Places, played: Replayed, tmp_path: Path) -> None:
    """Without the last month the months before it have the same figures."""
    frame = pd.read_csv(drifting.root / "leads.csv")
    (tmp_path / "params.yaml").write_bytes((drifting.root / "params.yaml").read_bytes())
    frame[frame["created_at"] < "2025-04"].to_csv(tmp_path / "leads.csv", index=False)
    shorter = replay(Places.open(tmp_path / "params.yaml"), since=None, now=LATER, progress=silent)
    before = played.periods[played.periods["period"] < "2025-04"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shorter.periods, before)


def test_outcomes_that_are_known_later_help_less(drifting: Places) -> None:
    """A month of waiting, or the end of the month, is worse than the same day."""

    def loss(*overrides: str) -> float:
        figures = _played(drifting, *overrides, since="2025-03").figures
        return float(figures.set_index("policy").loc["loop", "log_loss"])

    at_once = loss()
    assert at_once < loss("review.replay.labels=month")
    assert at_once < loss("review.replay.matures_after=30")


def test_a_replay_begins_where_one_asks_for(drifting: Places) -> None:
    """But not where nothing is known."""
    assert _played(drifting, since="2025-04").periods["period"].unique().tolist() == ["2025-04"]
    for since in ("2024-01", "2026-01", "never"):
        with pytest.raises(LeadmlError, match=r"since \(--since\) must be a month .* 2024-11 to 2025-04, got"):
            _played(drifting, since=since)
    with pytest.raises(LeadmlError, match="that begins with 90,000 known outcomes and 120 conversions"):
        _played(drifting, "limits.min_leads=90000")


def test_a_replay_is_shown_and_stored(played: Replayed) -> None:
    """As a table with a row for each policy, and as JSON."""
    table = played.table()
    assert [row[0] for row in table.rows] == list(POLICIES)
    assert table.rows[2][-1].endswith(" of 5")
    stored = json.loads(json.dumps(played.to_json()))
    assert len(stored["periods"]) == 5 * len(POLICIES)
    assert repr(played) == f"<{played.line}>"
    assert "<table>" in played._repr_html_()


def test_leads_without_dates_have_no_past(trained_project: tuple[Places, object]) -> None:
    """The message names the key."""
    with pytest.raises(LeadmlError, match=r"data.created_at must name the date of leads"):
        replay(trained_project[0], since=None, now=LATER, progress=silent)


def test_dated_leads_have_one(make_dated_project: object, tmp_path: Path) -> None:
    """Their horizons say when outcomes were known."""
    project = make_dated_project(tmp_path / "p", "snapshots.every=28")  # type: ignore[operator]
    found = replay(project, since=None, now=LATER, progress=silent)
    assert found.periods["leads"].min() > 0
    assert found.figures["log_loss"].between(0, 1).all()
