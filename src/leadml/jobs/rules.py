"""Judge the business's own rules on leads that the model was not fitted on, with the outcomes known by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.bundle.scoring import lifecycle_of
from leadml.errors import LeadmlError
from leadml.leads.check.contract import LABEL
from leadml.leads.sources.source import training_source
from leadml.leads.split import column_of
from leadml.model.judge.evaluation import as_rows
from leadml.publish.text_tables import TextTable, percent, with_ends
from leadml.stages.rule_figures import FAILS, JudgedLeads, moved_table, ways_table

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Progress


@dataclass(frozen=True, repr=False)
class RuleReview:
    """How the business's own rules did beside the model.

    Parameters
    ----------
    moved
        The table of `leadml.stages.rule_figures.moved_table`: a row for each rule.
    ways
        The table of `leadml.stages.rule_figures.ways_table`: a row for each stage and way.
    rows, conversions
        How many rows were judged, and how many of them converted.
    confidence
        Of the intervals.
    not_applied
        The rules whose field the model does not have, in words.
    """

    moved: pd.DataFrame
    ways: pd.DataFrame
    rows: int
    conversions: int
    confidence: float
    not_applied: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return the number of rules, and of those that do not earn their place, in one line."""
        failing = int((self.moved["verdict"] == FAILS).sum())
        return f"<{len(self.moved)} rules on {self.rows:,} rows, {failing} of which do not earn their place>"

    def _repr_html_(self) -> str:
        """Return the rules as a table, for notebooks."""
        return moved_text(self).to_html(repr(self)[1:-1])


def judge_rules(model: Model, project: Places, *, now: str, progress: Progress) -> RuleReview:
    """Return how the leads convert that each rule moves, and whether the rules help at each cut.

    The rows are those that the version holds out of its fit, with the outcomes that are known now; of dated leads also
    those of later snapshots.

    Parameters
    ----------
    model
        The version.
    project
        The project, whose params have the rules.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    LeadmlError
        If there is no rule that can be applied, the target drives no stage, or the leads lack a field of the version.
    """
    params, bundle = project.params, model.bundle
    lifecycle, cuts = lifecycle_of(bundle, params), bundle.stages.cuts
    not_applied = tuple(rule.words for rule in lifecycle.rules.not_applicable)
    if not lifecycle.rules.applied and lifecycle.choices.silence_days is None:
        listed = f", and these have no field: {'; '.join(not_applied)}" if not_applied else ""
        msg = f"stages.rules must have a rule that can be applied, got none{listed}"
        raise LeadmlError(msg)
    if not cuts:
        name = bundle.target
        msg = (
            f"the target {name} must drive a stage for rules to be judged, got none in version {model.version}; set "
            f"targets.{name}.drives, train again (leadml train) and put that version in use (leadml promote)"
        )
        raise LeadmlError(msg)
    training = training_source(project, project.target, now=now).training(progress=progress)
    names = [field.name for field in bundle.leads.contract.fields]
    if absent := [name for name in names if name not in training.frame]:
        msg = f"params must have the fields of version {model.version}, got no {', '.join(absent)}; train again"
        raise LeadmlError(msg)
    frame = training.frame[bundle.leads.holdout.mask(training.frame)].reset_index(drop=True)
    if frame.empty:
        msg = f"leads must have rows that version {model.version} holds out, got none"
        raise LeadmlError(msg)
    progress("judging rules")
    groups = column_of(frame, training.split.cluster)
    codes = np.arange(len(frame)) if groups is None else pd.factorize(groups)[0]
    label = frame[LABEL].to_numpy(dtype=np.int8)
    leads = JudgedLeads(bundle.model.predict(frame), label, frame, codes, cuts)
    draws, confidence = params.evaluation.draws, params.evaluation.confidence
    ways = ways_table(leads, lifecycle, draws=draws, confidence=confidence, seed=params.split.seed)
    moved = moved_table(leads, lifecycle, confidence=confidence)
    return RuleReview(moved, ways, len(frame), int(label.sum()), confidence, not_applied)


def moved_text(review: RuleReview) -> TextTable:
    """Return what each rule does as a table for people."""
    rows = [
        (
            row["stage"],
            row["kind"],
            row["rule"],
            f"{row['leads']:,}",
            with_ends(row, "rate"),
            percent(row["cut"]),
            row["verdict"],
        )
        for row in as_rows(review.moved)
    ]
    head = ("stage", "kind", "rule", "leads that it moves", "of these convert", "the cut asks for", "verdict")
    return TextTable(head, rows)


def ways_text(review: RuleReview) -> TextTable:
    """Return what model and rules let in, alone and together, as a table for people."""
    rows = [
        (
            row["stage"],
            row["way"],
            f"{row['leads']:,} ({percent(row['share'])})",
            percent(row["precision"]),
            percent(row["recall"]),
            percent(row["model_precision"]),
            "" if not row["verdict"] else f"{row['difference_low']:+.1%} to {row['difference_high']:+.1%}",
            row["verdict"],
        )
        for row in as_rows(review.ways)
    ]
    head = (
        "stage", "lets in", "leads", "of these convert", "of all converters", "of as many by the model",
        "difference", "verdict",
    )  # fmt: skip
    return TextTable(head, rows)
