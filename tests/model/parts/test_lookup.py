"""Look-up tables: what each field adds alone and together with others, as a plain loop finds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.model.parts.lookup import MOST_ROWS, Lookup, LookupTable, ShapeFunction

EDGES = np.array([0.0, 1.0, 3.0])
FLAT = ShapeFunction(EDGES, np.array([0.1, 0.2, 0.3, 0.4, -0.5]), np.zeros(5), np.zeros(5), is_number=True)
STEEP = ShapeFunction(
    EDGES,
    constants=np.array([0.0, 0.0, 1.0, 1.5, 0.7]),
    slopes=np.array([0.0, 1.0, 0.25, 0.0, 0.0]),
    anchors=np.array([0.0, 0.0, 1.0, 0.0, 0.0]),
    is_number=True,
)
CATEGORY = ShapeFunction(np.empty(0), np.array([0.5, -0.5, 0.0]), np.zeros(3), np.zeros(3), is_number=False)
TABLE = LookupTable(
    (0, 2),
    (np.array([0, 0, 3, 3, 6]), np.array([0, 1, 2])),
    np.random.default_rng(0).normal(size=(2, 9)),
)
LOOKUP = Lookup(-1.5, (FLAT, STEEP, CATEGORY), (TABLE,), (4, 7))


def _rows(size: int, seed: int = 0) -> np.ndarray:
    """Return values at, between and beyond the edges, missing ones, and codes of a category."""
    random = np.random.default_rng(seed)
    numbers = random.choice([-np.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, np.inf, np.nan], (size, 2))
    return np.column_stack([numbers, random.integers(0, 3, size)]).astype(float)


def _code(function: ShapeFunction, value: float) -> int:
    if not function.is_number:
        return int(value)
    return len(function.edges) + 1 if np.isnan(value) else sum(edge < value for edge in function.edges)


@given(st.lists(st.floats(), min_size=1, max_size=20).map(np.array))
def test_the_code_of_a_number_counts_the_edges_below_it(values: np.ndarray) -> None:
    """A number at an edge is below it, and a missing one has the last code."""
    assert FLAT.codes(values).tolist() == [_code(FLAT, value) for value in values]
    assert FLAT.log_odds(values, FLAT.codes(values)).tolist() == [FLAT.constants[_code(FLAT, v)] for v in values]


def test_the_code_of_a_category_is_its_level() -> None:
    """It has no edges."""
    codes = CATEGORY.codes(np.array([2.0, 0.0, 1.0]))

    assert codes.tolist() == [2, 0, 1]
    assert CATEGORY.log_odds(np.array([2.0, 0.0, 1.0]), codes).tolist() == [0.0, 0.5, -0.5]


@pytest.mark.parametrize(
    ("value", "log_odds"),
    [(-9, 0), (0, 0), (0.5, 0.5), (1, 1), (2, 1.25), (3, 1.5), (9, 1.5), (np.inf, 1.5), (-np.inf, 0), (np.nan, 0.7)],
)
def test_a_slope_adds_to_the_constant_as_far_as_it_reaches(value: float, log_odds: float) -> None:
    """Beyond the steep part the function is flat, so that no value gives infinite log-odds."""
    values = np.array([value], dtype=float)

    assert STEEP.sloped_range == (0.0, 3.0)
    assert FLAT.sloped_range is None
    assert STEEP.log_odds(values, STEEP.codes(values)).tolist() == [log_odds]


def test_contributions_are_those_of_a_plain_loop() -> None:
    """Of each row: what each field adds alone, and its share of the cell that the fields of a table choose."""
    rows = _rows(300)
    expected = np.zeros((300, 3))
    for at, row in enumerate(rows):
        codes = [_code(function, value) for function, value in zip(LOOKUP.shape_functions, row, strict=True)]
        for field, (function, value, code) in enumerate(zip(LOOKUP.shape_functions, row, codes, strict=True)):
            expected[at, field] = function.log_odds(np.array([value]), np.array([code]))[0]
        cell = TABLE.offsets[0][codes[0]] + TABLE.offsets[1][codes[2]]
        expected[at, [0, 2]] += TABLE.values[:, cell]

    assert LOOKUP.contributions(rows).tolist() == expected.tolist()


def test_contributions_of_a_row_do_not_depend_on_others_or_on_threads() -> None:
    """To the bit, with more rows than one block has; no rows have none."""
    rows = _rows(MOST_ROWS + 500)
    expected = LOOKUP.contributions(rows, threads=1)

    assert np.array_equal(LOOKUP.contributions(rows, threads=2), expected)
    order = np.random.default_rng(1).permutation(len(rows))
    assert np.array_equal(LOOKUP.contributions(rows[order], threads=2), expected[order])
    parts = [LOOKUP.contributions(rows[first : first + 7]) for first in range(0, 70, 7)]
    assert np.array_equal(np.concatenate(parts), expected[:70])


def test_the_size_counts_every_number() -> None:
    """Four for each code of a field, and one for each cell and field of a table."""
    assert LOOKUP.size == 4 * (5 + 5 + 3) + 2 * 9
    assert Lookup(0.0, (), ()).size == 0
