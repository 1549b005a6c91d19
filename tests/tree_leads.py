"""Leads whose fields interact, trees that are fitted on them, and what a tree says where only some fields are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.model.parts.encode import Encoder
from leadml.model.parts.tree_text import read_trees
from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, fit_boosters
from leadml.params import ModelParams

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from leadml.types import Floats, Labels

ENCODER = Encoder(
    (
        Field("age", "number", "fit"),
        Field("job", "category", "fit"),
        Field("visits", "number", "engagement"),
        Field("asked", "boolean", "engagement"),
        Field("size", "number", "fit"),
    ),
    ((), ("chef", "monk", "smith"), (), (), ()),
)
OTHER_JOB, MISSING_JOB = 3, 4  # codes


def tree_leads(seed: int, size: int = 3000) -> tuple[Floats, Labels]:
    """Return fields, with missing values, zeros and codes of levels, and labels in which all fields interact."""
    random = np.random.default_rng(seed)
    age, visits = random.normal(40, 10, size), random.poisson(2, size).astype(float)
    employees, job = random.lognormal(3, 1, size), random.integers(0, 5, size)
    asked = (random.random(size) < 0.3).astype(float)
    margin = (age - 40) / 10 * (job == 1) + visits / 2 * asked - np.log(employees) / 3 * (job == 0) - 1
    fields = np.column_stack([age, job, visits, asked, employees]).astype(float)
    for index in (0, 2, 3):
        fields[random.random(size) < 0.15, index] = np.nan
    return fields, (random.random(size) < expit(margin)).astype(np.int8)


def fit_trees(fields: Floats, label: Labels, params: ModelParams, *, leaves: int, rounds: int) -> Trees:
    """Return trees with a penalty of 5."""
    data = BoosterData(fields, label, (0,) * fields.shape[1])
    [text] = fit_boosters([(data, TreeSettings(leaves, 5.0), rounds)], params)
    return Trees.of([(text, [1.0] * rounds)])


def fit_some_trees(fields: Floats, label: Labels, *, leaves: int, rounds: int = 60) -> Trees:
    """Return trees of few leads in each leaf, each of 70% of the fields."""
    params = ModelParams(learning_rate=0.2, threads=1, field_share=0.7, min_leads_per_leaf=5)
    return fit_trees(fields, label, params, leaves=leaves, rounds=rounds)


def with_edge_cases(fields: Floats, trees: Trees) -> Floats:
    """Return leads, and others that are all missing, infinite, at each threshold and next to it."""
    ends = np.array([[np.nan, 4, np.nan, np.nan, np.nan], [np.inf] * 5, [-np.inf] * 5, [0.0] * 5, [1e300] * 5])
    ends[1:, 1] = [0, 1, 2, 3]
    rows = [ends]
    for tree in read_trees(trees.text):
        for condition in {condition for leaf in tree.leaves for condition in leaf.conditions}:
            if ENCODER.fields[condition.field].kind != "category":
                near = np.repeat(fields[:1], 3, axis=0)
                near[:, condition.field] = condition.threshold, np.nextafter(condition.threshold, np.inf), np.nan
                rows.append(near)
    return np.concatenate([fields, *rows])


def roots_of(trees: Trees) -> list[dict[str, Any]]:
    """Return the root of each tree, as LightGBM dumps it."""
    return [tree["tree_structure"] for tree in trees.booster.dump_model()["tree_info"]]


def value_where_known(node: dict[str, Any], row: Floats, known: AbstractSet[int]) -> float:
    """Return a tree's value where only some fields are known: for others the mean of both sides, by their counts."""
    if "split_feature" not in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return value_where_known(left if _goes_left(node, row) else right, row, known)
    sides = [(_count(side), value_where_known(side, row, known)) for side in (left, right)]
    return sum(count * value for count, value in sides) / _count(node)


def _goes_left(node: dict[str, Any], row: Floats) -> bool:
    value = row[node["split_feature"]]
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    if np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) < 1e-35):
        return bool(node["default_left"])
    return bool(value <= node["threshold"])


def _count(node: dict[str, Any]) -> int:
    return int(node["internal_count"] if "split_feature" in node else node["leaf_count"])
