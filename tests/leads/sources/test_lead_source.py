"""Flat and dated leads answer the same questions in the same words."""

from __future__ import annotations

import inspect

import pytest

from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.lead_source import LeadSource

QUESTIONS = [
    name for name, member in vars(LeadSource).items() if inspect.isfunction(member) and not name.startswith("_")
]


@pytest.mark.parametrize("kind", [FlatLeads, DatedLeads])
@pytest.mark.parametrize("name", QUESTIONS)
def test_both_kinds_of_leads_answer_what_a_source_answers(kind: type, name: str) -> None:
    """Each method takes the parameters of the interface, by the same names."""
    asked, answered = (inspect.signature(getattr(each, name)).parameters for each in (LeadSource, kind))
    assert list(answered) == list(asked)
    assert [each.kind for each in answered.values()] == [each.kind for each in asked.values()]


def test_a_source_answers_six_questions() -> None:
    """The training set, later rows, the leads as of an instant, one lead, labels, the instant."""
    assert sorted(QUESTIONS) == ["at", "find", "labels", "later", "stamp", "training"]
