"""What a run holds: every metric and choice by its name, and the tables and figures of the evaluation."""

from __future__ import annotations

from pathlib import Path

from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.model.judge.evaluation import Evaluation
from leadml.publish.run_content import MAX_PARAM_LENGTH, run_metrics, run_params, write_tables_and_figures

TrainedProject = tuple[Places, Trained]


def test_metrics_have_their_intervals_and_are_all_numbers(trained_project: TrainedProject) -> None:
    """What could not be computed is left out, because MLflow knows no missing number."""
    evaluation = trained_project[1].model.evaluation
    metrics = run_metrics(evaluation)

    assert metrics["roc_auc_low"] < metrics["roc_auc"] < metrics["roc_auc_high"]
    assert metrics["test_leads"] == evaluation.leads
    assert all(value == value for value in metrics.values())  # noqa: PLR0124 - NaN is not itself


def test_params_are_every_choice_and_what_the_fit_selected(trained_project: TrainedProject) -> None:
    """As short texts."""
    project, trained = trained_project
    logged = run_params(project.params, trained.model.bundle)

    assert logged["split.seed"] == str(project.params.split.seed)
    assert {f"chosen.{name}" for name in trained.model.bundle.record.choices} <= set(logged)
    assert all(len(value) <= MAX_PARAM_LENGTH for value in logged.values())


def test_every_table_of_the_evaluation_is_written(trained_project: TrainedProject, tmp_path: Path) -> None:
    """With the candidates of the cuts, and figures."""
    write_tables_and_figures(tmp_path, trained_project[1].model.bundle)

    tables = {path.name for path in (tmp_path / "tables").iterdir()}
    assert tables == {"candidates.csv", *(f"{name}.csv" for name in Evaluation.TABLES)}
    assert (tmp_path / "figures" / "reliability.svg").is_file()
