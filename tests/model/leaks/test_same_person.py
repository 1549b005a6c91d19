"""LK10 counts the leads that are one person, and those of whom the outcomes differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.same_person import CHECK, suspect_people
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

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


def _twice(leads: str, people: str, mixed: str) -> Suspicion:
    evidence = (
        f"are entered more than once: {leads} leads are {people} people by e-mail address or by telephone number and "
        f"name, and {mixed} of these people have leads of both outcomes; all leads of a person are kept on one side of "
        "the split"
    )
    remedy = "merge them in the system that the leads come from, so that each person has one lead with its outcome"
    return Suspicion("LK10", "warn", evidence, "people", remedy)


def test_people_with_three_leads_and_with_one_are_told_apart() -> None:
    """Thousands are written with commas; of these people 1,000 have three leads, every second with both outcomes."""
    number = np.arange(4000)
    ids = pd.Series([f"L{at:04d}" for at in number])
    frame = pd.DataFrame({"lead_id": ids, "converted": (number % 6 == 0).astype(int)})
    people = pd.Series([f"P{at // 3:04d}" for at in number[:3000]], index=ids[:3000], dtype=object)
    alone = pd.Series(["L3500"], index=["L3500"], dtype=object)

    assert suspect_people(frame, pd.concat([people, alone])) == _twice("3,000 of 4,000", "1,000", "500")
    assert suspect_people(FRAME, pd.Series({"e": "e", "f": "e"}, dtype=object)) == _twice("2 of 6", "1", "0")


def test_the_check_counts_the_leads_of_training_set_and_holdout() -> None:
    """All rows and not the sample; without columns that tell a person it finds nothing and says why."""
    label = FRAME["converted"].to_numpy()
    outcome = Outcome(label, np.arange(6))
    people = pd.Series({"a": "a", "g": "a"}, dtype=object)
    held_out = pd.DataFrame({"lead_id": ["g"], "converted": [1], "age": [30.0]})
    known = [
        LeakEvidence(),
        LeakEvidence(people=people),
        LeakEvidence(people=people, held_out=held_out),
        LeakEvidence(held_out=held_out),
    ]
    found = [CHECK.find(JudgedRows(FRAME, FRAME.head(0), outcome, [], evidence, LeakParams())) for evidence in known]
    reason = "no columns are declared by which a person is known (split.same_person), so duplicates are not found"

    assert found == [[], [], [_twice("2 of 7", "1", "0")], []]
    assert [CHECK.missing(evidence) for evidence in known] == [reason, "", "", reason]
    assert not CHECK.by_halves
