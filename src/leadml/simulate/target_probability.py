"""How likely a target is from each interest and state: the exact recursion backwards from the horizon.

What enters is a `World`, a target and look days; what leaves is a table of probabilities for each look day, state,
level of fit and interest.
It refuses nothing and draws nothing; what is not known at the look day is integrated out by the recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.simulate.rates import move_chances
from leadml.simulate.world import FIT_LEVELS, GROUP_OF_STATE, INTERESTS, STATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.simulate.world import Target, World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

WEEK = 7


def work_left(world: World) -> list[int]:
    """Return for how many days the work done before a look date may go on after it, shortest first.

    Examples
    --------
    >>> from leadml.simulate.world import standard_world
    >>> work_left(standard_world(30))
    [0]
    """
    longest = world.work_days - WEEK if world.worked_share else 0
    return [0, *range((longest - 1) % WEEK + 1, longest + 1, WEEK)] if longest > 0 else [0]


def reach(world: World, target: Target, looks: Integers, *, worked: int = 0) -> Floats:
    """Return the probability that a target is reached from the look day on, within its horizon.

    Parameters
    ----------
    world
        The numbers.
    target
        Its state counts as reached for good.
    looks
        Look days, shape (looks,): the first day that counts.
    worked
        For how many days from the look day on the work of sales still goes on.

    Returns
    -------
    Floats
        Shape (looks, states, levels, interests), for state and interest at the end of the day before.
    """
    first, last = int(looks.min()), int(looks.max()) + target.horizon
    alone = np.stack([move_chances(world, day) for day in range(first, last)])
    pushed = np.stack([move_chances(world, day, worked=True) for day in range(first, last)]) if worked else alone
    found = np.zeros((len(looks), len(STATES), FIT_LEVELS, len(INTERESTS)))
    found[:, target.state] = 1.0
    turns = world.transition[GROUP_OF_STATE]
    for step in reversed(range(target.horizon)):
        chances = (pushed if step < worked else alone)[looks - first + step]
        moved = np.einsum("aftlz,atlz->aflz", chances, found)
        found = np.einsum("fyz,aflz->afly", turns, moved)
        found[:, target.state] = 1.0
    return found
