"""The leads of some tables, with all that is needed to compute their snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadml.leads.asof.engine import Engine
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.check.activity_plan import ActivityPlan, Target
    from leadml.leads.check.field import Field

# Changes no number (tests/leads/asof/test_snapshots.py), only memory: two columns of 8 bytes are 8 MB.
MAX_PAIRS = 500_000


@dataclass(frozen=True)
class AsOfView:
    """Dated leads and how their snapshots are computed.

    Parameters
    ----------
    history
        The leads with their activities and outcomes.
    target
        What is predicted.
    codes
        The whole number of each outcome.
    plan
        What is computed from activities.
    fields
        The fields of a snapshot.
    engine
        The library that computes features and labels.
    timezone
        The zone whose midnights divide days, or None for UTC.
    max_pairs
        Pairs of a lead and a date that are computed at a time; no result depends on it.
    """

    history: LeadHistory
    target: Target
    codes: dict[str, int]
    plan: ActivityPlan
    fields: tuple[Field, ...]
    engine: Engine
    timezone: str | None = None
    max_pairs: int = MAX_PAIRS
