"""SHAP values of trees where it is not known whether a lead meets a condition."""

from __future__ import annotations

from itertools import combinations
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tree_leads import fit_some_trees, roots_of, tree_leads, value_where_known, with_edge_cases

from leadml.model.parts.tree_text import Condition, Leaf, Tree, read_trees
from leadml.model.predict.tree_shap import by_field, shapley_values, tree_contributions

SHARES = st.floats(0.01, 1.0)
CONDITIONS = st.tuples(SHARES, st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0))
LEAVES = st.integers(1, 5).flatmap(
    lambda count: st.lists(st.lists(CONDITIONS, min_size=count, max_size=count), min_size=1, max_size=3)
)


def _by_coalitions(worth, fields):
    """Return the Shapley value of each field, summed over all coalitions of the others."""
    found, count = {}, len(fields)
    for field in fields:
        others = [other for other in fields if other != field]
        found[field] = sum(
            (worth({*coalition, field}) - worth(set(coalition)))
            * (factorial(size) * factorial(count - size - 1) / factorial(count))
            for size in range(count)
            for coalition in combinations(others, size)
        )
    return found


def _shapley_of(leaf, value):
    shares, met = np.array(leaf).T
    return shapley_values(shares[None], np.array([value]), met[None, None])[0, 0]


@pytest.fixture(scope="module")
def fitted():
    """Return leads, trees of eight leaves that are fitted on them, and the trees as leaves."""
    fields, label = tree_leads(2, size=1500)
    trees = fit_some_trees(fields, label, leaves=8, rounds=20)
    return with_edge_cases(fields, trees), trees, read_trees(trees.text)


@pytest.mark.slow
@settings(max_examples=60)
@given(LEAVES, st.floats(-3, 3))
def test_shapley_values_of_leaves_are_weighted_sums_over_all_coalitions(leaves, value):
    """For conditions that are met, are not, or are met with a probability; a leaf does not depend on the others."""
    shares, met = np.moveaxis(np.array(leaves), 2, 0)
    values = shapley_values(shares, np.full(len(leaves), value), met[:, None])
    for number in range(len(leaves)):

        def worth(known, number=number):
            row = zip(met[number], shares[number], strict=True)
            return value * prod(is_met if index in known else share for index, (is_met, share) in enumerate(row))

        expected = _by_coalitions(worth, range(shares.shape[1]))
        assert values[number, 0] == pytest.approx([expected[index] for index in expected], abs=1e-12)


@given(LEAVES.map(lambda leaves: leaves[0]), st.floats(-3, 3))
def test_shapley_values_of_a_leaf_add_up_to_what_it_is_worth_more_than_its_mean(leaf, value):
    """That is its value times all that is met, less its value times all shares."""
    shares, met = np.array(leaf).T
    assert _shapley_of(leaf, value).sum() == pytest.approx(value * (prod(met) - prod(shares)), abs=1e-12)


@given(LEAVES.map(lambda leaves: leaves[0]), st.data())
def test_a_condition_that_is_met_as_often_as_by_all_leads_adds_exactly_0(leaf, data):
    """It also takes part in no other value: the others are those of a leaf without it, with a value less by its share.

    That is what the mean of both sides of a split is.
    """
    place = data.draw(st.integers(0, len(leaf) - 1))
    share = leaf[place][0]
    unknown = [*leaf[:place], (share, share), *leaf[place + 1 :]]
    values, rest = _shapley_of(unknown, 2.0), [*leaf[:place], *leaf[place + 1 :]]
    assert values[place] == 0
    if rest:
        assert np.delete(values, place) == pytest.approx(_shapley_of(rest, 2.0 * share), abs=1e-12)


@given(LEAVES.map(lambda leaves: leaves[0]), st.data())
def test_a_probability_gives_the_expectation(leaf, data):
    """The values are the mean of those where the condition is met and where it is not, by its probability."""
    place = data.draw(st.integers(0, len(leaf) - 1))
    share, met = leaf[place]
    yes, no = (_shapley_of([*leaf[:place], (share, is_met), *leaf[place + 1 :]], 1.5) for is_met in (1.0, 0.0))
    assert _shapley_of(leaf, 1.5) == pytest.approx(met * yes + (1 - met) * no, abs=1e-12)


def test_conditions_are_grouped_by_field_in_order():
    """Fields rise, and the conditions on a field stay in the order of the path."""
    path = [Condition(field, threshold, 2, is_left=True, share=0.5) for field, threshold in ((4, 1), (0, 2), (4, 0))]
    assert by_field(path) == [(0, [path[1]]), (4, [path[0], path[2]])]
    assert by_field([]) == []


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [2, 8, 31])
def test_where_nothing_is_new_contributions_are_those_of_lightgbm(leaves):
    """For every lead, also with missing and infinite values, and at every threshold."""
    fields, label = tree_leads(leaves)
    trees = fit_some_trees(fields, label, leaves=leaves, rounds=30)
    rows = with_edge_cases(fields[::5], trees)
    found = tree_contributions(read_trees(trees.text), rows, np.zeros(rows.shape, dtype=bool))
    assert np.abs(found - trees.contributions(rows)[0]).max() < 1e-9


def test_trees_that_are_fitted_without_missing_values_take_them_for_0():
    """LightGBM does, so that a missing value that is not new meets what 0 meets."""
    fields, label = tree_leads(3, size=1500)
    trees = fit_some_trees(np.nan_to_num(fields), label, leaves=6, rounds=20)
    found = tree_contributions(read_trees(trees.text), fields, np.zeros(fields.shape, dtype=bool))
    assert np.abs(found - trees.contributions(fields)[0]).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("new", [{0}, {1}, {0, 1}, {1, 2, 4}, {0, 1, 2, 3, 4}])
def test_new_values_are_never_known_to_the_game(fitted, new):
    """Contributions are sums over all coalitions of the other fields, as LightGBM's own counts tell them."""
    rows, trees, read = fitted
    some, others = rows[[0, 7, 100, -1, -40]], [field for field in range(5) if field not in new]
    is_new = np.tile([field in new for field in range(5)], (len(some), 1))
    roots = roots_of(trees)
    for row, found in zip(some, tree_contributions(read, some, is_new), strict=True):

        def worth(known, row=row):
            return sum(value_where_known(root, row, known) for root in roots)

        expected = _by_coalitions(worth, others)
        assert found == pytest.approx([expected.get(field, 0.0) for field in range(5)], abs=1e-9)
        assert (found[sorted(new)] == 0).all()


@pytest.mark.slow
def test_contributions_do_not_depend_on_the_new_value_or_on_other_rows(fitted):
    """Whatever stands in the place of a new value, and whichever other rows there are, all bits are the same."""
    rows, _, read = fitted
    is_new = np.random.default_rng(0).random(rows.shape) < 0.4
    found = tree_contributions(read, rows, is_new)
    assert np.array_equal(tree_contributions(read, np.where(is_new, -7.0, rows), is_new), found)
    alone = [tree_contributions(read, rows[[row]], is_new[[row]])[0] for row in range(0, len(rows), 97)]
    assert np.array_equal(np.array(alone), found[::97])


def test_a_tree_of_one_leaf_adds_nothing():
    """It has no condition that a lead could meet."""
    found = tree_contributions([Tree((Leaf(3.0, ()),), 3.0)], np.zeros((4, 2)), np.zeros((4, 2), dtype=bool))
    assert found.tolist() == [[0.0, 0.0]] * 4


def test_rows_do_not_depend_on_the_others(fitted):
    """To the bit, although rows that meet the same conditions are computed once; there may be none."""
    fields, _, trees = fitted
    is_new = np.random.default_rng(0).random(fields.shape) < 0.3
    together = tree_contributions(trees, fields, is_new)
    for row in range(0, len(fields), 97):
        alone = tree_contributions(trees, fields[[row]], is_new[[row]])
        assert np.array_equal(alone[0], together[row])
    assert tree_contributions(trees, fields[:0], is_new[:0]).shape == (0, fields.shape[1])
