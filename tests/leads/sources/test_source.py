"""The choice of a source: arguments must fit the kind of leads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import NOW, small, write_params

import leadml
from leadml.errors import LeadmlError, ParamsError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.source import declared_file, declared_tables, frame_source, scoring_source, training_source

TrainedProject = tuple[Places, Trained]


def test_params_decide_between_flat_and_dated_leads(trained_project: TrainedProject, tmp_path: Path) -> None:
    """Flat leads have one file, dated leads three tables."""
    flat, dated = trained_project[0], Places.open(write_params(tmp_path, small()))

    assert isinstance(training_source(flat, flat.target, now=NOW), FlatLeads)
    assert isinstance(training_source(dated, dated.target, now=NOW), DatedLeads)
    assert (declared_file(flat), declared_file(dated)) == (flat.root / "data" / "raw" / "bank.csv", None)
    assert (declared_tables(flat), len(declared_tables(dated))) == ([], 3)


def test_dated_leads_accept_no_file(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """Neither for a training nor for scoring, and scoring needs a params.yaml."""
    project, trained = trained_dated
    spec = trained.model.bundle.leads

    with pytest.raises(ParamsError, match="so FILE must not be given"):
        training_source(project, project.target, now=NOW, file=tmp_path)
    with pytest.raises(LeadmlError, match=r"a file and held_out \(--held-out\) must not be given"):
        scoring_source(spec, project, now=NOW, file=tmp_path)
    with pytest.raises(LeadmlError, match=r"only open ones are scored: only_open \(--open\) must not be given"):
        scoring_source(spec, project, now=NOW, only_open=True)
    with pytest.raises(LeadmlError, match=r"got no params\.yaml; name it with --params"):
        scoring_source(spec, None, now=NOW)


def test_flat_leads_need_a_file_and_accept_no_instant(trained_project: TrainedProject) -> None:
    """They have one snapshot each."""
    project, trained = trained_project
    spec = trained.model.bundle.leads

    with pytest.raises(LeadmlError, match="flat leads must be given as a file, got none"):
        scoring_source(spec, project, now=NOW)
    with pytest.raises(LeadmlError, match=r"as_of \(--as-of\) must not be given"):
        scoring_source(spec, project, now=NOW, file=project.data).stamp("2026-01-01")


def test_the_stamp_names_the_instant_of_dated_leads(
    trained_project: TrainedProject, trained_dated: TrainedProject
) -> None:
    """It is the column that scoring writes; flat leads have none."""
    (flat, flat_trained), (dated, dated_trained) = trained_project, trained_dated

    assert scoring_source(flat_trained.model.bundle.leads, flat, now=NOW, file=flat.data).stamp(None) == {}
    assert scoring_source(dated_trained.model.bundle.leads, dated, now=NOW).stamp("2024-05-30") == {
        "as_of": "2024-05-30T00:00:00+00:00"
    }


def test_words_for_missing_values_do_not_apply_to_snapshots(trained_dated: TrainedProject) -> None:
    """Snapshots have been read already: a class that leadml computed may be spelled like such a word."""
    project = leadml.open_project(trained_dated[0].root / "params.yaml", target="mql")
    spec, snapshots = project.model().bundle.leads, project.snapshots("2024-05-30")
    words = tuple(snapshots["industry"].dropna().unique())
    assert words
    for missing in ((), words):
        source = frame_source(replace(spec, dialect=replace(spec.dialect, missing=missing)), snapshots)
        with source.at(None, progress=lambda _: None, rows=10_000) as leads:
            found = pd.concat([chunk.frame for chunk in leads.chunks()])
        assert found["industry"].tolist() == snapshots["industry"].tolist()
