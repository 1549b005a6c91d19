"""Rules are judged by the leads that they move, and by a model that lets in as many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.metrics import rate_interval
from leadml.params import LifecycleParams, RuleParams
from leadml.stages.cuts import Cut
from leadml.stages.ladder import STAGES
from leadml.stages.lifecycle import Lifecycle
from leadml.stages.rule_figures import (
    BOTH,
    EARNS,
    FAILS,
    IDLE,
    MODEL,
    NO_CUT,
    RULES,
    UNCLEAR,
    JudgedLeads,
    moved_table,
    ways_table,
)
from leadml.stages.rules import RuleBook
from leadml.types import Floats

CUTS = (Cut("MQL", 0.2, "fixed"), Cut("SQL", 0.5, "fixed"))
FIELDS = (Field("demo", "boolean", "engagement"), Field("student", "boolean", "fit"), Field("quiet", "number", "fit"))
DEMO = {"field": "demo", "at_least": 1}
STUDENT = {"field": "student", "at_least": 1}


def _lifecycle(silence: int | None = None, **stages: Any) -> Lifecycle:
    rules = RuleBook.of(RuleParams.model_validate(stages), FIELDS)
    return Lifecycle(rules, LifecycleParams(silence_days=silence, silence_field="quiet"))


def _leads(rows: list[tuple[float, int, int, int, float]], groups: list[int] | None = None) -> JudgedLeads:
    """Return leads of probability, outcome, demo, student, quiet."""
    probability, label, *fields = (np.array(column) for column in zip(*rows, strict=True))
    frame = pd.DataFrame(dict(zip(("demo", "student", "quiet"), fields, strict=True))).astype(float)
    codes = np.arange(len(rows)) if groups is None else np.array(groups)
    return JudgedLeads(probability, label.astype(np.int8), frame, codes, CUTS)


def test_a_rule_moves_the_leads_whose_advice_is_another_without_it() -> None:
    """A lead that the model or another rule puts there anyway is moved by none."""
    leads = _leads([(0.1, 1, 1, 0, 0), (0.1, 0, 1, 1, 0), (0.6, 1, 1, 0, 0), (0.3, 0, 0, 1, 0), (0.1, 0, 0, 1, 0)])
    table = moved_table(leads, _lifecycle(sql={"overriding": [DEMO]}, mql={"excluded": [STUDENT]}), confidence=0.9)

    assert table[["stage", "kind", "rule", "leads", "conversions"]].to_numpy().tolist() == [
        ["MQL", "excluded", "student from 1", 2, 0],  # the second lead would be an SQL by the demo
        ["SQL", "overriding", "demo from 1", 1, 1],
    ]
    assert table["share"].tolist() == [0.4, 0.2]
    assert table["cut"].tolist() == [0.2, 0.5]
    assert table.loc[0, ["rate_low", "rate_high"]].tolist() == list(rate_interval(0.0, 2, confidence=0.9))


@pytest.mark.parametrize(
    ("rate", "kind", "verdict"),
    [
        (0.9, "overriding", EARNS),
        (0.05, "overriding", FAILS),
        (0.5, "overriding", UNCLEAR),
        (0.05, "excluded", EARNS),
        (0.9, "excluded", FAILS),
        (0.05, "required", EARNS),
        (0.9, "required", FAILS),
    ],
)
def test_the_verdict_compares_the_leads_with_the_cut(rate: float, kind: str, verdict: str) -> None:
    """Leads that are lifted should convert more often, leads that are kept out less often."""
    converts = [int(at < rate * 40) for at in range(40)]
    probability, marked = (0.1, 1) if kind == "overriding" else (0.6, int(kind == "excluded"))
    leads = _leads([(probability, label, marked, 0, 0) for label in converts])
    table = moved_table(leads, _lifecycle(sql={kind: [DEMO]}), confidence=0.9)

    assert table["verdict"].tolist() == [verdict]
    assert table["leads"].tolist() == [40]


def test_leads_of_one_account_count_as_one() -> None:
    """Forty snapshots of two accounts tell nothing."""
    leads = _leads([(0.1, 1, 1, 0, 0)] * 40, groups=[0] * 20 + [1] * 20)
    table = moved_table(leads, _lifecycle(sql={"overriding": [DEMO]}), confidence=0.9)

    assert table.loc[0, ["rate_low", "rate_high"]].tolist() == list(rate_interval(1.0, 2, confidence=0.9))
    assert table["verdict"].tolist() == [UNCLEAR]


def test_a_rule_that_moves_nobody_is_said() -> None:
    """Whatever the outcomes are; it has no rate."""
    table = moved_table(_leads([(0.6, 1, 1, 0, 0)]), _lifecycle(sql={"overriding": [DEMO]}), confidence=0.9)

    assert table["verdict"].tolist() == [IDLE]
    assert np.isnan(table["rate"][0])


def test_silence_is_a_rule_too() -> None:
    """The leads that it lowers are compared with the cuts of the stages that they lose."""
    rows = [(0.6, 0, 0, 0, 30.0)] * 30 + [(0.3, 0, 0, 0, 30.0)] * 30 + [(0.6, 1, 0, 0, 1.0)] * 5
    table = moved_table(_leads(rows), _lifecycle(silence=30), confidence=0.9)

    assert table[["kind", "rule", "leads"]].to_numpy().tolist() == [["silence", "quiet from 30", 60]]
    assert table["cut"][0] == pytest.approx(0.35)
    assert table["verdict"].tolist() == [EARNS]


def test_ways_let_in_whom_they_say() -> None:
    """Model alone, rules alone, both; a stage of which no rule speaks has no rules alone."""
    leads = _leads([(0.6, 1, 0, 0, 0), (0.3, 0, 1, 0, 0), (0.1, 1, 1, 0, 0), (0.6, 0, 1, 1, 0), (0.05, 0, 0, 0, 0)])
    lifecycle = _lifecycle(mql={"overriding": [DEMO], "excluded": [STUDENT]})
    table = ways_table(leads, lifecycle, draws=20, confidence=0.9, seed=0).set_index(["stage", "way"])

    assert table.index.tolist() == [("MQL", MODEL), ("MQL", RULES), ("MQL", BOTH), ("SQL", MODEL), ("SQL", BOTH)]
    assert table["leads"].tolist() == [3, 2, 3, 2, 1]
    assert table["conversions"].tolist() == [1, 1, 2, 1, 1]
    assert table.loc[("MQL", BOTH), ["precision", "recall", "model_precision"]].tolist() == pytest.approx(
        [2 / 3, 1, 1 / 3]
    )
    assert table.loc[("MQL", MODEL), ["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]


def test_what_is_required_lets_in_whom_it_fits() -> None:
    """Alone, without the model; all of it must hold."""
    leads = _leads([(0.1, 1, 1, 1, 0), (0.1, 0, 1, 0, 0), (0.9, 0, 0, 0, 0)])
    table = ways_table(leads, _lifecycle(mql={"required": [DEMO, STUDENT]}), draws=20, confidence=0.9, seed=0)

    assert table.loc[table["way"] == RULES, ["stage", "leads"]].to_numpy().tolist() == [["MQL", 1]]
    assert table.loc[table["way"] == BOTH, "leads"].tolist() == [0, 0]
    assert table.loc[table["way"] == BOTH, "verdict"].tolist() == [UNCLEAR, UNCLEAR]


def test_as_many_leads_of_the_model_share_a_tie() -> None:
    """Of the leads at the last probability each counts in part, as if those to let in were drawn."""
    rows = [(0.9, 1, 1, 0, 0)] * 40 + [(0.1, 0, 1, 0, 0)] * 20 + [(0.1, 0, 0, 0, 0)] * 2000
    table = ways_table(_leads(rows), _lifecycle(sql={"overriding": [DEMO]}), draws=50, confidence=0.9, seed=0)
    row = table[(table["way"] == RULES) & (table["stage"] == "SQL")].iloc[0]

    assert (row["leads"], row["model_precision"]) == (60, pytest.approx(40 / 60))
    assert row["verdict"] == "no difference shown"


def test_few_accounts_give_no_verdict() -> None:
    """Whatever they do: all their draws are alike."""
    rows = [(0.1, 1, 1, 0, 0)] * 60 + [(0.3, int(at % 3 == 0), 0, 0, 0) for at in range(300)]
    groups = [at % 3 for at in range(60)] + list(range(3, 303))
    table = ways_table(_leads(rows, groups), _lifecycle(mql={"overriding": [DEMO]}), draws=50, confidence=0.9, seed=0)

    assert table.loc[table["way"] == RULES, "verdict"].tolist() == [UNCLEAR]


def test_a_rule_of_a_stage_without_a_cut_is_said() -> None:
    """There is nothing to compare its leads with."""
    leads = replace(_leads([(0.1, 1, 1, 0, 0)] * 40), cuts=CUTS[:1])
    table = moved_table(leads, _lifecycle(sql={"overriding": [DEMO]}), confidence=0.9)

    assert table["verdict"].tolist() == [NO_CUT]


def _sample(seed: int, lift: float) -> tuple[JudgedLeads, Floats]:
    """Return snapshots of 300 accounts with their true probabilities; the model knows nothing of what a demo lifts."""
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(300), random.integers(1, 5, 300))
    known, demo = random.beta(1, 3, 300), (random.random(300) < 0.2).astype(float)
    true = np.minimum(known + lift * demo, 1)
    label = (random.random(300) < true).astype(np.int8)
    frame = pd.DataFrame({"demo": demo[codes], "student": 0.0, "quiet": 0.0})
    return JudgedLeads(known[codes], label[codes], frame, codes, CUTS), true[codes]


@pytest.mark.slow
@pytest.mark.parametrize(("lift", "least", "most"), [(0.0, 0, 10), (0.6, 101, 200)])
def test_the_true_difference_lies_in_its_interval_as_often_as_said(lift: float, least: int, most: int) -> None:
    """Of 200 samples; a rule that helps is found, one that lets in worse leads is called better by chance alone."""
    lifecycle, inside, verdicts = _lifecycle(mql={"overriding": [DEMO]}), 0, []
    for seed in range(200):
        leads, true = _sample(seed, lift)
        table = ways_table(leads, lifecycle, draws=200, confidence=0.9, seed=seed).set_index(["stage", "way"])
        row = table.loc[("MQL", BOTH)]
        admitted = leads.advised(lifecycle) >= STAGES.index("MQL")
        as_many = leads.probability >= np.sort(leads.probability)[-int(admitted.sum())]
        inside += row["difference_low"] <= true[admitted].mean() - true[as_many].mean() <= row["difference_high"]
        verdicts.append(row["verdict"])

    assert inside >= 0.87 * 200
    assert least <= verdicts.count("better than the model") <= most
