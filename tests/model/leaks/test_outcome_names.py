from __future__ import annotations

import pytest

from leadml.model.leaks.outcome_names import banned, written_afterwards


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
def test_names_of_sales_systems_are_known_in_any_writing(name):
    """Capitals, spaces, prefixes of the system and trailing words hide nothing."""
    assert written_afterwards(name)


@pytest.mark.parametrize(
    "name",
    [
        "marital_status", "employment status", "session_duration", "Administrative_Duration", "home_owner",
        "stage_of_company", "water_quality", "poutcome", "age", "contact", "industry", "lead_source", "deal",
        "probable", "tagline", "closed_shop", "customer", "result_pages", "", "!!!", "___", "number_of_owners",
    ],
)  # fmt: skip
def test_honest_names_are_left_alone(name):
    """A word of the list inside another name is nothing."""
    assert not written_afterwards(name)


def test_every_name_of_the_lists_is_known():
    """No entry is shadowed by the rules about words beside it."""
    alone, anywhere, _ = banned()

    assert all(written_afterwards(name) for name in alone | anywhere)
    assert all(written_afterwards(f"x {name} y") for name in anywhere)
