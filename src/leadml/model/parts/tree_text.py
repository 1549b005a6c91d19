"""Read the trees of LightGBM's text.

What enters is a model text whose hash has been checked; what leaves is, for every leaf of every tree, the tests on its
way and the share of the leads that each test let through. Several boosters are added up into one text.
It refuses tests of categories, tests that take 0 for a gap, and linear leaves, which leadml's trees never have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_ZERO, MISSING_NAN = 1, 2
ZERO = 1.0000000180025095e-35  # LightGBM's kZeroThreshold, a 32-bit number: what is no farther from 0 is 0


@dataclass(frozen=True)
class Condition:
    """A test on the way to a leaf.

    Parameters
    ----------
    field
        Position of the field that is tested.
    threshold
        A value at or below it goes left.
    kind
        LightGBM's ``decision_type``: where missing values go.
    left
        Whether the way to the leaf goes left.
    share
        Share of the leads at the test that went this way, in (0, 1].
    """

    field: int
    threshold: float
    kind: int
    left: bool
    share: float

    @property
    def passed_by_gap(self) -> bool:
        """Whether a missing value goes the way to the leaf; where trees saw none, it stands for 0."""
        goes_left = bool(self.kind & DEFAULT_LEFT) if self.kind >> 2 == MISSING_NAN else self.threshold >= 0.0
        return goes_left == self.left


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
    lines = ([line for line in block.split("\n")[1:] if "=" in line] for block in _blocks(text))
    return tuple(_tree(dict(line.split("=", 1) for line in some)) for some in lines)


def weighted_sum(boosters: Sequence[tuple[str, float]]) -> str:
    """Return the text of one booster whose log-odds are the sum of those of some boosters, each times its weight.

    Parameters
    ----------
    boosters
        LightGBM's model texts of the same fields, without parameter blocks, and their weights; at least one.
    """
    return _joined(boosters[0][0], [_weighted(block, weight) for text, weight in boosters for block in _blocks(text)])


def some_trees(text: str, places: Sequence[int]) -> str:
    """Return the text of a booster that has only some of the trees, by their positions; at least one."""
    blocks = _blocks(text)
    return _joined(text, [_weighted(blocks[at], 1.0) for at in places])


def _joined(text: str, trees: Sequence[str]) -> str:
    """Return a text with the head of another and these trees."""
    head = text.partition("\nTree=")[0]
    kept = "\n".join(line for line in head.split("\n") if not line.startswith("tree_sizes="))  # no longer true
    numbered = [f"Tree={at}\n{tree}\n" for at, tree in enumerate(trees)]
    return "\n".join([kept.rstrip("\n"), "", *numbered, "end of trees", ""])


def _blocks(text: str) -> list[str]:
    return text.partition("end of trees")[0].split("\nTree=")[1:]


def _weighted(block: str, weight: float) -> str:
    """Return a tree without its number, its values times a weight."""
    lines = []
    for line in block.rstrip("\n").split("\n")[1:]:
        name, _, numbers = line.partition("=")
        is_value = name in {"leaf_value", "internal_value"}
        lines.append(f"{name}={' '.join(repr(weight * float(one)) for one in numbers.split())}" if is_value else line)
    return "\n".join(lines)


def _tree(entry: dict[str, str]) -> Tree:
    kinds = [int(word) for word in entry.get("decision_type", "").split()]
    if any(kind & CATEGORICAL or kind >> 2 == MISSING_ZERO for kind in kinds) or int(entry.get("is_linear", 0)):
        msg = "trees must test numbers, know gaps from 0 and have constant leaves, got others"
        raise ModelError(msg)
    values = [float(word) for word in entry["leaf_value"].split()]
    if int(entry["num_leaves"]) == 1:
        return Tree((Leaf(values[0], ()),), values[0])
    fields = [int(word) for word in entry["split_feature"].split()]
    sizes, leaf_sizes = ([int(word) for word in entry[name].split()] for name in ("internal_count", "leaf_count"))
    thresholds = [_threshold(float(word)) for word in entry["threshold"].split()]
    children = [[int(word) for word in entry[name].split()] for name in ("left_child", "right_child")]

    def descend(node: int, way: tuple[Condition, ...]) -> Iterator[tuple[int, tuple[Condition, ...]]]:
        if node < 0:
            yield ~node, way
            return
        for left, side in zip((True, False), children, strict=True):
            child = side[node]
            size = sizes[child] if child >= 0 else leaf_sizes[~child]
            test = Condition(fields[node], thresholds[node], kinds[node], left, size / sizes[node])
            yield from descend(child, (*way, test))

    found = dict(descend(0, ()))
    mean = sum(values[at] * (leaf_sizes[at] / sizes[0]) for at in range(len(values)))
    return Tree(tuple(Leaf(values[at], found[at]) for at in range(len(values))), mean)


def _threshold(written: float) -> float:
    """Return the largest value that passes to the left: LightGBM takes the smallest numbers for 0 before it tests."""
    return math.nextafter(written, -math.inf) if written == -ZERO else written
