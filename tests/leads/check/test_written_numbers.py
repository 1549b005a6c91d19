from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.convert import numbers
from leadml.leads.check.written_numbers import parts_of_numbers, plain_numbers, well_formed
from leadml.leads.read.files import Dialect

AMOUNTS = st.decimals(-(10**9), 10**9, places=2)
SEPARATORS = {".": [",", " ", "\u00a0", "\u202f", "'", "\u2019"], ",": [".", " ", "\u00a0", "\u202f", "'", "\u2019"]}
FORMS = ["{}", "{} €", "€ {}", "EUR {}", "{}\u00a0kr", "US$ {}", "$ {}"]
NEGATIVES = ["-{}", "({})", "{}-", "\u2212{}"]


def _read(text, decimal="."):
    (value,), (bad,) = numbers(pa.chunked_array([[text]]), Dialect(decimal=decimal))
    return None if bad else float(value)


@given(AMOUNTS, st.sampled_from(".,"), st.data())
def test_a_number_is_the_same_however_it_is_written(amount, mark, data):
    """Groups, currencies and signs change no digit of a value."""
    separator, form = data.draw(st.sampled_from(SEPARATORS[mark])), data.draw(st.sampled_from(FORMS))
    digits = f"{abs(amount):,.2f}".replace(",", "_").replace(".", mark).replace("_", separator)
    written = form.format(digits)
    if amount < 0:
        written = data.draw(st.sampled_from(NEGATIVES)).format(written)
    assert _read(written, mark) == float(amount)


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_a_percentage_is_exactly_the_share_that_a_spreadsheet_stores(digits, places):
    """The exponent is shifted in the text, so that no division rounds."""
    text = f"{digits / 10**places:.{places}f}"
    assert _read(f"{text}%") == float(f"{text}e-2")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,167", 1167), ("1,234.50", 1234.5), ("12,34,567.00", 1_234_567), ("1 167", 1167), ("1'167.50", 1167.5),
        ("EUR 1,234.50", 1234.5), ("$1,234", 1234), ("US$ 5", 5), ("CHF 1'200", 1200), ("1200 kr", 1200),
        ("12.5%", 0.125), ("12.5 %", 0.125), ("(1,234.50)", -1234.5), ("-€5", -5), ("€ -5", -5), ("5-", -5),
        ("\u22125", -5), ("(5%)", -0.05), ("1e5", 1e5), ("+5 €", 5), ("¥5", 5), ("5 円", 5), ("100zł", 100),
    ],
)  # fmt: skip
def test_a_number_with_a_decimal_point_is_read(text, value):
    """Each of these ways of writing has one meaning."""
    assert _read(text) == value


@pytest.mark.parametrize(("text", "value"), [("1.167", 1167), ("1.234,50 €", 1234.5), ("1 167,5", 1167.5)])
def test_a_number_with_a_decimal_comma_is_read(text, value):
    """A point between groups of three is for thousands."""
    assert _read(text, ",") == value


@pytest.mark.parametrize(
    "text",
    [
        "1,16", "12,34,5", "0,123", "1,1167", ",123", "1,,167", "1 16", "1 167'000", "1,234e5", "12 apples", "12 cup",
        "eur 5", "$5 EUR", "5% €", "(-5)", "--5", "-5-", "(5", "5)", "$", "%", "()", "R5", "TOP10", "5EUR", "EUR5",
        "EUR-5", "1-5", "555-1234", "1,234,56", "1,23,45", "12.5%%",
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_no_number(text):
    """Broken groups, two signs or units, words, and codes of letters and digits are refused."""
    assert _read(text) is None
    assert plain_numbers(pa.chunked_array([[text]]), ".").to_pylist() == [None]


def test_numbers_of_all_ways_stand_in_one_column():
    """A value is read alike whatever the others are; missing and infinite values stay missing."""
    texts = ["1.5", "1,167", None, "inf", "12%", "soon", "", "(2)"]
    values, bad = numbers(pa.chunked_array([texts[:3], texts[3:]]), Dialect())
    np.testing.assert_array_equal(values, [1.5, 1167, np.nan, np.nan, 0.12, np.nan, np.nan, -2])
    assert bad.tolist() == [False] * 5 + [True, False, False]


def test_the_parts_of_a_number_are_its_body_its_sign_and_its_percent_sign():
    """The body keeps its marks, so that they can be judged."""
    parts = parts_of_numbers(pa.chunked_array([["(1.234,50)", "5 %", "no"]])).to_pydict()
    assert parts["body"] == ["1.234,50", "5", None]
    assert parts["is_negative"][:2] == [True, False]
    assert parts["is_percent"][:2] == [False, True]


def test_groups_of_lakhs_are_for_the_decimal_point_only():
    """India writes a point before decimals; with a comma such groups are a mistake."""
    assert pa.compute.match_substring_regex("12,34,567", f"^(?:{well_formed('.')})$").as_py()
    assert not pa.compute.match_substring_regex("12.34.567", f"^(?:{well_formed(',')})$").as_py()
