from __future__ import annotations

import pytest

from leadml.model.leaks.outcome_names import is_outcome_name, outcome_names


@pytest.mark.parametrize(
    "name",
    [
        "Status", "Tags", "Lead Quality", "owner", "Closed", "lost_reason", "Lost Reason", "LAST MODIFIED",
        "last-modified-date", "Call Duration", "duration", "Last Activity", "Last Notable Activity", "Lead Stage",
        "Probability", "Probability (%)", "hs_lead_status", "LeadStatus", "leadstatus", "IsConverted", "deal stage",
        "LostReason__c", "account_owner_id", "Opportunity Stage Name", "StageName", "Close Date", "SystemModstamp",
        "hubspot owner id", "days_to_close", "TALK-TIME", "Contact Owner",
    ],
)  # fmt: skip
def test_outcome_names_are_found_in_any_spelling(name):
    """Capitals, spaces, prefixes of the system and endings do not matter."""
    assert is_outcome_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "marital_status", "employment status", "session_duration", "Administrative_Duration", "home_owner",
        "stage_of_company", "water_quality", "poutcome", "age", "contact", "industry", "lead_source", "deal",
        "probable", "tagline", "closed_shop", "customer", "result_pages", "", "!!!", "___", "number_of_owners",
    ],
)  # fmt: skip
def test_honest_names_are_no_outcome_names(name):
    """A word that counts as a whole name does not count as a part of another name."""
    assert not is_outcome_name(name)


def test_every_listed_name_is_found():
    """No name of the lists is hidden by the words that are ignored."""
    whole_names, parts, _ = outcome_names()

    assert all(is_outcome_name(name) for name in whole_names | parts)
    assert all(is_outcome_name(f"x {name} y") for name in parts)


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("statusCode", True),
        ("status code plan", False),
        ("STATUSCode", False),
        ("stage name id", True),
        ("stage_x_id", False),
        ("id stage", False),
        ("dealLeadStageNameIdC", True),
        ("xstatus", False),
        ("closeDated", False),
        ("my close date 2", True),
        ("myclose_date", False),
        ("closedate", True),
        ("Close DATE", True),
        ("crm owner r", True),
        ("lead id", False),
        ("date", False),
        ("name id", False),
        ("leads", False),
        ("won value code", True),
    ],
)
def test_a_name_is_divided_into_words(name, is_so):
    """Before a capital letter after a small one and at signs; words for the lead and endings are left out."""
    assert is_outcome_name(name) == is_so
