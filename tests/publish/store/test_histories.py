"""Random histories are replayed through the store, beside a plain form of the law in decision 26.

The law is written here for one lead and one event at a time, from the list of all events; the code keeps a memory in a
database, and judges many leads at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stores import entry, look_in, no_parts, rows, silent

from leadml.leads.check.field import Field
from leadml.leads.check.instants import from_shown
from leadml.params import LifecycleParams, RuleParams
from leadml.publish.store.opening import Store, writing_alone
from leadml.publish.store.people import ManualStage, RecordedOutcome, record_outcomes, set_stage
from leadml.publish.store.tables import STAGE_CHANGES
from leadml.publish.store.writer import BatchWriter
from leadml.stages.cuts import Cut
from leadml.stages.ladder import STAGES, stages_of
from leadml.stages.lifecycle import Lifecycle, give_stages
from leadml.stages.rules import RuleBook

LEADS = ("x", "y", "z")
CUTS = {"IQL": 0.2, "MQL": 0.4, "SQL": 0.6}
HYSTERESIS, RECYCLE_DAYS = 0.1, 4
RULES = {
    "mql": {"excluded": [{"field": "student", "at_least": 1}], "required": [{"field": "budget", "at_least": 1}]},
    "sql": {"overriding": [{"field": "demo", "at_least": 1}]},
}
FLAGS = ("student", "budget", "demo")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
RECORDED = {stage.lower(): stage for stage in STAGES[2:]}

RARELY, MOSTLY = (st.sampled_from([rest] * 4 + [value]) for rest, value in ((0.0, 1.0), (1.0, 0.0)))
PROBABILITY = st.sampled_from([0.1, 0.19, 0.3, 0.37, 0.41, 0.55, 0.61])
VALUES = st.tuples(PROBABILITY, RARELY, MOSTLY, RARELY)
SCORES = st.fixed_dictionaries({"x": VALUES}, optional={"y": VALUES, "z": VALUES})
LEAD = st.sampled_from(LEADS)
OUTCOME = st.tuples(LEAD, st.sampled_from([*RECORDED, "lost", "rejected", "churned"]), st.integers(0, 3))
BY_HAND = st.tuples(LEAD, st.sampled_from([*STAGES, ""]))
DAY = st.tuples(SCORES, st.lists(OUTCOME, max_size=2), st.lists(BY_HAND, max_size=1), st.lists(OUTCOME, max_size=1))
HISTORIES = st.lists(DAY, min_size=3, max_size=8)


def at(day: int, hour: int = 0) -> str:
    """Return an instant of the history."""
    return (FIRST_DAY + timedelta(days=day, hours=hour)).isoformat()


@dataclass
class PlainLead:
    """The law for one lead."""

    advised: str = "LEAD"
    recorded: str = "LEAD"
    manual: str = ""
    stage: str = "LEAD"
    outcomes: list[tuple[int, int, str]] = field(default_factory=list)
    rejected_on: int | None = None

    def learn(self, outcomes: list[tuple[int, int, str]]) -> None:
        """Learn outcomes, each with the hour at which it occurred, its order among those of one hour, and its name."""
        self.outcomes = sorted({*self.outcomes, *outcomes})
        self.recorded, self.rejected_on = "LEAD", None
        for hour, _, name in self.outcomes:
            if name in RECORDED:
                self.recorded = max(self.recorded, RECORDED[name], key=STAGES.index)
                self.rejected_on = None
            else:
                self.recorded, self.rejected_on = "LEAD", hour if name == "rejected" else None
        if any(name not in RECORDED for _, _, name in outcomes):
            self.advised = "LEAD"

    def score(self, probability: float, student: float, budget: float, demo: float) -> None:
        """Be scored."""
        advised = "LEAD"
        for stage, cut in CUTS.items():
            kept = STAGES.index(self.advised) >= STAGES.index(stage) and probability >= cut * (1 - HYSTERESIS)
            advised = stage if probability >= cut or kept else advised
        if not budget and advised in {"MQL", "SQL"}:
            advised = "IQL"
        if demo:
            advised = "SQL"
        if student and advised in {"MQL", "SQL"}:
            advised = "IQL"
        self.advised = advised

    def settle(self, hour: int) -> None:
        """Have the stage that follows at an hour."""
        if self.manual:
            self.stage = self.manual
        elif self.rejected_on is not None and hour < self.rejected_on + RECYCLE_DAYS * 24:
            self.stage = "IQL"
        else:
            self.stage = max(self.recorded, self.advised, key=STAGES.index)


def run_batch(store: Store, folder: Path, day: int, scores: dict[str, Any], known: list[tuple[str, int, str]]) -> Any:
    """Score some leads as of a day, one at a time, with the outcomes that are known; return their stages."""
    choices = LifecycleParams(hysteresis=HYSTERESIS, recycle_days=RECYCLE_DAYS)
    fields = [Field(name, "boolean", "fit") for name in FLAGS]
    lifecycle = Lifecycle(RuleBook.of(RuleParams.model_validate(RULES), fields), choices)
    cuts = [Cut(stage, cut, "") for stage, cut in CUTS.items()]
    made = entry(as_of=at(day), file=f"{day}.csv")
    writer = BatchWriter(store, made, look_in(folder), keep_days=None, recycle_days=RECYCLE_DAYS)
    writer.begin(f"b{day}", now=at(day, 1))
    instants = np.array([from_shown(at(0, hour)) for _, hour, _ in known], dtype=np.int64)
    columns = {"lead_id": [lead for lead, _, _ in known], "outcome": [name for _, _, name in known]}
    writer.note_outcomes([pd.DataFrame({**columns, "occurred_at": instants, "recorded_at": instants})])
    stages = {}
    for lead_id, (probability, *flags) in scores.items():
        stages_known = writer.known([lead_id])
        frame = pd.DataFrame([flags], columns=list(FLAGS))
        given = give_stages(np.array([probability]), cuts, frame, stages_known, lifecycle)
        row = {"stage": given.stage, "stage_source": given.source, "advised_stage": given.advised, "lead_id": [lead_id]}
        numbers = dict.fromkeys(("probability", "probability_low", "probability_high"), probability)
        frame = pd.DataFrame({**row, **numbers, "previous_stage": stages_of(stages_known.stage)})
        writer.add(frame, no_parts(len(frame)))
        stages[lead_id] = given.stage[0]
    writer.fill(scored=len(scores), not_scored=0, counts=None)
    (folder / f"{day}.csv").write_text(f"b{day}", encoding="utf-8")
    writer.complete()
    return stages


def current_stages(store: Store) -> dict[str, str]:
    """Return the stage of each lead by the changes that the store holds."""
    ordered = sorted(rows(store, STAGE_CHANGES, "batch", "number", "lead_id", "stage"))
    return {lead_id: stage for _, _, lead_id, stage in ordered}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(HISTORIES)
def test_the_stage_is_a_function_of_the_history(history: list[Any]) -> None:
    """Whatever the scores, outcomes, rejections and settings by hand, and whether or not a lead is scored."""
    plain = {lead_id: PlainLead() for lead_id in LEADS}
    known: list[tuple[str, int, str]] = []
    order = {name: position for position, name in enumerate((*RECORDED, "lost", "churned", "rejected"))}
    with TemporaryDirectory() as name, writing_alone(f"sqlite:///{name}/leadml.db", silent) as store:
        for number, (scores, outcomes, by_hand, given_back) in enumerate(history, start=1):
            day = 2 * number
            new = [(lead, 24 * (day - 2) + 6 + hour, outcome) for lead, outcome, hour in outcomes]
            known += [each for each in new if each not in known]
            for lead_id, lead in plain.items():
                mine = [(hour, order[outcome], outcome) for who, hour, outcome in new if who == lead_id]
                if mine:
                    lead.learn(mine)
                    lead.settle(max(hour for hour, _, _ in mine))
            stages = run_batch(store, Path(name), day, scores, known)
            for lead_id, values in scores.items():
                plain[lead_id].score(*values)
                plain[lead_id].settle(24 * day)
            assert stages == {lead_id: plain[lead_id].stage for lead_id in scores}
            for lead_id, stage in by_hand:
                plain[lead_id].manual = stage
                plain[lead_id].settle(24 * day + 2)
                set_stage(store, ManualStage(lead_id, stage, "r"), now=at(day, 2), recycle_days=RECYCLE_DAYS)
            for lead_id, outcome, hour in given_back:
                when = 24 * day + 3 + hour
                plain[lead_id].learn([(when, order[outcome], outcome)])
                plain[lead_id].settle(when)
                given = RecordedOutcome(lead_id, at(0, when), outcome)
                record_outcomes(store, [given], now=at(day, 7), recycle_days=RECYCLE_DAYS)
            expected = {lead_id: lead.stage for lead_id, lead in plain.items()}
            assert dict.fromkeys(LEADS, "LEAD") | current_stages(store) == expected
