"""Everything that is needed to compute snapshots of the leads of some tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadml.leads.asof.engine import Engine
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.check.activity_plan import ActivityPlan, Target
    from leadml.leads.check.field import Field


@dataclass(frozen=True)
class AsOfView:
    """How the leads of some tables are looked at.

    Parameters
    ----------
    history
        The leads and what is known of them.
    target
        What is predicted.
    codes
        The whole number of each outcome.
    plan
        What is computed from activities.
    fields
        The fields of the frames.
    engine
        What computes.
    """

    history: LeadHistory
    target: Target
    codes: dict[str, int]
    plan: ActivityPlan
    fields: tuple[Field, ...]
    engine: Engine
