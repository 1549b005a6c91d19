"""What each field says of the outcome by itself: LK1 power, LK2 name, LK4 blanks, LK5 values.

What enters is leads with labels; what leaves is at most one suspicion for each field, the first of its rules.
It looks at no other field; what a field adds to others is judged in `leadml.model.leaks.incremental_auc`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.leaks.levels import telling_blank, telling_value
from leadml.model.leaks.outcome_names import written_afterwards
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import Power, power, step_scores, steps_of

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.outcome import Outcome
    from leadml.params import LeakParams
    from leadml.types import Floats, Mask, Rows


BANNED_POWER = 0.55
CHANCE = 0.5
FEW = 20
WORTH_A_WORD = 0.7
MOSTLY = 0.5
LEAP = 2.5
FAR_LEAP = 3.3
FEW_STEPS = 15
MOST_OF_IT = 0.6
LEAP_PRIOR = 10.0


@dataclass(frozen=True)
class JudgedField:
    """One field of leads with labels.

    Parameters
    ----------
    field
        Its name and kind.
    column
        Its values, shape (n_leads,).
    outcome
        What became of the leads.
    """

    field: Field
    column: pd.Series
    outcome: Outcome

    @cached_property
    def filled(self) -> Mask:
        """Whether each lead has a value."""
        return self.column.notna().to_numpy()

    @cached_property
    def steps(self) -> Rows:
        """The level, or one of twenty steps, of each lead."""
        return steps_of(self.column, self.field)

    @cached_property
    def scores(self) -> Floats:
        """The rate of each lead's step among the other half of the leads."""
        return step_scores(self.steps, self.outcome)

    @cached_property
    def power(self) -> Power:
        """How well the field alone tells converters from other leads."""
        return power(self.outcome, self.scores)

    @cached_property
    def gradual(self) -> bool:
        """Whether rates rise and fall by degrees, as a cause's do, without a leap from one step to the next.

        Steps of a number are in its order, levels in the order of their rates; those of few leads are left out.
        A number with one leap between two plateaus is not gradual, however small the leap.
        """
        steps, label = self.steps[self.filled], self.outcome.label[self.filled]
        if self.filled.mean() < MOSTLY or label.min() == label.max():
            return False
        size, won = np.bincount(steps), np.bincount(steps, weights=label)
        held = size >= FEW
        prior = LEAP_PRIOR * label.mean()
        odds = np.log((won[held] + prior) / (size[held] - won[held] + LEAP_PRIOR - prior))
        inorder = odds if self.field.kind == "number" else np.sort(odds)
        near, far = (np.abs(inorder[apart:] - inorder[:-apart]).max(initial=0.0) for apart in (1, 2))
        smeared = len(odds) > FEW_STEPS and far > FAR_LEAP  # a leap within a step is half a leap on both sides
        plateaus = self.field.kind == "number" and near > MOST_OF_IT * np.ptp(odds)
        return bool(near <= LEAP and not smeared and not plateaus)

    def where_filled(self) -> JudgedField | None:
        """Return the field of those leads that have a value, None where too few do or too few do not."""
        if min(self.filled.sum(), (~self.filled).sum()) < FEW:
            return None
        part = self.outcome.part(self.filled)
        if part.rarer < FEW or not part.judgeable:
            return None
        return JudgedField(self.field, self.column[self.filled].reset_index(drop=True), part)


def suspect_alone(seen: JudgedField, leaks: LeakParams) -> Suspicion | None:
    """Return the first reason to suspect a field by itself, one that stops before one that warns."""
    found = [rule(seen, leaks) for rule in (_power, _name, _blank, _value, _power_where_filled)]
    given = [suspicion for suspicion in found if suspicion]
    return min(given, key=lambda suspicion: suspicion.severity != "stop", default=None)


def _power(seen: JudgedField, leaks: LeakParams) -> Suspicion | None:
    if seen.power.low < leaks.alone:
        return None
    evidence = f"alone ranks leads with an AUC of {seen.power.auc:.3f}, too good to be known beforehand"
    return Suspicion("LK1", "stop", evidence, seen.field.name)


def _power_where_filled(seen: JudgedField, leaks: LeakParams) -> Suspicion | None:
    part = seen.where_filled()
    if part is None or part.power.low < leaks.alone:
        return None
    evidence = (
        f"alone ranks the {len(part.column):,} leads where it is filled with an AUC of {part.power.auc:.3f}, too good "
        f"to be known beforehand"
    )
    return Suspicion("LK1", "stop", evidence, seen.field.name)


def _name(seen: JudgedField, _: LeakParams) -> Suspicion | None:
    if not written_afterwards(seen.field.name):
        return None
    what = f"has a name that is filled in after the outcome, and an AUC of {seen.power.auc:.3f} alone"
    if seen.power.auc >= BANNED_POWER and seen.power.low > CHANCE:
        return Suspicion("LK2", "stop", what, seen.field.name)
    return Suspicion("LK2", "warn", f"{what}, which is no more than chance", seen.field.name)


def _blank(seen: JudgedField, leaks: LeakParams) -> Suspicion | None:
    filled = seen.filled
    never_so_far = seen.field.source == "activity"  # computed as of the look: nobody fills it in
    if never_so_far or min(filled.sum(), (~filled).sum()) < FEW:
        return None
    fill = power(seen.outcome, step_scores(filled.astype(np.intp), seen.outcome))
    telling = telling_blank(filled, seen.outcome)
    evidence = f"is filled for {filled.mean():.0%} of the leads, which alone ranks them with an AUC of {fill.auc:.3f}"
    if fill.low >= leaks.fill or (telling and telling.sure):
        return Suspicion("LK4", "stop", f"{evidence}; {telling}" if telling else evidence, seen.field.name)
    if fill.low >= WORTH_A_WORD or telling:
        return Suspicion("LK4", "warn", f"{evidence}; {telling}" if telling else evidence, seen.field.name)
    return None


def _value(seen: JudgedField, _: LeakParams) -> Suspicion | None:
    telling = telling_value(seen.column, seen.field, seen.outcome)
    if telling is None:
        return None
    evidence = f"has a value that implies the outcome: {telling}"
    return Suspicion("LK5", "stop" if telling.sure else "warn", evidence, seen.field.name)
