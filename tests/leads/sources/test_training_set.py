"""What a model learns from: flat leads as they are, dated ones as mature snapshots."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import NOW, day

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.leads.check.activity_plan import DAY
from leadml.leads.sources.settings import SingleSnapshot
from leadml.leads.sources.source import training_source
from leadml.leads.sources.training_set import TrainingSet


def gathered(project: Places) -> TrainingSet:
    """Return the training set of a project."""
    return training_source(project, project.target, now=NOW).training(progress=lambda _: None)


@pytest.fixture(scope="module")
def project(make_dated_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of dated leads; a test must not change it."""
    return make_dated_project(tmp_path_factory.mktemp("dated") / "p")


def _with(project: Places, **changed: str) -> Places:
    overrides = [f"{key.replace('__', '.')}={value}" for key, value in changed.items()]
    return Places.open(project.root / "params.yaml", overrides, target=project.target)


def test_flat_leads_are_the_file(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """All rows, each lead once, no findings of dates."""
    training = gathered(make_project(tmp_path / "flat"))

    assert len(training.frame) == 4521
    assert (training.facts.rows, training.facts.merged, training.facts.source) == (4521, 0, "bank.csv")
    assert (training.findings, training.settings) == ((), SingleSnapshot())
    assert training.frame["lead_id"].is_unique


def test_snapshots_begin_with_the_first_lead(project: Places) -> None:
    """Also where the first day of snapshots is long before it."""
    early, found = gathered(_with(project, snapshots__since="0001-01-01")), gathered(project)

    pd.testing.assert_frame_equal(early.frame, found.frame)
    assert early.findings == found.findings


def test_dated_leads_are_mature_snapshots(project: Places) -> None:
    """On Mondays from the first lead on, each labelled by what its horizon brought."""
    training = gathered(project)
    frame = training.frame

    assert set(pd.to_datetime(frame["as_of"], unit="us").dt.strftime("%a %H:%M")) == {"Mon 00:00"}
    assert training.facts.maturity.leads == frame["lead_id"].nunique()
    assert training.facts.rows == 2748
    assert training.facts.maturity.drawn == len(frame)
    assert {finding.code: finding.severity for finding in training.findings} == dict.fromkeys(
        ["DT1", "DT2", "DT4", "DT5", "DT6", "DT7"], "passed"
    )
    fields = [field.name for field in training.contract.fields]
    assert [name for name in frame.columns if name in fields] == fields
    assert set(frame.columns) - set(fields) == {
        "lead_id", "split_key", "created_at", "as_of", "mature_at", "converted",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "weekdays", "gap"),
    [
        ({"snapshots__every": "14", "snapshots__weekday": "friday"}, {"Fri"}, 14),
        ({"snapshots__every": "28"}, {"Mon"}, 28),
    ],
)
def test_the_calendar_is_that_of_params(project: Places, changed: dict[str, str], weekdays: set[str], gap: int) -> None:
    """Other days and other gaps give other snapshots."""
    dates = sorted(set(gathered(_with(project, **changed)).frame["as_of"]))

    assert {pd.Timestamp(at, unit="us").strftime("%a") for at in dates} == weekdays
    assert {(later - early) % (gap * DAY) for early, later in pairwise(dates)} == {0}


def test_snapshots_begin_where_params_say(project: Places) -> None:
    """At the first Monday from the day on."""
    frame = gathered(_with(project, snapshots__since="2024-03-06")).frame

    assert frame["as_of"].min() >= day(70)
    assert pd.Timestamp(frame["as_of"].min(), unit="us").strftime("%Y-%m-%d") == "2024-03-11"


def test_an_end_of_observation_that_params_name_is_kept_to(project: Places) -> None:
    """Snapshots whose label is due later are left out and counted."""
    whole, early = gathered(project), gathered(_with(project, sources__observed_until="2024-06-15T00:00:00Z"))

    assert early.facts.maturity.observed_until == "2024-06-15T00:00:00+00:00"
    assert early.frame["mature_at"].max() <= day(166)
    assert early.facts.maturity.mature < whole.facts.maturity.mature


def test_old_leads_are_left_alone_where_params_say_so(project: Places) -> None:
    """No snapshot of a lead beyond the age."""
    frame = gathered(_with(project, snapshots__oldest="40")).frame

    assert frame["lead_age"].max() < 40


@pytest.mark.parametrize("key", ["snapshots__since", "sources__observed_until"])
def test_a_date_of_params_that_is_none_is_refused(project: Places, key: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(LeadmlError, match=r"must be a date or a time in ISO 8601, got 'soon'; write 2026-01-31"):
        gathered(_with(project, **{key: "soon"}))


def test_each_target_has_its_own_population(project: Places) -> None:
    """The same tables, another outcome: other snapshots and other labels."""
    mql, sql = gathered(project), gathered(Places.open(project.root / "params.yaml", target="sql"))

    assert mql.facts.maturity.mature < sql.facts.maturity.mature
    assert mql.facts.maturity.converted > sql.facts.maturity.converted
    assert sql.settings.target.outcome == "sql"
    assert (sql.facts.maturity.horizon, sql.facts.maturity.settling) == (30, 0)
