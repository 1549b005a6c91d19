"""LightGBM's model text: the trees in it, their weighted sum, and a selection of them."""

from __future__ import annotations

import math

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError
from leadml.model.parts.tree_text import ZERO, Condition, Leaf, Tree, read_trees, select_trees, weighted_sum

OPTIONS = {"objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True}
BY_HAND = """tree
version=v4
tree_sizes=300

Tree=0
num_leaves=3
num_cat=0
split_feature=0 4
threshold=0.5 {threshold}
decision_type=10 {decision}
left_child=1 -1
right_child=-2 -3
leaf_value=0.1 -0.2 0.3
leaf_count=10 20 70
internal_value=0.5 0.7
internal_count=100 80
is_linear=0
shrinkage=1


end of trees
"""


def _leads(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers with missing values, and labels in which they interact."""
    random = np.random.default_rng(seed)
    fields = random.normal(size=(600, 3))
    fields[:, 2] = np.abs(fields[:, 2]).round()
    fields[random.random(600) < 0.2, 0] = np.nan
    margin = np.nan_to_num(fields[:, 0]) * fields[:, 1] + fields[:, 2] - 1
    return fields, (random.random(600) < 1 / (1 + np.exp(-margin))).astype(float)


def _text(seed: int = 0, *, rounds: int = 6, categories: list[int] | None = None, **options: bool) -> str:
    fields, label = _leads(seed)
    data = lgb.Dataset(np.nan_to_num(fields) if categories or options else fields, label, params={**OPTIONS, **options})
    data.set_categorical_feature(categories or [])
    text: str = lgb.train({**OPTIONS, "num_leaves": 5, **options}, data, rounds).model_to_string()
    return text.partition("\nparameters:")[0]


@pytest.fixture(scope="module")
def text() -> str:
    """Return the text of six trees."""
    return _text()


def _meets(condition: Condition, row: np.ndarray) -> bool:
    value = row[condition.field]
    return condition.accepts_missing if np.isnan(value) else (value <= condition.threshold) == condition.is_left


def test_each_row_is_in_one_leaf_of_each_tree_and_the_leaves_add_up_to_its_log_odds(text: str) -> None:
    """As LightGBM predicts them, with values missing too."""
    fields, _ = _leads(1)
    trees, expected = read_trees(text), lgb.Booster(model_str=text).predict(fields[:100], raw_score=True)
    for row, margin in zip(fields[:100], expected, strict=True):
        leaves = [[leaf for leaf in tree.leaves if all(_meets(one, row) for one in leaf.conditions)] for tree in trees]
        assert [len(found) for found in leaves] == [1] * 6
        assert sum(found[0].value for found in leaves) == pytest.approx(margin, abs=1e-12)


def test_the_shares_of_a_path_multiply_to_the_share_of_its_leaf(text: str) -> None:
    """So the leaves of a tree have all rows, and the mean is that of their values."""
    for tree in read_trees(text):
        shares = [math.prod(condition.share for condition in leaf.conditions) for leaf in tree.leaves]
        assert sum(shares) == pytest.approx(1)
        assert tree.mean == pytest.approx(
            sum(share * leaf.value for share, leaf in zip(shares, tree.leaves, strict=True))
        )
        assert all(0 < condition.share <= 1 for leaf in tree.leaves for condition in leaf.conditions)


def test_a_tree_is_read_as_it_is_written() -> None:
    """Fields, thresholds and shares of each path from the root on, by hand."""
    root, other = 80 / 100, 20 / 100
    left, right = Condition(0, 0.5, 10, is_left=True, share=root), Condition(0, 0.5, 10, is_left=False, share=other)
    expected = (
        Leaf(0.1, (left, Condition(4, 2.0, 8, is_left=True, share=10 / 80))),
        Leaf(-0.2, (right,)),
        Leaf(0.3, (left, Condition(4, 2.0, 8, is_left=False, share=70 / 80))),
    )
    (tree,) = read_trees(BY_HAND.format(threshold=2.0, decision=8))

    assert tree.leaves == expected
    assert tree.mean == pytest.approx(0.1 * 0.1 - 0.2 * 0.2 + 0.3 * 0.7)


@pytest.mark.parametrize(
    ("decision", "threshold", "goes_left"),
    [(8, 5.0, False), (10, -5.0, True), (0, 0.0, True), (0, -1.0, False), (2, -1.0, False), (2, 1.0, True)],
)
def test_a_missing_value_goes_the_way_of_the_condition(decision: int, threshold: float, goes_left: bool) -> None:  # noqa: FBT001
    """To the default side; where the trees were fitted on no missing value it counts as 0."""
    for is_left in (True, False):
        condition = Condition(0, threshold, decision, is_left=is_left, share=0.5)
        assert condition.accepts_missing == (goes_left == is_left)


def test_a_threshold_next_to_0_is_just_below_what_lightgbm_takes_for_0() -> None:
    """Every other threshold is as it is written."""
    for threshold, read in ((-ZERO, math.nextafter(-ZERO, -1)), (ZERO, ZERO), (0.0, 0.0), (-2 * ZERO, -2 * ZERO)):
        (tree,) = read_trees(BY_HAND.format(threshold=repr(threshold), decision=8))
        assert tree.leaves[0].conditions[1].threshold == read


def test_a_tree_with_one_leaf_has_no_condition() -> None:
    """Its value is its mean."""
    stump = "tree\n\nTree=0\nnum_leaves=1\nleaf_value=0.25\nis_linear=0\n\nend of trees\n"

    assert read_trees(stump) == (Tree((Leaf(0.25, ()),), 0.25),)
    assert read_trees("tree\n\nend of trees\n") == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: _text(zero_as_missing=True),
        lambda: _text(linear_tree=True),
        lambda: _text(categories=[2]),
        lambda: BY_HAND.format(threshold=2.0, decision=1),
        lambda: BY_HAND.format(threshold=2.0, decision=6),
    ],
    ids=["zero as missing", "linear", "categories", "category by hand", "zero by hand"],
)
def test_trees_that_leadml_never_fits_are_refused(make) -> None:
    """They take 0 for a missing value, have linear leaves, or conditions on categories."""
    message = (
        "^trees must compare numbers, tell missing values from 0 and have constant leaves, got others; use a model "
        "text that leadml wrote$"
    )
    with pytest.raises(ModelError, match=message):
        read_trees(make())


@given(weights=st.lists(st.lists(st.just(0.0) | st.floats(-2, 2), min_size=6, max_size=6), min_size=1, max_size=3))
def test_a_weighted_sum_has_the_trees_of_all_boosters_times_their_weights(
    text: str, weights: list[list[float]]
) -> None:
    """In order, without those of weight 0; conditions are unchanged, and so is what LightGBM needs to read the text."""
    total = weighted_sum([(text, of_trees) for of_trees in weights])
    used = [
        (weight, tree)
        for of_trees in weights
        for weight, tree in zip(of_trees, read_trees(text), strict=True)
        if weight
    ] or [(0.0, read_trees(text)[0])]
    expected = [
        Tree(
            tuple(Leaf(weight * leaf.value, leaf.conditions) for leaf in tree.leaves), pytest.approx(weight * tree.mean)
        )
        for weight, tree in used
    ]

    assert list(read_trees(total)) == expected
    assert [line for line in total.split("\n") if line.startswith("Tree=")] == [
        f"Tree={number}" for number in range(len(used))
    ]
    assert "tree_sizes=" not in total


def test_weights_beyond_the_last_tree_are_not_used(text: str) -> None:
    """LightGBM may have fitted fewer trees than rounds."""
    assert weighted_sum([(text, [0.5] * 9)]) == weighted_sum([(text, [0.5] * 6)])


def test_lightgbm_reads_a_weighted_sum_of_different_boosters(text: str) -> None:
    """Its log-odds are the weighted sum of theirs."""
    fields, _ = _leads(2)
    other = _text(3, rounds=4)
    total = weighted_sum([(text, [0.25] * 6), (other, [0.75] * 4)])
    margins = [lgb.Booster(model_str=one).predict(fields, raw_score=True) for one in (text, other, total)]

    assert np.abs(0.25 * margins[0] + 0.75 * margins[1] - margins[2]).max() < 1e-12


@pytest.mark.parametrize("positions", [[0], [5, 0], [2, 2, 3]])
def test_selected_trees_are_those_at_the_positions(text: str, positions: list[int]) -> None:
    """In the order of the positions; LightGBM reads them too."""
    trees, selected = read_trees(text), select_trees(text, positions)

    assert read_trees(selected) == tuple(trees[position] for position in positions)
    assert lgb.Booster(model_str=selected).num_trees() == len(positions)
