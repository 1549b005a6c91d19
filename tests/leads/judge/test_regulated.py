"""Names that are about credit, housing, insurance or work give a finding with the law that applies."""

from __future__ import annotations

import pytest

from leadml.leads.judge.regulated import ABOUT, LAW, judge_uses, subject_of


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("loan", "credit"),
        ("HypothekBetrag", "credit"),
        ("Crédit demandé", "credit"),
        ("has_mortgage__c", "credit"),
        ("Tenant", "housing"),
        ("Versicherung vorhanden", "insurance"),
        ("candidate hired", "work"),
        ("Number of Employees", None),
        ("job title", None),
        ("Premium plan", None),
        ("Parental", None),
        ("converted", None),
    ],
)
def test_whole_words_of_a_name_decide(name: str, about: str | None) -> None:
    """In several languages, and not pieces of words."""
    assert subject_of(name) == about


def test_each_subject_has_its_law() -> None:
    """The same subjects are in both tables, and no word is in two."""
    assert list(ABOUT) == list(LAW)
    words = [word for known in ABOUT.values() for word in known.split()]
    assert len(words) == len(set(words))


def test_target_and_fields_are_warned_of() -> None:
    """Each with what the law says of its subject."""
    found = judge_uses(["loan_approved", "LoanStatus"], ["age", "Rent", "industry"])

    assert [(each.code, each.severity, each.field) for each in found] == [
        ("RD13", "warn", ""),
        ("RD13", "warn", "Rent"),
    ]
    assert found[0].evidence == "the target loan_approved is about credit"
    assert found[0].remedy == (
        "let the score say whom to call, and not who gets credit or on which terms "
        "(EU AI Act, Annex III 5(b); US Equal Credit Opportunity Act)"
    )
    assert "Fair Housing Act" in found[1].remedy


def test_other_names_pass() -> None:
    """One finding says that all were judged."""
    (found,) = judge_uses(["converted"], ["age", "industry"])
    assert (found.code, found.severity) == ("RD13", "passed")
