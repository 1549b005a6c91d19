from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtri
from sklearn.metrics import roc_auc_score

from leadml.leads.check.field import Field
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.univariate_auc import (
    AucEstimate,
    AucGain,
    CrossFittedTrees,
    bins_of,
    correlation,
    d_prime,
    estimate_auc,
    field_scores,
    incremental_auc,
    out_of_fold_rates,
)

NUMBER = Field("x", "number", "fit")


def outcome_of(label):
    """Return the outcome of leads with one row each."""
    label = np.asarray(label, dtype=np.int8)
    return Outcome(label, np.arange(len(label)))


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_auc_is_the_mean_of_both_halves(seed, levels):
    """It is the mean of scikit-learn's AUC of both halves, also with ties."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 40)])
    scores = random.integers(0, levels, 44).astype(float)
    halves = [roc_auc_score(outcome.labels[rows], scores[rows]) for rows in outcome.halves]

    assert estimate_auc(outcome, scores).value == pytest.approx(np.mean(halves), abs=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_only_the_order_of_the_scores_matters(seed):
    """The reverse order has an AUC of one minus the AUC, with the same standard error."""
    random = np.random.default_rng(seed)
    outcome = outcome_of(np.r_[0, 0, 1, 1, random.integers(0, 2, 60)])
    scores = random.normal(size=64)
    found, monotone, reverse = (estimate_auc(outcome, values) for values in (scores, np.exp(scores), -scores))

    assert found == monotone
    assert reverse.value == pytest.approx(1 - found.value, abs=1e-12)
    assert reverse.standard_error == pytest.approx(found.standard_error, abs=1e-12)


def test_the_standard_error_is_the_deviation_over_many_samples():
    """The lower bound is above the true AUC in about 5% of the samples."""
    random, found = np.random.default_rng(1), []
    for _ in range(400):
        label = (random.random(600) < 0.2).astype(np.int8)
        found.append(estimate_auc(outcome_of(label), label + random.normal(size=600)))

    errors, values = [one.standard_error for one in found], [one.value for one in found]
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)
    assert 0.02 < np.mean([one.lower_bound > 0.7602 for one in found]) < 0.1


def test_rows_of_one_lead_count_once():
    """Ten rows of each lead make the standard error no smaller, and a lead is not scored by its own label."""
    random = np.random.default_rng(2)
    label = (random.random(400) < 0.3).astype(np.int8)
    scores = label + random.normal(size=400)
    once = estimate_auc(outcome_of(label), scores)
    often = estimate_auc(Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10)), np.repeat(scores, 10))
    rows = Outcome(np.repeat(label, 10), np.repeat(np.arange(400), 10))

    assert (often.value, often.standard_error) == pytest.approx((once.value, once.standard_error), abs=1e-12)
    assert estimate_auc(rows, out_of_fold_rates(rows.groups, rows)).value == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "kind", "least", "most"),
    [
        (lambda label, _: label + 0.0, "number", 1, 1),
        (lambda label, _: -label + 0.0, "number", 1, 1),
        (lambda label, _: np.where(label == 1, np.nan, 3.0), "number", 1, 1),
        (lambda label, _: np.full(len(label), np.nan), "number", 0.5, 0.5),
        (lambda label, _: np.full(len(label), 4.0), "number", 0.5, 0.5),
        (lambda label, random: random.random(len(label)), "number", 0.45, 0.55),
        (lambda label, _: np.arange(len(label)).astype(str), "category", 0.5, 0.5),
        (lambda label, random: label + random.normal(0, 1, len(label)), "number", 0.7, 0.8),
    ],
)
def test_the_auc_of_a_field_is_out_of_fold(values, kind, least, most):
    """A copy of the label is perfect, also reversed or as missing values; noise, constants and ids are at chance."""
    random = np.random.default_rng(3)
    outcome = outcome_of(random.random(2000) < 0.3)
    column = pd.Series(values(outcome.labels, random))
    found = estimate_auc(outcome, field_scores(column, Field("x", kind, "fit"), outcome))

    assert least - 1e-12 <= found.value <= most + 1e-12


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_squares_of_d_prime_add_up(without_field, with_field):
    """Those of the other fields and of the incremental AUC add up to that of all; it is never below chance."""
    incremental = incremental_auc(without_field, with_field)

    assert incremental >= 0.5
    if with_field >= without_field:
        total = 2 * ndtri(incremental) ** 2 + 2 * ndtri(without_field) ** 2
        assert total == pytest.approx(2 * ndtri(with_field) ** 2, abs=1e-6)
    else:
        assert incremental == 0.5


def test_the_correlation_with_a_constant_is_0():
    """It is -1 with a falling linear function."""
    assert correlation(np.ones(5), np.arange(5.0)) == 0.0
    assert correlation(np.arange(5.0), 3 - 2 * np.arange(5.0)) == pytest.approx(-1)


@pytest.mark.parametrize(("role", "low", "high"), [("effect of the outcome", 0.7, 1.3), ("cause", -0.3, 0.3)])
def test_the_dependence_is_1_for_an_effect_of_the_outcome_and_0_for_a_separate_cause(role, low, high):
    """Only the outcome links its effect to the other fields; a separate cause is independent of them."""
    random = np.random.default_rng(5)
    numbers = random.normal(size=(9000, 4))
    margin = numbers[:, :3] @ [0.8, 0.8, 0.8] - 1
    if role == "cause":
        label = (random.random(9000) < expit(margin + 1.5 * numbers[:, 3])).astype(np.int8)
    else:
        label = (random.random(9000) < expit(margin)).astype(np.int8)
        numbers[:, 3] = 1.5 * label + random.normal(size=9000)
    fields = [Field(name, "number", "fit") for name in "abcx"]
    frame, outcome = pd.DataFrame(numbers, columns=list("abcx")), outcome_of(label)
    scores = field_scores(frame["x"], NUMBER, outcome)
    gain = CrossFittedTrees(frame, fields, outcome).auc_gain(fields[3], fields[:3], scores)

    assert low < gain.dependence < high
    assert gain.dependence_error < 0.15
    assert gain.incremental_lower_bound < gain.incremental
    assert gain.without_field < gain.with_field


def test_trees_are_deterministic_and_noise_has_a_small_gain():
    """Two runs are equal to the bit, and the field that causes the label has the larger gain."""
    random = np.random.default_rng(6)
    frame = pd.DataFrame({"x": random.normal(size=800), "noise": random.normal(size=800)})
    outcome = outcome_of(random.random(800) < expit(2 * frame["x"]))
    fields = [NUMBER, Field("noise", "number", "fit")]
    first, second = (CrossFittedTrees(frame, fields, outcome).cross_fit(fields) for _ in range(2))

    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]
    assert first[1][NUMBER] > 3 * first[1][fields[1]]


@pytest.mark.parametrize("share", [0.2, 0.05, 0.03, 0.01])
@pytest.mark.parametrize("others", [0.0, -1.0, 999.0])
def test_a_number_that_few_leads_have_is_not_in_the_bin_of_the_commonest(share, others):
    """A number of few converters is perfect, however few they are and whatever number all other leads have."""
    label = np.zeros(4000, dtype=np.int8)
    label[:: round(1 / share)] = 1
    outcome = Outcome(np.random.default_rng(0).permutation(label), np.arange(4000))
    values = pd.Series(np.where(outcome.labels == 1, 7.0, others))

    assert estimate_auc(outcome, field_scores(values, NUMBER, outcome)).value == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_bins_are_in_the_order_of_numbers(seed):
    """A greater number is never in a lower bin, equal numbers share a bin, and the commonest has a bin of its own."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(2000) < 0.9, 3.0, np.round(random.normal(3, 4, 2000), 1))
    bins = bins_of(pd.Series(values), NUMBER)

    assert (np.diff(bins[np.argsort(values, kind="stable")]) >= 0).all()
    assert set(values[bins == bins[values == 3.0][0]]) == {3.0}
    assert len(np.unique(bins)) <= 42


def test_the_bound_is_1_645_standard_errors_below_the_value():
    """It is the one-sided bound at 95%, of an AUC and of the AUC that a field adds."""
    gain = AucGain(0.8, 0.9, 0.02, 1.0, 0.1)

    assert AucEstimate(0.8, 0.1).lower_bound == pytest.approx(0.6355, abs=1e-12)
    assert gain.incremental == pytest.approx(0.8331, abs=1e-4)  # the squares of d-prime are 1.417 and 3.285
    assert gain.incremental_lower_bound == pytest.approx(incremental_auc(0.8, 0.8671), abs=1e-12)


@pytest.mark.parametrize(
    ("auc", "expected"), [(0.0, 0.0), (0.5, 0.0), (0.76, 0.9988), (0.9214, 2.0), (0.9999, 5.2595), (1.0, 5.2595)]
)
def test_d_prime_is_between_0_and_5_26(auc, expected):
    """An AUC below chance counts as chance, and one above 0.9999 as 0.9999."""
    assert d_prime(auc) == pytest.approx(expected, abs=1e-3)


def test_a_row_has_the_rate_of_its_bin_in_the_other_half():
    """Twenty rows at the base rate of the other half are added: of 2 of 3 at a base rate of 1/2, 12 / 23 remain."""
    bins, label = np.repeat([0, 1], [6, 6]), np.array([0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0])
    # first half: 0 of 3 and 3 of 3 converted; second half: 2 of 3 and 1 of 3
    rates = out_of_fold_rates(bins, outcome_of(label))

    assert rates == pytest.approx(np.array([12, 10, 12, 10, 12, 10, 11, 13, 11, 13, 11, 13]) / 23, abs=1e-12)
    names = pd.Series(np.where(bins == 1, "b", None), dtype=object)
    assert field_scores(names, Field("x", "category", "fit"), outcome_of(label)).tolist() == rates.tolist()


@pytest.mark.parametrize(
    ("values", "bins"),
    [
        (range(40), [at // 2 for at in range(40)]),
        ([np.nan, *range(40)], [20, *(at // 2 for at in range(40))]),
        ([np.nan, np.nan], [1, 1]),
        ([7, 7, np.nan], [1, 1, 2]),
        # 2 of 40 are no more than a twentieth
        ([*range(38), 4.5, 4.5], [0, 0, 1, 1, 2, 3, *(at // 2 + 1 for at in range(6, 38)), 3, 3]),
        # where 0 is commonest, a bin begins at 0, one just above it and one at each other number but the greatest
        ([0] * 90 + [-2, -1, 1, 2], [3] * 90 + [1, 2, 5, 5]),
        ([0] * 400 + [*range(1, 21)], [1] * 400 + [*range(3, 22), 21]),
    ],
)
def test_bins_begin_at_quantiles_and_at_the_commonest_number(values, bins):
    """Twenty bins have equal sizes, missing values are the last bin, and a common number has a bin of its own."""
    assert bins_of(pd.Series(values, dtype=float), NUMBER).tolist() == bins


def test_a_number_of_more_than_a_twentieth_has_a_bin_of_its_own():
    """Two of forty leads share a bin with the next number, three do not."""
    bins = [bins_of(pd.Series([*range(40 - size), *[4.5] * size], dtype=float), NUMBER) for size in (2, 3)]

    assert (bins[0] == bins[0][-1]).sum() == 3
    assert (bins[1] == bins[1][-1]).sum() == 3


def test_the_standard_error_of_four_pairs():
    """One half has 3 of 4 pairs in order, each lead with an influence of 1/8; the other half is perfect."""
    outcome = outcome_of([1, 1, 0, 1, 1, 0, 0, 0])
    found = estimate_auc(outcome, np.array([0.9, 0.8, 0.1, 0.7, 0.4, 0.2, 0.6, 0.1]))

    assert (found.value, found.standard_error) == pytest.approx((0.875, np.sqrt(4 / 64) / 2), abs=1e-12)


def test_a_tie_counts_half():
    """Of four pairs of each half, two tie."""
    outcome = outcome_of([1, 1, 1, 1, 0, 0, 0, 0])
    found = estimate_auc(outcome, np.array([3.0, 3, 2, 2, 2, 2, 1, 1]))
    # converters rank before 2 and 1.5 of 2 others, others behind 1.5 and 2 of 2: each influence is 1/16
    assert (found.value, found.standard_error) == pytest.approx((0.875, np.sqrt(8 / 256) / 2), abs=1e-12)


def test_rounding_is_no_correlation():
    """A score that differs by rounding only is constant."""
    rising = np.arange(5.0)

    assert correlation(1 + rising * 1e-10, rising) == 0.0
    assert correlation(1 + rising * 1e-8, rising) == pytest.approx(1, abs=1e-6)
    assert correlation(np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 1, 4])) == pytest.approx(2 / np.sqrt(9))


def half_of_rates():
    """Return labels and a number of 200 leads, in pairs: of 0, 20 of 100 converted, of 1, 80 of 100."""
    number = np.repeat([0.0, 1.0], 100)
    return np.tile(np.arange(100), 2) < np.repeat([20, 80], 100), number


def boosted(counts, base):
    """Return log-odds of leads after 60 Newton steps of a tenth, with an l2 penalty of 5, from (leads, converted)."""
    log_odds = np.full(len(counts), np.log(base / (1 - base)))
    leads, converted = np.array(counts, dtype=float).T
    for _ in range(60):
        rate = expit(log_odds)
        log_odds += 0.1 * (converted - leads * rate) / (leads * rate * (1 - rate) + 5)
    return log_odds


def test_boosting_takes_sixty_newton_steps(capfd):
    """Two values of fifty leads in each half are two leaves; LightGBM prints nothing."""
    label, number = half_of_rates()
    trees = CrossFittedTrees(pd.DataFrame({"x": number}), [NUMBER], outcome_of(label))
    log_odds, gains = trees.cross_fit([NUMBER])

    assert log_odds == pytest.approx(boosted([(50, 10), (50, 40)], 0.5)[number.astype(int)], abs=1e-6)
    # the first step has a gain of 2 * 15 ** 2 / (12.5 + 5) in each half, later ones have less
    assert 2 * 25.7 < gains[NUMBER] < 60 * 2 * 25.8
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("leads", "differs"), [(20, True), (19, False)])
def test_a_leaf_has_twenty_leads(leads, differs):
    """Nineteen leads in each half are no leaf, whatever their rate is."""
    number = np.repeat([0.0, 1.0], [160, 2 * leads])
    label = np.r_[np.arange(160) < 16, np.arange(2 * leads) < 2 * leads - 4]
    trees = CrossFittedTrees(pd.DataFrame({"x": number}), [NUMBER], outcome_of(label))

    assert bool(np.ptp(trees.cross_fit([NUMBER])[0]) > 1e-6) is differs


def test_a_tree_has_four_leaves():
    """Of five values that convert by turns two share a leaf of each tree, so their log-odds move in smaller steps."""
    number = np.repeat(np.arange(5.0), 40)
    trees = CrossFittedTrees(pd.DataFrame({"x": number}), [NUMBER], outcome_of(number % 2))
    log_odds = trees.cross_fit([NUMBER])[0][::40]

    assert log_odds == pytest.approx(np.array([-0.96421, 0.45506, -1.17442, 0.42934, -0.97570]), abs=1e-4)


def test_the_same_fields_are_fitted_once_in_any_order():
    """Each field has its own gain, and only the fields that are asked for are used."""
    label, number = half_of_rates()
    noise = Field("noise", "number", "fit")
    trees = CrossFittedTrees(pd.DataFrame({"noise": number[::-1] * 0, "x": number}), [noise, NUMBER], outcome_of(label))
    both = trees.cross_fit([noise, NUMBER])

    assert trees.cross_fit([NUMBER, noise]) is both
    assert both[1] == {noise: 0.0, NUMBER: trees.cross_fit([NUMBER])[1][NUMBER]}
    assert trees.cross_fit([noise])[0] == pytest.approx(np.zeros(200), abs=1e-9)


def test_a_level_is_its_rate_in_the_half_that_is_fitted_on():
    """Twenty leads are added at the base rate; a level of less than twenty leads there has the base rate."""
    levels = np.repeat(["a", "b", "c"], [40, 38, 22])
    label = np.r_[np.arange(40) < 30, np.arange(38) < 6, np.arange(22) < 14]  # of both halves half
    field = Field("x", "category", "fit")
    frame = pd.DataFrame({"x": levels, "number": np.arange(100.0)})
    first, second = CrossFittedTrees(frame, [field, Field("number", "number", "fit")], outcome_of(label)).matrices

    assert first[:, 0] == pytest.approx(np.where(levels == "a", (15 + 20 * 0.5) / 40, 0.5))
    assert first.tolist() == second.tolist()
    assert first[:, 1].tolist() == list(range(100))


@pytest.mark.parametrize(
    ("scores", "dependence", "error"),
    [
        ("label", 1.0, 1 / 0.6),  # 0.6 / (0.6 * 1)
        ("number", 1 / 0.36, 1 / 0.36),  # 1 / (0.6 * 0.6)
        ("constant", 0.0, 1e9),
    ],
)
def test_a_copy_of_the_label_adds_all_that_a_number_lacks(scores, dependence, error):
    """A number with rates of 20% and 80% has an AUC of 0.8 and a correlation of 0.6 with the label."""
    label, number = half_of_rates()
    frame = pd.DataFrame({"x": number, "copy": label.astype(float)})
    copy = Field("copy", "number", "fit")
    values = {"label": frame["copy"].to_numpy(), "number": number, "constant": np.ones(200)}[scores]
    gain = CrossFittedTrees(frame, [NUMBER, copy], outcome_of(label)).auc_gain(copy, [NUMBER], values)
    # by half, 40 of each 50 leads have an influence of (0.9 - 0.8) / 50, and 10 one of (0.4 - 0.8) / 50
    standard_error = np.sqrt(2 * 2 * (40 * 0.1**2 + 10 * 0.4**2) / 50**2) / 2

    assert (gain.without_field, gain.with_field) == pytest.approx((0.8, 1.0), abs=1e-12)
    assert gain.standard_error == pytest.approx(standard_error, abs=1e-12)
    assert gain.dependence == pytest.approx(dependence, abs=1e-9)
    assert gain.dependence_error == pytest.approx(error / np.sqrt(200), rel=1e-9)
