"""Read and write the trees of LightGBM's model text.

Reading gives, for every leaf of every tree, the conditions on the path to it and the share of the rows that met each.
Writing adds several boosters up into one text. Trees that leadml never fits are refused: conditions on categories,
conditions that take 0 for a missing value, and linear leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CATEGORICAL, DEFAULT_LEFT = 1, 2  # bits of LightGBM's decision_type: kCategoricalMask, kDefaultLeftMask
MISSING_ZERO, MISSING_NAN = 1, 2  # LightGBM's MissingType, which is in the bits above these two
ZERO = 1.0000000180025095e-35  # LightGBM's kZeroThreshold, a 32-bit number: what is no farther from 0 is 0


@dataclass(frozen=True)
class Condition:
    """A condition on the path to a leaf.

    Parameters
    ----------
    field
        Position of the field that is compared.
    threshold
        Values at or below it go left.
    decision_type
        LightGBM's bit mask, which says where missing values go.
    is_left
        Whether the path to the leaf goes left.
    share
        Share of the rows at this node that go the way of the path, in (0, 1].
    """

    field: int
    threshold: float
    decision_type: int
    is_left: bool
    share: float

    @property
    def accepts_missing(self) -> bool:
        """Whether a missing value meets the condition; where the trees were fitted on none, it counts as 0."""
        has_default = self.decision_type >> 2 == MISSING_NAN
        goes_left = bool(self.decision_type & DEFAULT_LEFT) if has_default else self.threshold >= 0.0
        return goes_left == self.is_left


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value in log-odds and the conditions on the path to it, from the root on."""

    value: float
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Tree:
    """The leaves of a tree and its mean over the rows that it was fitted on, in log-odds."""

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
        Where a tree is one that leadml does not fit.
    """
    entries = ([line for line in block.split("\n")[1:] if "=" in line] for block in _blocks(text))
    return tuple(_read_tree(dict(line.split("=", 1) for line in lines)) for lines in entries)


def weighted_sum(boosters: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Return the text of one booster whose log-odds are the weighted sum of those of several.

    Parameters
    ----------
    boosters
        LightGBM's model texts of the same fields, without parameter blocks, and the weights of their trees; at least
        one. Trees of weight 0 are left out; without any other, the first one stays. Weights beyond the last tree are
        not used: LightGBM adds no tree in a round in which no split is worth it.
    """
    trees = [
        _weighted(block, weight)
        for text, weights in boosters
        for block, weight in zip(_blocks(text), weights, strict=False)
        if weight
    ]
    return _with_trees(boosters[0][0], trees or [_weighted(_blocks(boosters[0][0])[0], 0.0)])


def select_trees(text: str, positions: Sequence[int]) -> str:
    """Return the text of a booster that has only the trees at some positions, at least one."""
    blocks = _blocks(text)
    return _with_trees(text, [_weighted(blocks[position], 1.0) for position in positions])


def _with_trees(text: str, trees: Sequence[str]) -> str:
    """Return the header of a text with other trees."""
    header = text.partition("\nTree=")[0]
    valid = "\n".join(line for line in header.split("\n") if not line.startswith("tree_sizes="))  # no longer true
    numbered = [f"Tree={number}\n{tree}\n" for number, tree in enumerate(trees)]
    return "\n".join([valid.rstrip("\n"), "", *numbered, "end of trees", ""])


def _blocks(text: str) -> list[str]:
    return text.partition("end of trees")[0].split("\nTree=")[1:]


def _weighted(block: str, weight: float) -> str:
    """Return a tree without its number, with its values times a weight."""
    lines = []
    for line in block.rstrip("\n").split("\n")[1:]:
        name, _, numbers = line.partition("=")
        is_value = name in {"leaf_value", "internal_value"}
        lines.append(
            f"{name}={' '.join(repr(weight * float(number)) for number in numbers.split())}" if is_value else line
        )
    return "\n".join(lines)


def _read_tree(entry: dict[str, str]) -> Tree:
    types = [int(word) for word in entry.get("decision_type", "").split()]
    if any(mask & CATEGORICAL or mask >> 2 == MISSING_ZERO for mask in types) or int(entry.get("is_linear", 0)):
        msg = (
            "trees must compare numbers, tell missing values from 0 and have constant leaves, got others; use a model "
            "text that leadml wrote"
        )
        raise ModelError(msg)
    values = [float(word) for word in entry["leaf_value"].split()]
    if int(entry["num_leaves"]) == 1:
        return Tree((Leaf(values[0], ()),), values[0])
    fields = [int(word) for word in entry["split_feature"].split()]
    sizes, leaf_sizes = ([int(word) for word in entry[name].split()] for name in ("internal_count", "leaf_count"))
    thresholds = [_largest_left(float(word)) for word in entry["threshold"].split()]
    children = [[int(word) for word in entry[name].split()] for name in ("left_child", "right_child")]

    def descend(node: int, path: tuple[Condition, ...]) -> Iterator[tuple[int, tuple[Condition, ...]]]:
        if node < 0:
            yield ~node, path
            return
        for is_left, side in zip((True, False), children, strict=True):
            child = side[node]
            size = sizes[child] if child >= 0 else leaf_sizes[~child]
            condition = Condition(fields[node], thresholds[node], types[node], is_left, size / sizes[node])
            yield from descend(child, (*path, condition))

    paths = dict(descend(0, ()))
    mean = sum(values[leaf] * (leaf_sizes[leaf] / sizes[0]) for leaf in range(len(values)))
    return Tree(tuple(Leaf(values[leaf], paths[leaf]) for leaf in range(len(values))), mean)


def _largest_left(threshold: float) -> float:
    """Return the largest value that goes left: LightGBM takes the smallest numbers for 0 before it compares."""
    return math.nextafter(threshold, -math.inf) if threshold == -ZERO else threshold
