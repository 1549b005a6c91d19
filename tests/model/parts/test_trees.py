from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, fit_boosters, grow
from leadml.params import ModelParams

CHOICES = ModelParams(max_rounds=80, patience=10, learning_rate=0.2, field_share=0.5, boosters=1, threads=1)
ALONE, ON_LINE = TreeSettings(4, 5.0, on_linear=False), TreeSettings(4, 5.0, on_linear=True)


def _fit(matrix, label, choices, *, rounds):
    [texts] = fit_boosters([(BoosterData(matrix, label, (0,) * 6), ALONE, rounds)], choices)
    return Trees.of([(text, 1 / len(texts)) for text in texts])


def _grow(matrix, label, folds, choices, **others):
    found = grow(
        BoosterData(matrix, label, (0,) * 6), folds, None, ALONE, choices, **{"budget": 1.0, "stride": 1, **others}
    )
    return found.rounds, found.margin


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
    return _fit(matrix, label, CHOICES, rounds=30)


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
def test_contributions_are_shapley_values_over_all_subsets_of_fields(trees, matrix, row):
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
    assert _fit(matrix, label, two, rounds=30).text == trees.text
    assert np.array_equal(Trees(trees.text, 2).margin(matrix), trees.margin(matrix))
    (rounds, margin), (again, repeated) = (_grow(matrix, label, folds[:1], some) for some in (CHOICES, two))
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
    text = _fit(marked, label, CHOICES, rounds=5).text
    assert [value for value in ("987654.25", "-876543.25") if value in text] == []


def test_rounds_are_those_that_lose_least_on_other_leads(matrix, label, folds):
    """Trees of each fold, grown anew to the chosen rounds, give the margins and no other number loses less."""
    rounds, margin = _grow(matrix, label, folds, CHOICES)
    losses = []
    for count in (rounds - 1, rounds, rounds + 1):
        again = np.full(len(label), np.nan)
        for fit, judge in folds:
            again[judge] = _fit(matrix[fit], label[fit], CHOICES, rounds=count).margin(matrix[judge])
        losses.append(np.logaddexp(0, np.where(label == 1, -again, again)).mean())
        if count == rounds:
            assert np.abs(again - margin).max() < 1e-9
    assert min(losses) == losses[1]


def test_leads_that_judge_no_fold_have_no_margin(matrix, label, folds):
    """With one fold only the leads that judge it have log-odds."""
    _, margin = _grow(matrix, label, folds[:1], CHOICES)
    assert np.flatnonzero(~np.isnan(margin)).tolist() == folds[0][1].tolist()


@pytest.mark.parametrize("patience", [1, 3])
def test_growth_stops_when_patience_ends(matrix, label, folds, patience):
    """On labels that nothing explains, few rounds are best and at least one is kept."""
    noise = np.random.default_rng(0).permutation(label)
    rounds, _ = _grow(matrix, noise, folds, CHOICES.model_copy(update={"patience": patience}))
    assert 1 <= rounds < CHOICES.max_rounds


def test_boosters_that_are_averaged_are_one(matrix, label):
    """LightGBM reads one text whose log-odds and reasons are the weighted sums of those of each booster."""
    three = CHOICES.model_copy(update={"boosters": 3})
    [texts] = fit_boosters([(BoosterData(matrix, label, (0,) * 6), ALONE, 20)], three)
    weights = [0.5, 0.3, 0.2]
    single = [Trees.of([(text, 1.0)]) for text in texts]
    both = Trees.of(list(zip(texts, weights, strict=True)))

    assert len({trees.text for trees in single}) == 3
    margins = [weight * trees.margin(matrix) for weight, trees in zip(weights, single, strict=True)]
    assert np.abs(both.margin(matrix) - sum(margins)).max() < 1e-12
    parts = [trees.contributions(matrix) for trees in single]
    assert (
        np.abs(both.contributions(matrix)[0] - sum(w * c for w, (c, _) in zip(weights, parts, strict=True))).max()
        < 1e-12
    )
    assert both.contributions(matrix)[1] == pytest.approx(sum(w * b for w, (_, b) in zip(weights, parts, strict=True)))


def test_trees_on_a_base_add_what_it_lacks(matrix, label, folds):
    """Their margin is without the base, and both together lose less than the base alone."""
    base = np.nan_to_num(matrix[:, 4]) / 8 - 1
    bases = [(base[fit], base[judge]) for fit, judge in folds]
    found = grow(BoosterData(matrix, label, (0,) * 6), folds, bases, ON_LINE, CHOICES, budget=1.0, stride=1)
    together = base + found.margin

    def loss(margin):
        return np.logaddexp(0, np.where(label == 1, -margin, margin)).mean()

    assert loss(together) == pytest.approx(found.loss, abs=1e-9)
    assert found.loss < loss(base) - 0.005


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_declared_direction_is_kept_for_every_lead(matrix, label, at, direction):
    """The log-odds never move against it, whatever the other fields; undeclared they do somewhere."""
    steps = np.linspace(-40, 40, 60)

    def against(directions):
        [texts] = fit_boosters(
            [(BoosterData(matrix, label, directions), TreeSettings(8, 5.0, on_linear=False), 60)], CHOICES
        )
        rows = np.repeat(matrix[:40], len(steps), axis=0)
        rows[:, at] = np.tile(steps, 40)
        moves = np.diff(Trees.of([(texts[0], 1.0)]).margin(rows).reshape(40, -1), axis=1)
        return (direction * moves).min()

    assert against(tuple(direction if field == at else 0 for field in range(6))) >= -1e-12
    assert against((0,) * 6) < -1e-3


@pytest.mark.parametrize(("budget", "rounds"), [(0.0, 25), (1500 * 2 * 6 * 40.5 / 1e9, 40)])
def test_no_more_is_grown_than_the_budget_allows(matrix, label, folds, budget, rounds):
    """Leads of all folds times fields times rounds; twenty-five rounds are grown in any case."""
    slow = CHOICES.model_copy(update={"learning_rate": 0.001, "patience": 1000})
    found = grow(BoosterData(matrix, label, (0,) * 6), folds, None, ALONE, slow, budget=budget, stride=1)
    assert found.rounds == rounds
    assert found.work == pytest.approx(1500 * 2 * 6 * rounds / 1e9)


def test_longer_steps_stand_for_several_rounds(matrix, label, folds):
    """With a stride the rate is as many times higher, and rounds are told in those of the model."""
    soil = BoosterData(matrix, label, (0,) * 6)
    quick = grow(soil, folds, None, ALONE, CHOICES, budget=1.0, stride=2)
    double = CHOICES.model_copy(update={"learning_rate": 0.4, "max_rounds": 40, "patience": 5})
    slow = grow(soil, folds, None, ALONE, double, budget=1.0, stride=1)
    assert quick.rounds == 2 * slow.rounds
    assert np.array_equal(quick.margin, slow.margin)


def test_gains_tell_which_fields_the_trees_used(matrix, label, folds):
    """Fields that made the labels bring more than one that did not."""
    gains = grow(BoosterData(matrix, label, (0,) * 6), folds, None, ALONE, CHOICES, budget=1.0).gains
    assert gains.shape == (6,)
    assert min(gains[at] for at in (0, 3, 4)) > gains[2]


def test_trees_test_no_field_that_is_hidden_from_their_fold(matrix, label, folds):
    """Hidden in all folds a field brings nothing; hidden in one it brings less, and the others' leads see no change."""
    soil = BoosterData(matrix, label, (0,) * 6)
    all_shown = np.ones((len(folds), 6), dtype=bool)
    nowhere, once = all_shown.copy(), all_shown.copy()
    nowhere[:, 0], once[0, 0] = False, False
    whole, least, part = (
        grow(soil, folds, None, ALONE, CHOICES.model_copy(update={"max_rounds": 10}), budget=1.0, shown=list(shown))
        for shown in (all_shown, nowhere, once)
    )
    assert least.gains[0] == 0
    assert 0 < part.gains[0] < whole.gains[0]
    assert whole.rounds == part.rounds
    for at, (_, judge) in enumerate(folds):
        assert (whole.margin[judge] == part.margin[judge]).all() == (at > 0)
