from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import (
    BundleError,
    DataError,
    Fault,
    LeadmlError,
    MissingExtraError,
    ModelError,
    ParamsError,
    inert,
    quoted,
)


@given(st.text(st.characters(), max_size=100))
def test_untrusted_text_is_shown_as_one_short_printable_line(text):
    """Any text, surrogates included, is shown on one line of at most 60 printable characters."""
    shown = inert(text)
    assert shown.isprintable()
    assert len(shown) <= 60


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60))
def test_printable_text_is_shown_unchanged(text):
    """Letters, digits, punctuation and symbols are not escaped."""
    assert inert(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", "'a\\x1b[31mred'"),
        ("\r\nFAKE: line", "'\\r\\nFAKE: line'"),
        ("\u202etxt.exe", "'\\u202etxt.exe'"),
        ("\ud800", "'\\ud800'"),
        ("x" * 61, f"'{'x' * 59}…'"),
        (1.5, "'1.5'"),
    ],
)
def test_characters_that_control_a_terminal_are_escaped(text, shown):
    """Escape codes, line breaks, direction marks and surrogates are shown as their escape sequences."""
    assert quoted(text) == shown


def test_a_fault_is_one_line_whatever_the_name_of_its_column():
    """A line break in the name of a column does not break the line of its fault."""
    assert str(Fault("a.csv:3", "must be there", "x\ny")) == "a.csv:3: x\\ny must be there"
    assert str(Fault("a.csv:3", "must be there")) == "a.csv:3: must be there"


@pytest.mark.parametrize(("count", "last"), [(20, "f:20: bad"), (21, "and 1 more"), (1_520, "and 1,500 more faults")])
def test_at_most_twenty_lines_are_shown_and_the_other_faults_counted(count, last):
    """The message has the first twenty faults and the number of the others; ``faults`` has all of them."""
    error = DataError(Fault(f"f:{line}", f"bad {line}") for line in range(1, count + 1))
    lines = str(error).splitlines()
    assert lines[0] == "f:1: bad 1"
    assert lines[-1].startswith(last)
    assert len(lines) == min(count, 21)
    assert len(error.faults) == count


def test_faults_of_one_column_and_requirement_are_one_line_with_a_count():
    """The line shows the first location; another column or another requirement has its own line."""
    faults = [Fault(f"f:{line}", f"must be a time, got '{line}'", "a", requirement="time") for line in range(2, 32)]
    faults += [Fault("f:2", "must be a time, got '2'", "b", requirement="time"), Fault("f:3", "must be there", "a")]
    faults += [Fault("f:4", "must be there", "a", rows=1001)]
    error = DataError(faults)
    assert str(error).splitlines() == [
        "f:2: a must be a time, got '2'; the same in 29 more rows",
        "f:2: b must be a time, got '2'",
        "f:3: a must be there; the same in 1,001 more rows",
    ]
    assert error.faults == tuple(faults)


def test_counts_say_at_least_where_the_file_was_not_read_to_its_end():
    """Where reading stopped early, the message gives no exact total."""
    faults = [Fault("f:1", f"bad {n}", rows=2) for n in range(22)]
    lines = str(DataError(faults, complete=False)).splitlines()
    assert lines[0] == "f:1: bad 0; the same in at least 1 more row"
    assert lines[-1] == "and at least 2 more faults"


@pytest.mark.parametrize("error", [ParamsError, BundleError, ModelError, MissingExtraError, DataError])
def test_every_error_of_leadml_is_a_leadml_error(error):
    """The command line catches LeadmlError and no other class."""
    assert issubclass(error, LeadmlError)
