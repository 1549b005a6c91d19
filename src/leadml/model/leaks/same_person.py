"""LK10: leads that are the same person as another lead, entered twice or merged under two ids.

Such leads are one group, so that none is evaluated by a model that was fitted on the other. What is left to say is how
many there are: a person who is there twice counts twice, and mostly only one of both leads has the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from leadml.leads.check.contract import LABEL, LEAD_ID
from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.suspicion import Suspicion

if TYPE_CHECKING:
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.model.leaks.check import JudgedRows

NAME = "people"
REMEDY = "merge them in the system that the leads come from, so that each person has one lead with its outcome"


def suspect_people(frame: pd.DataFrame, people: pd.Series) -> Suspicion | None:
    """Return a warning where leads are the same person as another lead, else None.

    Parameters
    ----------
    frame
        Labelled rows with ``lead_id``.
    people
        By id, the person of each lead that is the same person as another lead.
    """
    converted = frame.groupby(LEAD_ID)[LABEL].max()
    person = people.reindex(converted.index).dropna()
    leads = person.groupby(person).transform("size")
    person = person[leads > 1]  # of which two leads at least are in the training set
    if person.empty:
        return None
    by_person = converted[person.index].groupby(person)
    mixed = int((by_person.min() != by_person.max()).sum())
    evidence = (
        f"are entered more than once: {len(person):,} of {len(converted):,} leads are {person.nunique():,} people by "
        f"e-mail address or by telephone number and name, and {mixed:,} of these people have leads of both outcomes; "
        "all leads of a person are kept on one side of the split"
    )
    return Suspicion("LK10", "warn", evidence, NAME, REMEDY)


def _find(rows: JudgedRows) -> list[Suspicion]:
    if rows.evidence.people is None:
        return []
    held_out = rows.evidence.held_out
    frames = [part[[LEAD_ID, LABEL]] for part in (rows.frame, held_out) if part is not None]
    found = suspect_people(pd.concat(frames), rows.evidence.people)
    return [found] if found else []


def _missing(evidence: LeakEvidence) -> str:
    if evidence.people is None:
        return "no columns are declared by which a person is known (split.same_person), so duplicates are not found"
    return ""


CHECK = LeakCheck(
    {
        "LK10": FindingKind(
            "leaks",
            "Leads are the same person as another lead",
            "Merge them where they come from. They are kept on one side of the split in any case.",
        )
    },
    _find,
    _missing,
)
