"""Give each lead its stage: what people set and record, and what the rules and the model advise.

Stages are advice: the module rejects no lead. A lead whose probability equals a cut is in the stage. The law is in
decision 26; a stage follows from the history of the lead, never from the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leadml.params import LifecycleParams, normal_name
from leadml.stages.ladder import NONE, NURTURE, STAGES, Ranks, stages_of
from leadml.stages.rules import RuleBook, rule_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.stages.cuts import Cut
    from leadml.types import Floats, Integers, Mask, Objects

SOURCES = ("advised", "rule", "recorded", "recycled", "manual")
ADVISED, RULE, RECORDED, RECYCLED, MANUAL = range(len(SOURCES))


@dataclass(frozen=True)
class Lifecycle:
    """The choices that decide how stages change.

    Parameters
    ----------
    rules
        The business's own rules.
    choices
        Hysteresis, silence and recycling.
    """

    rules: RuleBook = field(default_factory=RuleBook)
    choices: LifecycleParams = field(default_factory=LifecycleParams)


@dataclass(frozen=True)
class KnownStages:
    """What is known of the stages of some leads before their advice; arrays of shape (n_leads,).

    Parameters
    ----------
    stage
        The stage of each lead, as a rank; `NONE` where nothing remembers stages.
    advised
        What the target advised last.
    others
        The highest stage that other targets advise.
    recorded
        The stage that people recorded.
    nurtured
        Whether the lead was rejected so recently that it is nurtured.
    manual
        The stage that was set by hand; `NONE` if there is none.
    """

    stage: Ranks
    advised: Ranks
    others: Ranks
    recorded: Ranks
    nurtured: Mask
    manual: Ranks

    @classmethod
    def nothing(cls, size: int) -> KnownStages:
        """Return what is known where nothing remembers stages."""
        zero, none = (np.full(size, rank, dtype=np.int8) for rank in (0, NONE))
        return cls(none, zero, zero, zero, np.zeros(size, dtype=bool), none)


@dataclass(frozen=True)
class GivenStages:
    """The stages of some leads; arrays of shape (n_leads,).

    Parameters
    ----------
    stage, source
        The stage of each lead and its source; empty texts if the target drives no stage.
    advised
        The stage that model and rules advise; empty text if the target drives no stage.
    """

    stage: Objects
    source: Objects
    advised: Objects


def give_stages(
    probability: Floats, cuts: Sequence[Cut], frame: pd.DataFrame, known: KnownStages, lifecycle: Lifecycle
) -> GivenStages:
    """Return the stage of each lead.

    Parameters
    ----------
    probability
        Shape (n_leads,).
    cuts
        Cuts of the target, rising; none if it drives no stage.
    frame
        Checked leads with the fields that rules test.
    known
        What is known of their stages.
    lifecycle
        Rules and choices.
    """
    if not cuts:
        nothing = np.full(len(probability), "", dtype=object)
        return GivenStages(nothing, nothing, nothing)
    ladder = [0, *(STAGES.index(cut.stage) for cut in cuts)]
    model = _by_cuts(probability, cuts, known.advised, _silent_periods(frame, lifecycle.choices), lifecycle.choices)
    limits = rule_limits(lifecycle.rules.applied, frame, ladder)
    advised = np.minimum(model, limits.required)
    advised = np.minimum(np.maximum(advised, limits.overriding), limits.excluded)
    return GivenStages(*_merge(advised, known, by_rule=advised != model), stages_of(advised))


def _merge(advised: Ranks, known: KnownStages, *, by_rule: Mask) -> tuple[Objects, Objects]:
    """Return stage and source of each lead from its advice and what is known of it.

    Parameters
    ----------
    advised
        What the target advises, shape (n_leads,).
    known
        What is known of the leads.
    by_rule
        Whether rules changed the advice.
    """
    highest = np.maximum(advised, known.others)
    is_recorded = (known.recorded >= highest) & (known.recorded > 0)
    stage = np.where(is_recorded, known.recorded, highest)
    source = np.where(is_recorded, RECORDED, np.where(by_rule & (advised == highest), RULE, ADVISED))
    stage, source = np.where(known.nurtured, NURTURE, stage), np.where(known.nurtured, RECYCLED, source)
    is_manual = known.manual != NONE
    stage, source = np.where(is_manual, known.manual, stage), np.where(is_manual, MANUAL, source)
    return stages_of(stage), np.array(SOURCES, dtype=object)[source]


def _by_cuts(
    probability: Floats, cuts: Sequence[Cut], before: Ranks, silent: Integers, choices: LifecycleParams
) -> Ranks:
    """Return what the model advises: by the cuts, with hysteresis, lowered by silence."""
    reached = np.zeros(len(probability), dtype=np.intp)
    for step, cut in enumerate(cuts, start=1):
        keeps = (before >= STAGES.index(cut.stage)) & (silent == 0)
        limit = np.where(keeps, (1 - choices.hysteresis) * cut.probability, cut.probability)
        reached[probability >= limit] = step
    ladder = np.array([0, *(STAGES.index(cut.stage) for cut in cuts)], dtype=np.int8)
    return np.asarray(ladder[np.maximum(reached - silent, 0)])


def _silent_periods(frame: pd.DataFrame, choices: LifecycleParams) -> Integers:
    """Return how many full periods each lead has been silent; 0 where no activity is known."""
    name = normal_name(choices.silence_field)
    if choices.silence_days is None or name not in frame:
        return np.zeros(len(frame), dtype=np.int64)
    days = np.nan_to_num(frame[name].to_numpy(dtype=np.float64), nan=0.0)
    return np.asarray(np.maximum(days // choices.silence_days, 0), dtype=np.int64)
