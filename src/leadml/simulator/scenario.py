"""The options of a simulation, and the world that follows from them.

The module refuses options that no simulation can follow, before anything is sampled.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from leadml.arguments import whole_number
from leadml.errors import LeadmlError, nearest, quoted
from leadml.simulator.lead_attributes import START
from leadml.simulator.world import DRIFTS, standard_world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadml.simulator.world import World

MAIL_OPTIONS = ("mail", "scanners", "bots")
MOST_MONTHS = 120  # ten years; each day is computed, so time rises with them


@dataclass(frozen=True)
class Scenario:
    """The options of a simulation.

    Parameters
    ----------
    drift
        ``none``, ``mix`` (other shares of sources, and other interest per source), ``behaviour`` (other rates and kinds
        of activities) or ``base_rate`` (fewer leads advance in the funnel).
    drift_month
        First month of the drift, from 1; None for the middle of the simulation.
    spam
        Whether a campaign brings form spam in one month, after a third of the simulation.
    worked_a_week
        Number of leads that sales works each week: those with the newest recorded activity; 0 for none.
    truth_leads
        Approximate number of leads for which the truth is written.
    mail
        Whether activities have mails, their deliveries, and agents.
    scanners
        Share of the opens and clicks that are by mail scanners, in [0, 1); above 0 it needs ``mail``.
    bots
        Share of the page visits that are by bots, in [0, 1); above 0 it needs ``mail``.

    Raises
    ------
    LeadmlError
        Where the drift is unknown or a number is below 0.
    """

    drift: str = "none"
    drift_month: int | None = None
    spam: bool = True
    worked_a_week: int = 0
    truth_leads: int = 20_000
    mail: bool = False
    scanners: float = 0.0
    bots: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return the scenario of some options; the others have their defaults."""
        names = [entry.name for entry in fields(cls)]
        if unknown := next((name for name in options if name not in names), None):
            hint = nearest(unknown, names)
            msg = f"scenario must have only the options {', '.join(names)}, got {quoted(unknown)}{hint}"
            raise LeadmlError(msg)
        return cls(**options)

    def __post_init__(self) -> None:
        """Refuse an unknown drift and negative numbers."""
        if self.drift not in DRIFTS:
            hint = nearest(self.drift, DRIFTS)
            msg = f"drift must be one of {', '.join(DRIFTS)}, got {quoted(self.drift)}{hint}"
            raise LeadmlError(msg)
        for name in ("worked_a_week", "truth_leads"):
            whole_number(getattr(self, name), name, low=0)
        for name in ("scanners", "bots"):
            share = getattr(self, name)
            if not isinstance(share, int | float) or not 0 <= share < 1:
                msg = f"{name} must be a share of at least 0 and below 1, got {quoted(share)}"
                raise LeadmlError(msg)
            if share and not self.mail:
                msg = f"{name} must come with mail, because only then activities have mails and agents; set mail too"
                raise LeadmlError(msg)

    def as_written(self) -> dict[str, Any]:
        """Return the options for ``simulation.json``; those of mail only if there is mail, as they came later."""
        options = asdict(self)
        return options if self.mail else {name: options[name] for name in options if name not in MAIL_OPTIONS}


def build_world(scenario: Scenario, *, leads: int, months: int) -> World:
    """Return the parameters of a simulation with some options.

    Parameters
    ----------
    scenario
        The options.
    leads
        Number of leads, 1 or more.
    months
        Length of the simulation, from 1 to 120.

    Raises
    ------
    LeadmlError
        Where the number of months is out of its range, or the drift begins outside the simulation.

    Examples
    --------
    >>> build_world(Scenario(drift="mix"), leads=1000, months=2).drift_day
    31
    """
    whole_number(months, "months", low=1, high=MOST_MONTHS)
    drift_month = months // 2 + 1 if scenario.drift_month is None else scenario.drift_month
    whole_number(drift_month, "drift_month", low=1, high=months)
    months_before_campaign = months // 3
    return replace(
        standard_world(_first_day_after(months)),
        drift=scenario.drift,
        drift_day=_first_day_after(drift_month - 1),
        campaign=(_first_day_after(months_before_campaign), _first_day_after(months_before_campaign + 1))
        if scenario.spam
        else (0, 0),
        worked_share=scenario.worked_a_week / leads,
    )


def _first_day_after(months: int) -> int:
    """Return the first day after a number of months, counted from the start of the simulation."""
    month = (START.astype("datetime64[M]") + np.timedelta64(months, "M")).astype("datetime64[D]")
    return int((month - START) / np.timedelta64(1, "D"))
