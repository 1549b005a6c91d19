"""Compute the activity rates and the state transition probabilities of a day.

The simulated paths and the truth call the same functions, so that both follow the same model.
The module samples nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.simulator.world import World

    Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.25  # with leap years
# 15% more in early March, 15% less in early September.
ACTIVITY_BY_YEAR = {"amplitude": 0.15, "peak_day": 60, "cycles": 1}
# 12% more in April and October, 12% less in January and July: sales slows down in the holidays.
TRANSITION_BY_YEAR = {"amplitude": 0.12, "peak_day": 100, "cycles": 2}
# From Monday; business buyers are idle at weekends, not absent.
ACTIVITY_BY_WEEKDAY = np.array([1.00, 1.10, 1.10, 1.00, 0.85, 0.35, 0.35])
# From Monday; sales hardly works at weekends.
TRANSITION_BY_WEEKDAY = np.array([1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08])


def activity_season(day: int) -> float:
    """Return the seasonal factor of activity rates on a day; day 0 is a Monday in January.

    Examples
    --------
    >>> activity_season(5) < activity_season(1)
    True
    """
    return _seasonal_factor(day, ACTIVITY_BY_WEEKDAY, **ACTIVITY_BY_YEAR)


def transition_season(day: int) -> float:
    """Return the seasonal factor of transition hazards on a day: low at weekends and in summer."""
    return _seasonal_factor(day, TRANSITION_BY_WEEKDAY, **TRANSITION_BY_YEAR)


def _seasonal_factor(day: int, weekday_factor: Floats, *, amplitude: float, peak_day: float, cycles: float) -> float:
    wave = np.cos(2 * np.pi * cycles * (day - peak_day) / DAYS_PER_YEAR)
    return float(weekday_factor[day % len(weekday_factor)] * (1.0 + amplitude * wave))


def activity_rates(world: World, day: int) -> Floats:
    """Return the expected number of activities of a lead on a day, shape (state groups, interests, kinds)."""
    drifted = world.drift == "behaviour" and day >= world.drift_day
    rate = world.drifted_activity_rate if drifted else world.activity_rate
    kind_probability = world.drifted_kind_probability if drifted else world.kind_probability
    return activity_season(day) * rate[:, :, None] * kind_probability


def transition_probabilities(world: World, day: int, *, worked: bool = False) -> Floats:
    """Return the state transition probabilities of a day.

    Parameters
    ----------
    world
        The parameters of the simulation.
    day
        Days since the start of the simulation.
    worked
        Whether sales works the lead on this day; it raises the forward hazards.

    Returns
    -------
    Floats
        Shape (states, states, fit levels, interests): from each state to each state. The diagonal is the probability of
        no transition; each row sums to 1.

    Notes
    -----
    Competing hazards with total ``h``: no transition with ``exp(-h)``, else one in proportion to its hazard.
    """
    forward = world.drift_factor if world.drift == "base_rate" and day >= world.drift_day else 1.0
    forward *= world.work_factor if worked else 1.0
    hazard = transition_season(day) * (world.hazards[0] + forward * world.hazards[1])
    total = hazard.sum(axis=1)
    leaves = -np.expm1(-total)
    probabilities = hazard * np.divide(leaves, total, out=np.zeros_like(total), where=total > 0)[:, None]
    diagonal = np.arange(len(probabilities))
    probabilities[diagonal, diagonal] = 1.0 - leaves
    return np.asarray(probabilities)
