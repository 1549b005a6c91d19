"""LK2: names of fields that sales systems fill in when, or after, the outcome is known.

Some words, such as status, are also in names of honest fields. They count only where the whole name is the word, alone
or with words for the lead or the deal.
"""

from __future__ import annotations

from functools import cache

from leadml.leads.judge.name_words import name_words

WHOLE_NAMES = """
    closed converted created_customer disposition duration lost opportunity outcome owner probability quality rejected
    result stage status tag tags won
"""
PARTS_OF_NAMES = """
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
IGNORED_WORDS = """
    account call company contact crm current customer deal final hs hubspot lead leads opp opportunity prospect record
    sales salesforce sf sfdc
"""
IGNORED_ENDINGS = frozenset({"c", "code", "date", "id", "name", "r", "value"})


@cache
def outcome_names() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the names that count as a whole, those that count as a part of a name, and the words that are ignored."""
    whole_names, parts, ignored = (frozenset(text.split()) for text in (WHOLE_NAMES, PARTS_OF_NAMES, IGNORED_WORDS))
    return whole_names, parts, ignored


def is_outcome_name(name: str) -> bool:
    """Return whether a field has a name that is filled in when, or after, the outcome is known.

    Examples
    --------
    >>> [name for name in ("Lead Status", "HS_LEAD_STATUS", "Tags", "LostReason__c") if is_outcome_name(name)]
    ['Lead Status', 'HS_LEAD_STATUS', 'Tags', 'LostReason__c']
    >>> [name for name in ("marital_status", "session_duration", "home owner") if is_outcome_name(name)]
    []
    """
    whole_names, parts, ignored = outcome_names()
    words = name_words(name)
    joined = "".join(words)
    if joined in {known.replace("_", "") for known in whole_names | parts}:
        return True
    delimited = f"_{'_'.join(words)}_"
    if any(f"_{part}_" in delimited for part in parts):
        return True
    core = [word for word in words if word not in ignored]
    while len(core) > 1 and core[-1] in IGNORED_ENDINGS:
        core.pop()
    return "_".join(core) in whole_names
