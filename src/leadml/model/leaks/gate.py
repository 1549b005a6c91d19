"""The leak gate: run all rules and return their findings in the order in which people read them.

A suspect stops the training unless ``leaks.accept`` names it with a reason. A rule without its evidence is reported as
"not applicable", never as "passed".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LEAD_ID
from leadml.leads.judge.evidence import LeakEvidence
from leadml.leads.judge.findings import Finding
from leadml.model.leaks.changes import suspect_changes
from leadml.model.leaks.future_dates import suspect_activity_dates, suspect_future_dates
from leadml.model.leaks.incremental_auc import suspect_incremental_auc
from leadml.model.leaks.lookahead import suspect_lookahead
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.repeated_activities import suspect_repeated_activities
from leadml.model.leaks.row_order import suspect_row_order
from leadml.model.leaks.single_field import JudgedField, suspect_single_field
from leadml.model.leaks.train_test_overlap import suspect_overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.suspicion import Suspicion
    from leadml.params import LeakParams, Params
    from leadml.types import Rows

MAX_ROWS = 20_000
MIN_LEADS = 10


def find_leaks(
    frame: pd.DataFrame, fields: Sequence[Field], params: Params, *, evidence: LeakEvidence | None = None
) -> list[Finding]:
    """Return the findings of the leak gate.

    There is a finding for each suspect, one for each rule that is not applicable, and LK0 where nothing stops.

    Parameters
    ----------
    frame
        Checked and labelled rows of the training set in any order, with ``lead_id`` and ``split_key``; with ``as_of``
        where the evidence has future counts, and with ``created_at`` where it has changes. At most 20,000 rows are
        judged, evenly spaced in the order of their ids.
    fields
        The fields of the model.
    params
        ``leaks``: the limits of the rules, and the suspects that are accepted.
    evidence
        What is known in addition to the rows, in their order.

    Notes
    -----
    - LK1: a field has an almost perfect AUC by itself.
    - LK2: a field has a name that sales systems fill in after the outcome, and an AUC above chance.
    - LK3: a field adds more AUC to the other fields than a cause can, or all fields together have too high an AUC.
    - LK4: whether a field is filled in follows the outcome.
    - LK5: one value of a field implies the outcome.
    - LK6: a field is changed when the outcome comes.
    - LK7: a field holds dates after the snapshot or knows the activities after it; activities are recorded before they
      happen, happen almost only after the outcome, or are repeated depending on the outcome.
    - LK8: the order of the ids or of the rows in the file predicts the outcome.
    - LK9: leads of the holdout are copies of training leads.
    - LK0: none of these stops the training.
    """
    evidence = evidence or LeakEvidence()
    rows = _sample(frame, evidence.clock)
    sample, sample_evidence = frame.iloc[rows].reset_index(drop=True), evidence.part(rows)
    outcome = Outcome.of(sample)
    if outcome.groups_of_rarer_class < MIN_LEADS or not outcome.has_both_classes or not fields:
        reason = (
            f"there must be {MIN_LEADS} leads of the rarer outcome, some in each half, and a field to judge, got "
            f"{outcome.groups_of_rarer_class} leads and {len(fields)} fields"
        )
        return [Finding("LK0", "not applicable", reason)]
    judged_fields = [JudgedField(field, sample[field.name], outcome) for field in fields]
    suspicions = [
        *_suspect_fields(sample, judged_fields, params.leaks),
        *_suspect_dates(sample, outcome, fields, sample_evidence),
        *suspect_row_order(sample, sample_evidence.order, sample_evidence.clock),
        *_suspect_overlap(frame, fields, evidence, params.leaks),
    ]
    of_activities = {field.name for field in fields if field.source == "activity"}
    findings = [suspicion.finding(params.leaks, activities=of_activities) for suspicion in suspicions]
    return [*findings, *_not_applicable(evidence), *_passed(findings, judged_fields)]


def _sample(frame: pd.DataFrame, clock: Clock | None) -> Rows:
    """Return the positions of the rows that are judged, evenly spaced in the order of ids and instants."""
    keys = [frame[LEAD_ID].to_numpy()]
    if clock is not None:
        keys.insert(0, clock.instants)
    ordered = np.lexsort([pd.factorize(key, sort=True)[0] for key in keys])
    return ordered[:: -(-len(frame) // MAX_ROWS)]


def _suspect_fields(sample: pd.DataFrame, judged_fields: Sequence[JudgedField], leaks: LeakParams) -> list[Suspicion]:
    """Return the suspicions of the values of fields, in the order of the fields."""
    suspected = {
        judged_field.field.name: suspicion
        for judged_field in judged_fields
        if (suspicion := suspect_single_field(judged_field, leaks))
    }
    found = suspect_incremental_auc(sample, judged_fields, suspected, leaks)
    positions = {judged_field.field.name: at for at, judged_field in enumerate(judged_fields)}
    return [found[name] for name in sorted(found, key=lambda name: positions.get(name, len(positions)))]


def _suspect_dates(
    sample: pd.DataFrame, outcome: Outcome, fields: Sequence[Field], evidence: LeakEvidence
) -> list[Suspicion]:
    """Return the suspicions of the rules that need instants or tables of dated leads."""
    found: list[Suspicion] = []
    if evidence.changes is not None and evidence.outcomes is not None:
        found += suspect_changes(sample, fields, evidence.changes, evidence.outcomes)
    if evidence.clock is not None:
        found += suspect_future_dates(sample, fields, outcome, evidence.clock)
    if evidence.future_counts is not None:
        found += suspect_lookahead(sample, fields, outcome, evidence.future_counts)
    if evidence.repeated_activities is not None:
        found += suspect_repeated_activities(evidence.repeated_activities)
    return found if evidence.activities is None else [*found, *suspect_activity_dates(evidence.activities)]


def _suspect_overlap(
    frame: pd.DataFrame, fields: Sequence[Field], evidence: LeakEvidence, leaks: LeakParams
) -> list[Suspicion]:
    if evidence.held_out is None or evidence.held_out.empty:
        return []
    overlap = suspect_overlap(frame, evidence.held_out, fields, leaks)
    return [overlap] if overlap else []


def _not_applicable(evidence: LeakEvidence) -> list[Finding]:
    """Return a finding for each rule whose evidence is missing."""
    reasons = []
    if evidence.changes is None or evidence.outcomes is None:
        reasons.append(("LK6", "there are no dates of changes and outcomes, so when fields are changed is not known"))
    if evidence.clock is None and evidence.activities is None:
        reasons.append(("LK7", "leads have no dates, so dates after the snapshot cannot be found"))
    if evidence.held_out is None or evidence.held_out.empty:
        reasons.append(("LK9", "no holdout was given, so copies of its leads cannot be found"))
    return [Finding(code, "not applicable", reason) for code, reason in reasons]


def _passed(findings: Sequence[Finding], judged_fields: Sequence[JudgedField]) -> list[Finding]:
    """Return LK0 where no finding stops the training."""
    if any(finding.severity == "stop" for finding in findings):
        return []
    highest = max(judged_field.auc.value for judged_field in judged_fields)
    result = "no suspect stops the training" if findings else "no field seems to know the outcome"
    return [Finding("LK0", "passed", f"{result}; the highest AUC of a single field is {highest:.3f}")]
