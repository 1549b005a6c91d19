"""Training on dated leads: reproducible models, no personal data in any file, and every finding reported."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.dated import NOW, day, instants, small, small_tables, write_params, write_tables

from leadml.bundle.model import load
from leadml.errors import DataError, LeadmlError, ModelError
from leadml.jobs.check import check
from leadml.jobs.places import Places
from leadml.jobs.report import build_report
from leadml.jobs.status import describe
from leadml.jobs.train import Trained, train
from leadml.leads.sources.settings import AsOfSettings, settings_from_json
from leadml.leads.sources.source import scoring_source
from leadml.publish.page import render

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
TrainedProject = tuple[Places, Trained]


def test_the_record_of_a_training_on_dated_leads(trained_dated: TrainedProject) -> None:
    """It contains the split, the counts of mature and immature snapshots, and the horizon."""
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


def test_settings_are_stored_in_the_bundle(trained_dated: TrainedProject) -> None:
    """A loaded bundle has the target and the activity plan that the model was trained with."""
    project, trained = trained_dated
    bundle = load(project.registry.path("1")).bundle
    settings = bundle.leads.settings

    assert settings == AsOfSettings.from_params(project.params, "mql")
    assert settings_from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert bundle.leads.contract == trained.model.bundle.leads.contract


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_shuffled_rows_and_another_engine_give_the_same_version(
    trained_dated: TrainedProject, make_dated_project: Callable[..., Places], tmp_path: Path, engine: str
) -> None:
    """The model hash depends on the data, not on the order of rows, the engine or the number of threads."""
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


def test_no_person_and_no_company_is_in_any_file(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """Addresses, titles and accounts of the tables are in no file of the bundle, MLflow or the report."""
    from leadml.publish.tracking import track_training

    project, trained = trained_dated
    shutil.copytree(project.registry.folder, tmp_path / "models" / "mql", symlinks=True)
    model = load(tmp_path / "models" / "mql")
    track_training(tmp_path / "mlflow.db", model, params=project.params, champion=True)
    report = render(build_report(trained.model, batch=None))
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    leads = pd.read_parquet(project.root / "leads.parquet")

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert leads["email"].str.contains("canary").all()
    for path in files:
        content = path.read_bytes().lower()
        assert b"canar" not in content, path
        assert b"l00000" not in content, path


def test_a_target_that_drives_no_stage_is_tracked(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """The run of MLflow is complete, without the figure of stages."""
    project = make_dated_project(tmp_path / "p", "tracking.enabled=true", target="sql")
    trained = train(project, now=NOW, progress=lambda _: None)

    assert trained.model.evaluation.stages.empty
    assert trained.run_id is not None
    drawings = {path.stem for path in (project.root / "mlartifacts").rglob("figures/*.svg")}
    assert drawings == {"importance", "reliability", "gain"}


def test_the_report_shows_prediction_horizon_and_ages(trained_dated: TrainedProject) -> None:
    """Snapshots, horizon, counts of mature and immature snapshots, and the table of ages."""
    model = trained_dated[1].model
    page = render(build_report(model, batch=None))
    maturity = model.bundle.record.data.maturity

    assert "mql: whether open leads reach mql within 30 days of the snapshot" in page
    assert "How long conversions take" in page
    assert f"{maturity.mature:,} snapshots had a known outcome by 2024-08" in page
    assert f"{maturity.immature:,} are younger: their outcome is unknown, not negative" in page
    assert "other accounts, later" in page
    assert "The leads have no date" not in page
    assert "sources.leads.valid_from" not in page


def test_a_project_of_dated_leads_has_a_status(trained_dated: TrainedProject) -> None:
    """It has the same rows as for flat leads."""
    rows = dict(describe(trained_dated[0])) if trained_dated else {}

    assert any("1" in str(value) for value in rows.values())


def test_importance_has_one_row_per_topic(trained_dated: TrainedProject) -> None:
    """The windows of one kind of activity are one row, and every topic has one."""
    trained = trained_dated[1]
    fields = {field.subject for field in trained.model.bundle.leads.contract.fields}

    assert set(trained.model.evaluation.importance["field"]) == fields
    assert {"form", "email_open", "activity", "lead_age", "title_rank"} <= fields


def test_a_check_of_dated_leads_reports_dates_leaks_and_ages(
    make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """It reports every finding that a training would report."""
    project = make_dated_project(tmp_path / "p", "sources.leads.valid_from=null")
    leads = pd.read_parquet(project.root / "leads.parquet")
    leads.drop_duplicates("lead_id", keep="last").to_parquet(project.root / "leads.parquet", index=False)
    result = check(project, now=NOW, progress=lambda _: None)
    severities = {finding.code: finding.severity for finding in result.findings}

    assert {"RD1", "RD2", "RD3", "RD4", "DT1", "DT2", "DT3"} <= set(severities)
    assert (severities["RD4"], severities["DT1"], severities["DT3"]) == ("passed", "passed", "warn")
    assert [row.days for row in result.by_age][:3] == [7, 14, 30]


def test_a_field_written_after_the_outcome_stops_the_training(
    make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """A column that was filled in from the outcome is a leak."""
    project = make_dated_project(
        tmp_path / "p", "sources.leads.valid_from=null", "features.fit={closing_note: category, source: category}"
    )
    leads = pd.read_parquet(project.root / "leads.parquet").drop_duplicates("lead_id")
    outcomes = pd.read_parquet(project.root / "outcomes.parquet")
    won = set(outcomes.loc[outcomes["outcome"] == "mql", "lead_id"])
    leads["closing_note"] = ["bought" if lead in won else "open" for lead in leads["lead_id"]]
    leads.to_parquet(project.root / "leads.parquet", index=False)

    with pytest.raises(ModelError, match="closing_note"):
        train(project, now=NOW, progress=lambda _: None)


def test_a_lead_with_a_faulty_row_stops_the_training(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """Scoring leaves such a lead out; a training refuses the tables."""
    project = make_dated_project(tmp_path / "p")
    leads = pd.read_parquet(project.root / "leads.parquet")
    leads["created_at"] = [at.isoformat() for at in leads["created_at"]]
    leads.loc[5, "created_at"] = "soon"
    leads.to_parquet(project.root / "leads.parquet", index=False)

    with pytest.raises(DataError, match=r"^leads.parquet:6: created_at must be a time in ISO 8601, got 'soon'$"):
        train(project, now=NOW, progress=lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [60, 120])
def test_a_horizon_as_long_as_the_data_is_refused(tmp_path: Path, horizon: int) -> None:
    """Training and check refuse a horizon that leaves no mature snapshot before the holdout, or none at all."""
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


def test_a_model_of_dated_leads_refuses_a_project_of_flat_leads(
    trained_project: TrainedProject, trained_dated: TrainedProject
) -> None:
    """It needs the tables of dated leads."""
    source = scoring_source(trained_dated[1].model.bundle.leads, trained_project[0], now=NOW)
    with (
        pytest.raises(LeadmlError, match="leads must be dated for this, got flat ones; declare sources and targets"),
        source.at("2024-05-01", progress=lambda _: None, rows=100),
    ):
        pass


def test_instants_of_test_tables_are_arrow_timestamps() -> None:
    """Tables of tests have the same type of instants as the export of a CRM."""
    assert pa.Array.from_pandas(instants([day(0)])).type == pa.timestamp("us", "UTC")


def test_a_count_over_the_whole_history_is_a_leak(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """An export counts the visits of all days; activities after a snapshot show that it does."""
    project = make_dated_project(tmp_path / "whole", "features.engagement={visits_of_all_days: number}")
    leads, acts = (pd.read_parquet(project.root / f"{name}.parquet") for name in ("leads", "activities"))
    visits = acts[acts["kind"] == "page_visit"].groupby("lead_id").size()
    leads["visits_of_all_days"] = leads["lead_id"].map(visits).fillna(0.0)
    leads.to_parquet(project.root / "leads.parquet", index=False)
    result = check(project, now=NOW, progress=lambda _: None)
    suspects = {(finding.code, finding.field) for finding in result.findings if finding.severity == "stop"}

    assert suspects == {("LK7", "visits_of_all_days")}
