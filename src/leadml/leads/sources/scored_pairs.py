"""The leads and instants of scores whose outcomes are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadml.leads.split import Holdout
    from leadml.types import Integers, Objects


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """Leads as of the instants at which a version scored them.

    Parameters
    ----------
    lead_ids, as_of
        Id and instant (microseconds) of each score, shape (n_scores,).
    holdout
        The rule that held rows out when the version was trained.
    until
        The instant, microseconds, until which outcomes are known.
    attributes
        Attributes of the leads to return beside the outcomes, as the newest state of each lead has them.
    """

    lead_ids: Objects
    as_of: Integers
    holdout: Holdout
    until: int
    attributes: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """The column of each attribute in the outcomes: an attribute may have the name of another column there."""
        return {name: f"attribute {name}" for name in self.attributes}
