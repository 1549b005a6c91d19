"""Review a version in use: judge its scores by the outcomes that are known, and say what is to be done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import LeadmlError
from leadml.jobs.explored import exploration_of
from leadml.jobs.review_data import read_review_data
from leadml.jobs.store import open_store
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import from_shown, instant, shown_day, shown_instant
from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.model.judge.evaluation import as_rows, finite, plain_rows
from leadml.review.assess import CONFIDENCE, assess
from leadml.review.drift.judge import judge_changes
from leadml.review.findings import acceptance_finding, exploration_finding, review_findings
from leadml.review.gate.shadows import shadow_table
from leadml.review.promises import BROKEN
from leadml.review.verdict import Standing, alarm, days_text, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.bundle.model import Model
    from leadml.bundle.profile import LeadCounts
    from leadml.jobs.places import Places
    from leadml.jobs.review_data import ReviewData
    from leadml.params.review import ReviewParams
    from leadml.review.assess import Assessment
    from leadml.review.exploration import Exploration
    from leadml.review.verdict import Judgement
    from leadml.types import Progress

MOVED = ("RV1", "RV2", "RV3", "RV4", "RV5", "RV6", "RV7")  # findings about leads and scores, without outcomes
TABLES = ("estimated", "realised", "beside", "promises", "slices")


@dataclass(frozen=True, repr=False, eq=False)
class Review:
    """What a review of a version says.

    Parameters
    ----------
    target, version
        What was reviewed.
    as_of
        What was known by this instant was judged, in ISO 8601.
    judgement
        The verdict and its reason.
    findings
        What was found, in the order of the catalogue.
    assessment
        The evidence and the figures.
    choices
        The section ``review`` of the params.
    exploration
        What leads below the cut would convert if worked; None where none was drawn, or no outcome is known.
    shadows
        The table of `leadml.review.gate.shadows.shadow_table`; None where no shadow scored.
    """

    target: str
    version: str
    as_of: str
    judgement: Judgement
    findings: Sequence[Finding]
    assessment: Assessment
    choices: ReviewParams
    exploration: Exploration | None = None
    shadows: pd.DataFrame | None = None

    @property
    def verdict(self) -> str:
        """``KEEP``, ``RECUT``, ``RECALIBRATE``, ``REFIT``, ``INVESTIGATE`` or ``INSUFFICIENT EVIDENCE``."""
        return self.judgement.verdict

    @property
    def line(self) -> str:
        """The review in one line, for a log."""
        days = self.judgement.days
        wait = "" if days is None else f" {days_text(days)} until more can be said."
        name = f"{self.target} version {self.version} as of {self.as_of}"
        idle = f" No lead has been scored for {days_text(self.assessment.idle)}." if self.assessment.is_idle else ""
        return f"{name}: {self.verdict}. {self.judgement.reason}{wait}{idle}"

    def evidence(self) -> pd.DataFrame:
        """Return the evidence over time: ``day`` (ISO 8601), ``of`` (level or ranking) and ``evidence``."""
        return pd.concat(
            [
                pd.DataFrame(
                    {"day": [shown_day(int(day) * DAY) for day in found.day], "of": name, "evidence": found.value}
                )
                for name, found in (("level", self.assessment.level), ("ranking", self.assessment.ranking))
            ],
            ignore_index=True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the review as values that JSON can store; numbers that are not known are None."""
        tables = {name: plain_rows(getattr(self.assessment, name)) for name in TABLES}
        domain = self.assessment.domain
        return {
            "target": self.target,
            "version": self.version,
            "as_of": self.as_of,
            "verdict": self.verdict,
            "reason": self.judgement.reason,
            "days": self.judgement.days,
            "asks_for_action": self.judgement.asks_for_action,
            "findings": [
                {"code": each.code, "severity": each.severity, "field": each.field, "evidence": each.evidence}
                | {"title": CATALOGUE[each.code].title, "remedy": each.remedy}
                for each in self.findings
            ],
            "evidence": plain_rows(self.evidence()),
            "limit": 2 / self.choices.false_alarms,
            "domain_auc": None if domain is None else domain.roc_auc,
            "exploration": None if self.exploration is None else finite(asdict(self.exploration)),
            "shadows": [] if self.shadows is None else plain_rows(self.shadows),
            **tables,
        }

    def __repr__(self) -> str:
        """Return the verdict in one line."""
        return f"<{self.line}>"


def review_version(model: Model, project: Places, *, until: str, now: str, progress: Progress) -> Review:
    """Judge the scores that a version gave by the outcomes that are known, and keep the review in the store.

    Parameters
    ----------
    model
        The version in use.
    project
        The project, which has a store.
    until
        A date or time in ISO 8601: what was known by then is judged.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the outcomes cannot be read.
    LeadmlError
        If the project has no store, the store has no score of the version, or the instant lies in the future.
    """
    end = instant(until, timezone=project.params.data.timezone or "UTC", name="as_of (--as-of)")
    if end > from_shown(now):
        msg = f"as_of (--as-of) must not lie in the future, got {shown_instant(end)}; give a date up to today"
        raise LeadmlError(msg)
    choices = project.params.review
    data = read_review_data(model, project, until=end, now=now, progress=progress)
    found = assess(data.scores, data.version, choices, seed=project.params.split.seed)
    changes, before = (_changes(model, counts, choices) for counts in (data.counts, data.judged))
    standing = _standing(found, data, _new(changes, before), choices)
    judgement = judge(standing)
    of_outcomes = review_findings(found, data.version, choices, days=standing.days)
    of_drawn = exploration_of(data.drawn, model, project, until=end, now=now, progress=progress)
    explored, handed = of_drawn or (None, 0)
    of_sales = acceptance_finding(*data.acceptance), exploration_finding(explored, handed)
    name, findings = model.scored_version, [*changes, *of_outcomes, *of_sales]
    review = Review(
        model.target, name, shown_instant(end), judgement, findings, found, choices, explored, _shadows(data)
    )
    _keep(review, model, project, now=now, progress=progress)
    return review


def _shadows(data: ReviewData) -> pd.DataFrame | None:
    """Return the figures of each shadow on the leads that are evidence; None where no shadow scored."""
    scores, said = data.scores, data.shadows
    if said.empty:
        return None
    said = said.assign(day=said["at"].to_numpy(dtype=np.int64) // DAY)
    known = np.flatnonzero(scores.known & scores.is_look)
    columns = (getattr(scores, name)[known] for name in ("lead_id", "day", "probability", "label"))
    return shadow_table(said, *columns, confidence=CONFIDENCE)


def _changes(model: Model, counts: LeadCounts | None, choices: ReviewParams) -> list[Finding]:
    """Return the changes of the leads of a batch since the training."""
    if counts is None:
        return [Finding("RV0", "not applicable", "no batch has counts of its leads")]
    return judge_changes(model.bundle.profile, counts, choices.changes)


def _new(changes: Sequence[Finding], before: Sequence[Finding]) -> list[Finding]:
    """Return the changes that the leads whose outcomes are known did not have: nothing is realised of these yet."""
    realised = {(each.code, each.field) for each in before}
    warned = [each for each in changes if each.severity == "warn" and each.code in MOVED]
    return [each for each in warned if (each.code, each.field) not in realised]


def _standing(found: Assessment, data: ReviewData, new: Sequence[Finding], choices: ReviewParams) -> Standing:
    """Return what the verdict is given on."""
    table, domain = found.promises, found.domain
    broken = () if table.empty else tuple(
        row["stage"] for row in as_rows(table) if BROKEN in {row["precision_verdict"], row["share_verdict"]}
    )  # fmt: skip
    is_other = domain is not None and domain.low > choices.changes.domain_auc
    days = found.days_until(choices.min_conversions, today=data.version.today, period_days=choices.period_days)
    return Standing(
        alarm=alarm(found.level, found.ranking, false_alarms=choices.false_alarms),
        broken=broken,
        moved=is_other or bool(new),
        conversions=found.conversions,
        unknown=tuple(name for name, each in (("level", found.level), ("ranking", found.ranking)) if not each.is_known),
        needed=choices.min_conversions,
        days=days,
        alike=found.alike,
    )


def _keep(review: Review, model: Model, project: Places, *, now: str, progress: Progress) -> None:
    """Keep the verdict in the store."""
    from leadml.publish.store.reviews import StoredReview, add_review  # noqa: PLC0415 - SQLAlchemy takes time

    warned = sorted({each.code for each in review.findings if each.severity == "warn"})
    details = {"reason": review.judgement.reason, "days": review.judgement.days, "warnings": warned}
    stored = StoredReview(
        at=now,
        target=review.target,
        version=review.version,
        model_hash=model.manifest.model_hash,
        as_of=review.as_of,
        verdict=review.verdict,
        details=details,
    )
    with open_store(project, now=now, progress=progress) as (store, _):
        add_review(store, stored)
