"""Trees as tables: the same reasons as TreeSHAP for every row, whatever the number of trees."""

from __future__ import annotations

import json
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.errors import ModelError
from leadml.leads.check.field import Field
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart, fit_linear, plan_terms
from leadml.model.parts.lookup import Lookup
from leadml.model.parts.tree_text import ZERO, Condition, Leaf, Tree, read_trees, some_trees
from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, fit_boosters
from leadml.model.predict.compile import MOST_CELLS, compile_model, shapley
from leadml.model.predict.lead_model import LeadModel
from leadml.params import ModelParams

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
ALONE = LinearPart(0.0, ())


def _leads(seed, size=3000):
    """Return fields of leads: numbers with gaps and zeros, codes of levels, and labels in which all interact."""
    random = np.random.default_rng(seed)
    age, visits = random.normal(40, 10, size), random.poisson(2, size).astype(float)
    employees, job = random.lognormal(3, 1, size), random.integers(0, 5, size)
    asked = (random.random(size) < 0.3).astype(float)
    margin = (age - 40) / 10 * (job == 1) + visits / 2 * asked - np.log(employees) / 3 * (job == 0) - 1
    fields = np.column_stack([age, job, visits, asked, employees]).astype(float)
    for at in (0, 2, 3):
        fields[random.random(size) < 0.15, at] = np.nan
    return fields, (random.random(size) < expit(margin)).astype(np.int8)


def _trees(fields, label, *, leaves, rounds=60, rate=0.2):
    choices = ModelParams(learning_rate=rate, threads=1, field_share=0.7, min_leads_per_leaf=5)
    return _grown(fields, label, choices, leaves=leaves, rounds=rounds)


def _grown(fields, label, choices, *, leaves, rounds):
    [texts] = fit_boosters(
        [(BoosterData(fields, label, (0,) * 5), TreeSettings(leaves, 5.0, on_linear=False), rounds)], choices
    )
    return Trees.of([(text, 1 / len(texts)) for text in texts])


def _expected(linear, trees, rows):
    """Return what LightGBM and the terms give each field, and the start."""
    columns = linear.contributions(ENCODER.columns_of(rows))
    found, base = trees.contributions(rows)
    return np.stack([columns[:, ENCODER.owners == at].sum(axis=1) for at in range(5)], axis=1) + found, base


def _strange(fields, trees):
    """Return leads that were not learned from: all missing, at the ends, at each threshold and next to it."""
    ends = np.array([[np.nan, 4, np.nan, np.nan, np.nan], [np.inf] * 5, [-np.inf] * 5, [0.0] * 5, [1e300] * 5])
    ends[1:, 1] = [0, 1, 2, 3]
    rows = [ends]
    for tree in read_trees(trees.text):
        for condition in {condition for leaf in tree.leaves for condition in leaf.way}:
            if ENCODER.fields[condition.field].kind != "category":
                near = np.repeat(fields[:1], 3, axis=0)
                near[:, condition.field] = condition.threshold, np.nextafter(condition.threshold, np.inf), np.nan
                rows.append(near)
    return np.concatenate([fields, *rows])


@pytest.mark.parametrize("leaves", [2, 4, 8, 31])
def test_tables_give_what_treeshap_gives_for_every_row(leaves):
    """LightGBM's own contributions and the sums of the terms of each field, to a billionth."""
    fields, label = _leads(leaves)
    trees, matrix = _trees(fields, label, leaves=leaves), ENCODER.columns_of(fields)
    linear = fit_linear(matrix, label, plan_terms(matrix, ENCODER.is_flag), strength=0.1)
    found = compile_model(ENCODER, linear, read_trees(trees.text))
    rows = _strange(fields, trees)
    expected, base = _expected(linear, trees, rows)

    assert np.abs(found.contributions(rows) - expected).max() < 1e-11
    assert found.start == pytest.approx(linear.base + base, abs=1e-11)


def test_trees_that_never_saw_a_gap_take_it_for_0():
    """LightGBM gives a lead without a number the way of 0, and so do the tables."""
    fields, label = _leads(3)
    trees = _trees(np.nan_to_num(fields), label, leaves=6)
    rows = _strange(fields, trees)
    expected, _ = _expected(ALONE, trees, rows)

    found = compile_model(ENCODER, ALONE, read_trees(trees.text))
    assert np.abs(found.contributions(rows) - expected).max() < 1e-11


def test_what_lightgbm_takes_for_0_is_0():
    """Its thresholds next to 0 are 32-bit numbers that it does not tell from 0 where a lead has them."""
    fields = np.zeros((400, 5))
    fields[:, 0] = np.arange(400) % 3 - 1.0
    trees = _grown(fields, (fields[:, 0] < 0).astype(np.int8), ModelParams(threads=1), leaves=2, rounds=5)
    edges = {condition.threshold for tree in read_trees(trees.text) for leaf in tree.leaves for condition in leaf.way}
    rows = np.zeros((7, 5))
    rows[:, 0] = [ZERO, -ZERO, np.nextafter(ZERO, 1), np.nextafter(-ZERO, -1), 0.0, -ZERO / 2, ZERO / 2]
    expected, _ = _expected(ALONE, trees, rows)

    assert edges == {np.nextafter(-ZERO, -1)}
    assert np.abs(compile_model(ENCODER, ALONE, read_trees(trees.text)).contributions(rows) - expected).max() < 1e-11


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=5), st.floats(-3, 3))
def test_a_leaf_is_shared_out_by_shapley_s_rule(shares, value):
    """For each pattern of conditions met: the weighted sum over all coalitions, by hand."""
    count = len(shares)
    found = shapley(np.array([shares]), np.array([value]))[0]
    for pattern in range(1 << count):
        met = [pattern >> at & 1 for at in range(count)]

        def worth(known, met=met):
            return value * np.prod([met[at] if at in known else shares[at] for at in range(count)])

        for at in range(count):
            others = [other for other in range(count) if other != at]
            expected = sum(
                factorial(size)
                * factorial(count - size - 1)
                / factorial(count)
                * (worth({*some, at}) - worth(set(some)))
                for size in range(count)
                for some in combinations(others, size)
            )
            assert found[pattern, at] == pytest.approx(expected, abs=1e-12)


def test_tables_do_not_grow_with_the_trees():
    """Eight times as many trees that test the same steps: hardly more numbers."""
    fields, label = _leads(1)
    choices = ModelParams(bins=15, learning_rate=0.1, threads=1)
    few, many = (_grown(fields, label, choices, leaves=3, rounds=rounds) for rounds in (500, 4000))
    sizes = [compile_model(ENCODER, ALONE, read_trees(trees.text)).cells for trees in (few, many)]

    assert sizes[1] < 1.5 * sizes[0]


def test_trees_that_are_too_deep_have_no_tables():
    """Eleven fields on one way have too many patterns; ten have tables."""
    encoder = Encoder(tuple(Field(f"x{at}", "number", "fit") for at in range(11)), ((),) * 11)
    way = tuple(Condition(at, threshold=0.5, kind=2, left=True, share=0.9) for at in range(11))

    shallow, deep = Tree((Leaf(1.0, way[1:]),), 0.0), Tree((Leaf(1.0, way),), 0.5)
    found = compile_model(encoder, ALONE, [deep, shallow, deep])
    assert (found.left, found.start) == ((0, 2), 0.0)
    assert found.contributions(np.zeros((1, 11)))[0] == pytest.approx([0.0, *[(1 - 0.9**10) / 10] * 10])


@pytest.mark.parametrize(("most", "left"), [(1 << 23, 0), (20_000, 12), (1000, 24), (0, 25)])
def test_trees_without_room_in_tables_are_explained_by_lightgbm(monkeypatch, most, left):
    """However many trees have tables, the sums are those of TreeSHAP; the first half, or the half of it, has them."""
    monkeypatch.setattr("leadml.model.predict.compile.MOST_NUMBERS", most)
    fields, label = _leads(7)
    trees, matrix = _trees(fields, label, leaves=15, rounds=25), ENCODER.columns_of(fields)
    linear = fit_linear(matrix, label, plan_terms(matrix, ENCODER.is_flag), strength=0.1)
    model = LeadModel.of(ENCODER, linear, trees, calibrator=Calibrator(), spread=Intervals(0.0, 0.9))
    rows = _strange(fields, trees)
    expected, base = _expected(linear, trees, rows)
    start, found = model.contributions(rows)

    assert len(model.lookup.left) >= left
    assert np.abs(found - expected).max() < 1e-11
    assert start == pytest.approx(linear.base + base, abs=1e-11)
    assert read_trees(trees.text)[-1] == read_trees(some_trees(trees.text, [24]))[0]


def test_fields_that_are_tested_with_many_others_have_several_tables():
    """No table holds more cells than are allowed, and together they are the whole."""
    fields, label = _leads(6)
    trees = _trees(fields, label, leaves=31, rounds=200)
    found = compile_model(ENCODER, ALONE, read_trees(trees.text))
    expected, _ = _expected(ALONE, trees, fields)

    assert max(table.values.shape[1] for table in found.tables) <= MOST_CELLS
    assert len({table.fields for table in found.history}) < len(found.tables)
    assert np.abs(found.contributions(fields) - expected).max() < 1e-11


def test_leaves_of_some_fields_are_gathered_with_those_of_more(monkeypatch):
    """A table is spared wherever another has all its fields, and what each field gets is the same."""
    fields, label = _leads(8)
    trees = read_trees(_trees(fields, label, leaves=6, rounds=20).text)
    found = compile_model(ENCODER, ALONE, trees)
    monkeypatch.setattr("leadml.model.predict.compile.MOST_GATHERED", 0)
    apart = compile_model(ENCODER, ALONE, trees)

    wide = {frozenset(table.fields) for table in apart.tables}
    assert {frozenset(table.fields) for table in found.history} == {
        one for one in wide if not any(one < w for w in wide)
    }
    assert len(found.tables) < len(apart.tables)
    assert found.contributions(fields) == pytest.approx(apart.contributions(fields), abs=1e-13)


def test_tables_come_back_from_json_to_the_bit_and_give_the_same_bits_in_any_company():
    """Written and read, in one piece or in many, with one thread or two."""
    fields, label = _leads(2, size=20_000)
    trees = _trees(fields[:3000], label[:3000], leaves=6)
    found = compile_model(ENCODER, ALONE, read_trees(trees.text))
    again = Lookup.from_json(json.loads(json.dumps(found.to_json())))
    expected = found.contributions(fields, threads=1)

    assert np.array_equal(again.contributions(fields, threads=2), expected)
    parts = [again.contributions(fields[first : first + 7]) for first in range(0, 210, 7)]
    assert np.array_equal(np.concatenate(parts), expected[:210])
    assert again.contributions(fields[:0]).shape == (0, 5)
    assert (again.to_json(), again.start, again.cells) == (found.to_json(), found.start, found.cells)


@pytest.mark.parametrize(
    ("options", "categories"), [({"zero_as_missing": True}, []), ({"linear_tree": True}, []), ({}, [1])]
)
def test_trees_of_another_kind_are_refused(options, categories):
    """Tests of categories, tests that take 0 for a gap, and linear leaves are never leadml's."""
    import lightgbm as lgb

    fields, label = _leads(4)
    options = {"objective": "binary", "verbosity": -1, "num_threads": 1, **options}
    data = lgb.Dataset(np.nan_to_num(fields), label, params=options, categorical_feature=categories)
    text = lgb.train(options, data, 3).model_to_string()
    with pytest.raises(ModelError, match="trees must test numbers, know gaps from 0 and have constant leaves, got oth"):
        read_trees(text)


def test_a_tree_of_one_leaf_moves_the_start_alone():
    """Where nothing is worth a test, every lead has the same log-odds."""
    fields, label = _leads(5, size=200)
    trees = _grown(fields, label, ModelParams(min_leads_per_leaf=200, threads=1), leaves=4, rounds=3)
    found = compile_model(ENCODER, ALONE, read_trees(trees.text))

    assert (found.contributions(fields) == 0).all()
    assert found.start == pytest.approx(trees.margin(fields[:1])[0], abs=1e-12)
