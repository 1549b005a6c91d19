"""The changes of a lead's stage that newly known outcomes bring, each at the instant of its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.stages.facts import CLOSING, Fact, Recorded, in_order
from leadml.stages.ladder import NONE, STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class LeadState:
    """The stage of a lead and what it rests on.

    Parameters
    ----------
    stage, source
        The stage and its source.
    recorded
        What people recorded.
    advised
        The highest stage that any target advises, as a rank.
    manual
        The stage that was set by hand; `NONE` if there is none.
    """

    stage: str
    source: str
    recorded: Recorded
    advised: int
    manual: int = NONE


@dataclass(frozen=True)
class StageChange:
    """One change: when, to which stage, from which source; whether all advice ends with it; what is recorded then."""

    at: int
    stage: str
    source: str
    ends_advice: bool
    recorded: Recorded


def changes_by_outcomes(
    before: LeadState, outcomes: Sequence[Fact], recycle_days: int, *, start: Recorded | None = None
) -> list[StageChange]:
    """Return the changes of a lead's stage that its outcomes bring.

    Outcomes that occurred before one that was known already are too late for a change of their own; the stage that
    follows from all is reached with the last one.

    Parameters
    ----------
    before
        The state before; what is recorded afterwards follows from the outcomes alone.
    outcomes
        All outcomes that are known, in any order.
    recycle_days
        As in the params.
    start
        What is recorded before the outcomes; None for nothing, because they are all.
    """
    ordered = in_order(outcomes)
    first_new = max((at + 1 for at, fact in enumerate(ordered) if not fact.is_new), default=0)
    recorded, advised, changes = start or Recorded(), before.advised, []
    shown = (before.stage, before.source, before.recorded.rank)
    for at, fact in enumerate(ordered):
        recorded = recorded.after(fact)
        ends = fact.outcome in CLOSING and fact.is_new
        advised = 0 if ends else advised
        if at < first_new and at < len(ordered) - 1:
            continue
        new = stage_of(recorded, advised, before.manual, at=fact.occurred_at, recycle_days=recycle_days)
        if (*new, recorded.rank) != shown or ends:
            changes.append(StageChange(fact.occurred_at, *new, ends, recorded))
            shown = (*new, recorded.rank)
    return changes


def stage_of(recorded: Recorded, advised: int, manual: int, *, at: int, recycle_days: int) -> tuple[str, str]:
    """Return stage and source from what is recorded, advised and set by hand, at an instant in microseconds."""
    if manual != NONE:
        return STAGES[manual], "manual"
    rank, source = recorded.stage(advised, nurtured=recorded.is_nurtured(at, recycle_days))
    return STAGES[rank], source
