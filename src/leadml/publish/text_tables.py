"""Turn tables of figures into tables of text for people: rounded, each figure with its interval.

The command line and the report use the same tables, so they show the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from leadml.errors import inert
from leadml.leads.check.instants import shown_day
from leadml.model.judge.evaluation import as_rows
from leadml.model.judge.predictions import MODEL
from leadml.stages.cuts import DROP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from leadml.bundle.manifest import SplitRecord
    from leadml.leads.judge.column_roles import Proposal
    from leadml.leads.judge.findings import Finding, Severity
    from leadml.leads.judge.maturity import ReachedByAge
    from leadml.model.judge.evaluation import Evaluation
    from leadml.stages.cuts import Cut

METRICS = {
    "roc_auc": ("ROC AUC", "larger is better, chance gives 0.5"),
    "average_precision": ("average precision", "larger is better, chance gives the share that converted"),
    "log_loss": ("log loss", "smaller is better"),
    "brier": ("Brier score", "smaller is better; miscalibration - discrimination + uncertainty"),
    "brier_miscalibration": ("Brier: miscalibration", "smaller is better"),
    "brier_discrimination": ("Brier: discrimination", "larger is better"),
    "brier_uncertainty": ("Brier: uncertainty", "a property of the data"),
    "ece": ("calibration error (ECE)", "smaller is better"),
    "calibration_intercept": ("calibration intercept", "0 is perfect"),
    "calibration_slope": ("calibration slope", "1 is perfect"),
    "gain": ("mean gain", "larger is better, chance gives 0.5"),
    "mean_probability": ("mean probability", "should equal the share that converted"),
    "rate": ("share that converted", "a property of the data"),
}


@dataclass(frozen=True)
class TextTable:
    """A table of text: names of columns, and rows of cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_html(self, title: str = "") -> str:
        """Return the table as HTML, for notebooks; every text is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        caption = f'<caption style="text-align: left; white-space: nowrap">{escape(title)}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def metric_table(evaluation: Evaluation) -> TextTable:
    """Return each metric with its interval and how to read it."""
    rows = [
        (METRICS[row["metric"]][0], number(row["value"]), interval(row, number), METRICS[row["metric"]][1])
        for row in as_rows(evaluation.metrics)
    ]
    return TextTable(("metric", "value", f"{evaluation.confidence:.0%} interval", "how to read it"), rows)


def model_table(evaluation: Evaluation) -> TextTable:
    """Return the metrics of the model and of its baselines, with the paired difference in log loss."""
    by_model: dict[str, dict[str, dict[str, Any]]] = {}
    for row in as_rows(evaluation.models):
        by_model.setdefault(row["model"], {})[row["metric"]] = row
    compared = list(by_model[MODEL])
    rows = []
    for model, metrics in by_model.items():
        loss = metrics["log_loss"]
        low, high = loss["difference_low"], loss["difference_high"]
        difference = "" if model == MODEL else f"{loss['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
        rows.append((model, *(number(metrics[name]["value"]) for name in compared), difference))
    return TextTable(("model", *(METRICS[name][0] for name in compared), "log loss of leadml minus its own"), rows)


def stage_table(evaluation: Evaluation, cuts: Sequence[Cut], *, unit: str = "leads") -> TextTable:
    """Return the cut and the rule of each stage, the share of leads that reach it, and how many of these convert."""
    figures = {(row["stage"], row["figure"]): row for row in as_rows(evaluation.stages)}
    rows = []
    for cut in cuts:
        share, precision = figures[cut.stage, "share"], figures[cut.stage, "precision"]
        leads = f"{percent(share['value'])} ({round(share['value'] * evaluation.leads):,})"
        rows.append((cut.stage, f"{cut.probability:.3f}", cut.rule, leads, with_interval(precision, percent)))
    return TextTable(("stage", "begins at", "rule", f"{unit} at or above", "of these convert"), rows)


def cut_table(table: pd.DataFrame) -> TextTable:
    """Return the table of `leadml.stages.cuts.cut_table` for people: each figure with its interval."""
    rows = [
        (
            "not dropped" if row["stage"] == DROP else row["stage"],
            f"{row['probability']:.4f}",
            row["rule"] + (f" ({row['remark']})" if row["remark"] else ""),
            *(with_ends(row, name) for name in ("share", "precision", "recall")),
        )
        for row in as_rows(table)
    ]
    return TextTable(("stage", "begins at", "rule", "share of leads", "of these convert", "of all converters"), rows)


def decile_table(evaluation: Evaluation) -> TextTable:
    """Return rate, lift and cumulative gain of each tenth of the leads, highest probability first."""
    figures = {(row["decile"], row["figure"]): row for row in as_rows(evaluation.deciles)}
    formats = {"rate": percent, "lift": "{:.2f}".format, "gain": percent}
    tenths = sorted({decile for decile, _ in figures})
    rows = [
        (str(at), *(with_interval(figures[at, name], format_) for name, format_ in formats.items())) for at in tenths
    ]
    return TextTable(("tenth", "of these convert", "lift over the base rate", "converters reached so far"), rows)


def importance_table(evaluation: Evaluation) -> TextTable:
    """Return the mean absolute points of each field, the largest first."""
    rows = [
        (str(at), row["field"], row["group"], f"{row['value']:.2f}", interval(row, "{:.2f}".format))
        for at, row in enumerate(as_rows(evaluation.importance), start=1)
    ]
    return TextTable(("", "field", "group", "mean points", f"{evaluation.confidence:.0%} interval"), rows)


def number(value: float) -> str:
    """Return a figure with four decimals."""
    return "not defined" if value != value else f"{value:.4f}"  # noqa: PLR0124 - NaN is not itself


def percent(value: float) -> str:
    """Return a share in percent, with one decimal."""
    return "none" if value != value else f"{value:.1%}"  # noqa: PLR0124 - NaN is not itself


def interval(row: dict[str, Any], format_: Any) -> str:
    """Return the interval of a figure."""
    return f"{format_(row['low'])} to {format_(row['high'])}"


def with_interval(row: dict[str, Any], format_: Any) -> str:
    """Return a figure with its interval."""
    return f"{format_(row['value'])} ({interval(row, format_)})"


def part_table(split: SplitRecord, *, unit: str) -> TextTable:
    """Return the size and the dates of the rows that were fitted on, of the holdout, and of each fold."""
    parts = [("fitted on", split.learn), ("holdout", split.holdout)]
    for at, fold in enumerate(split.folds, start=1):
        parts += [(f"fold {at}: fitted on", fold.fitted), (f"fold {at}: evaluated on", fold.evaluated)]
    rows = []
    for name, part in parts:
        days = ["" if end is None else shown_day(end) for end in (part.first, part.last)]
        rows.append((name, f"{part.rows:,}", f"{part.conversions:,}", *days))
    return TextTable(("part", unit, "converted", "from", "to"), rows)


def age_table(ages: Sequence[ReachedByAge]) -> TextTable:
    """Return the share of leads that reach the target by each age, to choose a horizon by."""
    rows = [(f"{row.days:,}", f"{row.leads:,}", f"{row.reached:,}", percent(row.share)) for row in ages]
    return TextTable(("age in days", "leads observed to this age", "reached the target", "share"), rows)


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings in the order of their severity: what stops, what warns, what does not apply, what passed."""
    order: tuple[Severity, ...] = ("stop", "warn", "not applicable", "passed")
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def finding_table(findings: Sequence[Finding]) -> TextTable:
    """Return findings, each with its evidence and what to do."""
    rows = [(f.code, f.severity, f.field, f.evidence, f.remedy) for f in findings]
    return TextTable(("code", "severity", "field", "evidence", "what to do"), rows)


def role_table(roles: Sequence[Proposal]) -> TextTable:
    """Return the role of each column of a file, and why it is proposed; what was guessed has a question mark."""
    rows = [
        (
            inert(each.column),
            f"{each.role}: {each.kind}" if each.kind else each.role,
            f"{'? ' * each.guessed}{each.reason}",
        )
        for each in roles
    ]
    return TextTable(("column", "role", "why"), rows)


def with_ends(row: Mapping[str, Any], name: str) -> str:
    """Return a figure with both ends of its interval; empty if there is none."""
    if row[name] != row[name]:
        return ""
    return f"{percent(row[name])} ({percent(row[f'{name}_low'])} to {percent(row[f'{name}_high'])})"
