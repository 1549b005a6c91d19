"""A check reports every finding that would stop a training."""

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
SMALL = ("model.max_rounds=20", "evaluation.draws=50")


def checked(project: Places, file: Path | None = None) -> CheckResult:
    """Return the result of a check."""
    return check(project, now=NOW, progress=lambda _: None, file=file)


def refusal(project: Places) -> str | None:
    """Return the message with which a training refuses, or None."""
    try:
        train(project, now=NOW, progress=lambda _: None)
    except LeadmlError as error:
        return str(error)
    return None


def agree(project: Places) -> bool:
    """Return whether check and training agree; only the fit can find that a rule has no cut."""
    message = refusal(project)
    if checked(project).is_ready:
        return message is None or "only the fit can find this" in message
    return message is not None


def severities(result: CheckResult) -> dict[str, str]:
    """Return the severity of each code."""
    return {finding.code: finding.severity for finding in result.findings}


def test_ready_leads_have_no_finding_that_stops(tmp_path: Path, make_project: Make) -> None:
    """The bundled leads are ready; the warnings are that they have no dates, and two names."""
    result = checked(make_project(tmp_path / "p"))

    assert set(severities(result)) >= {"RD1", "RD2", "RD3", "RD4", "RD5", "RD6", "RD7", "RD8", "RD9", "LK0"}
    found = [(finding.code, finding.field) for finding in result.findings if finding.severity in {"stop", "warn"}]
    assert found == [("RD4", ""), ("RD13", "housing"), ("RD13", "loan")]
    assert result.is_ready
    assert result.by_age == ()


def test_leads_that_cannot_be_read_are_a_finding(tmp_path: Path, make_project: Make) -> None:
    """A check returns findings for a broken file instead of raising an error."""
    (tmp_path / "leads.csv").write_text("id,y\n1,yes\n", encoding="utf-8")

    result = checked(make_project(tmp_path / "p"), tmp_path / "leads.csv")

    assert {(finding.code, finding.severity) for finding in result.findings} == {("RD0", "stop")}
    assert any("must have a column 'age'" in finding.evidence for finding in result.findings)


def test_the_leak_gate_is_not_applicable_to_leads_of_one_outcome(
    tmp_path: Path, make_project: Make, bank_file: Path
) -> None:
    """If nobody converted, no field can be judged, which differs from a passed check."""
    leads = pd.read_csv(bank_file)
    leads[leads["y"] == "no"].to_csv(tmp_path / "leads.csv", index=False)

    by_code = severities(checked(make_project(tmp_path / "p"), tmp_path / "leads.csv"))

    assert (by_code["RD2"], by_code["RD9"], by_code["LK0"]) == ("stop", "stop", "not applicable")


def test_check_and_training_refuse_a_file_that_is_sorted_by_outcome(
    tmp_path: Path, make_project: Make, bank_file: Path
) -> None:
    """The row number predicts the outcome, and both report it as a leak."""
    leads = pd.read_csv(bank_file).sort_values("y", kind="stable")
    leads.to_csv(tmp_path / "sorted.csv", index=False)
    project = make_project(tmp_path / "p", *SMALL, f"data.path={tmp_path / 'sorted.csv'}")

    result = checked(project)

    assert not result.is_ready
    assert severities(result)["LK8"] == "stop"
    assert severities(checked(make_project(tmp_path / "q", *SMALL), tmp_path / "sorted.csv"))["LK8"] == "stop"
    with pytest.raises(ModelError, match=r"LK8 order predicts the outcome"):
        train(project, now=NOW, progress=lambda _: None)


CHANGES: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "few leads": ("limits.min_leads=100000",),
    "a leak": ("features.engagement.duration=number", "features.excluded={}"),
    "a small holdout": ("split.test_share=0.01",),
    "many folds": ("split.folds=20",),
    "no id": ("data.lead_id=null",),
    "a direction that is not valid": ("model.directions={job: rises}",),
    "a missing column": ("features.fit.agee=number",),
    "a column in two forms": ("data.decimal=,",),
    "one level per category": ("model.max_levels=1",),
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_training_does_not_refuse_what_a_check_passes(
    tmp_path: Path, make_project: Make, changes: tuple[str, ...]
) -> None:
    """Both assess the same rows by the same rules; errors that only a fit can find say so."""
    assert agree(make_project(tmp_path / "p", *SMALL, *changes))


DATED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a horizon that leaves no gap": {"horizon": 60},
    "a horizon as long as the data": {"horizon": 120},
}


@pytest.mark.slow
@pytest.mark.parametrize("target", DATED.values(), ids=DATED)
def test_a_training_does_not_refuse_dated_leads_that_a_check_passes(tmp_path: Path, target: dict[str, Any]) -> None:
    """The same law for leads of three tables."""
    random = np.random.default_rng(0)
    ids = [f"L{number:03}" for number in range(400)]
    leads = [(lead, float(random.uniform(0, 60)), float(random.normal())) for lead in ids]
    visits = [(lead, created + float(random.uniform(0, 60)), "visit") for lead, created, _ in leads]
    won = [(lead, created + float(random.uniform(5, 90)), "customer") for lead, created, _ in leads[::2]]
    write_tables(tmp_path, **small_tables(leads, visits, won))
    choices = small(targets={"won": {"outcome": "customer", "horizon": 20, **target}})
    project = Places.open(write_params(tmp_path, choices))

    assert agree(project)
    assert checked(project).is_ready == (not target)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["output.models=params.yaml"], r"output\.models must be in a folder .*params\.yaml', which is a file"),
        (["tracking.store=params.yaml/x.db"], r"tracking\.store must be in a folder .*params\.yaml', which is a file"),
        (
            ["tracking.store=params.yaml"],
            r"tracking\.store must be a new file or one that MLflow made, got .*params\.yaml",
        ),
        (["tracking.store=."], r"tracking\.store must be a new file or one that MLflow made"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(
    tmp_path: Path, make_project: Callable[..., Places], overrides: list[str], message: str
) -> None:
    """By check and by train alike."""
    project = make_project(tmp_path / "p", "tracking.enabled=true", *overrides)
    for job in (checked, lambda it: train(it, now=NOW, progress=lambda _: None)):
        with pytest.raises(LeadmlError, match=message):
            job(project)
