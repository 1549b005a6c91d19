from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.decimal_marks import decimal_mark

AMOUNTS = st.lists(st.decimals(-(10**8), 10**8, places=2), min_size=1, max_size=6)


def _written(amount, decimal, *, grouped=True):
    text = f"{amount:,.2f}" if grouped else f"{amount:.2f}"
    return text if decimal == "." else text.translate(str.maketrans(",.", ".,"))


@given(AMOUNTS, st.sampled_from(".,"), st.booleans(), st.sampled_from(["{}", "{} €", "EUR {}", "{} %"]))
def test_two_decimals_say_the_mark(amounts, decimal, grouped, form):
    """Whether thousands are grouped, and what stands around the number, changes no verdict."""
    found = decimal_mark([form.format(_written(amount, decimal, grouped=grouped)) for amount in amounts])
    assert (found.decimal, found.sure, found.against) == (decimal, True, ())


@given(AMOUNTS, st.lists(st.sampled_from(["1.167", "2,340", "soon", None, "", "7", "1-2"])))
def test_a_verdict_that_is_sure_does_not_depend_on_groups_of_three_and_words(amounts, others):
    """Values that could be read either way say nothing where another one can only be read one way."""
    found = decimal_mark([*(_written(amount, ",") for amount in amounts), *others])
    assert (found.decimal, found.sure) == (",", True)


@pytest.mark.parametrize(
    ("texts", "decimal", "sure"),
    [
        (["1.234.567"], ",", True),
        (["1,234,567"], ".", True),
        (["12,34,567"], ".", True),
        (["1.234,567"], ",", True),
        (["1,234.567"], ".", True),
        (["1,5"], ",", True),
        (["1.1675"], ".", True),
        (["5."], ".", True),
        (["0,125"], ",", True),
        ([".125"], ".", True),
        (["1500,000"], ",", True),
        (["1 234,567"], ",", True),
        (["1.167e3"], ".", True),
        (["1,167", "2,340"], ".", False),
        (["1.167", "2.340", "12"], ",", False),
        (["1.167", "1500"], ".", False),
        (["1,167", "1500 €"], ",", False),
        (["1.234,50", "1.167"], ",", True),
    ],
)
def test_a_mark_is_judged_by_how_it_stands(texts, decimal, sure):
    """Each line is one rule."""
    found = decimal_mark(texts)
    assert (found.decimal, found.sure, found.against) == (decimal, sure, ())


@pytest.mark.parametrize("texts", [[], ["5", "12", "1500"], ["soon", None], ["1.2.3", "12,34,5", "1,,5"], ["1 167"]])
def test_a_column_without_a_mark_stays_open(texts):
    """Both marks fit, so that another column or somebody must say it."""
    assert decimal_mark(texts) is None


@pytest.mark.parametrize(
    ("texts", "decimal", "against"),
    [
        (["1.5", "2.5", "1,5"], ".", ("1,5",)),
        (["1,5", "1.234.567", "1.50"], ",", ("1.50",)),
        (["1.167", "1,167", "2,167"], ".", ("1.167",)),
    ],
)
def test_a_column_that_contradicts_itself_says_with_which_values(texts, decimal, against):
    """The majority gives the mark, and it is not sure, so that a caller can refuse."""
    found = decimal_mark(texts)
    assert (found.decimal, found.sure, found.against) == (decimal, False, against)


def test_examples_are_values_as_they_are_written():
    """At most three different ones are shown."""
    assert decimal_mark(["1,5 €"] * 9 + ["2,5 €", "3,5 €", "4,5 €"]).examples == ("1,5 €", "2,5 €", "3,5 €")
