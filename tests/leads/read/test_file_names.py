from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.read.file_names import SHOWN_SUFFIXES, SUFFIXES, is_passed_over, suffix_of


@given(st.sampled_from(SUFFIXES), st.text(max_size=5), st.data())
def test_a_suffix_is_known_in_any_case(suffix, stem, data):
    """Windows writes FEB.CSV, and people Feb.Csv."""
    written = "".join(data.draw(st.sampled_from((mark, mark.upper()))) for mark in suffix)
    assert suffix_of(f"{stem}{written}") == suffix


def test_what_is_shown_names_every_suffix():
    """A message shows what can be read."""
    for suffix in SUFFIXES:
        assert suffix.removesuffix(".gz") in SHOWN_SUFFIXES


@pytest.mark.parametrize("name", ["leads", "leads.xlsb", "leads.csv.zip.gz", "leads.parquet.gz", "leads.json", "csv"])
def test_another_suffix_is_none_that_can_be_read(name):
    """Formats that are read badly or not at all, and names without a suffix."""
    assert suffix_of(name) is None


@pytest.mark.parametrize("name", ["leads.csv", "part.csv", "tmp", "_feb.csv", "a~$b.csv", "thumbs.db.csv", "read.me"])
def test_a_file_of_a_person_is_not_passed_over(name):
    """It is read or refused."""
    assert not is_passed_over(name)
