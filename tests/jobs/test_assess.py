"""The assessment of a training set before a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.dated import NOW

from leadml.errors import DataError, ModelError, ParamsError
from leadml.jobs.assess import assess, refuse_stops
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.leads.check.contract import AS_OF, kept_name
from leadml.leads.judge.findings import Finding
from leadml.leads.sources.source import training_source
from leadml.leads.split import TimeSplit
from leadml.model.leaks.sensitive import judge_sensitive
from leadml.params import RuleParams


def test_findings_that_stop_are_one_error() -> None:
    """The error has a line for each of them, and none for warnings."""
    findings = [
        Finding("RD1", "stop", "there are few leads", "bring more"),
        Finding("RD2", "warn", "a warning"),
        Finding("RD9", "stop", "the holdout is empty"),
    ]

    with pytest.raises(ModelError) as error:
        refuse_stops(findings)
    assert [line[:3] for line in str(error.value).splitlines()] == ["RD1", "RD9"]
    refuse_stops(findings[1:2])


def test_the_holdout_needs_both_outcomes(trained_project: tuple[Places, Trained]) -> None:
    """A holdout with one outcome stops a training, and so do folds with one outcome."""
    project, _ = trained_project
    training = training_source(project, project.target, now=NOW).training(progress=lambda _: None)
    held_out = training.holdout.mask(training.frame)
    for rows, evidence in ((held_out, "the holdout must have both outcomes"), (~held_out, "fold")):
        frame = training.frame.assign(converted=training.frame["converted"].where(~rows, 0))
        findings = assess(replace(training, frame=frame), project.params, progress=lambda _: None)
        (finding,) = [finding for finding in findings if finding.code == "RD9"]
        assert finding.severity == "stop"
        assert evidence in finding.evidence
    for rows, remedy in ((held_out, "raise split.test_share, or bring more"), (held_out | True, "bring leads of both")):
        frame = training.frame.assign(converted=training.frame["converted"].where(~rows, 0))
        findings = assess(replace(training, frame=frame), project.params, progress=lambda _: None)
        assert next(finding for finding in findings if finding.code == "RD9").remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("first", "evidence"),
    [
        (0.0, "both outcomes in each of 5 folds"),
        (0.4, "of 3 folds; the first 2 are left out, because all leads before them have one outcome"),
    ],
)
def test_folds_that_are_left_out_are_told(trained_project: tuple[Places, Trained], first: float, evidence: str) -> None:
    """Where leads have dates and none of the first converted, the folds before the first conversion are no folds."""
    project, _ = trained_project
    training = training_source(project, project.target, now=NOW).training(progress=lambda _: None)
    instant = np.arange(len(training.frame))
    label = training.frame["converted"].where(instant >= first * len(instant), 0)
    frame = training.frame.assign(**{AS_OF: instant, "converted": label})
    dated = replace(training, frame=frame, split=TimeSplit(project.params.split))
    (finding,) = [each for each in assess(dated, project.params, progress=lambda _: None) if each.code == "RD9"]
    assert finding.severity == "passed"
    assert finding.evidence.endswith(evidence)


def test_uses_that_stricter_law_is_for_are_told(trained_project: tuple[Places, Trained]) -> None:
    """The bundled leads have two fields of that kind; of a target, its column counts as well."""
    project, _ = trained_project
    training = training_source(project, project.target, now=NOW).training(progress=lambda _: None)
    target = project.params.target.model_copy(update={"column": "hired"})
    for changes, expected in (({}, []), ({"target": target}, ["the target hired is about work"])):
        params = project.params.model_copy(update=changes)
        found = [each for each in assess(training, params, progress=lambda _: None) if each.code == "RD13"]
        assert [each.evidence for each in found if not each.field] == expected
        assert {each.field for each in found if each.field} == {"housing", "loan"}
        assert {each.severity for each in found} == {"warn"}


def test_rules_of_the_business_that_have_no_field_are_told(trained_project: tuple[Places, Trained]) -> None:
    """With the nearest field; one that cannot judge its field stops, and without rules nothing is said."""
    project, _ = trained_project
    training = training_source(project, project.target, now=NOW).training(progress=lambda _: None)

    def judged(*tests: dict[str, Any]) -> list[Finding]:
        rules = RuleParams.model_validate({"mql": {"required": list(tests)}})
        stages = project.params.stages.model_copy(update={"rules": rules})
        params = project.params.model_copy(update={"stages": stages})
        return [finding for finding in assess(training, params, progress=lambda _: None) if finding.code == "RD10"]

    (warned,), (passed,) = judged({"field": "bugdet", "at_least": 1}), judged({"field": "age", "at_least": 18})
    (stopped,) = judged({"field": "job", "at_least": 1})

    assert (warned.severity, passed.severity, stopped.severity) == ("warn", "passed", "stop")
    assert warned.evidence.startswith("of 1 rules these are not applied, for want of their field: MQL required: bugdet")
    assert judged() == []
    (typo,) = judged({"field": "job", "any_of": ["studnet", "retired"]})
    named = "MQL required: job is studnet or retired ('studnet'; the nearest is 'student')"
    assert (typo.severity, typo.evidence) == ("warn", f"of 1 rules these name levels of no lead: {named}")
    (both,) = judged({"field": "job", "any_of": ["pilot"]}, {"field": "bugdet", "at_least": 1})
    assert both.evidence.endswith("; and these name levels of no lead: MQL required: job is pilot ('pilot')")
    lifecycle = project.params.stages.lifecycle.model_copy(update={"silence_days": 30, "silence_field": "ag"})
    silent = project.params.model_copy(
        update={"stages": project.params.stages.model_copy(update={"lifecycle": lifecycle})}
    )
    (told,) = [each for each in assess(training, silent, progress=lambda _: None) if each.code == "RD10"]
    assert told.evidence.endswith("for want of their field: silence: ag; the nearest is 'age'")


def test_a_sensitive_column_of_flat_leads_is_judged_and_changes_no_row(
    make_project: Callable[..., Places], tmp_path: Path
) -> None:
    """What is learnt from, and its hash, are the same whether it is declared or not; it is in no stored contract."""
    found = []
    for declared in ((), ("marital",)):
        project = make_project(tmp_path / f"{len(declared)}")
        fit = {name: kind for name, kind in project.params.features.fit.items() if name != "marital"}
        features = project.params.features.model_copy(update={"fit": fit, "sensitive": declared})
        project = replace(project, params=project.params.model_copy(update={"features": features}))
        found.append(training_source(project, project.target, now=NOW).training(progress=lambda _: None))
    plain, told = found
    (finding,) = judge_sensitive(
        told.parts().learn, told.contract.fields, told.contract.sensitive, order=told.split.order
    )

    assert (finding.code, finding.severity, finding.field) == ("RD14", "warn", "marital")
    assert "tell 'single' from other leads" in finding.evidence
    assert "alone: age" in finding.evidence
    assert finding in assess(told, project.params, progress=lambda _: None)
    assert not any(each.code == "RD14" for each in assess(plain, project.params, progress=lambda _: None))
    assert told.frame.drop(columns=kept_name("marital")).equals(plain.frame)
    with pytest.raises(ParamsError, match=r"sensitive must name columns that are no fields, got 'marital'"):
        make_project(tmp_path / "used", "features.sensitive=[marital]")
    with pytest.raises(ParamsError, match=r"sensitive must name columns that are no fields, got 'title'"):
        make_project(tmp_path / "read", "features.sensitive=[title]", "features.read_out.title=title")
    absent = make_project(tmp_path / "absent", "features.sensitive=[gender]")
    with pytest.raises(DataError, match=r"features.sensitive"):
        training_source(absent, absent.target, now=NOW).training(progress=lambda _: None)


def test_a_sensitive_column_of_dated_leads_is_judged(make_dated_project: Callable[..., Places], tmp_path: Path) -> None:
    """Each lead counts once, however many snapshots it has, and no snapshot is other than without it."""
    project = make_dated_project(tmp_path / "dated", "features.sensitive=[phone]")
    told = training_source(project, "mql", now=NOW).training(progress=lambda _: None)
    plain = make_dated_project(tmp_path / "plain")
    same = training_source(plain, "mql", now=NOW).training(progress=lambda _: None)
    findings = [each for each in assess(told, project.params, progress=lambda _: None) if each.code == "RD14"]

    assert [each.field for each in findings] == ["phone"]
    assert told.frame.drop(columns=kept_name("phone")).equals(same.frame)
