"""The description of a simulation: all its numbers, as JSON, the same for the same world."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from leadml.simulator import market
from leadml.simulator.description import FORMAT, MARKET_KEYS, TRUTH_WITH_WORK, describe_simulation
from leadml.simulator.world import CLOSED, INTERESTS, KINDS, STATES, TARGETS, standard_world

WORLD = standard_world(90)


def test_a_description_is_plain_data() -> None:
    """It survives JSON, has the options and the counts that it was given, and is the same each time."""
    described = describe_simulation(WORLD, {"leads": 5, "seed": 1}, rows={"leads": 7})
    stored = json.loads(json.dumps(described))

    assert (stored["format"], stored["choices"], stored["rows"]) == (FORMAT, {"leads": 5, "seed": 1}, {"leads": 7})
    assert (stored["first_day"], stored["days"]) == ("2024-01-01", 90)
    assert json.dumps(describe_simulation(WORLD, {"leads": 5, "seed": 1}, rows={"leads": 7})) == json.dumps(described)


def test_every_number_of_the_market_has_a_key() -> None:
    """In lower case or under the name of format 1; each question has its answers and weights."""
    described = json.loads(json.dumps(describe_simulation(WORLD, {}, rows={})["market"]))
    constants = {name for name in vars(market) if name.isupper() and not name.startswith("_")}

    assert set(described) == {MARKET_KEYS.get(name, name.lower()) for name in constants}
    assert set(MARKET_KEYS) <= constants
    assert described["spread"] == market.FIT_SCALE
    for question, stored in zip(market.QUESTIONS, described["questions"], strict=True):
        assert stored["name"] == question.name
        assert np.array_equal(stored["weight"], question.weight)
        assert tuple(stored["blank"]) == question.blank


def test_names_stand_for_positions() -> None:
    """States, interests and kinds are lists, each target has its horizon, and closed states are named."""
    described = describe_simulation(WORLD, {}, rows={})
    words = described["words"]

    assert (words["interests"], words["states"], words["kinds"]) == (INTERESTS, STATES, KINDS)
    assert words["closed"] == [STATES[state] for state in CLOSED]
    assert set(words["group_of_state"]) == set(STATES)
    assert set(words["group_of_state"].values()) <= set(words["groups"])
    assert [(one["target"], one["horizon_days"]) for one in described["targets"]] == [
        (target.name, target.horizon) for target in TARGETS
    ]


def test_the_truth_is_said_to_be_without_work_where_sales_works() -> None:
    """Otherwise there is no such line; every text is one line and not empty."""
    plain = describe_simulation(WORLD, {}, rows={})
    worked = describe_simulation(replace(WORLD, worked_share=0.1), {}, rows={})

    assert [*plain["truth"], TRUTH_WITH_WORK] == worked["truth"]
    for lines in (plain["rules"], plain["hidden"], worked["truth"]):
        assert all(line.strip() and "\n" not in line for line in lines)
