"""Training sets: flat leads as in the file, dated leads as mature snapshots."""

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


def training_set(project: Places) -> TrainingSet:
    """Return the training set of a project."""
    return training_source(project, project.target, now=NOW).training(progress=lambda _: None)


@pytest.fixture(scope="module")
def project(make_dated_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of dated leads; a test must not change it."""
    return make_dated_project(tmp_path_factory.mktemp("dated") / "p")


def _overridden(project: Places, **changed: str) -> Places:
    overrides = [f"{key.replace('__', '.')}={value}" for key, value in changed.items()]
    return Places.open(project.root / "params.yaml", overrides, target=project.target)


def test_the_training_set_of_flat_leads_has_every_row(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """Each lead is there once, and there are no findings about dates."""
    training = training_set(make_project(tmp_path / "flat"))

    assert len(training.frame) == 4521
    assert (training.facts.rows, training.facts.merged, training.facts.source) == (4521, 0, "bank.csv")
    assert (training.findings, training.settings) == ((), SingleSnapshot())
    assert training.frame["lead_id"].is_unique


@pytest.mark.slow
def test_snapshots_begin_with_the_first_lead(project: Places) -> None:
    """Also if params set an earlier first day."""
    early, default = training_set(_overridden(project, snapshots__since="0001-01-01")), training_set(project)

    pd.testing.assert_frame_equal(early.frame, default.frame)
    assert early.findings == default.findings


@pytest.mark.slow
def test_dated_leads_are_mature_snapshots(project: Places) -> None:
    """Snapshots are taken on Mondays from the first lead on, and each has the label of its horizon."""
    training = training_set(project)
    frame = training.frame

    assert set(pd.to_datetime(frame["as_of"], unit="us").dt.strftime("%a %H:%M")) == {"Mon 00:00"}
    assert training.facts.maturity.leads == frame["lead_id"].nunique()
    assert training.facts.rows == 2748
    assert training.facts.maturity.drawn == len(frame)
    assert {finding.code: finding.severity for finding in training.findings} == dict.fromkeys(
        ["DT1", "DT2", "DT4", "DT5", "DT6", "DT7"], "passed"
    ) | {"DT8": "not applicable"}
    fields = [field.name for field in training.contract.fields]
    assert [name for name in frame.columns if name in fields] == fields
    assert set(frame.columns) - set(fields) == {
        "lead_id", "split_key", "created_at", "as_of", "mature_at", "converted",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "weekdays", "gap"),
    [
        ({"snapshots__every": "14", "snapshots__weekday": "friday"}, {"Fri"}, 14),
        ({"snapshots__every": "28"}, {"Mon"}, 28),
    ],
)
def test_params_set_the_calendar_of_snapshots(
    project: Places, changed: dict[str, str], weekdays: set[str], gap: int
) -> None:
    """Another weekday and another interval give other snapshots."""
    dates = sorted(set(training_set(_overridden(project, **changed)).frame["as_of"]))

    assert {pd.Timestamp(at, unit="us").strftime("%a") for at in dates} == weekdays
    assert {(later - early) % (gap * DAY) for early, later in pairwise(dates)} == {0}


@pytest.mark.slow
def test_params_set_the_first_snapshot(project: Places) -> None:
    """The first snapshot is on the first Monday from that day on."""
    frame = training_set(_overridden(project, snapshots__since="2024-03-06")).frame

    assert frame["as_of"].min() >= day(70)
    assert pd.Timestamp(frame["as_of"].min(), unit="us").strftime("%Y-%m-%d") == "2024-03-11"


@pytest.mark.slow
def test_params_set_the_end_of_observation(project: Places) -> None:
    """Snapshots that are not mature by then are left out and counted."""
    whole, early = (
        training_set(project),
        training_set(_overridden(project, sources__observed_until="2024-06-15T00:00:00Z")),
    )

    assert early.facts.maturity.observed_until == "2024-06-15T00:00:00+00:00"
    assert early.frame["mature_at"].max() <= day(166)
    assert early.facts.maturity.mature < whole.facts.maturity.mature


@pytest.mark.slow
def test_params_set_the_maximum_age_of_leads(project: Places) -> None:
    """Older leads have no snapshot."""
    frame = training_set(_overridden(project, snapshots__oldest="40")).frame

    assert frame["lead_age"].max() < 40


@pytest.mark.parametrize("key", ["snapshots__since", "sources__observed_until"])
def test_a_text_of_params_that_is_no_date_is_refused(project: Places, key: str) -> None:
    """The message shows how to write a date."""
    with pytest.raises(LeadmlError, match=r"must be a date or a time in ISO 8601, got 'soon'; write 2026-01-31"):
        training_set(_overridden(project, **{key: "soon"}))


@pytest.mark.slow
def test_each_target_has_its_own_population(project: Places) -> None:
    """The same tables give other snapshots and other labels for another outcome."""
    mql, sql = training_set(project), training_set(Places.open(project.root / "params.yaml", target="sql"))

    assert mql.facts.maturity.mature < sql.facts.maturity.mature
    assert mql.facts.maturity.converted > sql.facts.maturity.converted
    assert sql.settings.target.outcome == "sql"
    assert (sql.facts.maturity.horizon, sql.facts.maturity.settling) == (30, 0)
