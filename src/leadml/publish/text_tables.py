"""Turn the tables of an evaluation into tables for people.

What enters is figures; what leaves is texts, rounded, each with its interval.
The command line and the report print the same tables, so they can never differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from leadml.leads.check.instants import shown_day
from leadml.model.judge.evaluation import as_rows
from leadml.model.judge.predictions import MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.bundle.manifest import SplitRecord
    from leadml.leads.judge.findings import Finding
    from leadml.leads.judge.maturity import ReachedByAge
    from leadml.model.judge.evaluation import Evaluation
    from leadml.stages.cuts import Cut

METRICS = {
    "roc_auc": ("ROC AUC", "larger is better, 0.5 is chance"),
    "average_precision": ("average precision", "larger is better, the share that converted is chance"),
    "log_loss": ("log loss", "smaller is better"),
    "brier": ("Brier score", "smaller is better; miscalibration less discrimination plus uncertainty"),
    "brier_miscalibration": ("Brier: miscalibration", "smaller is better"),
    "brier_discrimination": ("Brier: discrimination", "larger is better"),
    "brier_uncertainty": ("Brier: uncertainty", "given by the data"),
    "ece": ("calibration error (ECE)", "smaller is better"),
    "calibration_intercept": ("calibration intercept", "0 is perfect"),
    "calibration_slope": ("calibration slope", "1 is perfect"),
    "gain": ("mean gain", "larger is better, 0.5 is chance"),
    "mean_probability": ("mean probability", "should be the share that converted"),
    "rate": ("share that converted", "given by the data"),
}


@dataclass(frozen=True)
class TextTable:
    """A table as people read it: names of columns and rows of texts."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_html(self, title: str = "") -> str:
        """Return the table for a notebook; text from files is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def metric_table(evaluation: Evaluation) -> TextTable:
    """Return every metric with its interval and how to read it."""
    rows = [
        (METRICS[row["metric"]][0], number(row["value"]), span(row, number), METRICS[row["metric"]][1])
        for row in as_rows(evaluation.metrics)
    ]
    return TextTable(("metric", "value", f"{evaluation.confidence:.0%} interval", "reading"), rows)


def model_table(evaluation: Evaluation) -> TextTable:
    """Return the model and its baselines side by side, with the paired difference in log loss."""
    by_model: dict[str, dict[str, dict[str, Any]]] = {}
    for row in as_rows(evaluation.models):
        by_model.setdefault(row["model"], {})[row["metric"]] = row
    compared = list(by_model[MODEL])
    rows = []
    for model, metrics in by_model.items():
        loss = metrics["log_loss"]
        low, high = loss["difference_low"], loss["difference_high"]
        gap = "" if model == MODEL else f"{loss['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
        rows.append((model, *(number(metrics[name]["value"]) for name in compared), gap))
    return TextTable(("model", *(METRICS[name][0] for name in compared), "log loss of leadml less its own"), rows)


def stage_table(evaluation: Evaluation, cuts: Sequence[Cut], *, unit: str = "leads") -> TextTable:
    """Return where each stage begins, by what rule, how many reach it and how many of those convert."""
    figures = {(row["stage"], row["figure"]): row for row in as_rows(evaluation.stages)}
    rows = []
    for cut in cuts:
        share, precision = figures[cut.stage, "share"], figures[cut.stage, "precision"]
        leads = f"{percent(share['value'])} ({round(share['value'] * evaluation.leads):,})"
        rows.append((cut.stage, f"{cut.probability:.3f}", cut.rule, leads, with_span(precision, percent)))
    return TextTable(("stage", "begins at", "rule", f"{unit} at or above", "of these convert"), rows)


def decile_table(evaluation: Evaluation) -> TextTable:
    """Return each tenth of the leads, best first: how many convert, and how many converters are reached by then."""
    figures = {(row["decile"], row["figure"]): row for row in as_rows(evaluation.deciles)}
    forms = {"rate": percent, "lift": "{:.2f}".format, "gain": percent}
    tenths = sorted({decile for decile, _ in figures})
    rows = [(str(at), *(with_span(figures[at, name], form) for name, form in forms.items())) for at in tenths]
    return TextTable(("tenth", "converts", "lift over all", "reached so far"), rows)


def importance_table(evaluation: Evaluation) -> TextTable:
    """Return the mean of absolute points of each field, strongest first."""
    rows = [
        (str(at), row["field"], row["group"], f"{row['value']:.2f}", span(row, "{:.2f}".format))
        for at, row in enumerate(as_rows(evaluation.importance), start=1)
    ]
    return TextTable(("", "field", "group", "mean points", f"{evaluation.confidence:.0%} interval"), rows)


def number(value: float) -> str:
    """Return a figure with four digits after the point."""
    return "not defined" if value != value else f"{value:.4f}"  # noqa: PLR0124 - NaN is not itself


def percent(value: float) -> str:
    """Return a share in per cent."""
    return "none" if value != value else f"{value:.1%}"  # noqa: PLR0124 - NaN is not itself


def span(row: dict[str, Any], form: Any) -> str:
    """Return the interval of a row's figure."""
    return f"{form(row['low'])} to {form(row['high'])}"


def with_span(row: dict[str, Any], form: Any) -> str:
    """Return a row's figure and its interval."""
    return f"{form(row['value'])} ({span(row, form)})"


def part_table(split: SplitRecord, *, unit: str) -> TextTable:
    """Return the size and dates of every part: what was fitted on, the holdout, and each fold's two sides."""
    parts = [("fitted on", split.learn), ("holdout", split.holdout)]
    for number, fold in enumerate(split.folds, start=1):
        parts += [(f"fold {number}: fitted on", fold.fitted), (f"fold {number}: evaluated on", fold.evaluated)]
    rows = []
    for name, part in parts:
        days = ["" if end is None else shown_day(end) for end in (part.first, part.last)]
        rows.append((name, f"{part.rows:,}", f"{part.conversions:,}", *days))
    return TextTable(("part", unit, "converted", "from", "to"), rows)


def age_table(ages: Sequence[ReachedByAge]) -> TextTable:
    """Return how many leads reach the target by each age, so that a horizon can be chosen."""
    rows = [(f"{row.days:,}", f"{row.leads:,}", f"{row.reached:,}", percent(row.share)) for row in ages]
    return TextTable(("days", "leads observed so long", "reached it", "share"), rows)


def finding_table(findings: Sequence[Finding]) -> TextTable:
    """Return findings with what to do about each."""
    rows = [(f.code, f.severity, f.field, f.evidence, f.remedy) for f in findings]
    return TextTable(("code", "", "field", "what was seen", "what to do"), rows)
