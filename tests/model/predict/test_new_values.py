"""Leads of which values are new to the model: what a field says that it does not know, and what the others say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.linear_leads import fit_linear
from tests.tree_leads import (
    ENCODER,
    MISSING_JOB,
    OTHER_JOB,
    fit_some_trees,
    fit_trees,
    roots_of,
    tree_leads,
    value_where_known,
    with_edge_cases,
)

from leadml.leads.check.field import Field
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart, make_terms
from leadml.model.parts.tree_text import read_trees
from leadml.model.predict.lead_model import LeadModel, sum_contributions
from leadml.model.predict.new_values import NewValues
from leadml.model.predict.tree_shap import tree_contributions
from leadml.params import ModelParams

NEW = replace(ENCODER, new=(("missing",), ("other", "missing"), ("missing",), ("missing",), ("missing",)))
ROW = st.tuples(
    st.none() | st.floats(0, 80),
    st.integers(0, MISSING_JOB),
    st.none() | st.integers(0, 8),
    st.sampled_from([None, 0, 1]),
    st.none() | st.floats(0, 200),
)


def _model(encoder, linear, trees):
    return LeadModel.of(encoder, linear, trees, calibrator=Calibrator(), intervals=Intervals(0.5, 0.9))


def _fitted(seed, *, leaves, rounds=40):
    """Return leads with edge cases, and a model of both parts to which all other and missing values are new."""
    fields, label = tree_leads(seed)
    trees, matrix = fit_some_trees(fields, label, leaves=leaves, rounds=rounds), ENCODER.columns_of(fields)
    linear = fit_linear(matrix, label, make_terms(matrix, ENCODER.is_flag), strength=0.1)
    rows = with_edge_cases(fields[:600], trees)
    blank = np.random.default_rng(seed).random(rows.shape) < 0.3
    blank[:, 1] = False
    return np.where(blank, np.nan, rows), _model(NEW, linear, trees)


@pytest.fixture(scope="module")
def fitted():
    """Return leads and a model whose trees have eight leaves."""
    return _fitted(8, leaves=8)


def _by_leaf(model, rows):
    """Return the contributions of the terms and of all leaves, one by one."""
    is_new = model.encoder.is_new(rows)
    columns = model.linear.contributions(model.encoder.columns_of(rows))
    owners = model.encoder.owners
    alone = np.stack([columns[:, owners == index].sum(axis=1) for index in range(rows.shape[1])], axis=1)
    return np.where(is_new, 0.0, alone) + tree_contributions(read_trees(model.trees.text), rows, is_new)


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [2, 8, 31])
def test_contributions_are_those_of_every_leaf(leaves):
    """Of look-up tables without the new fields, and of all leaves one by one, for numbers and categories together."""
    rows, model = _fitted(leaves, leaves=leaves)
    is_new = NEW.is_new(rows)
    new_values = NewValues(model.lookup, model.layouts)

    assert set(is_new.sum(axis=1)) == {0, 1, 2, 3, 4, 5}
    assert {*rows[is_new[:, 1], 1].tolist()} == {OTHER_JOB, MISSING_JOB}
    expected = _by_leaf(model, rows)
    assert np.abs(new_values.contributions(rows, is_new) - expected).max() < 1e-11
    assert np.abs(model.contributions(rows)[1] - expected).max() < 1e-11


def test_a_field_whose_value_is_new_adds_exactly_0(fitted):
    """So do all fields where all are new: the lead has the start and nothing else."""
    rows, model = fitted
    is_new = NEW.is_new(rows)
    start, log_odds = model.contributions(rows)
    assert (log_odds[is_new] == 0).all()
    assert (log_odds[~is_new] != 0).mean() > 0.9
    all_new = np.array([[np.nan, OTHER_JOB, np.nan, np.nan, np.nan]])
    assert model.probability(all_new) == model.calibrator.probability(np.array([start]))


def test_start_and_contributions_add_up_to_the_expected_log_odds(fitted):
    """Each tree is the mean of both sides of a split on a new field, by the leads of the training set on each."""
    rows, model = fitted
    some = rows[::37]
    is_new = NEW.is_new(some)
    columns = model.linear.contributions(NEW.columns_of(some))
    columns[is_new[:, NEW.owners]] = 0.0
    roots = roots_of(model.trees)
    expected = [
        model.linear.base
        + alone.sum()
        + sum(value_where_known(root, row, set(np.flatnonzero(~new).tolist())) for root in roots)
        for row, alone, new in zip(some, columns, is_new, strict=True)
    ]
    margin = sum_contributions(*model.contributions(some))
    assert margin == pytest.approx(np.array(expected), abs=1e-9)
    assert np.array_equal(model.probability(some), model.calibrator.probability(margin))


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(ROW, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_bits_of_a_row_do_not_depend_on_other_rows(fitted, values, random):
    """Alone, in another order, and after other patterns of new values, in a model that has seen no lead before."""
    rows, model = np.array(values, dtype=float), fitted[1]
    found, order = model.contributions(rows)[1], list(range(len(rows)))
    random.shuffle(order)
    assert np.array_equal(model.contributions(rows[order])[1], found[order])
    fresh = replace(model)
    assert np.array_equal([fresh.contributions(rows[[row]])[1][0] for row in order], found[order])


def test_rows_without_new_values_are_unchanged_to_the_bit(fitted):
    """They have the numbers of a model to which nothing is new, whatever other rows there are."""
    rows, model = fitted
    plain = _model(ENCODER, model.linear, model.trees)
    known = ~NEW.is_new(rows).any(axis=1)
    found, expected = model.contributions(rows), plain.contributions(rows)
    assert 0 < known.sum() < len(rows)
    assert found[0] == expected[0]
    assert np.array_equal(found[1][known], expected[1][known])
    assert (found[1][~known] != expected[1][~known]).any(axis=1).all()


def test_blocks_of_leads_change_no_bit(fitted):
    """Leads that are computed together get what each gets alone, however many there are."""
    rows, model = fitted
    many = np.tile(rows, (8, 1))[np.random.default_rng(3).permutation(8 * len(rows))]
    assert len(np.unique(many[NEW.is_new(many).any(axis=1)], axis=0)) > 300
    found = model.contributions(many)[1]
    assert np.array_equal(found[::97], np.concatenate([model.contributions(row[None])[1] for row in many[::97]]))


def test_new_codes_of_a_field_are_all_the_same(fitted):
    """Two codes that are both new give the same bits; a code that is not new keeps what the parts learnt of it."""
    rows, model = fitted
    jobs = [np.where(np.arange(5) == 1, code, rows) for code in (OTHER_JOB, MISSING_JOB)]
    assert np.array_equal(model.contributions(jobs[0])[1], model.contributions(jobs[1])[1])
    only_missing = _model(replace(NEW, new=(*NEW.new[:1], ("missing",), *NEW.new[2:])), model.linear, model.trees)
    other, missing = (only_missing.contributions(each)[1] for each in jobs)
    assert np.array_equal(missing, model.contributions(jobs[1])[1])
    assert (other[:, 1] != 0).all()


@pytest.mark.slow
def test_tables_that_are_divided_give_the_same():
    """Where fields have too many steps for one table, the tables without some of them are summed, too."""
    fields, label = tree_leads(6)
    trees = fit_some_trees(fields, label, leaves=31, rounds=200)
    model = _model(NEW, LinearPart(0.0, ()), trees)
    rows = fields[:40].copy()
    rows[::2, 1], rows[1::4, 4] = MISSING_JOB, np.nan
    assert len({table.fields for table in model.lookup.tables}) < len(model.lookup.tables)
    assert np.abs(model.contributions(rows)[1] - _by_leaf(model, rows)).max() < 1e-11


@pytest.mark.slow
def test_trees_without_look_up_tables_give_the_same():
    """Trees with more than ten fields on a path are evaluated leaf by leaf where a value is new."""
    random = np.random.default_rng(4)
    flags = (random.random((2000, 14)) < 0.85).astype(float)
    label = (flags.all(axis=1) ^ (random.random(len(flags)) < 0.02)).astype(np.int8)
    trees = fit_trees(flags, label, ModelParams(threads=1, min_leads_per_leaf=1, field_share=1.0), leaves=20, rounds=3)
    encoder = Encoder(
        tuple(Field(f"x{index}", "number", "fit") for index in range(14)), ((),) * 14, (("missing",),) * 14
    )
    linear = fit_linear(flags, label, make_terms(flags, encoder.is_flag), strength=0.1)
    model, rows = _model(encoder, linear, trees), flags[:60].copy()
    rows[random.random(rows.shape) < 0.1] = np.nan
    found = model.contributions(rows)[1]

    assert len(model.lookup.uncompiled) > 0
    assert np.abs(found - _by_leaf(model, rows)).max() < 1e-11
    assert (found[np.isnan(rows)] == 0).all()
    alone = [model.contributions(rows[[row]])[1][0] for row in range(len(rows))]
    assert np.array_equal(np.array(alone), found)
