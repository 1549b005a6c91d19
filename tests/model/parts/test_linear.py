from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from tests.linear_leads import fit_linear

from leadml.model.parts.linear import REACHES, LinearPart, Term, make_terms, weighted_sum


@pytest.fixture(scope="module")
def matrix():
    """Return three columns: a skewed number with missing values, a flag and a constant."""
    random = np.random.default_rng(1)
    number = random.exponential(2.0, 500)
    number[::7] = np.nan
    return np.column_stack([number, random.random(500) < 0.3, np.full(500, 4.0)])


@pytest.fixture(scope="module")
def label(matrix):
    """Return labels that depend on the first two columns."""
    probability = expit(np.nan_to_num(matrix[:, 0]) + 2 * matrix[:, 1] - 2)
    return (np.random.default_rng(2).random(500) < probability).astype(np.int8)


@pytest.fixture(scope="module")
def terms(matrix):
    """Return the terms of the columns."""
    return make_terms(matrix, np.array([False, True, False]))


@pytest.fixture(scope="module")
def part(matrix, label, terms):
    """Return the fitted linear part."""
    return fit_linear(matrix, label, terms, strength=0.5)


def test_a_number_has_a_line_knees_and_a_flag_for_missing_values(terms):
    """There is a knee at each fifth of the rows; a constant has no term."""
    assert [(term.column, term.shape) for term in terms] == [
        (0, "line"), (0, "knee"), (0, "knee"), (0, "knee"), (0, "knee"), (0, "missing"), (1, "flag"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "shapes"),
    [
        ([1.0, 1.0, 1.0], []),
        ([1.0, np.nan, 1.0], ["missing"]),
        ([np.nan] * 3, ["missing"]),
        ([0.0] * 9 + [1.0], ["line"]),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], ["line", "knee", "knee", "knee", "knee"]),
    ],
)
def test_knees_are_only_where_values_lie_on_both_sides(column, shapes):
    """A knee at an end would repeat the line; a constant has no term."""
    terms = make_terms(np.array(column)[:, None], np.array([False]))
    assert [term.shape for term in terms] == shapes


def test_terms_are_centered_on_the_rows_that_they_are_made_from(matrix, terms):
    """The mean of each term over those rows is 0, so that the base is the log-odds of the mean row."""
    means = [term.values(matrix[:, term.column]).mean() for term in terms]
    assert means == pytest.approx([0.0] * len(terms), abs=1e-12)


def test_contributions_and_base_add_up_to_the_margin(part, matrix):
    """The contributions of all columns are the log-odds without the base."""
    total = part.base + part.contributions(matrix).sum(axis=1)
    assert np.abs(total - part.margin(matrix)).max() < 1e-12


def test_the_gradient_of_the_penalised_loss_is_0_at_the_fit(part, matrix, label, terms):
    """The penalty is half the squared coefficients over the strength."""
    design = np.column_stack([term.values(matrix[:, term.column]) for term in terms])
    error = expit(part.margin(matrix)) - label
    coefficients = np.array([term.coefficient for term in part.terms])
    assert np.abs(design.T @ error + coefficients / 0.5).max() < 1e-4
    assert abs(error.sum()) < 1e-4


def test_a_higher_strength_gives_larger_coefficients(matrix, label, terms):
    """The penalty falls as the strength rises."""
    sizes = [
        sum(term.coefficient**2 for term in fit_linear(matrix, label, terms, strength=strength).terms)
        for strength in (0.001, 0.1, 10.0)
    ]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("reach", REACHES)
def test_extreme_values_are_clipped_at_the_reach(matrix, label, reach, sign):
    """Values beyond the reach of the last knee give the same log-odds, and values within other ones."""
    part = fit_linear(matrix, label, make_terms(matrix, np.array([False, True, False]), reach=reach), strength=0.5)
    line, *knees = (term for term in part.terms if term.has_slope)
    last = max(abs(knee.origin - line.origin) / line.scale for knee in knees)
    rows = np.tile(matrix[:1], (5, 1))
    deviations = [reach + last + 0.01, 1e9, 1e300, reach - 0.01, reach - 0.02]
    rows[:, 0] = line.origin + sign * line.scale * np.array(deviations)
    assert len(set(part.margin(rows)[:3].tolist())) == 1
    assert len(set(part.margin(rows)[2:].tolist())) == 3


def test_a_missing_number_contributes_by_its_missing_term_alone(part, matrix):
    """All other terms of the number are at their mean, so 0."""
    row = np.array([[np.nan, 0.0, 4.0]])
    missing = next(term for term in part.terms if term.shape == "missing")
    expected = missing.coefficient * (1.0 - missing.center)
    assert part.contributions(row)[0, 0] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("rows", [1, 7])
def test_chunks_give_the_bits_of_all_rows(part, matrix, rows):
    """The log-odds of a row do not depend on the other rows."""
    chunks = [part.margin(matrix[first : first + rows]) for first in range(0, len(matrix), rows)]
    assert np.array_equal(np.concatenate(chunks), part.margin(matrix))


def test_a_part_with_one_line_is_linear_between_its_ends():
    """Base, center, scale and coefficient give the log-odds by hand."""
    part = LinearPart(0.5, (Term(0, "line", origin=2.0, scale=4.0, center=0.25, coefficient=3.0),))
    assert part.margin(np.array([[2.0], [6.0]])).tolist() == [0.5 - 0.75, 0.5 + 3.0 * 0.75]


def test_a_linear_part_is_the_same_after_json_to_the_bit(part, matrix):
    """What is written is what is read."""
    again = LinearPart.from_json(json.loads(json.dumps(part.to_json())))
    assert again == part
    assert again != replace(part, base=part.base + 1e-12)


def test_a_row_of_weight_two_counts_as_two_rows(matrix, label):
    """The fit of doubled rows is that of rows with weight two."""
    terms = make_terms(matrix, np.array([False, True, False]))
    twice = np.where(np.arange(500) < 100, 2.0, 1.0)
    doubled = np.concatenate([np.arange(500), np.arange(100)])
    weighted = fit_linear(matrix, label, terms, strength=0.5, weight=twice)
    assert weighted.margin(matrix) == pytest.approx(
        fit_linear(matrix[doubled], label[doubled], terms, strength=0.5).margin(matrix), abs=1e-7
    )


def test_without_terms_the_base_is_the_weighted_rate():
    """Without columns the base is the log-odds of the weighted rate."""
    part = fit_linear(np.empty((4, 0)), np.array([0, 0, 0, 1]), (), strength=1.0, weight=np.array([0.5, 0.5, 0.5, 2.5]))
    assert expit(part.base) == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("direction", [1, -1])
def test_log_odds_never_move_against_a_declared_direction(matrix, label, direction):
    """The log-odds of the number only rise, or only fall, and no part with that sign has less penalised loss."""
    directions = np.array([direction, 0, 0])
    terms = make_terms(matrix, np.array([False, True, False]), directions)
    part = fit_linear(matrix, label, terms, strength=0.5)
    rows = np.column_stack([np.linspace(-20, 40, 400), np.zeros(400), np.full(400, 4.0)])
    assert (direction * np.diff(part.margin(rows))).min() >= -1e-12

    design = np.column_stack([term.values(matrix[:, term.column]) for term in part.terms])
    gradient = design.T @ (expit(part.margin(matrix)) - label)
    gradient += np.array([term.coefficient for term in part.terms]) / 0.5
    for term, slope in zip(part.terms, gradient, strict=True):
        at_bound = term.direction and term.coefficient == 0
        assert direction * slope > -1e-3 if at_bound else abs(slope) < 1e-3


def test_a_weighted_sum_of_parts_has_the_weighted_sum_of_their_margins(matrix, label, terms):
    """Margins are weighted like the coefficients."""
    parts = [fit_linear(matrix, label, terms, strength=strength) for strength in (0.01, 1.0)]
    total = weighted_sum([(parts[0], 0.25), (parts[1], 0.5)])
    expected = 0.25 * parts[0].margin(matrix) + 0.5 * parts[1].margin(matrix)
    assert np.abs(total.margin(matrix) - expected).max() < 1e-12


def test_a_sum_of_two_reaches_adds_up_the_terms_that_both_have(matrix, label):
    """Flags and missing values have one term, lines and knees two of different reach."""
    parts = [
        fit_linear(matrix, label, make_terms(matrix, np.array([False, True, False]), reach=reach), strength=0.5)
        for reach in REACHES
    ]
    total = weighted_sum([(parts[0], 0.3), (parts[1], 0.7)])
    expected = 0.3 * parts[0].margin(matrix) + 0.7 * parts[1].margin(matrix)
    assert np.abs(total.margin(matrix) - expected).max() < 1e-12
    assert sorted(term.shape for term in total.terms) == ["flag", *["knee"] * 8, "line", "line", "missing"]
