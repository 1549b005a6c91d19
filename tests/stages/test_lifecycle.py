"""The stage of a lead: cuts, hysteresis, silence, rules, what people record, and what is set by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.params import LifecycleParams, RuleParams
from leadml.stages.cuts import Cut
from leadml.stages.ladder import NONE, STAGES, ranks_of
from leadml.stages.lifecycle import GivenStages, KnownStages, Lifecycle, give_stages
from leadml.stages.rules import RuleBook

ORDER = ["LEAD", "IQL", "MQL", "SQL"]
PROBABILITIES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30)
RISING = st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3, unique=True).map(sorted)
CUTS = (0.2, 0.4, 0.6)


def given_stages(
    probability: list[float], cuts: Any = CUTS, known: KnownStages | None = None, lifecycle: Any = None, **columns: Any
) -> GivenStages:
    """Return the stages of leads with some probabilities."""
    frame = pd.DataFrame(columns, index=range(len(probability)))
    made = [Cut(stage, at, "") for stage, at in zip(ORDER[1:], cuts, strict=True)] if cuts else []
    known = known or KnownStages.nothing(len(probability))
    return give_stages(np.array(probability), made, frame, known, lifecycle or Lifecycle())


def ranks(probability: list[float], cuts: Any) -> list[int]:
    """Return the positions of the advised stages."""
    return [ORDER.index(stage) for stage in given_stages(probability, cuts).stage]


def before(*stages: str) -> KnownStages:
    """Return leads that were advised some stages before."""
    return replace(KnownStages.nothing(len(stages)), advised=ranks_of(stages))


def rules(**choices: Any) -> Lifecycle:
    """Return rules of the fields ``demo`` and ``student``."""
    fields = [Field(name, "boolean", "fit") for name in ("demo", "student", "budget")]
    return Lifecycle(RuleBook.of(RuleParams.model_validate(choices), fields), LifecycleParams(silence_days=30))


@given(PROBABILITIES, RISING)
def test_the_stage_is_the_highest_whose_cut_is_reached(probability: list[float], cuts: list[float]) -> None:
    """A lead at the cut is in the stage, a lead just below it is not."""
    rows = [*probability, *cuts, *np.nextafter(cuts, 0)]
    assert ranks(rows, cuts) == [sum(some >= cut for cut in cuts) for some in rows]


@given(PROBABILITIES, RISING, st.integers(0, 2), st.floats(0, 1))
def test_a_higher_cut_never_adds_leads(probability: list[float], cuts: list[float], at: int, share: float) -> None:
    """Raising one cut, below the next one, moves no lead to a higher stage."""
    above = [*cuts, 1.0][at + 1]
    raised = [*cuts[:at], cuts[at] + (np.nextafter(above, 0) - cuts[at]) * share, *cuts[at + 1 :]]
    assert all(new <= old for new, old in zip(ranks(probability, raised), ranks(probability, cuts), strict=True))


@given(PROBABILITIES, RISING)
def test_a_higher_probability_never_gives_a_lower_stage(probability: list[float], cuts: list[float]) -> None:
    """Stages are monotone in the probability."""
    found = ranks(sorted(probability), cuts)
    assert found == sorted(found)


def test_a_target_that_drives_no_stage_gives_none() -> None:
    """The stage is empty text, not LEAD; no lead at all is no stage at all."""
    found = given_stages([0.1, 0.9], ())
    assert [part.tolist() for part in (found.stage, found.source, found.advised)] == [["", ""]] * 3
    assert given_stages([]).stage.shape == (0,)


@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=30), st.floats(0, 0.9))
def test_a_lead_changes_its_stage_only_if_it_leaves_the_band_of_its_cut(daily: list[float], margin: float) -> None:
    """Upwards at the cut, downwards below (1 - hysteresis) of it."""
    lifecycle = Lifecycle(choices=LifecycleParams(hysteresis=margin))
    stage = "LEAD"
    for probability in daily:
        (new,) = given_stages([probability], known=before(stage), lifecycle=lifecycle).stage
        at = ORDER.index(stage)
        reached = sum(probability >= cut for cut in CUTS)
        kept = sum(probability >= cut * (1 - margin) for cut in CUTS[:at])
        assert ORDER.index(new) == max(reached, kept)
        stage = new


def test_a_lead_that_swings_around_a_cut_changes_its_stage_once() -> None:
    """Within a tenth of the cut; without hysteresis it changes at every turn."""
    daily = [0.41, 0.39] * 5
    for margin, expected in ((0.1, 1), (0.0, 10)):
        stages = ["LEAD"]
        choices = Lifecycle(choices=LifecycleParams(hysteresis=margin))
        for probability in daily:
            stages += given_stages([probability], known=before(stages[-1]), lifecycle=choices).stage.tolist()
        assert sum(one != other for one, other in pairwise(stages)) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(np.nan, "SQL"), (29.9, "SQL"), (30, "MQL"), (60, "IQL"), (90, "LEAD"), (900, "LEAD")]
)
def test_each_full_period_of_silence_lowers_the_stage_by_one(days: float, expected: str) -> None:
    """A lead without any activity is not lowered, and neither is one where params say nothing."""
    found = given_stages([0.7], lifecycle=rules(), activity_last=[days])
    assert found.stage.tolist() == [expected]
    assert given_stages([0.7], activity_last=[days]).stage.tolist() == ["SQL"]


def test_silence_ends_the_hysteresis() -> None:
    """A probability just below the cut keeps the stage of an active lead only."""
    active, silent = (
        given_stages([0.58], known=before("SQL"), lifecycle=rules(), activity_last=[days]).stage.tolist()
        for days in (1, 31)
    )
    assert (active, silent) == (["SQL"], ["IQL"])


def test_excluded_beats_overriding_which_beats_required_and_silence() -> None:
    """Each alone does what it says."""
    lifecycle = rules(
        mql={"excluded": [{"field": "student", "at_least": 1}]},
        sql={"overriding": [{"field": "demo", "at_least": 1}], "required": [{"field": "budget", "at_least": 1}]},
    )
    cases = {
        (0, 0, 1): ("SQL", "advised"),
        (0, 0, 0): ("MQL", "rule"),
        (1, 0, 0): ("SQL", "advised"),
        (1, 0, 1): ("SQL", "advised"),
        (1, 1, 1): ("IQL", "rule"),
        (0, 1, 1): ("IQL", "rule"),
    }
    for (demo, student, budget), (stage, source) in cases.items():
        columns = {"demo": [float(demo)], "student": [float(student)], "budget": [float(budget)]}
        found = given_stages([0.7], lifecycle=lifecycle, activity_last=[1.0], **columns)
        assert (*found.stage, *found.source, *found.advised) == (stage, source, stage)
    silent = given_stages(
        [0.01], lifecycle=lifecycle, activity_last=[400.0], demo=[1.0], student=[np.nan], budget=[np.nan]
    )
    assert silent.stage.tolist() == ["SQL"]


def test_the_stage_is_the_higher_of_what_is_recorded_and_what_is_advised() -> None:
    """An advised stage that is recorded too is recorded; the advice stays beside it."""
    known = replace(KnownStages.nothing(4), recorded=ranks_of(["SAL", "SQL", "LEAD", "CUSTOMER"]))
    found = given_stages([0.7, 0.7, 0.5, 0.1], known=known)

    assert found.stage.tolist() == ["SQL", "SQL", "MQL", "CUSTOMER"]
    assert found.source.tolist() == ["advised", "recorded", "advised", "recorded"]
    assert found.advised.tolist() == ["SQL", "SQL", "MQL", "LEAD"]


def test_the_advice_of_another_target_counts_where_it_is_higher() -> None:
    """So that a lead has one stage."""
    known = replace(KnownStages.nothing(2), others=ranks_of(["SQL", "IQL"]))
    found = given_stages([0.5, 0.5], known=known)

    assert (found.stage.tolist(), found.advised.tolist()) == (["SQL", "MQL"], ["MQL", "MQL"])


def test_a_nurtured_lead_is_an_iql_and_a_stage_by_hand_beats_all() -> None:
    """The advice is shown all the same."""
    known = replace(
        KnownStages.nothing(3),
        recorded=ranks_of(["LEAD", "CUSTOMER", "LEAD"]),
        nurtured=np.array([True, False, True]),
        manual=np.array([NONE, 0, STAGES.index("MQL")], dtype=np.int8),
    )
    found = given_stages([0.7, 0.7, 0.01], known=known)

    assert found.stage.tolist() == ["IQL", "LEAD", "MQL"]
    assert found.source.tolist() == ["recycled", "manual", "manual"]
    assert found.advised.tolist() == ["SQL", "SQL", "LEAD"]
