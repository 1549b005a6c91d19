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
def test_a_strangers_text_is_shown_printable_and_short(text):
    """Whatever the text, surrogates too, what is shown prints on one line of at most 60 characters."""
    shown = inert(text)
    assert shown.isprintable()
    assert len(shown) <= 60


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60))
def test_a_harmless_text_is_shown_as_it_is(text):
    """Letters, digits and marks are not changed."""
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
def test_what_drives_a_terminal_is_shown_escaped(text, shown):
    """Escapes, line breaks, marks of direction and surrogates come out as text."""
    assert quoted(text) == shown


def test_a_fault_is_one_line_however_its_column_is_called():
    """A column's name cannot break the line of its fault."""
    assert str(Fault("a.csv:3", "must be there", "x\ny")) == "a.csv:3: x\\ny must be there"
    assert str(Fault("a.csv:3", "must be there")) == "a.csv:3: must be there"


@pytest.mark.parametrize(("count", "last"), [(20, "f:20: bad"), (21, "and 1 more"), (1_520, "and 1,500 more faults")])
def test_many_faults_are_shown_capped_and_counted(count, last):
    """The first twenty are shown, the others counted, and all are kept."""
    error = DataError(Fault(f"f:{line}", f"bad {line}") for line in range(1, count + 1))
    lines = str(error).splitlines()
    assert lines[0] == "f:1: bad 1"
    assert lines[-1].startswith(last)
    assert len(lines) == min(count, 21)
    assert len(error.faults) == count


def test_faults_of_one_kind_are_one_line_with_a_count():
    """The first place stands for all that share column and reason; another column or reason has its own line."""
    faults = [Fault(f"f:{line}", f"must be a time, got '{line}'", "a", reason="time") for line in range(2, 32)]
    faults += [Fault("f:2", "must be a time, got '2'", "b", reason="time"), Fault("f:3", "must be there", "a")]
    faults += [Fault("f:4", "must be there", "a", rows=1001)]
    error = DataError(faults)
    assert str(error).splitlines() == [
        "f:2: a must be a time, got '2'; the same in 29 more rows",
        "f:2: b must be a time, got '2'",
        "f:3: a must be there; the same in 1,001 more rows",
    ]
    assert error.faults == tuple(faults)


def test_what_was_not_counted_to_the_end_is_at_least_so_many():
    """Where reading stopped early no total is claimed."""
    faults = [Fault("f:1", f"bad {n}", rows=2) for n in range(22)]
    lines = str(DataError(faults, counted=False)).splitlines()
    assert lines[0] == "f:1: bad 0; the same in at least 1 more row"
    assert lines[-1] == "and at least 2 more faults"


@pytest.mark.parametrize("kind", [ParamsError, BundleError, ModelError, MissingExtraError, DataError])
def test_every_refusal_is_caught_as_one_kind(kind):
    """The command line needs to know LeadmlError alone."""
    assert issubclass(kind, LeadmlError)
