from __future__ import annotations

import pytest

from leadml.leads.judge.pii import find_pii


@pytest.mark.parametrize(
    ("values", "data"),
    [
        (["ada@example.org", " bob@example.co.uk "], "e-mail addresses"),
        (["+32 2 123 45 67", "(02) 123-4567", "0123456789"], "telephone numbers"),
        (["06.12.34.56.78", "06-99-34-56-70"], "telephone numbers"),
        (["BE68539007547034", "GB82WEST12345698765432"], "IBANs"),
        (["192.168.1.1", "8.8.8.8"], "IP addresses"),
        (["10.0.12.1", "10.1.22.30"], "IP addresses"),
        (["ada@example.org", "none", "x@y.z"], "e-mail addresses"),
    ],
)
def test_personal_data_are_recognised_by_their_pattern(values, data):
    """More than half of the values must match the pattern of addresses or numbers of people."""
    assert find_pii("field_7", values) == data


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["cellular", "telephone"],
        ["ada@example.org", "none"],
        ["2024-01-02", "2024-01-02 10:00:00", "2024-01-02T10:00:00Z"],
        ["01/02/2024", "31.12.2023", "1-2-24"],
        ["0.015873016", "0.066666667"],
        ["1234567.89", "-1234567,89"],
        ["BE", "FR"],
        ["12345", "67890"],
    ],
)
def test_words_dates_and_numbers_are_not_personal(values):
    """Levels, dates in any order and numbers with decimals match no pattern."""
    assert find_pii("field_7", values) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("E-Mail", "e-mail addresses"),
        ("Phone Number", "telephone numbers"),
        (" first name ", "names of people"),
        ("ZIP", "addresses"),
        ("Gender", "protected traits"),
        ("product_name", None),
        ("emails_opened", None),
    ],
)
def test_personal_data_are_recognised_by_the_name_of_their_column(name, data):
    """Case, blanks and hyphens do not matter; a name that only contains such a word is not enough."""
    assert find_pii(name, ["x", "y"]) == data
