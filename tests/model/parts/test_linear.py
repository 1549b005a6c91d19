from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from leadml.model.parts.linear import LinearPart, Term, fit_linear, plan_terms, weighted_sum


@pytest.fixture(scope="module")
def matrix():
    """Return three columns: a skewed number with gaps, a flag and a constant."""
    random = np.random.default_rng(1)
    number = random.exponential(2.0, 500)
    number[::7] = np.nan
    return np.column_stack([number, random.random(500) < 0.3, np.full(500, 4.0)])


@pytest.fixture(scope="module")
def label(matrix):
    """Return labels that depend on the first two columns."""
    chance = expit(np.nan_to_num(matrix[:, 0]) + 2 * matrix[:, 1] - 2)
    return (np.random.default_rng(2).random(500) < chance).astype(np.int8)


@pytest.fixture(scope="module")
def terms(matrix):
    """Return the terms of the columns."""
    return plan_terms(matrix, np.array([False, True, False]))


@pytest.fixture(scope="module")
def part(matrix, label, terms):
    """Return the fitted linear part."""
    return fit_linear(matrix, label, terms, strength=0.5)


def test_a_number_is_a_line_with_knees_and_a_gap(terms):
    """A number has a line, a knee at each fifth and a flag where missing; a constant has nothing."""
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
def test_knees_stand_only_where_values_lie_on_both_sides(column, shapes):
    """A knee at an end would repeat the line; a number that never changes says nothing."""
    planned = plan_terms(np.array(column)[:, None], np.array([False]))
    assert [term.shape for term in planned] == shapes


def test_terms_are_centered_on_the_leads_they_were_planned_on(matrix, terms):
    """The mean of each term over those leads is 0, so that the base is the mean lead."""
    means = [term.values(matrix[:, term.column]).mean() for term in terms]
    assert means == pytest.approx([0.0] * len(terms), abs=1e-12)


def test_contributions_and_base_add_up_to_the_margin(part, matrix):
    """Nothing of the log-odds is lost on the way to the columns."""
    total = part.base + part.contributions(matrix).sum(axis=1)
    assert np.abs(total - part.margin(matrix)).max() < 1e-12


def test_the_fit_is_where_the_penalised_loss_is_flat(part, matrix, label, terms):
    """At the least loss its gradient is 0: by hand, with half the squared coefficients over the strength."""
    design = np.column_stack([term.values(matrix[:, term.column]) for term in terms])
    error = expit(part.margin(matrix)) - label
    coefficients = np.array([term.coefficient for term in part.terms])
    assert np.abs(design.T @ error + coefficients / 0.5).max() < 1e-4
    assert abs(error.sum()) < 1e-4


def test_a_stronger_trust_gives_larger_coefficients(matrix, label, terms):
    """The penalty falls as the strength rises."""
    sizes = [
        sum(term.coefficient**2 for term in fit_linear(matrix, label, terms, strength=strength).terms)
        for strength in (0.001, 0.1, 10.0)
    ]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_far_value_counts_as_five_deviations(part, matrix, sign):
    """One far value cannot carry a lead away."""
    line = part.terms[0]
    rows = np.tile(matrix[:1], (3, 1))
    rows[:, 0] = line.origin + sign * line.scale * np.array([12.0, 1e9, 1e300])
    assert len(set(part.margin(rows).tolist())) == 1


def test_a_missing_number_stands_at_the_mean_but_for_its_own_term(part, matrix):
    """Of a missing number only the term "missing" speaks."""
    gap = np.array([[np.nan, 0.0, 4.0]])
    missing = next(term for term in part.terms if term.shape == "missing")
    expected = missing.coefficient * (1.0 - missing.center)
    assert part.contributions(gap)[0, 0] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("rows", [1, 7])
def test_a_lead_has_the_same_bits_in_any_company(part, matrix, rows):
    """Margins in chunks are the margins of the whole."""
    chunks = [part.margin(matrix[first : first + rows]) for first in range(0, len(matrix), rows)]
    assert np.array_equal(np.concatenate(chunks), part.margin(matrix))


def test_the_order_of_a_sum_of_terms_is_theirs():
    """A part of one line is a straight line between its ends."""
    part = LinearPart(0.5, (Term(0, "line", origin=2.0, scale=4.0, center=0.25, coefficient=3.0),))
    assert part.margin(np.array([[2.0], [6.0]])).tolist() == [0.5 - 0.75, 0.5 + 3.0 * 0.75]


def test_a_linear_part_survives_json_to_the_bit(part, matrix):
    """What is stored is what is read."""
    again = LinearPart.from_json(json.loads(json.dumps(part.to_json())))
    assert again == part
    assert again != replace(part, base=part.base + 1e-12)


def test_a_lead_that_counts_twice_is_two_leads(matrix, label):
    """Weights are counts: the fit of doubled leads is that of leads with weight two."""
    terms = plan_terms(matrix, np.array([False, True, False]))
    twice = np.where(np.arange(500) < 100, 2.0, 1.0)
    doubled = np.concatenate([np.arange(500), np.arange(100)])
    weighed = fit_linear(matrix, label, terms, strength=0.5, weight=twice)
    assert weighed.margin(matrix) == pytest.approx(
        fit_linear(matrix[doubled], label[doubled], terms, strength=0.5).margin(matrix), abs=1e-7
    )


def test_without_terms_the_base_is_the_weighted_rate():
    """No column, no term: log-odds of the rate."""
    part = fit_linear(np.empty((4, 0)), np.array([0, 0, 0, 1]), (), strength=1.0, weight=np.array([0.5, 0.5, 0.5, 2.5]))
    assert expit(part.base) == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_declared_direction_is_kept_everywhere(matrix, label, direction):
    """The log-odds of the number only rise, or only fall, and no part of that sign loses less."""
    directions = np.array([direction, 0, 0])
    terms = plan_terms(matrix, np.array([False, True, False]), directions)
    part = fit_linear(matrix, label, terms, strength=0.5)
    rows = np.column_stack([np.linspace(-20, 40, 400), np.zeros(400), np.full(400, 4.0)])
    assert (direction * np.diff(part.margin(rows))).min() >= -1e-12

    design = np.column_stack([term.values(matrix[:, term.column]) for term in part.terms])
    slope = design.T @ (expit(part.margin(matrix)) - label)
    slope += np.array([term.coefficient for term in part.terms]) / 0.5
    for term, one in zip(part.terms, slope, strict=True):
        held = term.direction and term.coefficient == 0
        assert direction * one > -1e-3 if held else abs(one) < 1e-3


def test_a_sum_of_parts_has_the_sum_of_their_margins(matrix, label, terms):
    """Each times its weight."""
    parts = [fit_linear(matrix, label, terms, strength=strength) for strength in (0.01, 1.0)]
    together = weighted_sum([(parts[0], 0.25), (parts[1], 0.5)])
    expected = 0.25 * parts[0].margin(matrix) + 0.5 * parts[1].margin(matrix)
    assert np.abs(together.margin(matrix) - expected).max() < 1e-12
