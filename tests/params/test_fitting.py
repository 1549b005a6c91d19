"""The columns of a person: an e-mail address, or a telephone number and a name."""

from __future__ import annotations

import pytest

from leadml.params.fitting import PersonColumns, SplitParams


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({}, ()),
        ({"email": "mail"}, ("mail",)),
        ({"email": "mail", "name": "who"}, ("mail", "who")),
        ({"phone": "tel", "name": "who"}, ("tel", "who")),
    ],
)
def test_the_declared_columns_are_in_one_order(columns: dict[str, str], names: tuple[str, ...]) -> None:
    """E-mail address, telephone number, name."""
    assert SplitParams(same_person=columns).same_person.columns == names
    assert PersonColumns(**columns).columns == names


@pytest.mark.parametrize("alone", ["phone", "name"])
def test_one_column_that_says_too_little_is_refused(alone: str) -> None:
    """Colleagues share a telephone number, namesakes a name."""
    with pytest.raises(ValueError, match=r"split\.same_person must have email, or both phone and name, got one column"):
        SplitParams(same_person={alone: "column"})
