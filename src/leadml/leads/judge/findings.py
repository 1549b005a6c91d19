"""What was found in the data: each finding has a code of one catalogue, evidence, and what to do.

"Not applicable" is not "passed": the first says that nothing could be judged. The rules of the leak gate bring their
own part of the catalogue (`leadml.model.leaks.gate`); both are the source of ``docs/findings.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadml.errors import inert

Severity = Literal["stop", "warn", "passed", "not applicable"]
Topic = Literal["readiness", "dates", "leaks"]


@dataclass(frozen=True)
class FindingKind:
    """What all findings of one code share.

    Parameters
    ----------
    topic
        ``readiness`` (enough leads, usable fields), ``dates`` (the tables of dated leads) or ``leaks``.
    title
        What is judged.
    remedy
        What to do in general, where a finding of the kind warns or stops.
    """

    topic: Topic
    title: str
    remedy: str


TOPICS: dict[str, Topic] = {"RD": "readiness", "DT": "dates", "LK": "leaks"}  # by the beginning of the code
CATALOGUE = {
    "RD0": FindingKind(
        "readiness",
        "The leads can be read and divided",
        "Correct the rows, columns or choices that the line names; nothing else is judged before.",
    ),
    "RD1": FindingKind(
        "readiness",
        "There are enough leads",
        "Bring more leads. limits.allow_small: true trains all the same and marks the report as low evidence.",
    ),
    "RD2": FindingKind(
        "readiness",
        "There are enough leads of each outcome",
        "Bring more leads of the rarer outcome, or set limits.allow_small: true.",
    ),
    "RD3": FindingKind(
        "readiness",
        "Each lead has one id",
        "Declare the column of the id, data.lead_id or sources.leads.lead_id; without one, scores can be joined to the "
        "same file only.",
    ),
    "RD4": FindingKind(
        "readiness",
        "Leads have dates",
        "Declare data.created_at: with dates, newer leads judge models of older ones, as in use.",
    ),
    "RD5": FindingKind(
        "readiness",
        "Fields have values",
        "See that the field will be as empty when leads are scored, or exclude it.",
    ),
    "RD6": FindingKind(
        "readiness",
        "Fields differ between leads",
        "Move a field that is the same everywhere to features.excluded.",
    ),
    "RD7": FindingKind(
        "readiness",
        "Categories are no ids",
        "Move a field with a level of its own for most leads to features.excluded.",
    ),
    "RD8": FindingKind(
        "readiness",
        "Fields hold no personal data",
        "Move the field to features.excluded, or let leadml derive a class from it (features.read_out).",
    ),
    "RD9": FindingKind(
        "readiness",
        "Rows can be divided into a holdout and folds",
        "Bring more leads or a longer history, lower split.folds, or raise split.test_share.",
    ),
    "RD10": FindingKind(
        "readiness",
        "The business's own rules can be applied",
        "Spell fields and levels of the rules in stages.rules as the leads do, or declare the column in features.",
    ),
    "DT1": FindingKind(
        "dates",
        "Snapshots are mature",
        "Shorten the target's horizon, or bring a longer history: a snapshot whose horizon has not passed is unknown, "
        "not negative.",
    ),
    "DT2": FindingKind(
        "dates",
        "Outcomes are recorded in time",
        "Raise the target's settling: the days that late records are waited for.",
    ),
    "DT3": FindingKind(
        "dates",
        "Attributes have a history",
        "Declare sources.leads.valid_from, or exclude attributes that are filled in later.",
    ),
    "DT4": FindingKind(
        "dates",
        "Activities and outcomes are of known leads",
        "See that ids are spelled alike in all tables and that the tables were exported together.",
    ),
    "DT5": FindingKind(
        "dates",
        "The tables end together",
        "Set sources.observed_until to the day of the export, or bring the rows since.",
    ),
    "DT6": FindingKind(
        "dates",
        "Outcomes have a known meaning",
        "Give each word of the table its meaning in sources.outcomes.names.",
    ),
    "DT7": FindingKind(
        "dates",
        "Activities have known kinds",
        "Name the kinds that tell interest in features.activities.kinds, spelled as in the table.",
    ),
    "DT8": FindingKind(
        "dates",
        "Acts of machines are recognised",
        "Declare features.activities.machines, and sources.activities.message and agent where the table tells them.",
    ),
    "LK0": FindingKind(
        "leaks",
        "No field seems to know the outcome",
        "Nothing to do where it passed. Where it is not applicable, bring leads of both outcomes.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One judgement.

    Parameters
    ----------
    code
        Of the catalogue.
    severity
        ``stop`` (training refuses), ``warn``, ``passed`` or ``not applicable``.
    evidence
        What was found, with numbers.
    remedy
        What to do; empty where nothing is to be done.
    field
        The field it is about; empty where it is about all.
    """

    code: str
    severity: Severity
    evidence: str
    remedy: str = ""
    field: str = ""

    @property
    def topic(self) -> Topic:
        """What the finding is about."""
        return TOPICS[self.code[:2]]

    def __post_init__(self) -> None:
        """Refuse a code of another form, which is a defect."""
        if self.code[:2] not in TOPICS or not self.code[2:].isdecimal():
            msg = f"a finding must have a code such as LK1, of {', '.join(TOPICS)} and a number, got {self.code!r}"
            raise ValueError(msg)

    def __str__(self) -> str:
        """Return the finding as one line."""
        subject = f"{inert(self.field)} " if self.field else ""
        return f"{self.code} {subject}{self.evidence}{f'; {self.remedy}' if self.remedy else ''}"
