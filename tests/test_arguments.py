"""Arguments of the library: a wrong one is refused in words, by its name."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.arguments import file_path, mapping, require_suffix, whole_number
from leadml.errors import LeadmlError, ModelError


@given(value=st.integers(-50, 50), low=st.integers(-20, 20), high=st.none() | st.integers(-20, 20))
def test_a_whole_number_is_returned_where_it_is_in_its_range(value: int, low: int, high: int | None) -> None:
    """Both bounds are in it; anything else is refused."""
    if low <= value and (high is None or value <= high):
        for given_value in (value, np.int64(value), np.int8(value)):
            found = whole_number(given_value, "n", low=low, high=high)
            assert (found, type(found)) == (value, int)
        return
    allowed = f"{low} or more" if high is None else f"from {low} to {high}"
    with pytest.raises(LeadmlError, match=f"^n must be a whole number, {allowed}, got {value}$"):
        whole_number(value, "n", low=low, high=high)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "True"), (1.0, r"1\.0"), ("3", "'3'"), (None, "None"), ([1], "list"), ({}, "dict"), ("a\nb", r"'a\\nb'")],
)
def test_a_value_that_is_no_whole_number_is_refused(value: Any, shown: str) -> None:
    """True is none, though Python counts with it; of what may be long only the type is shown."""
    with pytest.raises(LeadmlError, match=f"^reasons must be a whole number, from 1 to 20, got {shown}$"):
        whole_number(value, "reasons", low=1, high=20)


def test_bounds_have_marks_between_thousands_and_errors_the_class_that_was_asked_for() -> None:
    """A very long text is cut."""
    with pytest.raises(ModelError, match=r"^draws must be a whole number, from 50 to 10,000, got 3$"):
        whole_number(3, "draws", low=50, high=10_000, error=ModelError)
    with pytest.raises(LeadmlError, match=r"1,000 or more, got 'x{58}…$"):
        whole_number("x" * 500, "n", low=1000)


@pytest.mark.parametrize("value", ["a/b.csv", Path("a/b.csv")])
def test_a_text_is_a_path(value: str | Path) -> None:
    """So is a path."""
    assert file_path(value, "file") == Path("a/b.csv")


@pytest.mark.parametrize("value", [1, None, b"a", ["a"], pd.DataFrame()])
def test_another_value_is_no_path(value: Any) -> None:
    """The message has its type and the hint."""
    with pytest.raises(
        LeadmlError, match=f"^file must be a path, got {type(value).__name__}; score a frame otherwise$"
    ):
        file_path(value, "file", "; score a frame otherwise")


@pytest.mark.parametrize("value", [{"a": 1, 2: 3}, OrderedDict([("a", 1), (2, 3)]), pd.Series({"a": 1, 2: 3})])
def test_any_mapping_is_a_dict_with_names(value: Any) -> None:
    """In its order; a series is one too."""
    assert list(mapping(value, "cuts", "{}", error=ModelError).items()) == [("a", 1), ("2", 3)]


@pytest.mark.parametrize(("value", "shown"), [([1], "list"), (None, "None"), (0.5, "0.5"), ("a", "'a'")])
def test_a_value_that_is_no_mapping_is_refused(value: Any, shown: str) -> None:
    """The message shows an example."""
    with pytest.raises(ModelError, match=rf'^cuts must be a mapping such as {{"MQL": 0.3}}, got {shown}$'):
        mapping(value, "cuts", '{"MQL": 0.3}', error=ModelError)


@pytest.mark.parametrize("name", ["a.html", "b/a.yml"])
def test_a_file_must_have_one_of_some_suffixes(name: str) -> None:
    """The message names them and the file."""
    require_suffix(Path(name), ".html", ".yml")
    with pytest.raises(LeadmlError, match=rf"^{name}: must end in \.yaml, \.csv or \.txt, got '{Path(name).name}'$"):
        require_suffix(Path(name), ".yaml", ".csv", ".txt")
    with pytest.raises(LeadmlError, match=r"must end in \.csv, got"):
        require_suffix(Path(name), ".csv")
