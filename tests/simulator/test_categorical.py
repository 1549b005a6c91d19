"""Categories of uniform random numbers: each as often as its probability says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadml.simulator.categorical import sample_categories

WEIGHTS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6).filter(lambda w: sum(w) > 0.1)


@given(WEIGHTS)
def test_each_category_has_the_share_of_numbers_that_its_probability_says(weights: list[float]) -> None:
    """Of evenly spaced numbers, to one of them."""
    probabilities = np.array(weights) / sum(weights)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    counts = np.bincount(sample_categories(uniform, probabilities), minlength=len(weights))

    assert np.abs(counts - 10_000 * probabilities).max() <= 1.01


@given(WEIGHTS, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=10).map(sorted))
def test_a_larger_number_never_has_an_earlier_category(weights: list[float], uniform: list[float]) -> None:
    """And there is a category for every number below 1, whatever rounding does to the sum."""
    categories = sample_categories(np.array(uniform), np.array(weights) / sum(weights))

    assert (np.diff(categories) >= 0).all()
    assert set(categories.tolist()) <= set(range(len(weights)))


def test_a_number_at_an_edge_is_in_the_next_category() -> None:
    """0 is in the first that has a probability, and the last has all numbers up to 1."""
    probabilities = np.array([0.0, 0.25, 0.25, 0.5])
    uniform = np.array([0.0, 0.25, 0.5, np.nextafter(1, 0)])

    assert sample_categories(uniform, probabilities).tolist() == [1, 2, 3, 3]
    assert sample_categories(uniform, np.tile(probabilities, (4, 1))).tolist() == [1, 2, 3, 3]


def test_each_row_has_a_distribution_of_its_own() -> None:
    """The same number falls into other categories; no numbers have none."""
    probabilities = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])

    assert sample_categories(np.full(3, 0.5), probabilities).tolist() == [0, 1, 2]
    assert sample_categories(np.empty(0), probabilities[:0]).tolist() == []
    assert sample_categories(np.empty(0), probabilities[0]).tolist() == []


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6).filter(lambda w: sum(w) > 0.1), st.integers(0, 99))
def test_one_distribution_for_all_gives_the_same_categories_as_one_per_row(weights, seed):
    """Both forms give the same categories, and never one of probability 0."""
    probabilities = np.array(weights) / sum(weights)
    uniform = np.random.default_rng(seed).random(200)
    categories = sample_categories(uniform, probabilities)
    np.testing.assert_array_equal(categories, sample_categories(uniform, np.tile(probabilities, (200, 1))))
    assert (probabilities[categories] > 0).all()
