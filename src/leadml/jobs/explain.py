"""Explain one lead: its number and every contribution to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import inert
from leadml.model.judge.evaluation import as_rows
from leadml.model.predict.explain import START_GROUP, contribution_table, explain_leads, reason_text
from leadml.publish.text_tables import TextTable
from leadml.stages.lifecycle import advised_stages

if TYPE_CHECKING:
    import pandas as pd

    from leadml.bundle.model import Model
    from leadml.leads.sources.source import LeadSource
    from leadml.types import Floats, Progress

LEAST_SHOWN = 0.05


@dataclass(frozen=True, repr=False)
class Explained:
    """One lead's number and where it comes from.

    Parameters
    ----------
    lead_id, probability, stage
        The lead, its calibrated probability and its advised stage.
    table
        ``field, group, value, log_odds, points, topic, reason``: the starting point, then the fields, strongest first.
    """

    lead_id: str
    probability: float
    stage: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        """Return the number, in one line."""
        return f"<lead {inert(self.lead_id)}: {100 * self.probability:.1f} of 100, {self.stage or 'no stage'}>"

    def _repr_html_(self) -> str:
        """Return where the number comes from, for notebooks."""
        return explanation_table(self).to_html(repr(self)[1:-1])


def explanation_table(explained: Explained) -> TextTable:
    """Return an explanation as people read it: starting point, strongest topics in the words of reasons, rest, score.

    What is shown adds up to the last digit.
    """
    table = explained.table
    points = table.groupby("topic", sort=False)[["log_odds", "points"]].sum()
    toward = table["points"] * np.where(table["topic"].map(points["points"]) < 0, -1.0, 1.0)
    strongest = table.loc[toward.groupby(table["topic"], sort=False).idxmax()].set_index("topic")
    topics = points.assign(reason=strongest["reason"], group=strongest["group"])
    strength = topics["points"].abs().where(topics["group"] != START_GROUP, float("inf"))
    topics = topics.loc[strength.sort_values(ascending=False, kind="stable").index]
    shown = topics[strength.loc[topics.index] >= LEAST_SHOWN]
    sums = np.rint([1000 * table["log_odds"].sum(), 10_000 * explained.probability])
    parts = np.rint(shown[["log_odds", "points"]].to_numpy() * (1000, 100))
    rest, more = sums - parts.sum(axis=0), len(topics) - len(shown)
    rows = [
        (row["reason"], "" if row["group"] == START_GROUP else row["group"], *_signed(part))
        for row, part in zip(as_rows(shown), parts, strict=True)
    ]
    if more or rest.any():
        rows.append((f"{more} more, each below {LEAST_SHOWN} points" if more else "rounding", "", *_signed(rest)))
    score = ("score", explained.stage, _signed(sums)[0], f"{sums[1] / 100:.2f}")
    return TextTable(("reason", "group", "log-odds before calibration", "points"), [*rows, score])


def _signed(part: Floats) -> tuple[str, str]:
    """Return thousandths of log-odds and hundredths of points as people read them."""
    return f"{part[0] / 1000:+.3f}", f"{part[1] / 100:+.2f}"


def explain(model: Model, lead_id: str, *, source: LeadSource, as_of: str | None, progress: Progress) -> Explained:
    """Return the explanation of one lead: of each that is scored, with the same number, and of no other.

    Parameters
    ----------
    model
        The version.
    lead_id
        The lead.
    source
        Where its row is.
    as_of
        A date or time in ISO 8601 for dated leads; None for flat ones.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where there is no such lead, a row of it is at fault, or it is outside the population.
    """
    frame = source.find(lead_id, as_of, progress=progress)
    bundle = model.bundle
    explanation = explain_leads(bundle.model, bundle.model.encoder.fields_of(frame))
    table = contribution_table(frame, explanation).drop(columns="lead_id")
    fields = {field.name: field for field in bundle.model.encoder.fields}
    table["topic"] = [fields[name].subject if name in fields else name for name in table["field"]]
    table["reason"] = [
        reason_text(fields[name], frame[name].to_list()[0]) if name in fields else name for name in table["field"]
    ]
    order = table["points"].abs().where(table["group"] != START_GROUP, float("inf"))
    table = table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    stage = advised_stages(explanation.probability, bundle.stages.cuts)[0]
    return Explained(lead_id, float(explanation.probability[0]), str(stage), table)
