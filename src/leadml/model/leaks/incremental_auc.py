"""LK3: what a field adds to all others.

What enters is the fields of leads and who is suspected already; what leaves is the lift of each suspect and of each
strong field, and new suspicions.
A cause is no leak: a field of which the others know nothing, or more than the outcome explains, is warned of only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import SURE, Lift, Power, Together, alike, power, separation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.single_field import JudgedField
    from leadml.params import LeakParams
    from leadml.types import Floats


MOST_LEADS = 8_000
MOST_OTHERS = 16
STRONGEST, MOST_GAINED = 8, 4
ALIKE = 0.9
PROMISING = 0.55
WORTH_A_WORD = 0.62
MUCH = 0.8
UNTIED, TIED, FAR_TIED = 0.5, 1.3, 2.0
TIE_SURE = 2.5
BEATS = 1.05
TOO_GOOD = 0.92
TOGETHER = "together"
WARNED = "see whether rows were copied, completed or deleted by what became of the leads"
STOPPED = f"{WARNED}; or name together in leaks.accept with the reason why they were not"


@dataclass(frozen=True)
class Beside:
    """A field held against the others.

    Parameters
    ----------
    seen
        The field.
    power
        What it can alone, on the leads that were looked at.
    lift
        What it adds to the others.
    """

    seen: JudgedField
    power: Power
    lift: Lift

    @property
    def words(self) -> str:
        """What was measured."""
        lift = self.lift
        return f"all other fields together have an AUC of {lift.without:.3f}, and with it an AUC of {lift.beside:.3f}"

    @property
    def excuse(self) -> str:
        """Why a field that knows much may be an honest cause; empty where nothing speaks for it."""
        lift, gradual = self.lift, self.seen.gradual
        low, high = (lift.tie + side * SURE * lift.tie_error for side in (-1, 1))
        if lift.tie < TIE_SURE * lift.tie_error and (gradual or high < UNTIED):
            return "the other fields know nothing of it, as of a cause of its own"
        if (low > FAR_TIED and lift.own < MUCH) or (gradual and low > TIED):
            return "the other fields know more of it than the outcome explains, as of things with one cause"
        ordered = gradual and self.seen.field.kind == "number"
        if ordered and separation(self.power.low) < BEATS * separation(lift.without):
            return "its rates rise by degrees, and alone it does not clearly beat the others"
        return ""

    def suspicion(self, leaks: LeakParams) -> Suspicion | None:
        """Return the reason to suspect it, if there is one."""
        lift, name = self.lift, self.seen.field.name
        if lift.own_low < WORTH_A_WORD:
            return None
        evidence = (
            f"knows by itself what an AUC of {lift.own:.3f} takes, with an AUC of {self.power.auc:.3f} alone; "
            f"{self.words}"
        )
        if lift.own_low < leaks.own:
            return Suspicion("LK3", "warn", evidence, name)
        if self.excuse:
            return Suspicion("LK3", "warn", f"{evidence}; {self.excuse}", name)
        return Suspicion("LK3", "stop", evidence, name)


def hold_against_others(
    frame: pd.DataFrame, seen: Sequence[JudgedField], suspected: dict[str, Suspicion], leaks: LeakParams
) -> dict[str, Suspicion]:
    """Return all suspicions, each with what its field adds to the others.

    Parameters
    ----------
    frame
        Leads with labels, in the order of their ids; at most 8,000 of them, evenly taken, are looked at.
    seen
        The fields, each with all leads.
    suspected
        Suspicions by field so far.
    leaks
        ``own``: what a field may know by itself.
    """
    found = dict(suspected)
    if len(seen) < 2:  # noqa: PLR2004 - a field and another
        return found
    step = -(-len(frame) // MOST_LEADS)
    frame, outcome = frame.iloc[::step].reset_index(drop=True), seen[0].outcome.part(slice(None, None, step))
    scores = {one.field: one.scores[::step] for one in seen}
    together = Together(frame, list(scores), outcome)
    margins, gains = together.margins(list(scores))
    abrupt = _abrupt(seen)
    for one in _candidates(seen, found, gains):
        siblings = {other for other in scores if one.field in abrupt and other.subject == one.field.subject}
        strangers, score = {other: scores[other] for other in scores if other not in siblings}, scores[one.field]
        others = _others(one.field, score, strangers, found, gains)
        if not others:
            continue
        beside = Beside(one, power(outcome, score), together.lift(one.field, others, score))
        name = one.field.name
        new = beside.suspicion(leaks)
        if name in found and (found[name].severity == "stop" or new is None or new.severity == "warn"):
            found[name] = found[name].saying(beside.words)
        elif new:
            found[name] = new
    if not any(suspicion.severity == "stop" for suspicion in found.values()):
        found |= _all_together(power(outcome, margins), leaks)
    return found


def _all_together(whole: Power, leaks: LeakParams) -> dict[str, Suspicion]:
    """Return what speaks against all fields at once: rows that came or went by the outcome show in no single one."""
    if whole.low < min(TOO_GOOD, leaks.together):
        return {}
    evidence = f"all fields together rank leads with an AUC of {whole.auc:.3f}, and none of them stands out"
    stops = whole.low >= leaks.together
    return {TOGETHER: Suspicion("LK3", "stop" if stops else "warn", evidence, TOGETHER, STOPPED if stops else WARNED)}


def _abrupt(seen: Sequence[JudgedField]) -> set[Field]:
    """Return the fields of activities of which nothing says more by degrees, as habits do.

    Windows of one kind of activity hide each other, and where its dates are wrong all of them are.
    """
    counted = [one for one in seen if one.field.source == "activity"]
    habits = {one.field.subject for one in counted if one.gradual}
    return {one.field for one in counted if one.field.subject not in habits}


def _candidates(
    seen: Sequence[JudgedField], found: dict[str, Suspicion], gains: dict[Field, float]
) -> list[JudgedField]:
    """Return suspects, the strongest fields and those that the trees gained most by, strongest first."""
    ranked = sorted(seen, key=lambda one: -one.power.auc)
    promising = [one for one in ranked if one.power.low >= PROMISING][:STRONGEST]
    gained = sorted(seen, key=lambda one: -gains[one.field])[:MOST_GAINED]
    suspects = [one for one in ranked if one.field.name in found][:STRONGEST]
    chosen = {one.field for one in (*promising, *gained, *suspects)}
    return [one for one in ranked if one.field in chosen]


def _others(
    field: Field,
    own: Floats,
    scores: dict[Field, Floats],
    found: dict[str, Suspicion],
    gains: dict[Field, float],
) -> list[Field]:
    """Return whom to hold a field against: no suspect that stops and no near copy, which would hide it."""
    others = [
        other
        for other, score in scores.items()
        if other != field
        and not (other.name in found and found[other.name].severity == "stop")
        and alike(own, score) <= ALIKE
    ]
    kept = sorted([*others, field], key=lambda one: -gains[one])[: MOST_OTHERS + 1]
    return [other for other in others if other in kept]
