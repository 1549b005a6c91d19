from __future__ import annotations

from itertools import combinations, pairwise
from math import factorial

import numpy as np
import pytest
from scipy.special import expit
from tests.tree_leads import roots_of, value_where_known

from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, checkpoints, cross_validate, fit_boosters
from leadml.params import ModelParams

PARAMS = ModelParams(max_rounds=80, learning_rate=0.2, field_share=0.5, threads=1)
FOUR = TreeSettings(4, 5.0)


def _fit(matrix, label, params, *, rounds):
    [text] = fit_boosters([(BoosterData(matrix, label, (0,) * 6), FOUR, rounds)], params)
    return Trees.of([(text, [1.0] * rounds)])


def _cross_validate(matrix, label, folds, params, **choices):
    return cross_validate(BoosterData(matrix, label, (0,) * 6), folds, FOUR, params, **choices)


def _loss(margin, label):
    return np.logaddexp(0, np.where(label == 1, -margin, margin)).mean()


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


def _shapley(roots, row):
    size = len(row)
    values_of = {
        known: sum(value_where_known(root, row, known) for root in roots)
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
    expected, mean = _shapley(roots_of(trees), lead)
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
    """One thread and two give the same text, numbers of rounds and bits."""
    two_threads = PARAMS.model_copy(update={"threads": 2})
    assert _fit(matrix, label, two_threads, rounds=30).text == trees.text
    assert np.array_equal(Trees(trees.text, 2).margin(matrix), trees.margin(matrix))
    one, two = (_cross_validate(matrix, label, folds[:2], params) for params in (PARAMS, two_threads))
    assert one.rounds == two.rounds
    assert np.array_equal(one.margins, two.margins, equal_nan=True)


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


def test_margins_are_those_of_trees_with_so_many_rounds(matrix, label, folds):
    """Trees that are fitted on each fold with each number of rounds give the margins, and these the losses."""
    result = _cross_validate(matrix, label, folds, PARAMS)
    assert result.rounds[:2] == (25, 40)
    for count, margin, loss in list(zip(result.rounds, result.margins, result.losses, strict=True))[:2]:
        again = np.full(len(label), np.nan)
        for fit, evaluate in folds:
            again[evaluate] = _fit(matrix[fit], label[fit], PARAMS, rounds=count).margin(matrix[evaluate])
        assert np.abs(again - margin).max() < 1e-9
        assert _loss(margin, label) == pytest.approx(loss, abs=1e-12)
    assert result.loss == min(result.losses)


@pytest.mark.parametrize("max_rounds", [10, 25, 26, 100, 675, 1000, 1001, 20_000])
def test_checkpoints_rise_to_the_largest_number_of_rounds(max_rounds):
    """Each is at most 1.7 times the one before, and none is beyond the largest number."""
    counts = checkpoints(max_rounds)
    assert counts[-1] == max_rounds
    assert counts[0] == min(25, max_rounds)
    assert all(before < after <= 1.7 * before for before, after in pairwise(counts))


def test_rows_that_no_fold_is_evaluated_on_have_no_margin(matrix, label, folds):
    """With one fold only the rows that it is evaluated on have log-odds."""
    result = _cross_validate(matrix, label, folds[:1], PARAMS)
    assert {tuple(np.flatnonzero(~np.isnan(margin))) for margin in result.margins} == {tuple(folds[0][1].tolist())}


def test_cross_validation_stops_after_two_numbers_of_rounds_without_a_lower_loss(matrix, label, folds):
    """With shuffled labels the fewest rounds are best and three are judged; all are while the loss falls."""
    noise = np.random.default_rng(0).permutation(label)
    params = PARAMS.model_copy(update={"max_rounds": 1000})
    assert _cross_validate(matrix, noise, folds, params).rounds == (25, 40, 60)
    slow = PARAMS.model_copy(update={"learning_rate": 0.001})
    result = _cross_validate(matrix, label, folds[:1], slow)
    assert result.rounds == (25, 40, 60, 80)
    assert (np.diff(result.losses) < 0).all()


def test_the_weighted_sum_of_boosters_is_one_booster(matrix, label):
    """Its log-odds and contributions are the weighted sums of those of each booster."""
    data = BoosterData(matrix, label, (0,) * 6)
    texts = fit_boosters([(data, TreeSettings(leaves, 5.0), 20) for leaves in (3, 4, 5)], PARAMS)
    weights = [0.5, 0.3, 0.2]
    single = [Trees.of([(text, [1.0] * 20)]) for text in texts]
    total = Trees.of([(text, [weight] * 20) for text, weight in zip(texts, weights, strict=True)])

    assert len({trees.text for trees in single}) == 3
    margins = [weight * trees.margin(matrix) for weight, trees in zip(weights, single, strict=True)]
    assert np.abs(total.margin(matrix) - sum(margins)).max() < 1e-12
    parts = [trees.contributions(matrix) for trees in single]
    assert (
        np.abs(total.contributions(matrix)[0] - sum(w * c for w, (c, _) in zip(weights, parts, strict=True))).max()
        < 1e-12
    )
    assert total.contributions(matrix)[1] == pytest.approx(sum(w * b for w, (_, b) in zip(weights, parts, strict=True)))


def test_weights_of_trees_that_fall_are_a_mean_over_numbers_of_rounds(matrix, label):
    """With the weight of all numbers of rounds that a tree is in, the sum is that of boosters with so many rounds."""
    data, shares = BoosterData(matrix, label, (0,) * 6), {5: 0.2, 12: 0.5, 20: 0.3}
    [text] = fit_boosters([(data, FOUR, 20)], PARAMS)
    weights = [sum(share for count, share in shares.items() if count > tree) for tree in range(20)]
    expected = sum(share * _fit(matrix, label, PARAMS, rounds=count).margin(matrix) for count, share in shares.items())
    assert np.abs(Trees.of([(text, weights)]).margin(matrix) - expected).max() < 1e-12


def test_a_booster_without_a_split_has_one_tree_and_more_weights(label):
    """A constant field gives the rate; cross-validation judges such boosters, too."""
    constant, folds = np.full((1500, 1), 4.0), [(np.arange(1000), np.arange(1000, 1500))]
    data = BoosterData(constant, label, (0,))
    [text] = fit_boosters([(data, FOUR, 30)], PARAMS)
    result = cross_validate(data, folds, FOUR, PARAMS)
    assert expit(Trees.of([(text, [1.0] * 30)]).margin(constant)) == pytest.approx(label.mean())
    assert result.rounds == (25, 40, 60)
    assert expit(result.margins[:, 1000:]) == pytest.approx(label[:1000].mean())


def test_a_row_of_weight_two_counts_as_two_rows(matrix, label):
    """The trees of doubled rows are those of rows with weight two, but for how the values are divided into steps."""
    params = PARAMS.model_copy(update={"min_leads_per_leaf": 1, "field_share": 1.0})
    steps = np.clip(np.nan_to_num(matrix).round(-1), -20, 20)
    twice = np.where(np.arange(1500) < 700, 2.0, 1.0)
    doubled = np.concatenate([np.arange(1500), np.arange(700)])
    weighted, repeated = fit_boosters(
        [
            (BoosterData(steps, label, (0,) * 6, twice), FOUR, 10),
            (BoosterData(steps[doubled], label[doubled], (0,) * 6), FOUR, 10),
        ],
        params,
    )
    margins = [Trees.of([(text, [1.0] * 10)]).margin(steps) for text in (weighted, repeated)]
    assert np.abs(margins[0] - margins[1]).max() < 1e-6


def test_the_weights_of_each_fold_are_those_of_its_rows(matrix, label, folds):
    """Trees of a fold with weights are those that are fitted with these weights; other folds are equal."""
    random = np.random.default_rng(3)
    weights = [random.uniform(0.1, 2.0, len(folds[0][0])), None, None]
    params = PARAMS.model_copy(update={"max_rounds": 10})
    plain, weighted = (_cross_validate(matrix, label, folds, params, weights=each) for each in (None, weights))
    fit, evaluate = folds[0]
    [text] = fit_boosters([(BoosterData(matrix[fit], label[fit], (0,) * 6, weights[0]), FOUR, 10)], params)
    expected = Trees.of([(text, [1.0] * 10)]).margin(matrix[evaluate])
    assert np.abs(weighted.margins[0][evaluate] - expected).max() < 1e-9
    assert np.abs(weighted.margins[0][evaluate] - plain.margins[0][evaluate]).max() > 0.01
    for _, others in folds[1:]:
        assert np.array_equal(weighted.margins[0][others], plain.margins[0][others])


def test_settings_are_told_in_words():
    """A half-life only where there is one."""
    assert (str(FOUR), str(TreeSettings(8, 20.0, 0.25))) == (
        "4 leaves, penalty 5",
        "8 leaves, penalty 20, half-life 0.25",
    )


@pytest.mark.slow
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("field", [0, 2, 4])
def test_log_odds_never_move_against_a_declared_direction(matrix, label, field, direction):
    """They do not for any value of the other fields; without a declaration they do somewhere."""
    steps = np.linspace(-40, 40, 60)

    def largest_fall(directions):
        [text] = fit_boosters([(BoosterData(matrix, label, directions), TreeSettings(8, 5.0), 60)], PARAMS)
        rows = np.repeat(matrix[:40], len(steps), axis=0)
        rows[:, field] = np.tile(steps, 40)
        moves = np.diff(Trees.of([(text, [1.0] * 60)]).margin(rows).reshape(40, -1), axis=1)
        return (direction * moves).min()

    assert largest_fall(tuple(direction if index == field else 0 for index in range(6))) >= -1e-12
    assert largest_fall((0,) * 6) < -1e-3
