"""The gate: every rule, and the findings in the order in which a person reads them.

What enters is checked leads with labels, and what else is known of them; what leaves is findings.
A suspect stops the training unless it is accepted by name with a reason; a rule that cannot be judged says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LEAD_ID
from leadml.leads.judge.evidence import LeakEvidence
from leadml.leads.judge.findings import Finding
from leadml.model.leaks.changes import suspect_changes
from leadml.model.leaks.future_dates import suspect_activities, suspect_instants
from leadml.model.leaks.incremental_auc import hold_against_others
from leadml.model.leaks.lookahead import suspect_lookahead
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.repeated_activities import suspect_repeats
from leadml.model.leaks.row_order import suspect_order
from leadml.model.leaks.single_field import JudgedField, suspect_alone
from leadml.model.leaks.train_test_overlap import suspect_overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.suspicion import Suspicion
    from leadml.params import LeakParams, Params
    from leadml.types import Rows

MOST_LEADS = 20_000
FEWEST = 10


def find_leaks(
    frame: pd.DataFrame, fields: Sequence[Field], params: Params, *, evidence: LeakEvidence | None = None
) -> list[Finding]:
    """Return a finding for each suspect, for each rule that could not be judged, and one that none stops.

    Parameters
    ----------
    frame
        Checked leads to learn from, with labels, in any order, and ``created_at`` or ``as_of`` where they have
        instants; at most 20,000 of them, evenly taken in the order of their ids, are looked at.
    fields
        The fields of the model.
    params
        ``leaks``: what is too good, and what is accepted.
    evidence
        What else is known; a rule whose evidence is not there is not applicable.

    Notes
    -----
    LK1: the field alone ranks the leads almost perfectly. LK2: its name is one that sales systems write after the
    outcome, and it has power. LK3: what it knows and all others together do not is too much for a cause, or all of them
    together know too much. LK4: whether it is filled follows the outcome. LK5: one of its values implies the outcome.
    LK6: it is changed when the outcome comes. LK7: it is dated after the look, or knows what was done after it, or
    activities are there twice. LK8: the order of the ids or of the file knows the outcome. LK9: leads kept aside are
    copies of leads to learn from. LK0: none of these stops.
    """
    evidence = evidence or LeakEvidence()
    rows = _sampled(frame, evidence.clock)
    sample, known = frame.iloc[rows].reset_index(drop=True), evidence.part(rows)
    outcome = Outcome.of(sample)
    if outcome.rarer < FEWEST or not outcome.judgeable or not fields:
        got = f"got {outcome.rarer} leads and {len(fields)} fields"
        reason = f"there must be {FEWEST} leads of the rarer kind, in both halves, and a field to be judged by, {got}"
        return [Finding("LK0", "not applicable", reason)]
    seen = [JudgedField(field, sample[field.name], outcome) for field in fields]
    suspicions = [
        *_field_suspicions(sample, seen, params.leaks),
        *_dated_suspicions(sample, outcome, fields, known),
        *suspect_order(sample, known.order, known.clock),
        *_overlap_suspicions(frame, fields, evidence, params.leaks),
    ]
    activities = {field.name for field in fields if field.source == "activity"}
    findings = [suspicion.finding(params.leaks, activities=activities) for suspicion in suspicions]
    return [*findings, *_not_applicable(evidence), *_passed(findings, seen)]


def _sampled(frame: pd.DataFrame, clock: Clock | None) -> Rows:
    """Return the rows that are judged, evenly taken in the order of ids and instants."""
    keys = [frame[LEAD_ID].to_numpy()]
    if clock is not None:
        keys.insert(0, clock.instants)
    ranked = np.lexsort([pd.factorize(key, sort=True)[0] for key in keys])
    return ranked[:: -(-len(frame) // MOST_LEADS)]


def _field_suspicions(sample: pd.DataFrame, seen: Sequence[JudgedField], leaks: LeakParams) -> list[Suspicion]:
    alone = {one.field.name: suspicion for one in seen if (suspicion := suspect_alone(one, leaks))}
    found = hold_against_others(sample, seen, alone, leaks)
    places = {one.field.name: at for at, one in enumerate(seen)}
    return [found[name] for name in sorted(found, key=lambda name: places.get(name, len(places)))]


def _dated_suspicions(
    sample: pd.DataFrame, outcome: Outcome, fields: Sequence[Field], evidence: LeakEvidence
) -> list[Suspicion]:
    found: list[Suspicion] = []
    if evidence.changes is not None and evidence.outcomes is not None:
        found += suspect_changes(sample, fields, evidence.changes, evidence.outcomes)
    if evidence.clock is not None:
        found += suspect_instants(sample, fields, outcome, evidence.clock)
    if evidence.future_counts is not None:
        found += suspect_lookahead(sample, fields, outcome, evidence.future_counts)
    if evidence.repeated_activities is not None:
        found += suspect_repeats(evidence.repeated_activities)
    return found if evidence.activities is None else [*found, *suspect_activities(evidence.activities)]


def _overlap_suspicions(
    frame: pd.DataFrame, fields: Sequence[Field], evidence: LeakEvidence, leaks: LeakParams
) -> list[Suspicion]:
    if evidence.held_out is None or evidence.held_out.empty:
        return []
    overlap = suspect_overlap(frame, evidence.held_out, fields, leaks)
    return [overlap] if overlap else []


def _not_applicable(evidence: LeakEvidence) -> list[Finding]:
    reasons = []
    if evidence.changes is None or evidence.outcomes is None:
        reasons.append(("LK6", "no dates of changes and outcomes, so when fields are changed cannot be judged"))
    if evidence.clock is None and evidence.activities is None:
        reasons.append(("LK7", "leads have no dates, so what is dated after the look cannot be judged"))
    if evidence.held_out is None or evidence.held_out.empty:
        reasons.append(("LK9", "no leads kept aside were given, so twins across the split cannot be judged"))
    return [Finding(code, "not applicable", reason) for code, reason in reasons]


def _passed(findings: Sequence[Finding], seen: Sequence[JudgedField]) -> list[Finding]:
    if any(finding.severity == "stop" for finding in findings):
        return []
    strongest = max(seen, key=lambda one: one.power.auc).power.auc
    what = "no suspect stops the training" if findings else "no field seems to know the outcome"
    return [Finding("LK0", "passed", f"{what}; the strongest alone is {strongest:.3f}")]
