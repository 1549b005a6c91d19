"""Grades follow from the points and the quartiles of the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.stages.grades import GradeBands, grade_bands, grades

POINTS = st.lists(st.floats(-50, 50), min_size=8, max_size=60)


@given(POINTS, POINTS)
def test_more_points_never_give_a_worse_grade(fit, engagement):
    """Grades are monotone in the points of each group."""
    bands = grade_bands(np.array(fit), np.array(engagement))
    for points, place, best_first in ((sorted(fit, reverse=True), 0, "ABCD"), (sorted(engagement), 1, "4321")):
        column = np.array(points)
        given_grades = [grade[place] for grade in grades(column, column, bands)]
        assert [best_first.index(grade) for grade in given_grades] == sorted(map(best_first.index, given_grades))


@pytest.mark.parametrize("size", [8, 100, 1000])
def test_each_quarter_of_the_reference_has_its_grade(size):
    """If all points differ, each letter and each digit has a quarter of the reference leads."""
    points = np.random.default_rng(0).permutation(size) * 1.5 - 20
    given_grades = grades(points, -points, grade_bands(points, -points))
    for place, names in ((0, "ABCD"), (1, "1234")):
        assert {name: sum(grade[place] == name for grade in given_grades) for name in names} == dict.fromkeys(
            names, size // 4
        )
    assert given_grades[np.argmax(points)] == "A4"


@pytest.mark.parametrize("share", [0.8, 0.9, 0.99])
def test_tied_lowest_points_do_not_get_the_best_grade(share):
    """If most leads share the lowest points, leads with more points have the better grade."""
    points = np.where(np.arange(1000) < 1000 * share, -1.0, 5.0)
    low, high = grades(np.array([-1.0, 5.0]), np.array([-1.0, 5.0]), grade_bands(points, points))
    assert high == "A1"
    assert low[0] > "A"
    assert low[1] > "1"


def test_a_group_without_fields_has_no_grade():
    """The grade has no placeholder for it: a spreadsheet would read a dash as a formula."""
    points = np.arange(8.0)
    bands = grade_bands(points, None)
    assert bands == GradeBands((1.75, 3.5, 5.25), ())
    assert grades(points, np.zeros(8), bands).tolist() == ["D", "D", "C", "C", "B", "B", "A", "A"]
    assert grades(points[:1], points[:1], grade_bands(None, None)).tolist() == [""]


def test_empty_arrays_give_empty_grades():
    """Also the shape of the result is (0,)."""
    none = np.empty(0)
    assert grades(none, none, GradeBands((0.0, 1.0, 2.0), ())).shape == (0,)
