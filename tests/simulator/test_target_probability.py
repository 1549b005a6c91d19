from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadml.simulator.target_probability import hitting_probabilities, remaining_work_days
from leadml.simulator.world import FIT_LEVELS, STATES, TARGETS, Target, standard_world

WORLD = standard_world(60)
WORK = {"worked_share": 0.1}
STATE_GROUP = {"sal": 1, "sql": 1, "opportunity": 1, "rejected": 2, "customer": 3, "churned": 3}


def _matrix(world, target, day, level, *, worked):
    """Return the transition matrix of a day over pairs of state and interest, entry by entry from the parameters."""
    states, interests = len(STATES), world.interest_transition.shape[1]
    weekly = (1.10, 1.15, 1.10, 1.05, 0.90, 0.10, 0.08)[day % 7]
    season = weekly * (1 + 0.12 * np.cos(4 * np.pi * (day - 100) / 365.25))
    matrix = np.zeros((states, interests, states, interests))
    for state, name in enumerate(STATES):
        for before in range(interests):
            for after in range(interests):
                probability = world.interest_transition[STATE_GROUP.get(name, 0), before, after]
                hazards = {}
                for transition in world.state_transitions:
                    if transition.origin == state:
                        fit_factor = np.exp(transition.fit_coefficient * 0.5 * (level - 4))
                        hazard = transition.hazard[after] * fit_factor * season
                        drifted = world.drift == "base_rate" and day >= world.drift_day and transition.forward
                        hazard *= world.drift_factor if drifted else 1
                        hazard *= world.work_factor if worked and transition.forward else 1
                        hazards[transition.destination] = hazard
                total = sum(hazards.values())
                leaves = 1 - np.exp(-total)
                matrix[state, before, state, after] += probability * np.exp(-total)
                for destination, hazard in hazards.items():
                    matrix[state, before, destination, after] += probability * leaves * (hazard / total if total else 0)
    matrix[target.state] = 0
    matrix[target.state, range(interests), target.state, range(interests)] = 1
    return matrix.reshape(states * interests, states * interests)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize(
    ("world", "work_days_left"),
    [
        (WORLD, 0),
        (replace(WORLD, **WORK), 7),
        (replace(WORLD, drift="base_rate", drift_day=20), 0),
        (replace(WORLD, drift="base_rate", drift_day=17, **WORK), 7),
    ],
)
def test_hitting_probabilities_are_a_product_of_matrices(world, work_days_left, target):
    """The recursion agrees with the product of the transition matrices of the days."""
    short = replace(target, horizon=23)
    snapshot_days = np.array([7, 14])
    found = hitting_probabilities(world, short, snapshot_days, work_days_left=work_days_left)
    assert found.shape == (2, len(STATES), FIT_LEVELS, 5)
    for snapshot, day in enumerate(snapshot_days):
        for level in (0, 6):
            product = np.eye(45)
            for step in range(short.horizon):
                product = product @ _matrix(world, short, int(day) + step, level, worked=step < work_days_left)
            expected = product.reshape(9, 5, 9, 5)[:, :, short.state].sum(axis=2)
            np.testing.assert_allclose(found[snapshot, :, level], expected, rtol=0, atol=1e-12)


def test_a_longer_horizon_never_makes_a_target_less_likely():
    """The probability does not fall with the horizon; it is 1 from the target and 0 from states that never reach it."""
    snapshot_days = np.array([7])
    shorter = np.zeros(())
    for horizon in (1, 5, 20, 60):
        found = hitting_probabilities(WORLD, Target("sql", STATES.index("sql"), (0,), horizon), snapshot_days)
        assert (found >= shorter - 1e-15).all()
        shorter = found
    assert (shorter[0, STATES.index("sql")] == 1).all()
    for state in ("opportunity", "customer", "churned", "lost"):
        assert (shorter[0, STATES.index(state)] == 0).all()


def test_work_fit_and_interest_raise_the_probability_of_sql():
    """More days of work, better fit and hotter interest raise the probability of SQL; it is 0 for spam."""
    world = replace(WORLD, **WORK)
    plain, worked = (
        hitting_probabilities(world, TARGETS[0], np.array([14]), work_days_left=days)[0, :3] for days in (0, 7)
    )
    assert (worked[..., :4] > plain[..., :4]).all()
    assert (np.diff(plain[..., :4], axis=1) > 0).all()
    assert (np.diff(plain[..., :4], axis=2) > 0).all()
    assert (plain[..., 4] == 0).all()


@pytest.mark.parametrize(("work_days", "expected"), [(14, [0, 7]), (7, [0]), (21, [0, 7, 14]), (10, [0, 3]), (1, [0])])
def test_remaining_work_days_are_the_length_less_whole_weeks(work_days, expected):
    """Work starts on Mondays and snapshots are on Mondays, so whole weeks of the work are over at a snapshot date."""
    assert remaining_work_days(replace(WORLD, work_days=work_days, **WORK)) == expected
