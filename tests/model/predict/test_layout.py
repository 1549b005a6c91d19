"""Layouts of look-up tables: what each cell of a table is computed to be, and what it is where a value is new."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tree_leads import ENCODER, fit_some_trees, tree_leads

from leadml.model.parts.linear import LinearPart
from leadml.model.parts.tree_text import read_trees
from leadml.model.predict.compile import compile_model
from leadml.model.predict.layout import MAX_CELLS, TableLayout


@pytest.fixture(scope="module")
def compiled():
    """Return leads, and the look-up tables of trees with their layouts."""
    fields, label = tree_leads(3, 1500)
    trees = fit_some_trees(fields, label, leaves=8, rounds=30)
    return fields, *compile_model(ENCODER, LinearPart(0.0, ()), read_trees(trees.text))


def _codes(fields, lookup, table):
    return [lookup.shape_functions[each].codes(fields[:, each]) for each in table.fields]


def test_cells_are_those_of_the_table_where_all_values_are_known(compiled):
    """Of every table, for all leads."""
    fields, lookup, layouts = compiled
    assert len(layouts) == len(lookup.tables) > 3
    for table, layout in zip(lookup.tables, layouts, strict=True):
        codes = _codes(fields, lookup, table)
        cells = sum(steps[code] for code, steps in zip(codes, table.offsets, strict=True))
        found = layout.cells(codes, np.zeros((len(codes), len(fields)), dtype=bool))
        assert found == pytest.approx(table.values[:, cells], abs=1e-12)
        assert isinstance(layout, TableLayout)
        assert table.values.shape[1] == np.prod(layout.sizes) <= MAX_CELLS


def test_a_field_whose_value_is_not_known_has_no_share_of_a_cell(compiled):
    """Nor does what the others get depend on its code; where no value is known nothing is left."""
    fields, lookup, layouts = compiled
    for table, layout in zip(lookup.tables, layouts, strict=True):
        codes = _codes(fields[:200], lookup, table)
        for place in range(len(codes)):
            is_new = np.zeros((len(codes), 200), dtype=bool)
            is_new[place] = True
            found = layout.cells(codes, is_new)
            assert (found[place] == 0).all()
            others = [np.roll(code, 1) if each == place else code for each, code in enumerate(codes)]
            assert np.array_equal(layout.cells(others, is_new), found)
        assert (layout.cells(codes, np.ones((len(codes), 200), dtype=bool)) == 0).all()


def _share_met(path, codes, functions, unknown):
    """Return the product over the conditions of a path: 1 or 0 where a value is known, else the share of leads."""
    product = 1.0
    for field, (begin, end, accepts_missing), share in zip(path.fields, path.ranges, path.shares, strict=True):
        function, code = functions[field], codes[field]
        is_missing = function.is_number & (code == len(function.edges) + 1)
        is_met = np.where(is_missing, accepts_missing, (begin <= code) & (code < end))
        product = product * (share if field in unknown else is_met)
    return product


def test_all_fields_of_a_table_add_up_to_what_its_leaves_differ_from_the_mean_lead(compiled):
    """A leaf gives its value times the probability that its conditions are met, less that of the mean lead."""
    fields, lookup, layouts = compiled
    for number, layout in enumerate(layouts):
        codes = dict(zip(layout.fields, _codes(fields, lookup, layout), strict=True))
        unknown = {layout.fields[number % len(layout.fields)]}
        is_new = np.array([[field in unknown] * len(fields) for field in layout.fields])
        functions = lookup.shape_functions
        expected = sum(
            path.value * (_share_met(path, codes, functions, unknown) - np.prod(path.shares)) for path in layout.paths
        )
        assert layout.cells(list(codes.values()), is_new).sum(axis=0) == pytest.approx(expected, abs=1e-12)
