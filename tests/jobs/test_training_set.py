"""What a model learns from: flat leads as they are, dated ones as mature looks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from leadml.jobs.training_set import TrainingSet, gather_training_set
from tests.dated import NOW, day

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.leads.check.activity_plan import DAY


def gathered(project: Places) -> TrainingSet:
    """Return the material of a project."""
    return gather_training_set(project, now=NOW, progress=lambda _: None)


@pytest.fixture(scope="module")
def project(make_dated_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of dated leads; a test must not change it."""
    return make_dated_project(tmp_path_factory.mktemp("material") / "p")


def _with(project: Places, **changed: str) -> Places:
    overrides = [f"{key.replace('__', '.')}={value}" for key, value in changed.items()]
    return Places.open(project.root / "params.yaml", overrides, target=project.target)


def test_flat_leads_are_the_file(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """All rows, no outlook, no findings of dates."""
    material = gathered(make_project(tmp_path / "flat"))

    assert len(material.loaded.frame) == 4521
    assert material.facts == {"rows": 4521, "merged": 0, "file": "bank.csv"}
    assert (material.findings, material.as_of_settings) == ((), None)


def test_looks_begin_with_the_first_lead(project: Places) -> None:
    """Also where the first day of looks is long before it."""
    early, found = gathered(_with(project, snapshots__since="0001-01-01")), gathered(project)

    pd.testing.assert_frame_equal(early.loaded.frame, found.loaded.frame)
    assert early.findings == found.findings


def test_dated_leads_are_mature_looks(project: Places) -> None:
    """On Mondays from the first lead on, each labelled by what its horizon brought."""
    material = gathered(project)
    frame = material.loaded.frame

    assert set(pd.to_datetime(frame["as_of"], unit="us").dt.strftime("%a %H:%M")) == {"Mon 00:00"}
    assert material.facts["leads_looked_at"] == frame["lead_id"].nunique()
    assert material.facts["rows"] == 2748
    assert material.facts["drawn"] == len(frame)
    assert {finding.code: finding.severity for finding in material.findings} == dict.fromkeys(
        ["DT1", "DT2", "DT4", "DT5", "DT6", "DT7"], "passed"
    )
    fields = [field.name for field in material.contract.fields]
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
    """Other days and other gaps give other looks."""
    dates = sorted(set(gathered(_with(project, **changed)).loaded.frame["as_of"]))

    assert {pd.Timestamp(at, unit="us").strftime("%a") for at in dates} == weekdays
    assert {(later - early) % (gap * DAY) for early, later in pairwise(dates)} == {0}


def test_looks_begin_where_params_say(project: Places) -> None:
    """At the first Monday from the day on."""
    frame = gathered(_with(project, snapshots__since="2024-03-06")).loaded.frame

    assert frame["as_of"].min() >= day(70)
    assert pd.Timestamp(frame["as_of"].min(), unit="us").strftime("%Y-%m-%d") == "2024-03-11"


def test_an_end_of_observation_that_params_name_is_kept_to(project: Places) -> None:
    """Looks whose label is due later are left out and counted."""
    whole, early = gathered(project), gathered(_with(project, sources__observed_until="2024-06-15T00:00:00Z"))

    assert early.facts["observed_until"] == "2024-06-15T00:00:00+00:00"
    assert early.loaded.frame["mature_at"].max() <= day(166)
    assert early.facts["mature"] < whole.facts["mature"]


def test_old_leads_are_left_alone_where_params_say_so(project: Places) -> None:
    """No look at a lead beyond the age."""
    frame = gathered(_with(project, snapshots__oldest="40")).loaded.frame

    assert frame["lead_age"].max() < 40


@pytest.mark.parametrize("key", ["snapshots__since", "sources__observed_until"])
def test_a_date_of_params_that_is_none_is_refused(project: Places, key: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(LeadmlError, match=r"must be a date or a time in ISO 8601, got 'soon'; write 2026-01-31"):
        gathered(_with(project, **{key: "soon"}))


def test_each_target_has_its_own_population(project: Places) -> None:
    """The same tables, another outcome: other looks and other labels."""
    mql, sql = gathered(project), gathered(Places.open(project.root / "params.yaml", target="sql"))

    assert mql.facts["mature"] < sql.facts["mature"]
    assert mql.facts["converted"] > sql.facts["converted"]
    assert (sql.as_of_settings.target.outcome, sql.facts["horizon"], sql.facts["settling"]) == ("sql", 30, 0)
