from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadml.simulate.target_probability import reach, work_left
from leadml.simulate.world import FIT_LEVELS, STATES, TARGETS, Target, standard_world

WORLD = standard_world(60)
SALES = {"worked_share": 0.1}
GROUP = {"sal": 1, "sql": 1, "opportunity": 1, "rejected": 2, "customer": 3, "churned": 3}


def _matrix(world, target, day, level, *, worked):
    """One day of one lead as a matrix over pairs of state and interest, entry by entry, from the numbers alone."""
    size, kinds = len(STATES), world.transition.shape[1]
    weekly = (1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08)[day % 7]
    season = weekly * (1 + 0.12 * np.cos(4 * np.pi * (day - 100) / 365.25))
    matrix = np.zeros((size, kinds, size, kinds))
    for state, name in enumerate(STATES):
        for was in range(kinds):
            for now in range(kinds):
                turn = world.transition[GROUP.get(name, 0), was, now]
                hazards = {}
                for move in world.moves:
                    if move.origin == state:
                        hazard = move.hazard[now] * np.exp(move.fit * 0.5 * (level - 4)) * season
                        slow = world.drift == "base_rate" and day >= world.drift_day and move.forward
                        hazard *= world.drift_factor if slow else 1
                        hazards[move.to] = hazard * (world.work_factor if worked and move.forward else 1)
                total = sum(hazards.values())
                matrix[state, was, state, now] += turn * np.exp(-total)
                for to, hazard in hazards.items():
                    matrix[state, was, to, now] += turn * (1 - np.exp(-total)) * (hazard / total if total else 0)
    matrix[target.state] = 0
    matrix[target.state, range(kinds), target.state, range(kinds)] = 1
    return matrix.reshape(size * kinds, size * kinds)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize(
    ("world", "worked"),
    [
        (WORLD, 0),
        (replace(WORLD, **SALES), 7),
        (replace(WORLD, drift="base_rate", drift_day=20), 0),
        (replace(WORLD, drift="base_rate", drift_day=17, **SALES), 7),
    ],
)
def test_reach_is_a_product_of_matrices(world, worked, target):
    """The recursion agrees with the product of the days' matrices, built entry by entry."""
    short = replace(target, horizon=23)
    looks = np.array([7, 14])
    found = reach(world, short, looks, worked=worked)
    assert found.shape == (2, len(STATES), FIT_LEVELS, 5)
    for at, look in enumerate(looks):
        for level in (0, 6):
            product = np.eye(45)
            for step in range(short.horizon):
                product = product @ _matrix(world, short, int(look) + step, level, worked=step < worked)
            oracle = product.reshape(9, 5, 9, 5)[:, :, short.state].sum(axis=2)
            np.testing.assert_allclose(found[at, :, level], oracle, rtol=0, atol=1e-12)


def test_a_longer_horizon_never_makes_a_target_less_likely():
    """Reach rises with the horizon, is 1 from the target itself and 0 from where no way leads to it."""
    looks = np.array([7])
    before = np.zeros(())
    for horizon in (1, 5, 20, 60):
        found = reach(WORLD, Target("sql", STATES.index("sql"), (0,), horizon), looks)
        assert (found >= before - 1e-15).all()
        before = found
    assert (before[0, STATES.index("sql")] == 1).all()
    for state in ("opportunity", "customer", "churned", "lost"):
        assert (before[0, STATES.index(state)] == 0).all()


def test_work_fit_and_interest_bring_leads_nearer_to_buying():
    """More days of work, better fit and hotter interest raise the reach of SQL; spam never reaches it."""
    world = replace(WORLD, **SALES)
    plain, worked = (reach(world, TARGETS[0], np.array([14]), worked=days)[0, :3] for days in (0, 7))
    assert (worked[..., :4] > plain[..., :4]).all()
    assert (np.diff(plain[..., :4], axis=1) > 0).all()
    assert (np.diff(plain[..., :4], axis=2) > 0).all()
    assert (plain[..., 4] == 0).all()


@pytest.mark.parametrize(("days", "left"), [(14, [0, 7]), (7, [0]), (21, [0, 7, 14]), (10, [0, 3]), (1, [0])])
def test_work_goes_on_after_the_next_look_dates(days, left):
    """Work begun on Mondays leaves whole weeks less than its length at later look dates."""
    assert work_left(replace(WORLD, work_days=days, **SALES)) == left
