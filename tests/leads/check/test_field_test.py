"""Tests of fields: ranges and levels, and missing values, for which none holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field_test import field_test_holds
from leadml.params import FieldTest

NUMBERS = st.lists(st.floats(-10, 10) | st.just(np.nan), max_size=20)
BOUND = st.floats(-10, 10)


@given(NUMBERS, BOUND, BOUND)
def test_a_range_has_both_its_ends_and_no_missing_value(values: list[float], one: float, other: float) -> None:
    """Each bound alone is a range that is open at the other end."""
    low, high = sorted((one, other))
    column = pd.Series(values, dtype=np.float64)
    for test in ({"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high}):
        expected = [test.get("at_least", -99) <= value <= test.get("at_most", 99) for value in values]
        assert field_test_holds(column, FieldTest(field="x", **test)).tolist() == expected


def test_a_level_is_one_of_those_listed() -> None:
    """A missing level is none of them."""
    column = pd.Series(["café", "tea", None], dtype=object)
    test = FieldTest(field="drink", any_of=("café", "milk"))
    assert field_test_holds(column, test).tolist() == [True, False, False]
