"""Training on dated leads: the same bits each time, nobody's name in what is kept, and what was found on the way."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.dated import NOW, dated_leads, day, instants, open_view, small, small_tables, write_params, write_tables

from leadml.bundle.model import load
from leadml.errors import DataError, LeadmlError, ModelError
from leadml.jobs.check import check
from leadml.jobs.places import Places
from leadml.jobs.report import build_report
from leadml.jobs.status import describe
from leadml.jobs.train import Trained, train
from leadml.leads.check.instants import instant, shown_instant
from leadml.leads.sources.settings import AsOfSettings, settings_from_json
from leadml.leads.sources.source import scoring_source
from leadml.publish.page import render

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
Dated = tuple[Places, Trained]


def test_a_training_on_dated_leads_says_what_it_was_made_of(trained_dated: Dated) -> None:
    """Snapshots on either side, later and of others; counts of what is mature and what is not; the horizon."""
    _, trained = trained_dated
    record = trained.model.bundle.record
    data, split, maturity = record.data, record.split, record.data.maturity

    assert (trained.model.version, trained.is_new, trained.champion) == ("1", True, "1")
    assert split.name == "other accounts, later"
    assert maturity.drawn == record.rows == split.learn.rows + split.holdout.rows
    assert split.learn.last + 37 * 86_400_000_000 <= split.holdout.first
    assert data.source == "leads.parquet + activities.parquet + outcomes.parquet"
    assert (maturity.horizon, maturity.settling, maturity.observed_until[:7]) == (30, 7, "2024-08")
    assert maturity.immature > 0
    assert maturity.by_age[0].days == 7
    assert trained.model.evaluation.leads == split.holdout.rows
    assert trained.model.evaluation.metric("roc_auc")["value"] > 0.7


def test_the_settings_come_back_from_the_bundle(trained_dated: Dated) -> None:
    """What is predicted and from what is stored with the model."""
    project, trained = trained_dated
    bundle = load(project.registry.path("1")).bundle
    settings = bundle.leads.settings

    assert settings == AsOfSettings.from_params(project.params, "mql")
    assert settings_from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert bundle.leads.contract == trained.model.bundle.leads.contract


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_shuffled_rows_and_another_engine_give_the_same_version(
    trained_dated: Dated, make_dated_project: Callable[..., Places], tmp_path: Path, engine: str
) -> None:
    """The same data make the same model hash, with other threads too."""
    project = make_dated_project(tmp_path / "p", f"compute.engine={engine}", "model.threads=2")
    for name in ("leads", "activities", "outcomes"):
        table = pd.read_parquet(project.root / f"{name}.parquet")
        table.sample(frac=1, random_state=4).to_parquet(project.root / f"{name}.parquet", index=False)
    shutil.copytree(trained_dated[0].registry.folder, project.registry.folder, symlinks=True)
    trained = train(project, now=NOW, progress=lambda _: None)

    one, other = trained.model, trained_dated[1].model
    assert one.manifest.model_hash == other.manifest.model_hash
    assert one.bundle.record.data_hash == other.bundle.record.data_hash
    assert (trained.model.version, trained.is_new) == ("1", False)


def test_no_person_and_no_firm_is_in_what_is_kept(trained_dated: Dated, tmp_path: Path) -> None:
    """Addresses, titles and accounts of the tables are in no file of the bundle, MLflow or the report."""
    from leadml.publish.tracking import track_training

    project, trained = trained_dated
    shutil.copytree(project.registry.folder, tmp_path / "models" / "mql", symlinks=True)
    model = load(tmp_path / "models" / "mql")
    track_training(tmp_path / "mlflow.db", model, params=project.params, champion=True)
    report = render(build_report(trained.model, batch=None))
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    leads = pd.read_parquet(project.root / "leads.parquet")

    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 10
    assert leads["email"].str.contains("canary").all()
    for path in kept:
        content = path.read_bytes().lower()
        assert b"canar" not in content, path
        assert b"l00000" not in content, path


def test_a_target_that_drives_no_stage_is_filed(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """The training is tracked to its end, with the figures that there are."""
    project = make_dated_project(tmp_path / "p", "tracking.enabled=true", target="sql")
    trained = train(project, now=NOW, progress=lambda _: None)

    assert trained.model.evaluation.stages.empty
    assert trained.run_id is not None
    drawn = {path.stem for path in (project.root / "mlartifacts").rglob("figures/*.svg")}
    assert drawn == {"importance", "reliability", "gain"}


def test_the_report_says_what_is_predicted_and_how_long_it_takes(trained_dated: Dated) -> None:
    """Snapshots, horizon, what is mature and what is not, and the table of ages."""
    model = trained_dated[1].model
    page = render(build_report(model, batch=None))
    maturity = model.bundle.record.data.maturity

    assert "mql: whether open leads reach mql within 30 days of the snapshot" in page
    assert "How long it takes" in page
    assert f"{maturity.mature:,} snapshots had such a label by 2024-08" in page
    assert f"{maturity.immature:,} are younger: their outcome is unknown, not negative" in page
    assert "other accounts, later" in page
    assert "The leads have no date" not in page
    assert "sources.leads.valid_from" not in page


def test_the_status_is_told(trained_dated: Dated) -> None:
    """A project of dated leads has a status like any other."""
    rows = dict(describe(trained_dated[0])) if trained_dated else {}

    assert any("1" in str(value) for value in rows.values())


def test_topics_share_the_importance(trained_dated: Dated) -> None:
    """The windows of one activity are one row, and every topic has one."""
    trained = trained_dated[1]
    fields = {field.subject for field in trained.model.bundle.leads.contract.fields}

    assert set(trained.model.evaluation.importance["field"]) == fields
    assert {"form", "email_open", "activity", "lead_age", "title_rank"} <= fields


def test_a_check_tells_dates_leaks_and_ages(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """Everything that training would find, before it."""
    project = make_dated_project(tmp_path / "p", "sources.leads.valid_from=null")
    leads = pd.read_parquet(project.root / "leads.parquet")
    leads.drop_duplicates("lead_id", keep="last").to_parquet(project.root / "leads.parquet", index=False)
    found = check(project, now=NOW, progress=lambda _: None)
    severities = {finding.code: finding.severity for finding in found.findings}

    assert {"RD1", "RD2", "RD3", "RD4", "DT1", "DT2", "DT3"} <= set(severities)
    assert (severities["RD4"], severities["DT1"], severities["DT3"]) == ("passed", "passed", "warn")
    assert [row.days for row in found.by_age][:3] == [7, 14, 30]


def test_a_field_written_after_the_outcome_stops_the_training(
    make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """A column that the export filled in from the outcome knows it."""
    project = make_dated_project(
        tmp_path / "p", "sources.leads.valid_from=null", "features.fit={closing_note: category, source: category}"
    )
    leads = pd.read_parquet(project.root / "leads.parquet").drop_duplicates("lead_id")
    outcomes = pd.read_parquet(project.root / "outcomes.parquet")
    won = set(outcomes.loc[outcomes["outcome"] == "mql", "lead_id"])
    leads["closing_note"] = ["came far" if lead in won else "still there" for lead in leads["lead_id"]]
    leads.to_parquet(project.root / "leads.parquet", index=False)

    with pytest.raises(ModelError, match="closing_note"):
        train(project, now=NOW, progress=lambda _: None)


def test_a_lead_at_fault_stops_the_training(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """Scoring goes on without it; a training does not."""
    project = make_dated_project(tmp_path / "p")
    leads = pd.read_parquet(project.root / "leads.parquet")
    leads["created_at"] = [at.isoformat() for at in leads["created_at"]]
    leads.loc[5, "created_at"] = "soon"
    leads.to_parquet(project.root / "leads.parquet", index=False)

    with pytest.raises(DataError, match=r"^leads.parquet:6: created_at must be a time in ISO 8601, got 'soon'$"):
        train(project, now=NOW, progress=lambda _: None)


@pytest.mark.parametrize("horizon", [60, 120])
def test_a_horizon_as_long_as_the_data_is_refused(tmp_path: Path, horizon: int) -> None:
    """Training and check refuse where no label was known when judging begins, or none at all."""
    random = np.random.default_rng(0)
    ids = [f"L{number:03}" for number in range(400)]
    leads = [(lead, float(random.uniform(0, 10)), float(random.normal())) for lead in ids]
    visits = [(lead, float(random.uniform(12, 60)), "visit") for lead in ids]
    won = [(lead, float(random.uniform(12, 100)), "customer") for lead in ids[:200]]
    write_tables(tmp_path, **small_tables(leads, visits, won))
    project = Places.open(write_params(tmp_path, small()), [f"targets.won.horizon={horizon}"])
    message = r"must be 120 \+ 0 days \(horizon \+ settling\) before the end of what was observed"
    if horizon == 60:
        message = "there must be snapshots to fit on and to hold out, got"

    with pytest.raises(ModelError, match=message):
        train(project, now=NOW, progress=lambda _: None)
    (finding,) = check(project, now=NOW, progress=lambda _: None).findings
    assert (finding.code, finding.severity) == ("RD0", "stop")
    assert re.search(message, finding.evidence)


def test_the_end_of_observation_is_that_of_params_or_of_the_outcomes(tmp_path: Path) -> None:
    """A date of params is midnight of the project's zone."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], [("a", 3, "visit")], [("a", 10, "customer")]))
    with open_view(tmp_path, small()) as view:
        assert dated_leads(Places.open(tmp_path / "params.yaml")).observed_until(view.history) == day(10)
        later = Places.open(
            tmp_path / "params.yaml", ["sources.outcomes.lead_id=lead_id", "data.timezone=Asia/Kolkata"]
        )
        sources = later.params.sources.model_copy(update={"observed_until": "2024-02-01"})
        chosen = later.params.model_copy(update={"sources": sources})
        source = dated_leads(replace(later, params=chosen))
        assert source.observed_until(view.history) == day(31) - int(5.5 * 3600) * 1_000_000


def test_labels_are_known_no_longer_than_outcomes_are(tmp_path: Path) -> None:
    """Activities that go on, and one outcome with a date of next year, do not make young leads negative."""
    visits = [("a", number, "visit") for number in range(300)]
    won = [(f"l{number}", number, "customer") for number in range(200)]
    leads = [("a", 0, 1.0), *((name, 0, 1.0) for name, _, _ in won)]
    write_tables(tmp_path, **small_tables(leads, visits, [*won, ("a", 600, "lost")]))
    with open_view(tmp_path, small()) as view:
        assert dated_leads(Places.open(tmp_path / "params.yaml")).observed_until(view.history) == day(200)


@pytest.mark.parametrize("text", ["", "soon", "31.01.2026", "2026-02-30", "1700000000"])
def test_what_is_no_date_is_refused(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(
        LeadmlError, match=r"must be a date or a time in ISO 8601, got .*; write 2026-01-31 for example"
    ):
        instant(text, timezone="UTC")


def test_an_instant_is_shown_as_it_was_written() -> None:
    """Back and forth, to the microsecond."""
    for text in ("2024-01-31T00:00:00+00:00", "2024-01-31T12:00:00.000001+00:00"):
        assert shown_instant(instant(text, timezone=None)) == text
    with pytest.raises(LeadmlError, match="must be a date or a time"):
        instant("2024-01-31", timezone=None)
    with pytest.raises(
        LeadmlError, match=r"must be a time of Europe/Berlin, whose clocks skip .*, got '2024-03-31T02:30'"
    ):
        instant("2024-03-31T02:30", timezone="Europe/Berlin")


def test_flat_leads_have_no_view(trained_project: Dated, trained_dated: Dated) -> None:
    """A model of dated leads needs their tables."""
    source = scoring_source(trained_dated[1].model.bundle.leads, trained_project[0], now=NOW)
    with (
        pytest.raises(LeadmlError, match="leads must be dated for this, got flat ones; declare sources and targets"),
        source.at("2024-05-01", progress=lambda _: None, rows=100),
    ):
        pass


def test_progress_names_each_step(tmp_path: Path) -> None:
    """A long job says what it is at."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], [("a", 3, "visit")], [("a", 10, "customer")]))
    source = dated_leads(Places.open(write_params(tmp_path, small())))
    steps: list[str] = []
    with source.view(steps.append):
        pass

    assert steps == ["reading leads", "reading activities", "reading outcomes"]


def test_instants_are_arrow_s_own() -> None:
    """Tables of tests hold what a CRM's export holds."""
    assert pa.Array.from_pandas(instants([day(0)])).type == pa.timestamp("us", "UTC")


def test_a_count_over_the_whole_history_is_found_by_what_came_after_the_snapshot(
    make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """An export has the visits of all days; the snapshot knows those before it."""
    project = make_dated_project(tmp_path / "whole", "features.engagement={visits_of_all_days: number}")
    leads, acts = (pd.read_parquet(project.root / f"{name}.parquet") for name in ("leads", "activities"))
    visits = acts[acts["kind"] == "page_visit"].groupby("lead_id").size()
    leads["visits_of_all_days"] = leads["lead_id"].map(visits).fillna(0.0)
    leads.to_parquet(project.root / "leads.parquet", index=False)
    found = check(project, now=NOW, progress=lambda _: None)
    suspects = {(finding.code, finding.field) for finding in found.findings if finding.severity == "stop"}

    assert suspects == {("LK7", "visits_of_all_days")}
