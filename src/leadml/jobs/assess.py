"""Collect every finding about a training set before a model is fitted.

``leadml check`` shows the findings and a training refuses those that stop it, so both judge the same rows by the same
rules. Only a fit can find that a rule of the stages has no cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import ModelError, ParamsError, nearest, quoted
from leadml.leads.check.contract import LABEL
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.readiness import judge_readiness
from leadml.leads.judge.regulated import judge_uses
from leadml.model.fit.selection import directions_of
from leadml.model.leaks import find_leaks
from leadml.model.leaks.sensitive import judge_sensitive
from leadml.params import normal_name
from leadml.stages.rules import RuleBook

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.sources.training_set import TrainingParts, TrainingSet
    from leadml.params import Params
    from leadml.stages.rules import StageRule
    from leadml.types import Progress

CLASSES = 2  # converted or not


def assess(training: TrainingSet, params: Params, *, progress: Progress) -> list[Finding]:
    """Return every finding about a training set, in the order in which they are shown.

    Parameters
    ----------
    training
        Labelled rows.
    params
        Limits, folds, directions and the settings of the leak gate.
    progress
        Called with the name of each step as it begins.
    """
    parts = training.parts()
    facts = training.facts
    findings = [
        *training.findings,
        *judge_readiness(
            training.frame,
            training.contract,
            params.limits,
            split=training.split,
            rows=facts.rows,
            merged=facts.merged,
        ),
        *_use_findings(training, params),
        _split_finding(training, parts, params),
        *_rule_findings(training, params),
    ]
    contract, order = training.contract, training.split.order
    findings += judge_sensitive(parts.learn, contract.fields, contract.sensitive, order=order)
    progress("looking for leaks")
    if parts.learn[LABEL].nunique() < CLASSES:
        return [
            *findings,
            Finding("LK0", "not applicable", "all leads have one outcome, so no field can be judged"),
        ]
    return [*findings, *find_leaks(parts.learn, training.contract.fields, params, evidence=parts.evidence)]


def refuse_stops(findings: list[Finding]) -> None:
    """Raise an error if any finding stops a training.

    Raises
    ------
    ModelError
        With one line for each finding that stops.
    """
    stops = [str(finding) for finding in findings if finding.severity == "stop"]
    if stops:
        raise ModelError("\n".join(stops))


def _use_findings(training: TrainingSet, params: Params) -> list[Finding]:
    """Return whether the names of targets and fields tell of a use that stricter law is for."""
    target, contract = params.target, training.contract
    names = [target.name, target.column] if target else list(params.targets)
    return judge_uses(names, [*(field.name for field in contract.column_fields), *contract.derived.columns])


def _rule_findings(training: TrainingSet, params: Params) -> list[Finding]:
    """Return which of the business's own rules test no field of the model or no level; nothing without rules."""
    fields = training.contract.fields
    try:
        rules = RuleBook.of(params.stages.rules, fields)
    except ParamsError as error:
        return [Finding("RD10", "stop", str(error))]
    names, lifecycle = [field.name for field in fields], params.stages.lifecycle
    absent = [f"{rule.words}{nearest(rule.test.field, names)}" for rule in rules.not_applicable]
    if lifecycle.silence_days is not None and normal_name(lifecycle.silence_field) not in names:
        absent.append(f"silence: {lifecycle.silence_field}{nearest(lifecycle.silence_field, names)}")
    unknown = {rule.words: _unknown_levels(rule, training.frame) for rule in rules.applied}
    strangers = [f"{words} ({', '.join(levels)})" for words, levels in unknown.items() if levels]
    number = len(rules.applied) + len(rules.not_applicable) + (lifecycle.silence_days is not None)
    found = [("these are not applied, for want of their field", absent), ("these name levels of no lead", strangers)]
    told = [f"{words}: {'; '.join(listed)}" for words, listed in found if listed]
    if told:
        return [Finding("RD10", "warn", f"of {number} rules {'; and '.join(told)}")]
    return [Finding("RD10", "passed", f"all {number} rules have their fields and levels")] if number else []


def _unknown_levels(rule: StageRule, frame: pd.DataFrame) -> list[str]:
    """Return the levels that a rule names and no lead has, each with the nearest that one has."""
    levels = frame[normal_name(rule.test.field)].dropna().unique().tolist() if rule.test.any_of else []
    return [f"{quoted(level)}{nearest(level, levels)}" for level in rule.test.any_of or () if level not in levels]


def _split_finding(training: TrainingSet, parts: TrainingParts, params: Params) -> Finding:
    """Return whether the holdout and the folds can be made such that each has both outcomes."""
    label = parts.holdout[LABEL].to_numpy()
    if len(np.unique(label)) < CLASSES:
        evidence = f"the holdout must have both outcomes, got {int(label.sum())} conversions among {len(label)} rows"
        remedy = "bring leads of both outcomes"
        if training.frame[LABEL].nunique() == CLASSES:
            remedy = "raise split.test_share, or bring more leads of the rarer outcome"
        return Finding("RD9", "stop", evidence, remedy)
    try:
        folds = training.split.folds(parts.learn)
        directions_of(training.contract.fields, params.model.directions)
    except ModelError as error:
        return Finding("RD9", "stop", str(error))
    sizes = f"{len(parts.learn):,} rows to fit on and {len(parts.holdout):,} in the holdout"
    evidence = f"{sizes} ({training.split.name}), both outcomes in each of {len(folds)} folds"
    if left_out := params.split.folds - len(folds):
        evidence += f"; the first {left_out} are left out, because all leads before them have one outcome"
    return Finding("RD9", "passed", evidence)
