from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, cross_validate, fit_boosters
from leadml.params import ModelParams

PARAMS = ModelParams(max_rounds=80, patience=10, learning_rate=0.2, field_share=0.5, boosters=1, threads=1)
ON_NOTHING, ON_LINEAR = TreeSettings(4, 5.0, on_linear=False), TreeSettings(4, 5.0, on_linear=True)


def _fit(matrix, label, params, *, rounds):
    [texts] = fit_boosters([(BoosterData(matrix, label, (0,) * 6), ON_NOTHING, rounds)], params)
    return Trees.of([(text, 1 / len(texts)) for text in texts])


def _cross_validate(matrix, label, folds, params):
    data = BoosterData(matrix, label, (0,) * 6)
    result = cross_validate(data, folds, None, ON_NOTHING, params, max_work=1.0, rate_factor=1)
    return result.rounds, result.margin


@pytest.fixture(scope="module")
def matrix():
    """Return six columns: numbers with and without missing values, zeros, and a flag."""
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
    return _fit(matrix, label, PARAMS, rounds=30)


@pytest.fixture(scope="module")
def folds():
    """Return three folds."""
    rows = np.arange(1500)
    return [(rows[rows % 3 != index], rows[rows % 3 == index]) for index in range(3)]


def _goes_left(node, row):
    value = row[node["split_feature"]]
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    if np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) < 1e-35):
        return node["default_left"]
    return value <= node["threshold"]


def _count(node):
    return node["internal_count"] if "split_feature" in node else node["leaf_count"]


def _value(node, row, known):
    """Return a tree's value where only some columns are known: for others the mean of both sides, by their counts."""
    if "split_feature" not in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _value(left if _goes_left(node, row) else right, row, known)
    return (_count(left) * _value(left, row, known) + _count(right) * _value(right, row, known)) / _count(node)


def _shapley(roots, row):
    size = len(row)
    values_of = {
        known: sum(_value(root, row, known) for root in roots)
        for count in range(size + 1)
        for known in map(frozenset, combinations(range(size), count))
    }
    values = np.zeros(size)
    for known, value in values_of.items():
        for index in range(size):
            inside = index in known
            others = len(known) - inside
            weight = factorial(others) * factorial(size - others - 1) / factorial(size)
            values[index] += weight * value * (1 if inside else -1)
    return values, values_of[frozenset()]


@pytest.mark.parametrize("row", [0, 1, 2, 3, 11, 500, 1499])
def test_contributions_are_shapley_values_over_all_subsets_of_fields(trees, matrix, row):
    """TreeSHAP equals the sum over every subset, with the trees' own row counts for unknown columns."""
    lead = matrix[row].copy()
    if row == 11:
        lead[:] = np.nan
    roots = [tree["tree_structure"] for tree in trees.booster.dump_model()["tree_info"]]
    expected, mean = _shapley(roots, lead)
    result, base = trees.contributions(lead[None, :])
    assert np.abs(result[0] - expected).max() < 1e-9
    assert base == pytest.approx(mean, abs=1e-9)
    assert trees.margin(lead[None, :])[0] == pytest.approx(mean + expected.sum(), abs=1e-9)


def test_contributions_and_the_mean_lead_add_up_to_the_margin(trees, matrix):
    """The contributions of all columns are the log-odds without those of the mean lead."""
    result, base = trees.contributions(matrix)
    assert np.abs(base + result.sum(axis=1) - trees.margin(matrix)).max() < 1e-9


def test_an_empty_array_has_no_contributions(trees, matrix):
    """No rows give arrays of 0 rows."""
    assert trees.contributions(matrix[:0])[0].shape == (0, 6)
    assert trees.margin(matrix[:0]).shape == (0,)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 7])
def test_chunks_give_the_bits_of_all_rows(trees, matrix, rows):
    """The margin and the contributions of a row do not depend on the other rows."""
    chunks = [matrix[first : first + rows] for first in range(0, 210, rows)]
    assert np.array_equal(np.concatenate([trees.margin(chunk) for chunk in chunks]), trees.margin(matrix[:210]))
    result = np.concatenate([trees.contributions(chunk)[0] for chunk in chunks])
    assert np.array_equal(result, trees.contributions(matrix[:210])[0])


def test_the_number_of_threads_changes_nothing(matrix, label, trees, folds):
    """One thread and two give the same text, number of rounds and bits."""
    two_threads = PARAMS.model_copy(update={"threads": 2})
    assert _fit(matrix, label, two_threads, rounds=30).text == trees.text
    assert np.array_equal(Trees(trees.text, 2).margin(matrix), trees.margin(matrix))
    (rounds, margin), (again, repeated) = (
        _cross_validate(matrix, label, folds[:1], params) for params in (PARAMS, two_threads)
    )
    assert rounds == again
    assert np.array_equal(margin, repeated, equal_nan=True)


def test_the_text_holds_no_parameter_of_the_fit(trees):
    """LightGBM's parameter block is removed."""
    assert "parameters:" not in trees.text
    assert "learning_rate" not in trees.text
    assert trees.text.endswith("\n")


def test_the_text_holds_no_value_of_any_lead(matrix, label):
    """LightGBM writes the lowest and the highest value, each of one lead; they are removed."""
    marked = matrix.copy()
    marked[10, 2], marked[20, 2] = 987654.25, -876543.25
    text = _fit(marked, label, PARAMS, rounds=5).text
    assert [value for value in ("987654.25", "-876543.25") if value in text] == []


def test_the_number_of_rounds_has_the_least_out_of_fold_loss(matrix, label, folds):
    """Trees that are fitted on each fold with that number of rounds give the margins; one more or less is no better."""
    rounds, margin = _cross_validate(matrix, label, folds, PARAMS)
    losses = []
    for count in (rounds - 1, rounds, rounds + 1):
        again = np.full(len(label), np.nan)
        for fit, evaluate in folds:
            again[evaluate] = _fit(matrix[fit], label[fit], PARAMS, rounds=count).margin(matrix[evaluate])
        losses.append(np.logaddexp(0, np.where(label == 1, -again, again)).mean())
        if count == rounds:
            assert np.abs(again - margin).max() < 1e-9
    assert min(losses) == losses[1]


def test_rows_that_no_fold_is_evaluated_on_have_no_margin(matrix, label, folds):
    """With one fold only the rows that it is evaluated on have log-odds."""
    _, margin = _cross_validate(matrix, label, folds[:1], PARAMS)
    assert np.flatnonzero(~np.isnan(margin)).tolist() == folds[0][1].tolist()


@pytest.mark.parametrize("patience", [1, 3])
def test_cross_validation_stops_when_patience_ends(matrix, label, folds, patience):
    """With shuffled labels few rounds are best, and there is at least one."""
    noise = np.random.default_rng(0).permutation(label)
    rounds, _ = _cross_validate(matrix, noise, folds, PARAMS.model_copy(update={"patience": patience}))
    assert 1 <= rounds < PARAMS.max_rounds


def test_the_weighted_sum_of_boosters_is_one_booster(matrix, label):
    """Its log-odds and contributions are the weighted sums of those of each booster."""
    params = PARAMS.model_copy(update={"boosters": 3})
    [texts] = fit_boosters([(BoosterData(matrix, label, (0,) * 6), ON_NOTHING, 20)], params)
    weights = [0.5, 0.3, 0.2]
    single = [Trees.of([(text, 1.0)]) for text in texts]
    total = Trees.of(list(zip(texts, weights, strict=True)))

    assert len({trees.text for trees in single}) == 3
    margins = [weight * trees.margin(matrix) for weight, trees in zip(weights, single, strict=True)]
    assert np.abs(total.margin(matrix) - sum(margins)).max() < 1e-12
    parts = [trees.contributions(matrix) for trees in single]
    assert (
        np.abs(total.contributions(matrix)[0] - sum(w * c for w, (c, _) in zip(weights, parts, strict=True))).max()
        < 1e-12
    )
    assert total.contributions(matrix)[1] == pytest.approx(sum(w * b for w, (_, b) in zip(weights, parts, strict=True)))


def test_trees_on_a_base_lower_its_loss(matrix, label, folds):
    """Their margin is without the base, and both together have less loss than the base."""
    base = np.nan_to_num(matrix[:, 4]) / 8 - 1
    bases = [(base[fit], base[evaluate]) for fit, evaluate in folds]
    data = BoosterData(matrix, label, (0,) * 6)
    result = cross_validate(data, folds, bases, ON_LINEAR, PARAMS, max_work=1.0, rate_factor=1)
    total = base + result.margin

    def loss(margin):
        return np.logaddexp(0, np.where(label == 1, -margin, margin)).mean()

    assert loss(total) == pytest.approx(result.loss, abs=1e-9)
    assert result.loss < loss(base) - 0.005


@pytest.mark.slow
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("field", [0, 2, 4])
def test_log_odds_never_move_against_a_declared_direction(matrix, label, field, direction):
    """They do not for any value of the other fields; without a declaration they do somewhere."""
    steps = np.linspace(-40, 40, 60)

    def largest_fall(directions):
        [texts] = fit_boosters(
            [(BoosterData(matrix, label, directions), TreeSettings(8, 5.0, on_linear=False), 60)], PARAMS
        )
        rows = np.repeat(matrix[:40], len(steps), axis=0)
        rows[:, field] = np.tile(steps, 40)
        moves = np.diff(Trees.of([(texts[0], 1.0)]).margin(rows).reshape(40, -1), axis=1)
        return (direction * moves).min()

    assert largest_fall(tuple(direction if index == field else 0 for index in range(6))) >= -1e-12
    assert largest_fall((0,) * 6) < -1e-3


@pytest.mark.parametrize(("max_work", "rounds"), [(0.0, 25), (1500 * 2 * 6 * 40.5 / 1e9, 40)])
def test_cross_validation_stops_when_the_work_is_used_up(matrix, label, folds, max_work, rounds):
    """Work is rows of all folds times fields times rounds; twenty-five rounds are always fitted."""
    slow = PARAMS.model_copy(update={"learning_rate": 0.001, "patience": 1000})
    data = BoosterData(matrix, label, (0,) * 6)
    result = cross_validate(data, folds, None, ON_NOTHING, slow, max_work=max_work, rate_factor=1)
    assert result.rounds == rounds
    assert result.work == pytest.approx(1500 * 2 * 6 * rounds / 1e9)


def test_a_raised_learning_rate_counts_each_round_as_several(matrix, label, folds):
    """With twice the learning rate and half the rounds the result is the same, in rounds of the model."""
    data = BoosterData(matrix, label, (0,) * 6)
    raised = cross_validate(data, folds, None, ON_NOTHING, PARAMS, max_work=1.0, rate_factor=2)
    double = PARAMS.model_copy(update={"learning_rate": 0.4, "max_rounds": 40, "patience": 5})
    same = cross_validate(data, folds, None, ON_NOTHING, double, max_work=1.0, rate_factor=1)
    assert raised.rounds == 2 * same.rounds
    assert np.array_equal(raised.margin, same.margin)


def test_gains_are_larger_for_fields_with_an_effect(matrix, label, folds):
    """Fields that the labels depend on gain more than one that they do not depend on."""
    data = BoosterData(matrix, label, (0,) * 6)
    gains = cross_validate(data, folds, None, ON_NOTHING, PARAMS, max_work=1.0).gains
    assert gains.shape == (6,)
    assert min(gains[[0, 3, 4]]) > gains[2]


def test_trees_use_only_the_allowed_fields_of_their_fold(matrix, label, folds):
    """A field that no fold may use has no gain; one that one fold may not use has less, and other folds are equal."""
    data = BoosterData(matrix, label, (0,) * 6)
    params = PARAMS.model_copy(update={"max_rounds": 10})
    everywhere = np.ones((len(folds), 6), dtype=bool)
    nowhere, except_one = everywhere.copy(), everywhere.copy()
    nowhere[:, 0], except_one[0, 0] = False, False
    whole, without, partial = (
        cross_validate(data, folds, None, ON_NOTHING, params, max_work=1.0, allowed_fields=list(allowed))
        for allowed in (everywhere, nowhere, except_one)
    )
    assert without.gains[0] == 0
    assert 0 < partial.gains[0] < whole.gains[0]
    assert whole.rounds == partial.rounds
    for number, (_, evaluate) in enumerate(folds):
        assert (whole.margin[evaluate] == partial.margin[evaluate]).all() == (number > 0)
