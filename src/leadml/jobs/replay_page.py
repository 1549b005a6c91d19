"""Build the page of a replay, ready to be rendered."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from leadml.model.judge.evaluation import as_rows
from leadml.publish import replay_figures
from leadml.publish.page import Report, ReportSection
from leadml.publish.text_tables import TextTable
from leadml.review.replay.level import STILL

if TYPE_CHECKING:
    from leadml.jobs.replay import Replayed

POLICIES = (
    ("once", "the model of the first period, for good"),
    ("refit", "a model of all outcomes known by the beginning of each month"),
    ("loop", "the same if its recipe was not surely worse a month ago, with a level that follows outcomes"),
    ("oracle", "the model of refit, told the level that each month turns out to have; nobody can know it"),
)


def build_replay_page(replayed: Replayed) -> Report:
    """Return the page of a replay."""
    periods = replayed.periods
    words = (
        "Each month is played with what was known at its beginning alone; within it the level of the loop follows what "
        "became known before each lead came. The difference to refit has its interval at 90% over months that are "
        "drawn again."
    )
    of_volume = ["What share of leads converted, and what each policy said at the time."]
    if replayed.labels != "month":
        of_volume.append(
            "The chance that the level moves is as it was known when the month began; "
            f"{1 - exp(STILL[0].log_prior):.0%} where nothing was known yet."
        )
    loss, volume = replay_figures.loss_figure(periods), replay_figures.volume_figure(periods)
    return Report(
        title=f"{replayed.target}: the past, played as if it were live",
        headline=replayed.line,
        warnings=[],
        facts=[],
        sections=[
            ReportSection(
                "Policies", [words], tables=(replayed.table(), TextTable(("policy", "what it is"), POLICIES))
            ),
            ReportSection("Log loss by month", ["Smaller is better."], loss, "Log loss of each policy by month"),
            ReportSection(
                "Volume by month",
                of_volume,
                volume,
                "Share of leads that converted by month, and the share that each policy expected",
                (_volume_table(replayed),),
            ),
        ],
    )


def _volume_table(replayed: Replayed) -> TextTable:
    """Return a row for each month."""
    loop = replayed.periods[replayed.periods["policy"] == "loop"]
    refit = replayed.periods[replayed.periods["policy"] == "refit"]
    rows = [
        (
            row["period"],
            f"{row['leads']:,}",
            f"{row['converted']:,}",
            f"{row['expected']:,.0f}",
            f"{other['expected']:,.0f}",
            f"{row['log_loss']:.3f}",
            f"{row['roc_auc']:.3f}",
            "promoted" if row["promoted"] else "kept the one before",
            f"{row['moves']:.0%}",
        )
        for row, other in zip(as_rows(loop), as_rows(refit), strict=True)
    ]
    head = (
        "month", "predictions", "converted", "expected by the loop", "by refit", "log loss of the loop", "ROC AUC",
        "version", "chance that the level moves",
    )  # fmt: skip
    return TextTable(head, rows)
