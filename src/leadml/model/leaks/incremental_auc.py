"""LK3: how much AUC a field adds to all other fields, and the AUC of all fields together.

A cause is no leak. A field with a high incremental AUC therefore only warns where it behaves like a cause: where it is
independent of the other fields, more correlated with them than the outcome explains, or gradual and not much stronger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import (
    Z_95,
    AucEstimate,
    AucGain,
    CrossFittedTrees,
    correlation,
    d_prime,
    estimate_auc,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.model.leaks.check import JudgedRows
    from leadml.model.leaks.single_field import JudgedField
    from leadml.params import LeakParams
    from leadml.types import Floats


MAX_FITTED_ROWS = 8_000  # a model is fitted for each candidate; where 12% convert, the error of an AUC is 0.01 then
MAX_OTHERS = 16  # the strongest, for time: weaker fields add little to so many; see leak_limits.py
MAX_BY_AUC, MAX_BY_GAIN = 8, 4  # candidates, for time: a leak is among the strongest fields, or it cannot do harm
MAX_CORRELATION = 0.9  # of scores: a copy this near hides a leak in the leak itself; see leak_limits.py
CANDIDATE_AUC = 0.55  # a field below adds at most as much to independent ones (squares of d-prime add up)
WARN_INCREMENTAL_AUC = 0.62  # a lower bound: below it a field is one of many that help; see leak_limits.py
HIGH_INCREMENTAL_AUC = 0.8  # fields with a common cause share what they know, and know less alone; see leak_limits.py
# of the dependence: 1 is a copy of the outcome with noise, 0 a cause of its own (decision 16); see leak_limits.py
INDEPENDENT, DEPENDENT, VERY_DEPENDENT = 0.5, 1.3, 2.0
DEPENDENCE_Z = 2.5  # errors: of 20 fields one is as far from 0 by chance in 12% of data sets (one-sided, 0.6% each)
D_PRIME_MARGIN = 1.05  # "not clearly stronger": 5% more d-prime than all other fields together; see leak_limits.py
WARN_AUC_OF_ALL = 0.92  # online shoppers: 0.92 to 0.93 with their known leak, 0.75 to 0.77 without (leak_verdicts.py)
ALL_FIELDS = "together"
WARN_REMEDY_OF_ALL = "check whether rows were copied, completed or deleted depending on the outcome of the leads"
STOP_REMEDY_OF_ALL = f"{WARN_REMEDY_OF_ALL}; or name together in leaks.accept with the reason why they were not"


@dataclass(frozen=True)
class Comparison:
    """A field compared with the other fields.

    Parameters
    ----------
    judged_field
        The field.
    auc
        Its AUC by itself, on the rows of the comparison.
    gain
        How much AUC it adds to the other fields.
    """

    judged_field: JudgedField
    auc: AucEstimate
    gain: AucGain

    @property
    def evidence(self) -> str:
        """The AUC of all fields with it and without it, in words."""
        return f"without it AUC falls from {self.gain.with_field:.2f} to {self.gain.without_field:.2f}"

    @property
    def honest_reason(self) -> str:
        """Why a field with a high incremental AUC may be a cause; empty where nothing suggests it."""
        gain, gradual = self.gain, self.judged_field.gradual
        low, high = (gain.dependence + sign * Z_95 * gain.dependence_error for sign in (-1, 1))
        if gain.dependence < DEPENDENCE_Z * gain.dependence_error and (gradual or high < INDEPENDENT):
            return "it may be an honest cause, because it is independent of the other fields"
        if (low > VERY_DEPENDENT and gain.incremental < HIGH_INCREMENTAL_AUC) or (gradual and low > DEPENDENT):
            return (
                "it may be honest, because it is more correlated with the other fields than the outcome explains, as "
                "fields with a common cause are"
            )
        ordered = gradual and self.judged_field.field.kind == "number"
        if ordered and d_prime(self.auc.lower_bound) < D_PRIME_MARGIN * d_prime(gain.without_field):
            return (
                "it may be an honest cause, because its conversion rate changes gradually and by itself it is not "
                "clearly stronger than the other fields"
            )
        return ""

    def suspicion(self, leaks: LeakParams) -> Suspicion | None:
        """Return a suspicion where the incremental AUC is high, else None."""
        gain, name = self.gain, self.judged_field.field.name
        if gain.incremental_lower_bound < WARN_INCREMENTAL_AUC:
            return None
        evidence = (
            f"knows more than a field that is filled in before the outcome: {self.evidence}; its AUC by itself is "
            f"{self.auc.value:.3f}, and what it adds to the other fields is worth an AUC of {gain.incremental:.3f}"
        )
        if gain.incremental_lower_bound < leaks.own:
            return Suspicion("LK3", "warn", evidence, name)
        if self.honest_reason:
            return Suspicion("LK3", "warn", f"{evidence}; {self.honest_reason}", name)
        return Suspicion("LK3", "stop", evidence, name)


def suspect_incremental_auc(rows: JudgedRows, suspected: dict[str, Suspicion]) -> dict[str, Suspicion]:
    """Return all suspicions by field, with the AUC that each suspected field adds to the others.

    Parameters
    ----------
    rows
        At most 8,000 of the sample are used, evenly spaced. Of the limits, ``own`` is the highest incremental AUC that
        a field may have, and ``together`` the highest AUC of all fields.
    suspected
        Suspicions of other rules by field.
    """
    found, frame, judged_fields, leaks = dict(suspected), rows.sample, rows.fields, rows.leaks
    if len(judged_fields) < 2:  # noqa: PLR2004 - a field and another
        return found
    step = -(-len(frame) // MAX_FITTED_ROWS)
    frame, outcome = frame.iloc[::step].reset_index(drop=True), judged_fields[0].outcome.part(slice(None, None, step))
    scores = {judged_field.field: judged_field.scores[::step] for judged_field in judged_fields}
    trees = CrossFittedTrees(frame, list(scores), outcome)
    log_odds, gains = trees.cross_fit(list(scores))
    abrupt = _abrupt_activity_fields(judged_fields)
    for judged_field in _candidates(judged_fields, found, gains):
        field, name = judged_field.field, judged_field.field.name
        if not rows.is_judged(name):
            continue
        same_activity = {other for other in scores if field in abrupt and other.subject == field.subject}
        comparable = {other: scores[other] for other in scores if other not in same_activity}
        others = _others(field, scores[field], comparable, found, gains)
        if not others:
            continue
        gain = trees.auc_gain(field, others, scores[field])
        comparison = Comparison(judged_field, estimate_auc(outcome, scores[field]), gain)
        new = comparison.suspicion(leaks)
        if name in found and (found[name].severity == "stop" or new is None or new.severity == "warn"):
            found[name] = found[name].with_evidence(comparison.evidence)
        elif new:
            found[name] = new
    if not any(suspicion.severity == "stop" for suspicion in found.values()):
        found |= _suspect_all_fields(estimate_auc(outcome, log_odds), leaks)
    return found


def _suspect_all_fields(auc: AucEstimate, leaks: LeakParams) -> dict[str, Suspicion]:
    """Return a suspicion where all fields together rank leads too well: rows that depend on the outcome do that."""
    if auc.lower_bound < min(WARN_AUC_OF_ALL, leaks.together):
        return {}
    evidence = f"all fields together have an AUC of {auc.value:.3f}, and no single field explains it"
    if auc.lower_bound >= leaks.together:
        return {ALL_FIELDS: Suspicion("LK3", "stop", evidence, ALL_FIELDS, STOP_REMEDY_OF_ALL)}
    return {ALL_FIELDS: Suspicion("LK3", "warn", evidence, ALL_FIELDS, WARN_REMEDY_OF_ALL)}


def _abrupt_activity_fields(judged_fields: Sequence[JudgedField]) -> set[Field]:
    """Return the fields of those kinds of activities of which no field is gradual, as fields of a habit are.

    Windows of one kind of activity contain each other, so a leak in one would hide the leak in another.
    """
    of_activities = [judged_field for judged_field in judged_fields if judged_field.field.source == "activity"]
    gradual = {judged_field.field.subject for judged_field in of_activities if judged_field.gradual}
    return {judged_field.field for judged_field in of_activities if judged_field.field.subject not in gradual}


def _candidates(
    judged_fields: Sequence[JudgedField], found: dict[str, Suspicion], gains: dict[Field, float]
) -> list[JudgedField]:
    """Return suspects, the fields with the highest AUC and those with the highest gain, in falling order of AUC."""
    ranked = sorted(judged_fields, key=lambda judged_field: -judged_field.auc.value)
    by_auc = [judged_field for judged_field in ranked if judged_field.auc.lower_bound >= CANDIDATE_AUC][:MAX_BY_AUC]
    by_gain = sorted(judged_fields, key=lambda judged_field: -gains[judged_field.field])[:MAX_BY_GAIN]
    suspects = [judged_field for judged_field in ranked if judged_field.field.name in found][:MAX_BY_AUC]
    chosen = {judged_field.field for judged_field in (*by_auc, *by_gain, *suspects)}
    return [judged_field for judged_field in ranked if judged_field.field in chosen]


def _others(
    field: Field,
    field_scores: Floats,
    scores: dict[Field, Floats],
    found: dict[str, Suspicion],
    gains: dict[Field, float],
) -> list[Field]:
    """Return the fields to compare with: no suspect that stops and no near copy, because either would hide a leak."""
    others = [
        other
        for other, other_scores in scores.items()
        if other != field
        and not (other.name in found and found[other.name].severity == "stop")
        and correlation(field_scores, other_scores) <= MAX_CORRELATION
    ]
    strongest = sorted([*others, field], key=lambda one: -gains[one])[: MAX_OTHERS + 1]
    return [other for other in others if other in strongest]
