"""Judge a training set before any model is fitted: the same judgement for ``leadml check`` and for a training.

What stops here stops a training; what only a fit can find (a cut that no probability meets) is named as such there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import ModelError
from leadml.leads.check.contract import LABEL
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.readiness import judge_readiness
from leadml.model.fit.selection import directions_of
from leadml.model.leaks import find_leaks

if TYPE_CHECKING:
    from leadml.leads.sources.training_set import TrainingParts, TrainingSet
    from leadml.params import Params
    from leadml.types import Progress

OUTCOMES = 2


def assess(training: TrainingSet, params: Params, *, progress: Progress) -> list[Finding]:
    """Return every finding about a training set, in the order in which a person reads them.

    Parameters
    ----------
    training
        Labelled rows.
    params
        Limits, folds, directions and what is known of leaks.
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
        _division(training, parts, params),
    ]
    progress("looking for leaks")
    if parts.learn[LABEL].nunique() < OUTCOMES:
        return [*findings, Finding("LK0", "not applicable", "leads have one outcome only, so no field can be judged")]
    return [*findings, *find_leaks(parts.learn, training.contract.fields, params, evidence=parts.evidence)]


def refuse_stops(findings: list[Finding]) -> None:
    """Refuse where any finding stops a training, one line each.

    Raises
    ------
    ModelError
        With every finding that stops.
    """
    stops = [str(finding) for finding in findings if finding.severity == "stop"]
    if stops:
        raise ModelError("\n".join(stops))


def _division(training: TrainingSet, parts: TrainingParts, params: Params) -> Finding:
    """Return whether the rows can be divided into a holdout and folds that hold both outcomes."""
    label = parts.holdout[LABEL].to_numpy()
    if len(np.unique(label)) < OUTCOMES:
        evidence = f"the holdout must hold both outcomes, got {int(label.sum())} conversions among {len(label)} rows"
        return Finding("RD9", "stop", evidence, "raise split.test_share")
    try:
        training.split.folds(parts.learn)
        directions_of(training.contract.fields, params.model.directions)
    except ModelError as error:
        return Finding("RD9", "stop", str(error))
    sizes = f"{len(parts.learn):,} rows to fit on and {len(parts.holdout):,} in the holdout"
    return Finding(
        "RD9", "passed", f"{sizes} ({training.split.name}), both outcomes in each of {params.split.folds} folds"
    )
