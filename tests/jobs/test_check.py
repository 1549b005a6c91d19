"""Checks before any training: what a check passes, a training does not refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW, small, small_tables, write_params, write_tables

from leadml.errors import LeadmlError, ModelError
from leadml.jobs.check import CheckResult, check
from leadml.jobs.places import Places
from leadml.jobs.train import train

Make = Callable[..., Places]
SMALL = ("model.max_rounds=20", "model.patience=10", "evaluation.draws=50")


def checked(project: Places, file: Path | None = None) -> CheckResult:
    """Return what a check finds."""
    return check(project, now=NOW, progress=lambda _: None, file=file)


def refusal(project: Places) -> str | None:
    """Return what a training refuses with, or None where it trains."""
    try:
        train(project, now=NOW, progress=lambda _: None)
    except LeadmlError as error:
        return str(error)
    return None


def agree(project: Places) -> bool:
    """Return whether check and training say the same, but for what only a fit can find."""
    refused = refusal(project)
    if checked(project).is_ready:
        return refused is None or "found by the fit" in refused
    return refused is not None


def severities(found: CheckResult) -> dict[str, str]:
    """Return the severity of each code."""
    return {finding.code: finding.severity for finding in found.findings}


def test_ready_leads_have_no_stop(tmp_path: Path, make_project: Make) -> None:
    """The bundled leads are ready; the one warning is that they have no dates."""
    found = checked(make_project(tmp_path / "p"))

    assert set(severities(found)) >= {"RD1", "RD2", "RD3", "RD4", "RD5", "RD6", "RD7", "RD8", "RD9", "LK0"}
    assert [finding.code for finding in found.findings if finding.severity in {"stop", "warn"}] == ["RD4"]
    assert found.is_ready
    assert found.by_age == ()


def test_what_cannot_be_read_is_a_finding(tmp_path: Path, make_project: Make) -> None:
    """A check answers for a broken file too."""
    (tmp_path / "leads.csv").write_text("id,y\n1,yes\n", encoding="utf-8")

    found = checked(make_project(tmp_path / "p"), tmp_path / "leads.csv")

    assert {(finding.code, finding.severity) for finding in found.findings} == {("RD0", "stop")}
    assert any("must have a column 'age'" in finding.evidence for finding in found.findings)


def test_leads_of_one_outcome_are_not_judged_for_leaks(tmp_path: Path, make_project: Make, bank_file: Path) -> None:
    """Where nobody converted no field can be judged, which is not the same as passed."""
    leads = pd.read_csv(bank_file)
    leads[leads["y"] == "no"].to_csv(tmp_path / "leads.csv", index=False)

    found = severities(checked(make_project(tmp_path / "p"), tmp_path / "leads.csv"))

    assert (found["RD2"], found["RD9"], found["LK0"]) == ("stop", "stop", "not applicable")


def test_a_file_sorted_by_its_outcome_is_refused_by_both(tmp_path: Path, make_project: Make, bank_file: Path) -> None:
    """The place in the file knows the outcome: the check says so before the training does."""
    leads = pd.read_csv(bank_file).sort_values("y", kind="stable")
    leads.to_csv(tmp_path / "sorted.csv", index=False)
    project = make_project(tmp_path / "p", *SMALL, f"data.path={tmp_path / 'sorted.csv'}")

    found = checked(project)

    assert not found.is_ready
    assert severities(found)["LK8"] == "stop"
    assert severities(checked(make_project(tmp_path / "q", *SMALL), tmp_path / "sorted.csv"))["LK8"] == "stop"
    with pytest.raises(ModelError, match=r"LK8 order knows the outcome"):
        train(project, now=NOW, progress=lambda _: None)


CHANGES: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "few leads": ("limits.min_leads=100000",),
    "a leak": ("features.engagement.duration=number", "features.excluded={}"),
    "a small holdout": ("split.test_share=0.01",),
    "many folds": ("split.folds=20",),
    "no id": ("data.lead_id=null",),
    "a direction that is none": ("model.directions={job: rises}",),
    "a missing column": ("features.fit.agee=number",),
    "a column in two forms": ("data.decimal=,",),
    "few kept levels": ("model.max_levels=1",),
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_what_a_check_passes_a_training_does_not_refuse(
    tmp_path: Path, make_project: Make, changes: tuple[str, ...]
) -> None:
    """Both judge the same rows in the same way; what only a fit can find is named as such."""
    assert agree(make_project(tmp_path / "p", *SMALL, *changes))


DATED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a horizon that leaves no gap": {"horizon": 60},
    "a horizon as long as the data": {"horizon": 120},
}


@pytest.mark.parametrize("target", DATED.values(), ids=DATED)
def test_what_a_check_of_dated_leads_passes_a_training_does_not_refuse(tmp_path: Path, target: dict[str, Any]) -> None:
    """The same law for leads of three tables."""
    random = np.random.default_rng(0)
    ids = [f"L{number:03}" for number in range(400)]
    leads = [(lead, float(random.uniform(0, 60)), float(random.normal())) for lead in ids]
    visits = [(lead, came + float(random.uniform(0, 60)), "visit") for lead, came, _ in leads]
    won = [(lead, came + float(random.uniform(5, 90)), "customer") for lead, came, _ in leads[::2]]
    write_tables(tmp_path, **small_tables(leads, visits, won))
    choices = small(targets={"won": {"outcome": "customer", "horizon": 20, **target}})
    project = Places.open(write_params(tmp_path, choices))

    assert agree(project)
    assert checked(project).is_ready == (not target)
