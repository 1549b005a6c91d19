"""What was found in the data: each finding has a code of one catalogue, evidence, and what to do.

"Not applicable" is not "passed": the first says that nothing could be judged. The rules of the leak gate bring their
own part of the catalogue (`leadml.model.leaks.gate`); both are the source of ``docs/findings.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadml.errors import inert

Severity = Literal["stop", "warn", "passed", "not applicable"]
Topic = Literal["readiness", "dates", "leaks", "review"]


@dataclass(frozen=True)
class FindingKind:
    """What all findings of one code share.

    Parameters
    ----------
    topic
        ``readiness`` (enough leads, usable fields), ``dates`` (the tables of dated leads), ``leaks`` or ``review``
        (later leads that differ from those of the training).
    title
        What is judged.
    remedy
        What to do in general, where a finding of the kind warns or stops.
    """

    topic: Topic
    title: str
    remedy: str


TOPICS: dict[str, Topic] = {  # by the beginning of the code
    "RD": "readiness",
    "DT": "dates",
    "LK": "leaks",
    "RV": "review",
}
CATALOGUE = {
    "RD0": FindingKind(
        "readiness",
        "The leads can be read and divided",
        "Correct the rows, columns or choices that the line names; nothing else is judged before.",
    ),
    "RD1": FindingKind(
        "readiness",
        "There are enough leads",
        "Bring more leads. limits.allow_small: true trains all the same, and report, card and scores say so; points of "
        "the team in baselines.points are what the model starts from then.",
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
        "Bring more leads or a longer history. Lower split.folds where a fold is evaluated on none, raise it where the "
        "first folds are fitted on one outcome only; raise split.test_share where the holdout has one only.",
    ),
    "RD10": FindingKind(
        "readiness",
        "The business's own rules can be applied",
        "Spell fields and levels of the rules in stages.rules as the leads do, or declare the column in features.",
    ),
    "RD11": FindingKind(
        "readiness",
        "The outcome of leads is known",
        "Score open leads with leadml score FILE --open --out SCORES; which leads are open, target.open and "
        "target.wait_days say.",
    ),
    "RD12": FindingKind(
        "readiness",
        "Dates of leads can be",
        "Correct dates before 1970 or in the future where they come from; declare the date at which leads came, not "
        "that of an import.",
    ),
    "RD13": FindingKind(
        "readiness",
        "The score decides about nothing that stricter law is for",
        "Let the score say whom to call. What decides who gets credit, housing, insurance or work, or on which terms, "
        "is of high risk by law: it needs another kind of proof, and a person who decides.",
    ),
    "RD14": FindingKind(
        "readiness",
        "Fields do not betray a sensitive attribute",
        "Compare how its groups are staged, and move what tells it to features.excluded, unless a lawful aim needs it "
        "and nothing milder will do: law counts what stands for an attribute as the attribute itself (GDPR Article 9; "
        "EU directives 2000/43/EC and 2004/113/EC; US law on disparate impact).",
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
        "Bring the rows since, or set sources.observed_until to the day on which the outcomes end.",
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
    "RV0": FindingKind(
        "review",
        "Leads are like those of the training",
        "Score more leads at once, or lower review.changes.min_leads.",
    ),
    "RV1": FindingKind(
        "review",
        "Fields that the training had are not empty everywhere",
        "See whether the column was renamed, is no longer exported or is no longer filled in, and score again.",
    ),
    "RV2": FindingKind(
        "review",
        "Fields are as often empty as in the training",
        "See why the field is filled in more or less often; if it will stay so, train again.",
    ),
    "RV3": FindingKind(
        "review",
        "Numbers are in the range of the training",
        "See whether the unit, the currency or the meaning of the column changed; if the numbers are right, train "
        "again.",
    ),
    "RV4": FindingKind(
        "review",
        "Levels are those of the training",
        "See whether levels are spelled otherwise or are new; if they are new, train again once their outcomes are "
        "known.",
    ),
    "RV5": FindingKind(
        "review",
        "Values are spread as in the training",
        "See whether other leads come in, or the column is filled in otherwise; if it will stay so, train again.",
    ),
    "RV6": FindingKind(
        "review",
        "Probabilities are spread as in the training",
        "See which leads came in. Compare with the outcomes as soon as they are known.",
    ),
    "RV7": FindingKind(
        "review",
        "Stages have the shares that they had in the training",
        "See which leads came in; if they are right, raise review.changes.stages: leadml review says whether the cuts "
        "hold once outcomes are known.",
    ),
    "RV8": FindingKind(
        "review",
        "Leads of today cannot be told from those whose outcomes are known",
        "See what changed in the parts that are named; compare with the outcomes as soon as they are known.",
    ),
    "RV9": FindingKind(
        "review",
        "There are enough outcomes for a verdict",
        "Wait where days are named. Else lower review.min_conversions, or raise review.period_days: two periods are "
        "counted.",
    ),
    "RV10": FindingKind(
        "review",
        "The level of the probabilities holds",
        "Calibrate again on newer outcomes. If the ranking does not hold either, train again.",
    ),
    "RV11": FindingKind(
        "review",
        "The ranking of leads holds",
        "Train again on newer outcomes: fields and outcomes are not related as they were.",
    ),
    "RV12": FindingKind(
        "review",
        "Leads above a cut convert as the cut promised",
        "Solve the cuts on newer leads (leadml review --act), after the model itself was seen to.",
    ),
    "RV13": FindingKind(
        "review",
        "As many leads are above a cut as it promised",
        "Solve the cuts on newer leads (leadml review --act), or change what the team can work.",
    ),
    "RV14": FindingKind(
        "review",
        "What was estimated before outcomes were known came true",
        "Do not rely on estimates of newer periods until the model was calibrated or trained again.",
    ),
    "RV15": FindingKind(
        "review",
        "Leads convert as often as those of the evaluation",
        "See whether the market, the sources of leads or the work of sales changed.",
    ),
    "RV16": FindingKind(
        "review",
        "Scores do not rise while conversions do not",
        "See which fields raise the scores; calibrate again if the level of the probabilities does not hold.",
    ),
    "RV17": FindingKind(
        "review",
        "Leads of each slice convert as was said of them",
        "See what is special about the leads of the slice; bring a field that tells it, and train again.",
    ),
    "RV18": FindingKind(
        "review",
        "Sales accept the leads that they are given",
        "The reasons of rejections, which leadml handoff shows, say what a rule is to leave out.",
    ),
    "RV19": FindingKind(
        "review",
        "Outcomes come in",
        "See whether the source of outcomes is still written and read; do not train or calibrate on them before.",
    ),
    "RV20": FindingKind(
        "review",
        "Leads below MQL convert as their outcomes say",
        "Leads that nobody works are worth more than their outcomes say: work more of them, or lower the cut.",
    ),
    "RV21": FindingKind(
        "review",
        "Leads are still scored",
        "See whether the job that scores still runs. What the review says is of the leads that were scored before.",
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
