"""Read the trees of LightGBM's text.

What enters is a model text whose hash has been checked; what leaves is, for every leaf of every tree, the tests on its
way and the share of the leads that each test let through.
It refuses tests of categories, tests that take 0 for a gap, and linear leaves, which leadml's trees never have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_ZERO, MISSING_NAN = 1, 2


@dataclass(frozen=True)
class Condition:
    """A test on the way to a leaf.

    Parameters
    ----------
    column
        Position of the encoder's column.
    threshold
        A value at or below it goes left.
    kind
        LightGBM's ``decision_type``: where missing values go.
    left
        Whether the way to the leaf goes left.
    share
        Share of the leads at the test that went this way, in (0, 1].
    """

    column: int
    threshold: float
    kind: int
    left: bool
    share: float

    def passed(self, values: Floats) -> NDArray[np.bool_]:
        """Return which values go the way to the leaf, an array of the shape of ``values``."""
        missing = np.isnan(values)
        goes_left = np.where(missing, 0.0, values) <= self.threshold
        if self.kind >> 2 == MISSING_NAN:
            goes_left = np.where(missing, bool(self.kind & DEFAULT_LEFT), goes_left)
        return np.asarray(goes_left == self.left)


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value in log-odds and the tests on its way, from the root on."""

    value: float
    way: tuple[Condition, ...]


@dataclass(frozen=True)
class Tree:
    """The leaves of a tree and what the mean lead gets from it, in log-odds."""

    leaves: tuple[Leaf, ...]
    mean: float


def read_trees(text: str) -> tuple[Tree, ...]:
    """Return the trees of a model text, in order.

    Parameters
    ----------
    text
        LightGBM's model text (version v4), with or without its parameter block.

    Raises
    ------
    ModelError
        Where a tree is of a kind that leadml does not fit.
    """
    blocks = text.partition("end of trees")[0].split("\nTree=")[1:]
    return tuple(_tree(dict(line.split("=", 1) for line in block.split("\n")[1:] if "=" in line)) for block in blocks)


def _tree(entry: dict[str, str]) -> Tree:
    kinds = [int(word) for word in entry.get("decision_type", "").split()]
    if any(kind & CATEGORICAL or kind >> 2 == MISSING_ZERO for kind in kinds) or int(entry.get("is_linear", 0)):
        msg = "trees must test numbers, know gaps from 0 and have constant leaves, got others"
        raise ModelError(msg)
    values = [float(word) for word in entry["leaf_value"].split()]
    if int(entry["num_leaves"]) == 1:
        return Tree((Leaf(values[0], ()),), values[0])
    columns = [int(word) for word in entry["split_feature"].split()]
    sizes, leaf_sizes = ([int(word) for word in entry[name].split()] for name in ("internal_count", "leaf_count"))
    thresholds = [float(word) for word in entry["threshold"].split()]
    children = [[int(word) for word in entry[name].split()] for name in ("left_child", "right_child")]

    def descend(node: int, way: tuple[Condition, ...]) -> Iterator[tuple[int, tuple[Condition, ...]]]:
        if node < 0:
            yield ~node, way
            return
        for left, side in zip((True, False), children, strict=True):
            child = side[node]
            size = sizes[child] if child >= 0 else leaf_sizes[~child]
            test = Condition(columns[node], thresholds[node], kinds[node], left, size / sizes[node])
            yield from descend(child, (*way, test))

    found = dict(descend(0, ()))
    mean = sum(values[at] * (leaf_sizes[at] / sizes[0]) for at in range(len(values)))
    return Tree(tuple(Leaf(values[at], found[at]) for at in range(len(values))), mean)
