"""LK10 counts the leads that are one person, and those of whom the outcomes differ."""

from __future__ import annotations

import pandas as pd

from leadml.model.leaks.same_person import suspect_people

FRAME = pd.DataFrame({"lead_id": list("abcdef"), "converted": [1, 0, 0, 0, 1, 1]})


def test_leads_people_and_differing_outcomes_are_counted() -> None:
    """Two people have four leads; one of them has leads of both outcomes."""
    people = pd.Series({"a": "a", "b": "a", "c": "c", "d": "c"}, dtype=object)
    found = suspect_people(FRAME, people)

    assert found is not None
    assert (found.code, found.severity, found.field) == ("LK10", "warn", "people")
    assert "4 of 6 leads are 2 people" in found.evidence
    assert "1 of these people have leads of both outcomes" in found.evidence


def test_snapshots_of_a_lead_are_one_lead() -> None:
    """The outcome of a lead is that of any of its snapshots."""
    people = pd.Series({"a": "a", "b": "a"}, dtype=object)
    snapshots = pd.concat([FRAME.assign(converted=0), FRAME], ignore_index=True)

    assert str(suspect_people(snapshots, people)) == str(suspect_people(FRAME, people))


def test_people_with_one_lead_in_the_training_set_are_no_suspicion() -> None:
    """Their other leads were not read, or have no snapshot."""
    assert suspect_people(FRAME, pd.Series({"a": "a", "z": "a"}, dtype=object)) is None
    assert suspect_people(FRAME, pd.Series(dtype=object)) is None
