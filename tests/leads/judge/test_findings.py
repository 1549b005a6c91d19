"""Findings: each has a code of the catalogue, and is one line."""

from __future__ import annotations

import re

import pytest

from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.model.leaks.gate import CHECKS

TOPICS = {"RD": "readiness", "DT": "dates", "LK": "leaks", "RV": "review"}
KINDS = CATALOGUE | {code: kind for check in CHECKS for code, kind in check.kinds.items()}


@pytest.mark.parametrize("code", KINDS)
def test_the_code_tells_the_topic(code: str) -> None:
    """Two letters of the topic and a number; every kind has a title and a remedy that is a sentence."""
    kind = KINDS[code]
    finding = Finding(code, "warn", "evidence")

    assert re.fullmatch("[A-Z]{2}[0-9]+", code)
    assert finding.topic == kind.topic == TOPICS[code[:2]]
    assert not kind.title.endswith(".")
    assert re.fullmatch(r"[A-Z].+[.]", kind.remedy)


def test_titles_are_of_one_kind_each_and_numbers_have_no_gap() -> None:
    """A title that two codes shared would not tell what was judged."""
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
    for letters in TOPICS:
        numbers = [int(code[2:]) for code in KINDS if code.startswith(letters)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("RD1", "passed", "there are 900 leads"), "RD1 there are 900 leads"),
        (Finding("RD1", "warn", "there are few leads", "bring more"), "RD1 there are few leads; bring more"),
        (Finding("LK1", "stop", "has an AUC of 0.99", "exclude it", "note"), "LK1 note has an AUC of 0.99; exclude it"),
        (Finding("RD5", "warn", "is empty", field="a\nb\x1b"), r"RD5 a\nb\x1b is empty"),
    ],
)
def test_a_finding_is_one_line(finding: Finding, line: str) -> None:
    """Code, field, evidence and remedy; the name of a field can neither add a line nor control a terminal."""
    assert str(finding) == line


@pytest.mark.parametrize("code", ["", "RD", "rd1", "RDx", "XX1"])
def test_a_code_of_another_form_is_a_defect(code: str) -> None:
    """It is no refusal of the user's data, so it is no LeadmlError."""
    with pytest.raises(ValueError, match=f"^a finding must have a code such as LK1, .* got '{code}'$"):
        Finding(code, "warn", "evidence")
