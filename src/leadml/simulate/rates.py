"""What the numbers of the world make of a given day.

What enters is a `World` and a day; what leaves is that day's rates of acts and chances of moves.
It refuses nothing and draws nothing: the life of leads and their truth both read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.simulate.world import World

    Floats = NDArray[np.float64]

YEAR = 365.25
ACTS_BY_YEAR = {"depth": 0.15, "crest_day": 60, "waves": 1}
MOVES_BY_YEAR = {"depth": 0.12, "crest_day": 100, "waves": 2}
ACTS_BY_WEEKDAY = np.array([1.00, 1.10, 1.10, 1.00, 0.85, 0.35, 0.35])
MOVES_BY_WEEKDAY = np.array([1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08])


def season_of_acts(day: int) -> float:
    """Return by what rates of acts are multiplied on a day; day 0 is a Monday in January.

    Examples
    --------
    >>> season_of_acts(5) < season_of_acts(1)
    True
    """
    return _season(day, ACTS_BY_WEEKDAY, **ACTS_BY_YEAR)


def season_of_moves(day: int) -> float:
    """Return by what hazards are multiplied on a day: low at weekends and in summer."""
    return _season(day, MOVES_BY_WEEKDAY, **MOVES_BY_YEAR)


def _season(day: int, by_weekday: Floats, *, depth: float, crest_day: float, waves: float) -> float:
    wave = np.cos(2 * np.pi * waves * (day - crest_day) / YEAR)
    return float(by_weekday[day % len(by_weekday)] * (1.0 + depth * wave))


def act_rates(world: World, day: int) -> Floats:
    """Return the expected acts of a day, shape (groups, interests, kinds)."""
    drifted = world.drift == "behaviour" and day >= world.drift_day
    rate, kinds = (world.drifted_rate, world.drifted_kinds) if drifted else (world.rate, world.kinds)
    return season_of_acts(day) * rate[:, :, None] * kinds


def move_chances(world: World, day: int, *, worked: bool = False) -> Floats:
    """Return the chances of a day's moves, shape (states, states, levels, interests), staying among them.

    The hazards of a state compete: with total ``h`` the lead stays with ``exp(-h)``, and goes each way by its share.
    """
    forward = world.drift_factor if world.drift == "base_rate" and day >= world.drift_day else 1.0
    forward *= world.work_factor if worked else 1.0
    hazard = season_of_moves(day) * (world.hazards[0] + forward * world.hazards[1])
    total = hazard.sum(axis=1)
    leaves = -np.expm1(-total)
    chances = hazard * np.divide(leaves, total, out=np.zeros_like(total), where=total > 0)[:, None]
    stays = np.arange(len(chances))
    chances[stays, stays] = 1.0 - leaves
    return np.asarray(chances)
