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
from leadml.model.leaks import (
    changes,
    field_values,
    future_dates,
    lookahead,
    repeated_activities,
    row_order,
    same_person,
    train_test_overlap,
)
from leadml.model.leaks.check import JudgedRows, LeakCheck
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.vote import most_say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.suspicion import Suspicion
    from leadml.params import Params
    from leadml.types import Rows

MAX_JUDGED_ROWS = 20_000  # where 12% convert, an AUC is then known to 0.013 (two errors); time grows in proportion
MIN_LEADS_OF_RARER_OUTCOME = (
    10  # of the rarer outcome, 5 in each half: the error of an AUC is 0.13 then (Hanley and McNeil 1982)
)
CHECKS: tuple[LeakCheck, ...] = (
    field_values.CHECK,
    changes.CHECK,
    future_dates.CHECK,
    lookahead.CHECK,
    repeated_activities.CHECK,
    future_dates.CHECK_OF_ACTIVITIES,
    row_order.CHECK,
    train_test_overlap.CHECK,
    same_person.CHECK,
)


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
    - LK10: leads are the same person as another lead.
    - LK0: none of these stops the training.
    """
    evidence = evidence or LeakEvidence()
    rows = _sample(frame, evidence.clock)
    sample, sample_evidence = frame.iloc[rows].reset_index(drop=True), evidence.part(rows)
    outcome = Outcome.of(sample)
    if outcome.groups_of_rarer_class < MIN_LEADS_OF_RARER_OUTCOME or not outcome.has_both_classes or not fields:
        reason = (
            f"there must be {MIN_LEADS_OF_RARER_OUTCOME} leads of the rarer outcome, some in each half, and a field to "
            f"judge, got {outcome.groups_of_rarer_class} leads and {len(fields)} fields"
        )
        return [Finding("LK0", "not applicable", reason)]
    judged_fields = [JudgedField(field, sample[field.name], outcome) for field in fields]
    judged = JudgedRows(frame, sample, outcome, judged_fields, sample_evidence, params.leaks)
    suspicions = [suspicion for check in CHECKS for suspicion in _suspicions(check, judged)]
    activities, derived = (
        {field.name for field in fields if field.source == source} for source in ("activity", "derived")
    )
    findings = [suspicion.finding(params.leaks, activities=activities, derived=derived) for suspicion in suspicions]
    return [*findings, *_not_applicable(evidence), *_passed(findings, judged_fields)]


def _suspicions(check: LeakCheck, rows: JudgedRows) -> list[Suspicion]:
    return most_say(check.find, rows) if check.by_halves else list(check.find(rows))


def _sample(frame: pd.DataFrame, clock: Clock | None) -> Rows:
    """Return the positions of the rows that are judged, evenly spaced in the order of ids and instants."""
    keys = [frame[LEAD_ID].to_numpy()]
    if clock is not None:
        keys.insert(0, clock.instants)
    ordered = np.lexsort([pd.factorize(key, sort=True)[0] for key in keys])
    return ordered[:: -(-len(frame) // MAX_JUDGED_ROWS)]


def _not_applicable(evidence: LeakEvidence) -> list[Finding]:
    """Return a finding for each check whose evidence is missing."""
    reasons = [(next(iter(check.kinds), ""), check.missing(evidence)) for check in CHECKS]
    return [Finding(code, "not applicable", reason) for code, reason in reasons if reason]


def _passed(findings: Sequence[Finding], judged_fields: Sequence[JudgedField]) -> list[Finding]:
    """Return LK0 where no finding stops the training."""
    if any(finding.severity == "stop" for finding in findings):
        return []
    highest = max(judged_field.auc.value for judged_field in judged_fields)
    result = "no suspect stops the training" if findings else "no field seems to know the outcome"
    return [Finding("LK0", "passed", f"{result}; the highest AUC of a single field is {highest:.3f}")]
