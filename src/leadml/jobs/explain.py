"""Explain one lead.

What enters is an id, the leads that hold it and a bundle; what leaves is its number and every contribution to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import DataError, Fault, quoted
from leadml.jobs.as_of import AsOfSettings, open_as_of_view, shown_instant
from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.load import checked_chunks
from leadml.leads.judge.eligibility import why_not_eligible
from leadml.leads.read.table_source import FileSource
from leadml.model.judge.evaluation import as_rows
from leadml.model.predict.explain import START_GROUP, contribution_table, explain_leads, reason_text
from leadml.publish.text_tables import TextTable
from leadml.stages.lifecycle import StagePlan, advised_stages

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from leadml.bundle.storage import Bundle
    from leadml.jobs.project import Project
    from leadml.leads.read.files import Dialect
    from leadml.types import Floats, Progress


LEAST_SHOWN = 0.05


@dataclass(frozen=True)
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


def explanation_table(explained: Explained) -> TextTable:
    """Return an explanation as people read it: starting point, strongest topics in the words of reasons, rest, score.

    What is shown adds up to the last digit.
    """
    table = explained.table
    topics = table.groupby("topic", sort=False)[["log_odds", "points"]].sum()
    toward = table["points"] * np.where(table["topic"].map(topics["points"]) < 0, -1.0, 1.0)
    strongest = table.loc[toward.groupby(table["topic"], sort=False).idxmax()].set_index("topic")
    told = topics.assign(reason=strongest["reason"], group=strongest["group"])
    strength = told["points"].abs().where(told["group"] != START_GROUP, float("inf"))
    told = told.loc[strength.sort_values(ascending=False, kind="stable").index]
    shown = told[strength.loc[told.index] >= LEAST_SHOWN]
    sums = np.rint([1000 * table["log_odds"].sum(), 10_000 * explained.probability])
    parts = np.rint(shown[["log_odds", "points"]].to_numpy() * (1000, 100))
    rest, more = sums - parts.sum(axis=0), len(told) - len(shown)
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


def explain(bundle: Bundle, source: Path, lead_id: str, *, dialect: Dialect) -> Explained:
    """Return the explanation of one flat lead.

    Raises
    ------
    DataError
        Where the file has no such lead, or its row is at fault.
    """
    for checked in checked_chunks(FileSource(source, dialect), bundle.contract):
        faults = [fault for fault in checked.faults if fault.lead_id == lead_id]
        if faults:
            raise DataError(faults)
        frame = checked.frame[checked.frame[LEAD_ID] == lead_id].head(1).reset_index(drop=True)
        if len(frame):
            return _explained(bundle, frame, lead_id)
    raise DataError(
        [Fault(source.name, f"must hold the lead {quoted(lead_id)}, got no such id; ids are text, zeros count")]
    )


def explain_dated(
    project: Project, bundle: Bundle, lead_id: str, *, as_of: int, now: str, progress: Progress
) -> Explained:
    """Return the explanation of one dated lead as of an instant, in microseconds.

    Raises
    ------
    DataError
        Where there is no such lead, a row of it is at fault, or it was not in the population then.
    """
    as_of_settings = AsOfSettings.from_json(bundle.as_of_settings or {})
    as_of_settings.check(project.params)
    with open_as_of_view(project, as_of_settings, bundle.contract, now=now, progress=progress) as view:
        if faults := [fault for fault in view.history.faults if fault.lead_id == lead_id]:
            raise DataError(faults)
        for frame in scoring_snapshots(view, as_of):
            found = frame[frame[LEAD_ID] == lead_id].reset_index(drop=True)
            if len(found):
                return _explained(bundle, found, lead_id)
        got = "no such id"
        places = np.flatnonzero(view.history.lead_ids == lead_id)
        if len(places):
            why = why_not_eligible(view, int(places[0]), as_of)
            got = f"one that was not in the population at {shown_instant(as_of)}: {why}"
    raise DataError([Fault("leads", f"must hold the lead {quoted(lead_id)}, got {got}; choose another date or id")])


def _explained(bundle: Bundle, frame: pd.DataFrame, lead_id: str) -> Explained:
    explanation = explain_leads(bundle.model, bundle.model.encoder.fields_of(frame))
    table = contribution_table(frame, explanation).drop(columns="lead_id")
    fields = {field.name: field for field in bundle.model.encoder.fields}
    table["topic"] = [fields[name].subject if name in fields else name for name in table["field"]]
    table["reason"] = [
        reason_text(fields[name], frame[name].to_list()[0]) if name in fields else name for name in table["field"]
    ]
    order = table["points"].abs().where(table["group"] != START_GROUP, float("inf"))
    table = table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    stage = advised_stages(explanation.probability, StagePlan.from_json(bundle.stages).cuts)[0]
    return Explained(lead_id, float(explanation.probability[0]), str(stage), table)
