"""Compute how probable a target is from each state and interest, by a backward recursion from the end of the horizon.

The recursion is exact: it sums over all paths from the snapshot date on, and samples nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.simulator.rates import transition_probabilities
from leadml.simulator.world import FIT_LEVELS, GROUP_OF_STATE, INTERESTS, STATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.simulator.world import Target, World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

DAYS_PER_WEEK = 7  # the truth is given for each Monday


def remaining_work_days(world: World) -> list[int]:
    """Return the numbers of days for which work from before a snapshot date can go on after it, lowest first.

    Examples
    --------
    >>> from leadml.simulator.world import standard_world
    >>> remaining_work_days(standard_world(30))
    [0]
    """
    longest = world.work_days - DAYS_PER_WEEK if world.worked_share else 0
    if longest <= 0:
        return [0]
    return [0, *range((longest - 1) % DAYS_PER_WEEK + 1, longest + 1, DAYS_PER_WEEK)]


def hitting_probabilities(world: World, target: Target, snapshot_days: Integers, *, work_days_left: int = 0) -> Floats:
    """Return the probability that a lead reaches the target within the horizon, from each state and interest.

    Parameters
    ----------
    world
        The parameters of the simulation.
    target
        A lead that reaches its state counts as having reached the target, also if it leaves the state later.
    snapshot_days
        Shape (snapshots,): the first day of the horizon.
    work_days_left
        Number of days from the snapshot day on for which sales still works the lead.

    Returns
    -------
    Floats
        Shape (snapshots, states, fit levels, interests), by state and interest at the end of the day before.

    Notes
    -----
    Hitting probabilities of a Markov chain within a number of steps (Norris, "Markov Chains", Cambridge University
    Press, 1997, section 1.3). With ``h(s, y)`` for the target state equal to 1, each step back computes for other
    states ``s`` and interests ``y``: the sum over the next interest ``z`` and the next state ``t`` of
    ``P(z | s, y) * P(t | s, z) * h(t, z)``.
    """
    first, end = int(snapshot_days.min()), int(snapshot_days.max()) + target.horizon
    plain = np.stack([transition_probabilities(world, day) for day in range(first, end)])
    worked = plain
    if work_days_left:
        worked = np.stack([transition_probabilities(world, day, worked=True) for day in range(first, end)])
    hitting = np.zeros((len(snapshot_days), len(STATES), FIT_LEVELS, len(INTERESTS)))
    hitting[:, target.state] = 1.0
    interest_transition = world.interest_transition[GROUP_OF_STATE]
    for step in reversed(range(target.horizon)):
        probabilities = (worked if step < work_days_left else plain)[snapshot_days - first + step]
        after_interest = np.einsum("aftlz,atlz->aflz", probabilities, hitting)
        hitting = np.einsum("fyz,aflz->afly", interest_transition, after_interest)
        hitting[:, target.state] = 1.0
    return hitting
