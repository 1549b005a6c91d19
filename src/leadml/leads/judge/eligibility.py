"""Say in words why a lead was not in the population at an instant.

The reason uses only what scoring used: outcomes that occurred before the instant and were recorded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.asof.arrival import day_before
from leadml.leads.asof.features import LEAD
from leadml.leads.asof.labels import CUSTOMERS, target_codes
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from leadml.leads.asof.view import AsOfView


def why_not_eligible(view: AsOfView, lead: int, as_of: int) -> str:
    """Return in words why a lead was not in the population.

    Parameters
    ----------
    view
        The leads and the target.
    lead
        Number of a lead that has no snapshot at the instant.
    as_of
        The instant, microseconds.
    """
    by_age = _why_not_by_age(view, lead, as_of)
    if by_age is not None:
        return by_age
    target = view.target
    instants, codes = _known_outcomes(view, lead, as_of)
    names = {code: name for name, code in view.codes.items()}
    counted = target_codes(target, view.codes)
    reached = [(at, code) for at, code in zip(instants, codes, strict=True) if code in counted]
    if reached and not target.again:
        at, code = min(reached)
        return f"it had reached {names[code]} on {shown_day(at)}"
    states = OUTCOMES if target.population == "open" else (*CUSTOMERS, "churned")
    state_codes = {view.codes[name] for name in states}
    changes = [(at, code) for at, code in zip(instants, codes, strict=True) if code in state_codes]
    if not changes:
        return "it was not a customer yet"
    at, code = max(changes)
    return f"it was {names[code]} since {shown_day(at)}"


def _why_not_by_age(view: AsOfView, lead: int, as_of: int) -> str | None:
    """Return in words why a lead was too young or too old, or None where it was neither."""
    history, target = view.history, view.target
    created, known = int(history.created_at[lead]), int(history.known_since[lead])
    if created >= as_of:
        return f"it was created on {shown_day(created)}"
    if known > as_of:
        return f"it was not recorded before {shown_day(known)}"
    if target.oldest is not None and as_of > created + target.oldest * DAY:
        return f"it was created on {shown_day(created)}, more than {target.oldest} days before (snapshots.oldest)"
    if target.once and known <= day_before(np.array([as_of]), view.timezone)[0]:
        return f"it was known on {shown_day(known)}, more than a day before (snapshots.every: once)"
    return None


def _known_outcomes(view: AsOfView, lead: int, as_of: int) -> tuple[list[int], list[int]]:
    """Return instants and codes of the outcomes of a lead that were known at an instant."""
    block = next(block for block in view.history.blocks() if block.first <= lead < block.stop)
    leads, occurred, recorded, codes = (
        block.outcomes[name].to_numpy() for name in (LEAD, "occurred_at", "recorded_at", "outcome")
    )
    known = (leads == lead) & (occurred < as_of) & (recorded <= as_of)
    return occurred[known].tolist(), codes[known].tolist()
