"""Names that systems of record write when, or after, the outcome is known.

What enters is the name of a field; what leaves is whether it is one of them.
A word that has honest uses, such as status, counts only where it stands alone or beside the lead or the deal.
"""

from __future__ import annotations

from functools import cache

from leadml.leads.judge.pii import plain_name

ALONE = """
    closed converted created_customer disposition duration lost opportunity outcome owner probability quality rejected
    result stage status tag tags won
"""
ANYWHERE = """
    actual_close amount_won assigned_to became_customer call_duration call_outcome call_result close_date close_reason
    closed_at closed_by closed_date closed_lost closed_on closed_won conversion_date conversion_time converted_at
    converted_by converted_date converted_on customer_since date_closed date_converted days_to_close deal_amount
    deal_id deal_probability deal_stage deal_value disqualified_reason disqualification_reason expected_close
    forecast_category is_closed is_converted is_won last_activity last_changed last_modified last_notable_activity
    last_stage last_touch last_update last_updated lead_owner lead_quality lead_score lead_stage lead_status
    lifecycle_stage loss_reason lost_reason lost_to modified_at modified_by modified_date modified_on modified_time
    opportunity_amount opportunity_id opportunity_stage opportunity_status order_id owner_id pipeline_stage
    probability_to_close qualification_status reason_lost reason_won rejected_reason rejection_reason sales_owner
    sales_stage stage_duration system_modstamp talk_time time_to_close updated_at updated_by updated_date updated_on
    win_probability win_reason won_amount won_date won_reason
"""
BESIDE = """
    account call company contact crm current customer deal final hs hubspot lead leads opp opportunity prospect record
    sales salesforce sf sfdc
"""
TRAILING = frozenset({"c", "code", "date", "id", "name", "r", "value"})


@cache
def banned() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return names that count alone, names that count anywhere in a name, and words that change nothing beside."""
    alone, anywhere, beside = (frozenset(text.split()) for text in (ALONE, ANYWHERE, BESIDE))
    return alone, anywhere, beside


def written_afterwards(name: str) -> bool:
    """Return whether a field has a name that is filled in after the outcome.

    Examples
    --------
    >>> [name for name in ("Lead Status", "HS_LEAD_STATUS", "Tags", "LostReason__c") if written_afterwards(name)]
    ['Lead Status', 'HS_LEAD_STATUS', 'Tags', 'LostReason__c']
    >>> [name for name in ("marital_status", "session_duration", "home owner") if written_afterwards(name)]
    []
    """
    alone, anywhere, beside = banned()
    words = _words(name)
    joined = "".join(words)
    if joined in {known.replace("_", "") for known in alone | anywhere}:
        return True
    whole = f"_{'_'.join(words)}_"
    if any(f"_{known}_" in whole for known in anywhere):
        return True
    core = [word for word in words if word not in beside]
    while len(core) > 1 and core[-1] in TRAILING:
        core.pop()
    return "_".join(core) in alone


def _words(name: str) -> list[str]:
    """Return the words of a name; a capital after a small letter begins one."""
    parted = "".join(
        f" {letter}" if letter.isupper() and before.islower() else letter
        for before, letter in zip(f" {name}", name, strict=False)
    )
    return plain_name(parted).split("_")
