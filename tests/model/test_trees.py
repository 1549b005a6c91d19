from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.trees import Trees, choose_rounds, fit_trees
from leadml.params import ModelParams

CHOICES = ModelParams(max_rounds=80, patience=10, learning_rate=0.2, threads=1)


@pytest.fixture(scope="module")
def matrix():
    """Return six columns: numbers with and without gaps, zeros, and a flag."""
    random = np.random.default_rng(5)
    matrix = random.normal(size=(1500, 6)) * 10
    matrix[:, 3] = random.random(1500) < 0.4
    matrix[:, 4] = np.maximum(matrix[:, 4], 0.0)
    matrix[random.random(1500) < 0.2, 0] = np.nan
    matrix[random.random(1500) < 0.1, 1] = np.nan
    return matrix


@pytest.fixture(scope="module")
def label(matrix):
    """Return labels in which columns interact."""
    margin = np.nan_to_num(matrix[:, 0]) / 10 * matrix[:, 3] + matrix[:, 4] / 8 - np.isnan(matrix[:, 1]) - 1
    return (np.random.default_rng(6).random(1500) < expit(margin)).astype(np.int8)


@pytest.fixture(scope="module")
def trees(matrix, label):
    """Return the trees of those leads."""
    return fit_trees(matrix, label, CHOICES, rounds=30)


@pytest.fixture(scope="module")
def folds():
    """Return three folds."""
    rows = np.arange(1500)
    return [(rows[rows % 3 != at], rows[rows % 3 == at]) for at in range(3)]


def _goes_left(node, row):
    value = row[node["split_feature"]]
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    if np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) < 1e-35):
        return node["default_left"]
    return value <= node["threshold"]


def _count(node):
    return node["internal_count"] if "split_feature" in node else node["leaf_count"]


def _worth(node, row, known):
    """Return a tree's value where only some columns are known: unknown ones descend both ways, by their counts."""
    if "split_feature" not in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _worth(left if _goes_left(node, row) else right, row, known)
    return (_count(left) * _worth(left, row, known) + _count(right) * _worth(right, row, known)) / _count(node)


def _shapley(roots, row):
    size = len(row)
    worth = {
        known: sum(_worth(root, row, known) for root in roots)
        for count in range(size + 1)
        for known in map(frozenset, combinations(range(size), count))
    }
    values = np.zeros(size)
    for known, value in worth.items():
        for at in range(size):
            inside = at in known
            others = len(known) - inside
            weight = factorial(others) * factorial(size - others - 1) / factorial(size)
            values[at] += weight * value * (1 if inside else -1)
    return values, worth[frozenset()]


@pytest.mark.parametrize("row", [0, 1, 2, 3, 11, 500, 1499])
def test_contributions_are_shapley_values_over_all_subsets_of_columns(trees, matrix, row):
    """TreeSHAP equals the sum over every subset, with the trees' own counts for unknown columns."""
    lead = matrix[row].copy()
    if row == 11:
        lead[:] = np.nan
    roots = [tree["tree_structure"] for tree in trees.booster.dump_model()["tree_info"]]
    expected, mean = _shapley(roots, lead)
    found, base = trees.contributions(lead[None, :])
    assert np.abs(found[0] - expected).max() < 1e-9
    assert base == pytest.approx(mean, abs=1e-9)
    assert trees.margin(lead[None, :])[0] == pytest.approx(mean + expected.sum(), abs=1e-9)


def test_contributions_and_the_mean_lead_add_up_to_the_margin(trees, matrix):
    """Nothing of the log-odds is lost on the way to the columns."""
    found, base = trees.contributions(matrix)
    assert np.abs(base + found.sum(axis=1) - trees.margin(matrix)).max() < 1e-9


def test_no_leads_have_no_contributions(trees, matrix):
    """An empty frame gives empty answers."""
    assert trees.contributions(matrix[:0])[0].shape == (0, 6)
    assert trees.margin(matrix[:0]).shape == (0,)


@pytest.mark.parametrize("rows", [1, 7])
def test_a_lead_has_the_same_bits_in_any_company(trees, matrix, rows):
    """Margins and contributions in chunks are those of the whole."""
    chunks = [matrix[first : first + rows] for first in range(0, 210, rows)]
    assert np.array_equal(np.concatenate([trees.margin(chunk) for chunk in chunks]), trees.margin(matrix[:210]))
    found = np.concatenate([trees.contributions(chunk)[0] for chunk in chunks])
    assert np.array_equal(found, trees.contributions(matrix[:210])[0])


def test_the_number_of_threads_changes_nothing(matrix, label, trees, folds):
    """One thread and two give one text, one number of rounds and the same bits."""
    two = CHOICES.model_copy(update={"threads": 2})
    assert fit_trees(matrix, label, two, rounds=30).text == trees.text
    assert np.array_equal(Trees(trees.text, 2).margin(matrix), trees.margin(matrix))
    (rounds, margin), (again, repeated) = (choose_rounds(matrix, label, folds[:1], some) for some in (CHOICES, two))
    assert rounds == again
    assert np.array_equal(margin, repeated, equal_nan=True)


def test_the_text_holds_no_choice_of_the_run(trees):
    """The parameter block is cut off."""
    assert "parameters:" not in trees.text
    assert "learning_rate" not in trees.text
    assert trees.text.endswith("\n")


def test_the_text_holds_no_value_of_any_lead(matrix, label):
    """The lowest and the highest value are those of one lead each, and stay out."""
    marked = matrix.copy()
    marked[10, 2], marked[20, 2] = 987654.25, -876543.25
    text = fit_trees(marked, label, CHOICES, rounds=5).text
    assert [value for value in ("987654.25", "-876543.25") if value in text] == []


def test_rounds_are_those_that_lose_least_on_other_leads(matrix, label, folds):
    """Trees of each fold, grown anew to the chosen rounds, give the margins and no other number loses less."""
    rounds, margin = choose_rounds(matrix, label, folds, CHOICES)
    losses = []
    for count in (rounds - 1, rounds, rounds + 1):
        again = np.full(len(label), np.nan)
        for fit, judge in folds:
            again[judge] = fit_trees(matrix[fit], label[fit], CHOICES, rounds=count).margin(matrix[judge])
        losses.append(np.logaddexp(0, np.where(label == 1, -again, again)).mean())
        if count == rounds:
            assert np.abs(again - margin).max() < 1e-9
    assert min(losses) == losses[1]


def test_leads_that_judge_no_fold_have_no_margin(matrix, label, folds):
    """With one fold only the leads that judge it have log-odds."""
    _, margin = choose_rounds(matrix, label, folds[:1], CHOICES)
    assert np.flatnonzero(~np.isnan(margin)).tolist() == folds[0][1].tolist()


@pytest.mark.parametrize("patience", [1, 3])
def test_growth_stops_when_patience_ends(matrix, label, folds, patience):
    """On labels that nothing explains, few rounds are best and at least one is kept."""
    noise = np.random.default_rng(0).permutation(label)
    rounds, _ = choose_rounds(matrix, noise, folds, CHOICES.model_copy(update={"patience": patience}))
    assert 1 <= rounds < CHOICES.max_rounds
