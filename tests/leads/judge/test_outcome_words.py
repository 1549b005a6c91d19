"""What the value of a status says about a lead."""

from __future__ import annotations

import pytest

from leadml.leads.judge.outcome_words import LOST, NEGATIONS, NO, OPEN, WON, YES, answer_of, meaning_of

# Statuses that the CRMs have when they are installed, by their documentation.
HUBSPOT = {
    "Subscriber": "open", "Lead": "open", "Marketing Qualified Lead": "open", "Sales Qualified Lead": "open",
    "Opportunity": "open", "Customer": "won", "Evangelist": "won", "Other": None, "New": "open", "Open": "open",
    "In Progress": "open", "Open Deal": "open", "Unqualified": "lost", "Attempted to Contact": "open",
    "Connected": "open", "Bad Timing": "lost",
}  # fmt: skip
SALESFORCE = {
    "Open - Not Contacted": "open", "Working - Contacted": "open", "Closed - Converted": "won",
    "Closed - Not Converted": "lost", "Prospecting": "open", "Qualification": "open", "Needs Analysis": None,
    "Closed Won": "won", "Closed Lost": "lost",
}  # fmt: skip
OTHERS = {
    "Qualified": "open", "Disqualified": "lost", "Not Qualified": "lost", "Not Interested": "lost", "Junk Lead": "lost",
    "Lost Lead": "lost", "Pre-Qualified": "open", "Gewonnen": "won", "Verloren": "lost", "In Bearbeitung": "open",
    "Gagné": "won", "Perdu": "lost", "En cours": "open", "Ganado": "won", "Perdido": "lost", "Abierto": "open",
    "Vinto": "won", "no customer": "lost", "Former customer": "lost",
}  # fmt: skip


@pytest.mark.parametrize(("value", "meaning"), [*HUBSPOT.items(), *SALESFORCE.items(), *OTHERS.items()])
def test_the_statuses_of_crms_have_their_meaning(value: str, meaning: str | None) -> None:
    """Whatever the case, and with marks around them."""
    for written in (value, value.upper(), f" {value.lower()} "):
        assert meaning_of(written) == meaning


def test_a_word_has_one_meaning() -> None:
    """No word is in two of the lists."""
    for one, other in ((WON, LOST), (WON, OPEN), (LOST, OPEN), (YES, NO), (NEGATIONS, WON | LOST | OPEN)):
        assert not one & other


@pytest.mark.parametrize(
    "pair", [("yes", "no"), ("Ja", "Nein"), ("TRUE", "FALSE"), ("1", "0"), ("oui", "non"), ("1.0", "0.0")]
)
def test_an_answer_is_yes_or_no(pair: tuple[str, str]) -> None:
    """In several languages, and as numbers."""
    assert [answer_of(word) for word in pair] == [True, False]
    assert answer_of(" / ".join(pair)) is None
