"""What checks see of the training set: every field with the same halves, and which of them are judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows, LeakCheck
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.params import LeakParams

FRAME = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7, "converted": np.arange(40) % 2})
OUTCOME = Outcome(FRAME["converted"].to_numpy(dtype=np.int8), np.arange(40))
ROWS = JudgedRows(
    FRAME,
    FRAME,
    OUTCOME,
    [JudgedField(Field(name, "number", "fit"), FRAME[name], OUTCOME) for name in "ab"],
    LeakEvidence(),
    LeakParams(),
)


def test_another_draw_has_other_halves_for_all_fields() -> None:
    """The rows and their labels stay."""
    other = ROWS.with_halves(1, suspects={"a"})

    assert all(field.outcome is other.outcome for field in other.fields)
    assert not np.array_equal(other.outcome.in_second_half, ROWS.outcome.in_second_half)
    assert np.array_equal(other.outcome.labels, ROWS.outcome.labels)
    assert other.model_fields == ROWS.model_fields


def test_in_another_draw_only_suspects_are_judged() -> None:
    """In the first draw all fields are."""
    other = ROWS.with_halves(1, suspects={"a"})

    assert [name for name in "ab" if ROWS.is_judged(name)] == ["a", "b"]
    assert [name for name in "ab" if other.is_judged(name)] == ["a"]


def test_a_check_without_more_can_always_judge() -> None:
    """It is decided by one draw."""
    check = LeakCheck({}, lambda _: [])

    assert (check.missing(LeakEvidence()), check.by_halves) == ("", False)


def test_another_draw_changes_nothing_but_halves_and_suspects() -> None:
    """Frame, sample, evidence, limits and the columns of fields stay; suspects cannot change afterwards."""
    suspects = ["a"]
    other = ROWS.with_halves(3, suspects=suspects)
    suspects.append("b")

    assert (other.frame is ROWS.frame, other.sample is ROWS.sample) == (True, True)
    assert (other.evidence is ROWS.evidence, other.leaks is ROWS.leaks) == (True, True)
    assert all(new.column is old.column for new, old in zip(other.fields, ROWS.fields, strict=True))
    assert (other.outcome.draw, other.suspects, ROWS.outcome.draw, ROWS.suspects) == (3, frozenset({"a"}), 0, None)
    assert [field.name for field in other.model_fields] == ["a", "b"]
