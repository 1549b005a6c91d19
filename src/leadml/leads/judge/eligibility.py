"""Say why a lead was not in the population at an instant.

What enters is a view of dated leads, one of them and the instant; what leaves is a reason for people.
It knows what scoring knows: outcomes that had happened before the instant and were recorded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.asof.features import LEAD
from leadml.leads.asof.history import BLOCK_LEADS
from leadml.leads.asof.labels import CUSTOMERS, reaching
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from leadml.leads.asof.view import AsOfView


def why_not_eligible(view: AsOfView, lead: int, as_of: int) -> str:
    """Return why a lead, by its number, was not looked at at an instant, microseconds."""
    tables, target = view.history, view.target
    created = int(tables.created_at[lead])
    if created >= as_of:
        return f"it came on {shown_day(created)}"
    if tables.known_from[lead] > as_of:
        return f"nothing of it was recorded before {shown_day(int(tables.known_from[lead]))}"
    if target.oldest is not None and as_of > created + target.oldest * DAY:
        return f"it came on {shown_day(created)}, more than the {target.oldest} days of snapshots.oldest before"
    times, codes = _known_outcomes(view, lead, as_of)
    names = {code: name for name, code in view.codes.items()}
    hits = [(at, code) for at, code in zip(times, codes, strict=True) if code in reaching(target, view.codes)]
    if hits and not target.again:
        at, code = min(hits)
        return f"it had reached {names[code]} on {shown_day(at)}"
    named = {view.codes[name] for name in OUTCOMES if target.population == "open" or name in (*CUSTOMERS, "churned")}
    states = [(at, names[code]) for at, code in zip(times, codes, strict=True) if code in named]
    if not states:
        return "it was not a customer yet"
    at, name = max(states, key=lambda state: (state[0], view.codes[state[1]]))
    return f"it was {name} since {shown_day(at)}"


def _known_outcomes(view: AsOfView, lead: int, as_of: int) -> tuple[list[int], list[int]]:
    """Return instants and codes of a lead's outcomes that were known at an instant."""
    block = next(block for block in view.history.blocks() if block.first <= lead < block.first + BLOCK_LEADS)
    whose, occurred, recorded, codes = (
        block.outcomes[name].to_numpy() for name in (LEAD, "occurred_at", "recorded_at", "outcome")
    )
    known = (whose == lead) & (occurred < as_of) & (recorded <= as_of)
    return occurred[known].tolist(), codes[known].tolist()
