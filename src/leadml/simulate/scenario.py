"""What may differ from one simulation to the next.

What enters is choices; what leaves is a `Scenario`, and the `World` it makes of a number of months.
It refuses choices that no world can follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import LeadmlError, nearest, quoted
from leadml.simulate.people import START
from leadml.simulate.world import DRIFTS, standard_world

if TYPE_CHECKING:
    from leadml.simulate.world import World

LONGEST = 120


@dataclass(frozen=True)
class Scenario:
    """What happens beside the usual.

    Parameters
    ----------
    drift
        ``none``, ``mix`` (other sources, of other interest), ``behaviour`` (other rates and kinds of acts) or
        ``base_rate`` (slower funnel).
    drift_month
        The first month of the drift, from 1; None for the middle of the simulation.
    spam
        Whether a campaign draws form spam in one month, a third of the way in.
    worked_a_week
        How many leads sales works each week, those with the newest recorded act; 0 for none.
    truth_leads
        For about how many leads the truth is written.
    """

    drift: str = "none"
    drift_month: int | None = None
    spam: bool = True
    worked_a_week: int = 0
    truth_leads: int = 20_000

    def __post_init__(self) -> None:
        """Refuse choices that no world can follow."""
        if self.drift not in DRIFTS:
            hint = nearest(self.drift, DRIFTS)
            msg = f"drift must be one of {', '.join(DRIFTS)}, got {quoted(self.drift)}{hint}"
            raise LeadmlError(msg)
        for name in ("worked_a_week", "truth_leads"):
            if getattr(self, name) < 0:
                msg = f"{name} must be 0 or more, got {getattr(self, name)}; give 0 for none"
                raise LeadmlError(msg)


def world_of(scenario: Scenario, *, leads: int, months: int) -> World:
    """Return the world of a scenario.

    Raises
    ------
    LeadmlError
        Where a month lies outside the simulation.

    Examples
    --------
    >>> world_of(Scenario(drift="mix"), leads=1000, months=2).drift_day
    31
    """
    if not 1 <= months <= LONGEST:
        msg = f"months must be from 1 to {LONGEST}, got {months}; simulate what a team would remember"
        raise LeadmlError(msg)
    month = months // 2 + 1 if scenario.drift_month is None else scenario.drift_month
    if not 1 <= month <= months:
        msg = f"drift_month must be from 1 to {months}, got {month}; drift inside the simulation"
        raise LeadmlError(msg)
    campaign = months // 3
    return replace(
        standard_world(_day(months)),
        drift=scenario.drift,
        drift_day=_day(month - 1),
        campaign=(_day(campaign), _day(campaign + 1)) if scenario.spam else (0, 0),
        worked_share=scenario.worked_a_week / leads,
    )


def _day(months: int) -> int:
    """Return the first day after some months."""
    after = (START.astype("datetime64[M]") + months).astype("datetime64[D]")
    return int((after - START) / np.timedelta64(1, "D"))
