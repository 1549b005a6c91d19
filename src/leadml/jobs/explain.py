"""Explain one lead: its probability and every contribution to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leadml.bundle.scoring import lifecycle_of
from leadml.errors import inert
from leadml.model.judge.evaluation import as_rows
from leadml.model.predict.explain import START_GROUP, contribution_table, explain_leads, reason_text
from leadml.publish.text_tables import TextTable
from leadml.stages.lifecycle import KnownStages, give_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leadml.bundle.model import Model
    from leadml.leads.sources.lead_source import LeadSource
    from leadml.params import Params
    from leadml.types import Floats, Progress

MIN_SHOWN_POINTS = 0.05  # less is 0.0 in the reasons of a score, which are rounded to tenths


@dataclass(frozen=True, repr=False, eq=False)
class Explained:
    """The probability of one lead and the contributions that add up to it.

    Parameters
    ----------
    lead_id, probability, stage
        The id, the calibrated probability and the advised stage of the lead.
    table
        ``field, group, value, log_odds, points, topic, reason, remark`` (that the value is new to the model, or beyond
        the leads of the training): the starting point, then the fields by absolute points, largest first.
    stamp
        The column ``as_of`` and its value for dated leads; empty for flat leads.
    """

    lead_id: str
    probability: float
    stage: str
    table: pd.DataFrame
    stamp: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return score and stage in one line."""
        return f"<lead {inert(self.lead_id)}: {100 * self.probability:.1f} of 100, {self.stage or 'no stage'}>"

    def _repr_html_(self) -> str:
        """Return the contributions as a table, for notebooks."""
        return explanation_table(self).to_html(repr(self)[1:-1])


def explanation_table(explained: Explained) -> TextTable:
    """Return an explanation as a table of text: starting point, topics by absolute points, the rest, score.

    The numbers that are shown add up exactly: one row contains the small contributions and the rounding differences.
    Values with a remark are shown, however little they add.
    """
    table = explained.table
    points = table.groupby("topic", sort=False)[["log_odds", "points"]].sum()
    aligned = table["points"] * np.where(table["topic"].map(points["points"]) < 0, -1.0, 1.0)
    strongest = table.loc[aligned.groupby(table["topic"], sort=False).idxmax()].set_index("topic")
    topics = points.assign(reason=strongest["reason"], group=strongest["group"])
    strength = topics["points"].abs().where(topics["group"] != START_GROUP, float("inf"))
    topics = topics.loc[strength.sort_values(ascending=False, kind="stable").index]
    has_remark = (table["remark"] != "").groupby(table["topic"], sort=False).any()
    shown = topics[(strength >= MIN_SHOWN_POINTS).loc[topics.index] | has_remark.loc[topics.index]]
    sums = np.rint([1000 * table["log_odds"].sum(), 10_000 * explained.probability])
    rounded = np.rint(shown[["log_odds", "points"]].to_numpy() * (1000, 100))
    rest, hidden = sums - rounded.sum(axis=0), len(topics) - len(shown)
    rows = [
        (row["reason"], "" if row["group"] == START_GROUP else row["group"], *_signed(numbers))
        for row, numbers in zip(as_rows(shown), rounded, strict=True)
    ]
    if hidden or rest.any():
        words = f"{hidden} more, each below {MIN_SHOWN_POINTS} points" if hidden else "rounding"
        rows.append((words, "", *_signed(rest)))
    stage = f", stage {explained.stage}" if explained.stage else ""
    score = (f"score{stage}", "", _signed(sums)[0], f"{sums[1] / 100:.2f}")
    return TextTable(("reason", "group", "log-odds before calibration", "points"), [*rows, score])


def _signed(numbers: Floats) -> tuple[str, str]:
    """Return text of log-odds, given in thousandths, and of points, given in hundredths."""
    return f"{numbers[0] / 1000:+.3f}", f"{numbers[1] / 100:+.2f}"


def explain(
    model: Model,
    lead_id: str,
    *,
    source: LeadSource,
    as_of: str | None,
    progress: Progress,
    params: Params | None = None,
) -> Explained:
    """Return the explanation of one lead.

    A lead is explained if and only if it is scored, and with the same probability.

    Parameters
    ----------
    model
        The version.
    lead_id
        The id of the lead.
    source
        The source that contains its row.
    as_of
        A date or time in ISO 8601 for dated leads; None for flat ones.
    progress
        Called with the name of each step as it begins.
    params
        The choices of the project, whose rules the advised stage follows; None for none.

    Raises
    ------
    DataError
        If there is no such lead, one of its rows has a fault, or it is outside the population.
    """
    frame = source.find(lead_id, as_of, progress=progress)
    bundle = model.bundle
    explanation = explain_leads(bundle.model, bundle.model.encoder.fields_of(frame))
    table = contribution_table(frame, explanation).drop(columns="lead_id")
    fields = {entry.name: entry for entry in bundle.model.encoder.fields}
    table["topic"] = [fields[name].subject if name in fields else name for name in table["field"]]
    remarks = {name: str(explanation.remarks(slice(None), index)[0]) for index, name in enumerate(fields)}
    table["remark"] = [remarks.get(name, "") for name in table["field"]]
    table["reason"] = [
        reason_text(fields[name], frame[name].to_list()[0], remarks[name]) if name in fields else name
        for name in table["field"]
    ]
    order = table["points"].abs().where(table["group"] != START_GROUP, float("inf"))
    table = table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    lifecycle = lifecycle_of(bundle, params)
    given = give_stages(explanation.probability, bundle.stages.cuts, frame, KnownStages.nothing(1), lifecycle)
    return Explained(lead_id, float(explanation.probability[0]), str(given.advised[0]), table, source.stamp(as_of))
