"""Build the page of a review, ready to be rendered: the verdict, its evidence, then the figures by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import inert
from leadml.leads.judge.findings import CATALOGUE
from leadml.model.judge.evaluation import as_rows
from leadml.publish import review_figures
from leadml.publish.page import Report, ReportSection
from leadml.publish.text_tables import TextTable, percent
from leadml.review.findings import evidence_text
from leadml.review.performance.slices import TOO_FEW
from leadml.review.verdict import days_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadml.jobs.review import Review
    from leadml.publish.store.reviews import StoredReview

ACTIONS = {
    "KEEP": "Keep the version: level, ranking and cuts hold.",
    "RECUT": "Solve the cuts again: the model holds, and a cut does not keep its promise.",
    "RECALIBRATE": "Calibrate again: the probabilities are too high or too low, and the order of leads is right.",
    "REFIT": "Fit the model on newer leads: it no longer ranks leads as it did.",
    "INVESTIGATE": "Look at what has changed in the leads; no outcome shows yet that the model is wrong.",
    "INSUFFICIENT EVIDENCE": "Wait: there are not enough outcomes yet to say whether the version holds.",
}
DOUBTS = "See whether outcomes still come in: without them nothing can be said of the version."
FIGURES = {
    "leads": "leads",
    "conversions": "conversions",
    "rate": "share that converted",
    "mean_probability": "mean probability",
    "roc_auc": "ROC AUC (larger is better, chance gives 0.5)",
    "log_loss": "log loss (smaller is better)",
    "uncertainty": "of it uncertainty: the log loss of the rate alone",
    "discrimination": "less discrimination: what the ranking gains",
    "global_miscalibration": "plus wrong level",
    "local_miscalibration": "plus wrong at some probabilities",
}
COUNTS = {"leads", "conversions"}
SHARES = {"rate", "mean_probability", "precision", "recall"}
NEWEST_PERIODS = 6  # columns of a table that fit on a page; the figures show all periods
NEWEST_VERDICTS = 12  # lines of past verdicts; the store has all


def build_review_page(review: Review, past: Sequence[StoredReview]) -> Report:
    """Return the page of a review.

    Parameters
    ----------
    review
        The review.
    past
        The reviews of the target so far, oldest first.
    """
    found, judgement = review.assessment, review.judgement
    warned = [finding for finding in review.findings if finding.severity == "warn"]
    days = "" if judgement.days is None else f" More can be said in {days_text(judgement.days)}."
    return Report(
        title=f"{review.target}: review of version {review.version} as of {review.as_of}",
        headline=f"{review.verdict}. {DOUBTS if review.judgement.doubts_outcomes else ACTIONS[review.verdict]}",
        warnings=[f"{judgement.reason}{days}", *map(str, warned)],
        facts=[
            ("conversions in the newest two periods of outcomes", f"{found.conversions:,}"),
            *_evidence_facts(review),
            *_domain_fact(review),
        ],
        sections=[
            _evidence_section(review),
            *_period_sections(review),
            *_promise_section(review),
            *_slice_section(review),
            *_shadow_section(review),
            *_exploration_section(review),
            _finding_section(review),
            _past_section(past),
        ],
    )  # fmt: skip


def _evidence_facts(review: Review) -> Iterator[tuple[str, str]]:
    rows, limit = review.evidence(), 2 / review.choices.false_alarms
    for name in ("level", "ranking"):
        values = rows.loc[rows["of"] == name, "evidence"]
        newest = evidence_text(values.iloc[-1]) if len(values) else "none yet"
        yield f"evidence against the {name}; {limit:,.0f} is the limit", newest


def _domain_fact(review: Review) -> Iterator[tuple[str, str]]:
    domain = review.assessment.domain
    if domain is not None:
        words = "AUC of telling the newest leads from earlier ones; 0.5 is chance"
        yield words, f"{domain.roc_auc:.2f}"


def _evidence_section(review: Review) -> ReportSection:
    limit = 2 / review.choices.false_alarms
    meaning = (
        "How much the outcomes speak against the version: against the level of its probabilities, and against its "
        "ranking of leads, given how many of them converted. As long as the version is as good as in its evaluation, "
        "the evidence is not expected to rise, however often one looks."
    )
    chance = (
        f"Evidence of {limit:,.0f} or more on any day of a year of service has a chance of at most "
        f"{review.choices.false_alarms / 2:.1%} for each line, if the version holds."
    )
    text = [meaning, chance]
    evidence = review.evidence()
    if evidence.empty:
        return ReportSection("Does the version hold?", [*text, "No outcomes are known yet."])
    alt = "Evidence against level and ranking over time, on a logarithmic scale, with the limit"
    return ReportSection("Does the version hold?", text, review_figures.evidence_figure(evidence, limit=limit), alt)


def _period_sections(review: Review) -> Iterator[ReportSection]:
    found = review.assessment
    table = _period_table(found.realised) if len(found.realised) else None
    words = (
        "Each lead counts once a period, with the probability that it was given at the time. A period is judged when "
        "the outcomes of all its leads are known. Estimates are made before, from the probabilities and the outcomes "
        "of earlier periods: they are wrong where leads convert otherwise than before, and cannot tell so."
    )
    figure, alt = "", ""
    if len(found.estimated) or len(found.realised):
        figure = review_figures.period_figure(found.estimated, found.realised, "rate", "share that converts")
        alt = "Share of leads that converted by period, as estimated and as it came"
    yield ReportSection("What was said, and what came", [words], figure, alt, (table,) if table else ())
    if len(found.realised):
        drawing = review_figures.period_figure(found.estimated, found.realised, "roc_auc", "ROC AUC")
        words = "The chance that a lead that converts has a higher probability than one that does not."
        alt = "ROC AUC by period, as estimated and as it came"
        yield ReportSection("Ranking of leads", [words], drawing, alt)


def _period_table(table: pd.DataFrame) -> TextTable:
    """Return the figures of the newest periods, a column for each."""
    periods = sorted(table["period"].unique())[-NEWEST_PERIODS:]
    keys = [(figure, "") for figure in FIGURES]
    keys += [(figure, stage) for stage in table["stage"].unique() if stage for figure in ("precision", "recall")]
    rows = []
    for figure, stage in keys:
        some = table[(table["figure"] == figure) & (table["stage"] == stage)]
        cells = {row["period"]: _cell(row, figure) for row in as_rows(some)}
        name = FIGURES.get(figure, f"{stage}: {'of these convert' if figure == 'precision' else 'of all converters'}")
        rows.append((name, *(cells.get(period, "") for period in periods)))
    return TextTable(("period from", *periods), rows)


def _cell(row: dict[str, float], figure: str) -> str:
    if figure in COUNTS:
        return f"{row['value']:,.0f}"
    form = percent if figure in SHARES else _decimals
    if np.isnan(row["low"]):
        return form(row["value"])
    return f"{form(row['value'])} ({form(row['low'])} to {form(row['high'])})"


def _decimals(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _promise_section(review: Review) -> Iterator[ReportSection]:
    table = review.assessment.promises
    if table.empty:
        return
    rows = [
        (
            row["stage"],
            percent(row["cut"]),
            f"{row['leads']:,.0f}",
            f"{percent(row['precision'])} ({percent(row['precision_low'])} to {percent(row['precision_high'])})",
            percent(row["promised_precision"]),
            row["precision_verdict"],
            f"{percent(row['share'])} ({percent(row['share_low'])} to {percent(row['share_high'])})",
            percent(row["promised_share"]),
            row["share_verdict"],
        )
        for row in as_rows(table)
    ]
    head = (
        "stage", "cut", "leads with outcomes", "of these convert", "promised", "", "leads at or above now", "promised",
        "",
    )  # fmt: skip
    words = "What the rule of each cut promised, and what came of it since the version came into use."
    yield ReportSection("Cuts", [words], tables=(TextTable(head, rows),))


def _slice_section(review: Review) -> Iterator[ReportSection]:
    slices = review.assessment.slices
    if slices.empty:
        return
    table = slices[slices["verdict"] != TOO_FEW]
    few = len(slices) - len(table)
    rows = [
        (
            str(row["attribute"]),
            inert(row["level"]),
            f"{row['leads']:,.0f}",
            percent(row["share"]),
            percent(row["training_share"]),
            f"{percent(row['rate'])} ({percent(row['rate_low'])} to {percent(row['rate_high'])})",
            percent(row["training_rate"]),
            percent(row["mean_probability"]),
            _decimals(row["roc_auc"]),
            str(row["verdict"]),
        )
        for row in as_rows(table)
    ]
    head = (
        "attribute", "level", "leads", "share", "in the training", "converted", "in the training", "said", "ROC AUC", ""
    )  # fmt: skip
    words = "By the attributes of review.slices."
    if few:
        words += f" {few:,} slices with fewer than {review.choices.min_slice:,} leads are not judged."
    yield ReportSection("Slices", [words], tables=(TextTable(head, rows),))


def _shadow_section(review: Review) -> Iterator[ReportSection]:
    if review.shadows is None or review.shadows.empty:
        return
    rows = [
        (
            row["version"],
            f"{row['leads']:,}",
            f"{row['conversions']:,}",
            f"{row['expected']:,.0f} ({row['expected_by_champion']:,.0f})",
            f"{row['log_loss']:.4f} ({row['champion_log_loss']:.4f})",
            f"{row['gain']:+.4f} ({row['gain_low']:+.4f} to {row['gain_high']:+.4f})",
            f"{row['roc_auc']:.3f} ({row['champion_roc_auc']:.3f})",
        )
        for row in as_rows(review.shadows)
    ]
    head = "version", "leads", "converted", "expected", "log loss", "less than the version in use", "ROC AUC"
    words = "Versions that score beside the one in use; in brackets what that one has on the same leads."
    yield ReportSection("Shadows", [words], tables=(TextTable(head, rows),))


def _exploration_section(review: Review) -> Iterator[ReportSection]:
    found = review.exploration
    if found is None or not found.marked:
        return
    rows = [
        ("leads below MQL whose outcomes are known", f"{found.leads:,}"),
        ("of these marked to be worked anyway", f"{found.marked:,}"),
        ("would convert if worked", f"{percent(found.rate)} ({percent(found.low)} to {percent(found.high)})"),
        ("converted without a mark", percent(found.naive)),
    ]
    words = (
        "A share of the leads below MQL is drawn by chance and marked to be worked (score.explore). They tell what "
        "such leads are worth; the marked leads count as a whole, whether or not each was really worked."
    )
    yield ReportSection("Leads below the cut", [words], tables=(TextTable(("", ""), rows),))


def _finding_section(review: Review) -> ReportSection:
    rows = [(each.code, CATALOGUE[each.code].title, each.severity, each.evidence) for each in review.findings]
    table = TextTable(("code", "what is judged", "", "evidence"), rows)
    return ReportSection(
        "All findings", ['"Not applicable" is not "passed": nothing could be judged.'], tables=(table,)
    )


def _past_section(past: Sequence[StoredReview]) -> ReportSection:
    """Return the section with the verdicts so far: of equal verdicts in a row the first and the last day."""
    runs: list[list[str]] = []
    for review in sorted(past, key=lambda each: each.as_of):
        if runs and runs[-1][2:] == [review.verdict, review.version]:
            runs[-1][1] = review.as_of[:10]
        else:
            runs.append([review.as_of[:10], review.as_of[:10], review.verdict, review.version])
    table = TextTable(("from", "to", "verdict", "version"), [tuple(run) for run in runs[::-1][:NEWEST_VERDICTS]])
    return ReportSection("Verdicts so far", ["The newest first."], tables=(table,))
