"""The gate: every rule, and the findings in the order in which a person reads them.

What enters is checked leads with labels, and what else is known of them; what leaves is findings.
A suspect stops the training unless it is accepted by name with a reason; a rule that cannot be judged says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import AS_OF, CREATED_AT, LEAD_ID
from leadml.leads.judge.findings import Finding
from leadml.model.leaks.changes import suspect_changes
from leadml.model.leaks.evidence import LeakEvidence
from leadml.model.leaks.future_dates import look_column, suspect_activities, suspect_instants
from leadml.model.leaks.incremental_auc import hold_against_others
from leadml.model.leaks.lookahead import suspect_lookahead
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.repeated_activities import suspect_repeats
from leadml.model.leaks.row_order import suspect_order
from leadml.model.leaks.single_field import Seen, suspect_alone
from leadml.model.leaks.train_test_overlap import suspect_overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
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
    rows = _looked_at(frame)
    looked = frame.iloc[rows].reset_index(drop=True)
    outcome = Outcome.of(looked)
    if outcome.rarer < FEWEST or not outcome.judgeable or not fields:
        got = f"got {outcome.rarer} leads and {len(fields)} fields"
        reason = f"there must be {FEWEST} leads of the rarer kind, in both halves, and a field to be judged by, {got}"
        return [Finding("LK0", "not applicable", reason)]
    seen = [Seen(field, looked[field.name], outcome) for field in fields]
    order = None if evidence.order is None else np.asarray(evidence.order)[rows]
    suspicions = [
        *_field_suspicions(looked, seen, params.leaks),
        *_dated_suspicions(looked, outcome, fields, evidence),
        *suspect_order(looked, order),
        *_twin_suspicions(frame, fields, evidence, params.leaks),
    ]
    activities = {field.name for field in fields if field.source == "activity"}
    findings = [suspicion.finding(params.leaks, activities=activities) for suspicion in suspicions]
    return [*findings, *_not_applicable(frame, evidence), *_passed(findings, seen)]


def _looked_at(frame: pd.DataFrame) -> Rows:
    """Return the places of the rows that are looked at, in the order of ids and instants."""
    keys = [frame[LEAD_ID].to_numpy()]
    if AS_OF in frame:
        keys.insert(0, frame[AS_OF].to_numpy())
    ranked = np.lexsort([pd.factorize(key, sort=True)[0] for key in keys])
    return ranked[:: -(-len(frame) // MOST_LEADS)]


def _field_suspicions(looked: pd.DataFrame, seen: Sequence[Seen], leaks: LeakParams) -> list[Suspicion]:
    alone = {one.field.name: suspicion for one in seen if (suspicion := suspect_alone(one, leaks))}
    found = hold_against_others(looked, seen, alone, leaks)
    places = {one.field.name: at for at, one in enumerate(seen)}
    return [found[name] for name in sorted(found, key=lambda name: places.get(name, len(places)))]


def _dated_suspicions(
    looked: pd.DataFrame, outcome: Outcome, fields: Sequence[Field], evidence: LeakEvidence
) -> list[Suspicion]:
    found: list[Suspicion] = []
    if evidence.changes is not None and evidence.outcomes is not None and CREATED_AT in looked:
        found += suspect_changes(looked, fields, evidence.changes, evidence.outcomes)
    found += suspect_instants(looked, fields, outcome)
    if evidence.ahead is not None and AS_OF in looked:
        found += suspect_lookahead(looked, fields, outcome, evidence.ahead)
    if evidence.repeated_activities is not None:
        found += suspect_repeats(evidence.repeated_activities)
    return found if evidence.activities is None else [*found, *suspect_activities(evidence.activities)]


def _twin_suspicions(
    frame: pd.DataFrame, fields: Sequence[Field], evidence: LeakEvidence, leaks: LeakParams
) -> list[Suspicion]:
    if evidence.aside is None or evidence.aside.empty:
        return []
    twins = suspect_overlap(frame, evidence.aside, fields, leaks)
    return [twins] if twins else []


def _not_applicable(frame: pd.DataFrame, evidence: LeakEvidence) -> list[Finding]:
    reasons = []
    if evidence.changes is None or evidence.outcomes is None or CREATED_AT not in frame:
        reasons.append(("LK6", "no dates of changes and outcomes, so when fields are changed cannot be judged"))
    if look_column(frame) is None and evidence.activities is None:
        reasons.append(("LK7", "leads have no dates, so what is dated after the look cannot be judged"))
    if evidence.aside is None or evidence.aside.empty:
        reasons.append(("LK9", "no leads kept aside were given, so twins across the split cannot be judged"))
    return [Finding(code, "not applicable", reason) for code, reason in reasons]


def _passed(findings: Sequence[Finding], seen: Sequence[Seen]) -> list[Finding]:
    if any(finding.severity == "stop" for finding in findings):
        return []
    strongest = max(seen, key=lambda one: one.power.auc).power.auc
    what = "no suspect stops the training" if findings else "no field seems to know the outcome"
    return [Finding("LK0", "passed", f"{what}; the strongest alone is {strongest:.3f}")]
