"""Trees in look-up tables: the contributions of TreeSHAP for every row, whatever the number of trees."""

from __future__ import annotations

import numpy as np
import pytest
from tests.linear_leads import fit_linear
from tests.tree_leads import ENCODER, fit_some_trees, fit_trees, tree_leads, with_edge_cases

from leadml.leads.check.field import Field
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart, make_terms
from leadml.model.parts.tree_text import ZERO, Condition, Leaf, Tree, read_trees, select_trees
from leadml.model.predict.compile import compile_model
from leadml.model.predict.layout import MAX_CELLS
from leadml.model.predict.lead_model import LeadModel
from leadml.params import ModelParams

NO_LINEAR = LinearPart(0.0, ())


def _expected(linear, trees, rows):
    """Return the contributions of LightGBM plus those of the terms, by field, and the mean of the trees."""
    columns = linear.contributions(ENCODER.columns_of(rows))
    log_odds, base = trees.contributions(rows)
    return np.stack([columns[:, ENCODER.owners == index].sum(axis=1) for index in range(5)], axis=1) + log_odds, base


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [2, 4, 8, 31])
def test_contributions_of_look_up_tables_are_those_of_treeshap(leaves):
    """They are LightGBM's contributions plus the terms of each field, for every row."""
    fields, label = tree_leads(leaves)
    trees, matrix = fit_some_trees(fields, label, leaves=leaves), ENCODER.columns_of(fields)
    linear = fit_linear(matrix, label, make_terms(matrix, ENCODER.is_flag), strength=0.1)
    lookup, _ = compile_model(ENCODER, linear, read_trees(trees.text))
    rows = with_edge_cases(fields, trees)
    expected, base = _expected(linear, trees, rows)

    assert np.abs(lookup.contributions(rows) - expected).max() < 1e-11
    assert lookup.start == pytest.approx(linear.base + base, abs=1e-11)


def test_trees_that_are_fitted_without_missing_values_take_them_for_0():
    """LightGBM does, and so do the look-up tables."""
    fields, label = tree_leads(3)
    trees = fit_some_trees(np.nan_to_num(fields), label, leaves=6)
    rows = with_edge_cases(fields, trees)
    expected, _ = _expected(NO_LINEAR, trees, rows)

    lookup, _ = compile_model(ENCODER, NO_LINEAR, read_trees(trees.text))
    assert np.abs(lookup.contributions(rows) - expected).max() < 1e-11


def test_numbers_that_lightgbm_takes_for_0_are_0():
    """Its thresholds next to 0 are 32-bit numbers, and it takes a value as close to 0 for 0."""
    fields = np.zeros((400, 5))
    fields[:, 0] = np.arange(400) % 3 - 1.0
    trees = fit_trees(fields, (fields[:, 0] < 0).astype(np.int8), ModelParams(threads=1), leaves=2, rounds=5)
    edges = {
        condition.threshold for tree in read_trees(trees.text) for leaf in tree.leaves for condition in leaf.conditions
    }
    rows = np.zeros((7, 5))
    rows[:, 0] = [ZERO, -ZERO, np.nextafter(ZERO, 1), np.nextafter(-ZERO, -1), 0.0, -ZERO / 2, ZERO / 2]
    expected, _ = _expected(NO_LINEAR, trees, rows)

    assert edges == {np.nextafter(-ZERO, -1)}
    assert (
        np.abs(compile_model(ENCODER, NO_LINEAR, read_trees(trees.text))[0].contributions(rows) - expected).max()
        < 1e-11
    )


@pytest.mark.slow
def test_the_size_of_look_up_tables_hardly_depends_on_the_number_of_trees():
    """Eight times as many trees with the same thresholds need less than 1.5 times as many numbers."""
    fields, label = tree_leads(1)
    params = ModelParams(bins=15, learning_rate=0.1, threads=1)
    few, many = (fit_trees(fields, label, params, leaves=3, rounds=rounds) for rounds in (500, 4000))
    sizes = [compile_model(ENCODER, NO_LINEAR, read_trees(trees.text))[0].size for trees in (few, many)]

    assert sizes[1] < 1.5 * sizes[0]


def test_trees_with_more_than_ten_fields_on_a_path_are_not_compiled():
    """Trees with ten fields on a path are."""
    encoder = Encoder(tuple(Field(f"x{index}", "number", "fit") for index in range(11)), ((),) * 11)
    path = tuple(Condition(index, threshold=0.5, decision_type=2, is_left=True, share=0.9) for index in range(11))

    shallow, deep = Tree((Leaf(1.0, path[1:]),), 0.0), Tree((Leaf(1.0, path),), 0.5)
    lookup, _ = compile_model(encoder, NO_LINEAR, [deep, shallow, deep])
    assert (lookup.uncompiled, lookup.start) == ((0, 2), 0.0)
    assert lookup.contributions(np.zeros((1, 11)))[0] == pytest.approx([0.0, *[(1 - 0.9**10) / 10] * 10])


@pytest.mark.slow
@pytest.mark.parametrize(("max_values", "uncompiled"), [(1 << 23, 0), (20_000, 12), (1000, 24), (0, 25)])
def test_trees_without_room_in_look_up_tables_are_explained_by_lightgbm(max_values, uncompiled):
    """The first half of the trees, or half of that, is compiled; all contributions are those of TreeSHAP."""
    fields, label = tree_leads(7)
    trees, matrix = fit_some_trees(fields, label, leaves=15, rounds=25), ENCODER.columns_of(fields)
    linear = fit_linear(matrix, label, make_terms(matrix, ENCODER.is_flag), strength=0.1)
    compiled = compile_model(ENCODER, linear, read_trees(trees.text), limits=(1 << 12, max_values))
    model = LeadModel(ENCODER, linear, trees, Calibrator(), Intervals(0.0, 0.9), *compiled)
    rows = with_edge_cases(fields, trees)
    expected, base = _expected(linear, trees, rows)
    start, log_odds = model.contributions(rows)

    assert len(model.lookup.uncompiled) >= uncompiled
    assert np.abs(log_odds - expected).max() < 1e-11
    assert start == pytest.approx(linear.base + base, abs=1e-11)
    assert read_trees(trees.text)[-1] == read_trees(select_trees(trees.text, [24]))[0]


@pytest.mark.slow
def test_fields_with_many_interactions_have_several_look_up_tables():
    """No look-up table has more cells than allowed, and their sum is exact."""
    fields, label = tree_leads(6)
    trees = fit_some_trees(fields, label, leaves=31, rounds=200)
    lookup, _ = compile_model(ENCODER, NO_LINEAR, read_trees(trees.text))
    expected, _ = _expected(NO_LINEAR, trees, fields)

    assert max(table.values.shape[1] for table in lookup.tables) <= MAX_CELLS
    assert len({table.fields for table in lookup.tables}) < len(lookup.tables)
    assert np.abs(lookup.contributions(fields) - expected).max() < 1e-11


def test_look_up_tables_of_subsets_of_fields_are_merged():
    """A table is merged into one that has all its fields, and the contributions stay the same."""
    fields, label = tree_leads(8)
    trees = read_trees(fit_some_trees(fields, label, leaves=6, rounds=20).text)
    lookup, _ = compile_model(ENCODER, NO_LINEAR, trees)
    unmerged, _ = compile_model(ENCODER, NO_LINEAR, trees, limits=(0, 1 << 23))

    sets = {frozenset(table.fields) for table in unmerged.tables}
    assert {frozenset(table.fields) for table in lookup.tables} == {
        fields for fields in sets if not any(fields < other for other in sets)
    }
    assert len(lookup.tables) < len(unmerged.tables)
    assert lookup.contributions(fields) == pytest.approx(unmerged.contributions(fields), abs=1e-13)


def test_a_tree_with_one_leaf_changes_only_the_start():
    """Its contributions are 0 for every lead."""
    fields, label = tree_leads(5, size=200)
    trees = fit_trees(fields, label, ModelParams(min_leads_per_leaf=200, threads=1), leaves=4, rounds=3)
    lookup, _ = compile_model(ENCODER, NO_LINEAR, read_trees(trees.text))

    assert (lookup.contributions(fields) == 0).all()
    assert lookup.start == pytest.approx(trees.margin(fields[:1])[0], abs=1e-12)
