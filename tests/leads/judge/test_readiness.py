from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from tests.frames import rows, split_of

from leadml.leads.check.contract import CREATED_AT, LABEL
from leadml.leads.judge.readiness import judge_readiness
from leadml.params import LimitParams, SplitParams

LIMITS = LimitParams(min_leads=10, min_conversions=3)


def _judged(contract, limits=LIMITS, **changed):
    columns = {
        "lead_id": [str(number) for number in range(12)],
        LABEL: [0, 0, 0, 1] * 3,
        "age": [float(number) for number in range(12)],
        "country": ["BE", "FR", "NA"] * 4,
    }
    frame = rows(pd.DataFrame(columns | changed))
    split = split_of(frame, SplitParams(), copies=contract.lead_id is None)
    findings = judge_readiness(frame, contract, limits, split=split, rows=14, merged=2)
    return {finding.code: finding for finding in findings}


def test_good_leads_pass_every_finding_but_the_date(contract):
    """Each code is there once, in order, and only the missing date is a warning."""
    found = _judged(contract)
    assert list(found) == [f"RD{number}" for number in range(1, 9)]
    assert {code for code, finding in found.items() if finding.severity != "passed"} == {"RD4"}
    assert str(found["RD1"]) == "RD1 there are 12 leads, and 10 are enough"
    assert "2 repeated rows were merged" in found["RD3"].evidence


@pytest.mark.parametrize(
    ("limits", "code", "severity", "text"),
    [
        ({"min_leads": 12}, "RD1", "passed", "there are 12 leads, and 12 are enough"),
        ({"min_leads": 13}, "RD1", "stop", "there are 12 leads, fewer than 13; bring more leads, or set limits.allow_"),
        ({"min_leads": 13, "allow_small": True}, "RD1", "warn", "limits.allow_small lets it pass, and the report is"),
        ({"min_conversions": 4}, "RD2", "stop", "there are 3 leads of the rarer outcome, fewer than 4"),
    ],
)
def test_too_few_leads_stop_unless_small_is_allowed(contract, limits, code, severity, text):
    """The limit itself is enough; one fewer is not."""
    finding = _judged(contract, LimitParams(**{"min_leads": 1, "min_conversions": 1, **limits}))[code]
    assert finding.severity == severity
    assert text in str(finding)


@pytest.mark.parametrize("label", [0, 1])
def test_leads_of_one_outcome_stop_even_where_small_is_allowed(contract, label):
    """A model cannot be fitted where all leads have the same outcome, so the finding does not offer to allow it."""
    finding = _judged(contract, LimitParams(allow_small=True), **{LABEL: [label] * 12})["RD2"]
    assert finding.severity == "stop"
    assert "there are 0 leads of the rarer outcome, fewer than 120" in finding.evidence
    assert finding.remedy == "bring leads of both outcomes"


@pytest.mark.parametrize(
    ("changed", "code", "severity", "text"),
    [
        ({"age": [1.0] * 12}, "RD6", "warn", "RD6 age has the same value everywhere; move it to features.excluded"),
        ({"age": [float("nan")] * 12}, "RD6", "warn", "RD6 age has the same value everywhere"),
        ({"country": [None] * 12}, "RD6", "warn", "RD6 country has the same value everywhere"),
        ({"country": ["BE"] * 4 + [None] * 8}, "RD5", "warn", "RD5 country is missing for 67% of the leads"),
        ({"country": [f"c{n}" for n in range(7)] + ["x"] * 5}, "RD7", "warn", "has 8 levels in 12 leads, like an id"),
        ({"country": [f"{n}@x.org" for n in range(12)]}, "RD8", "stop", "RD8 country seems to hold e-mail addresses"),
        ({CREATED_AT: [5] * 12}, "RD4", "passed", "leads have dates, so the newest are held out"),
    ],
)
def test_each_problem_of_a_field_has_its_code(contract, changed, code, severity, text):
    """Constant, missing, id-like and personal fields have different codes, with a remedy."""
    finding = _judged(contract, **changed)[code]
    assert finding.severity == severity
    assert text in str(finding)


def test_a_derived_field_that_is_the_same_everywhere_is_left_out_with_its_column(contract):
    """The file has no column of its name that features.excluded could name."""
    derived = tuple(replace(field, source="derived") for field in contract.fields)
    finding = _judged(replace(contract, fields=derived), age=[1.0] * 12)["RD6"]
    assert finding.remedy == "take the column that it is derived from out of features.read_out"


def test_a_field_with_one_value_that_is_sometimes_missing_is_not_constant(contract):
    """A value and a missing one differ; half of the rows missing, or half as many levels as rows, is allowed."""
    found = _judged(contract, age=[1.0, float("nan")] * 6, country=[f"c{number % 6}" for number in range(12)])
    assert {found[code].severity for code in ("RD5", "RD6", "RD7")} == {"passed"}


def test_leads_without_an_id_are_a_warning_because_scores_cannot_be_joined(contract):
    """The number of a row is an id in one file only."""
    finding = _judged(replace(contract, lead_id=None), split_key="same")["RD3"]
    assert finding.severity == "warn"
    assert "11 rows have the values of an earlier one" in finding.evidence
    assert "set data.lead_id" in finding.remedy


def test_states_and_leads_are_counted(contract):
    """Rows of leads with a history are states, and an id has many of them."""
    frame = {"lead_id": [str(number % 4) for number in range(12)]}
    finding = _judged(replace(contract, valid_from="held"), **frame)["RD3"]
    evidence = "there are 12 states of leads, and 4 leads in the training set; 2 repeated rows were merged"
    assert (finding.severity, finding.evidence) == ("passed", evidence)


def test_the_bundled_leads_are_ready(bank_leads, bank_contract, bank_params):
    """Nothing stops a training on the file that comes with the project."""
    split = split_of(bank_leads.frame, bank_params.split)
    findings = judge_readiness(
        bank_leads.frame,
        bank_contract,
        bank_params.limits,
        split=split,
        rows=bank_leads.rows,
        merged=bank_leads.merged,
    )
    assert not [str(finding) for finding in findings if finding.severity == "stop"]
