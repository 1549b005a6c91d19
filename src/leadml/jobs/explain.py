"""Explain one lead.

What enters is an id, the leads that hold it and a bundle; what leaves is its number and every contribution to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import DataError, Fault, quoted
from leadml.jobs.dated import Outlook, open_view, shown_instant
from leadml.leads.load import checked_chunks
from leadml.leads.schema import LEAD_ID
from leadml.leads.snapshots import scoring_snapshots
from leadml.leads.sources import FileSource
from leadml.model.evaluation import records
from leadml.model.explain import START_GROUP, contribution_table, explain_leads
from leadml.publish.tables import Table
from leadml.stages.lifecycle import StagePlan, advised_stages

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from leadml.jobs.project import Progress, Project
    from leadml.leads.ingest import Dialect
    from leadml.model.bundle import Bundle


@dataclass(frozen=True)
class Explained:
    """One lead's number and where it comes from.

    Parameters
    ----------
    lead_id, probability, stage
        The lead, its calibrated probability and its advised stage.
    table
        ``field, group, value, log_odds, points``: the starting point, then the fields, strongest first.
    """

    lead_id: str
    probability: float
    stage: str
    table: pd.DataFrame


def lead_table(explained: Explained) -> Table:
    """Return an explanation as people read it: the starting point, every field, and the score they add up to."""
    rows = []
    for row in records(explained.table):
        group = "" if row["group"] == START_GROUP else row["group"]
        rows.append((row["field"], group, row["value"], f"{row['log_odds']:+.3f}", f"{row['points']:+.2f}"))
    total = f"{explained.table['log_odds'].sum():+.3f}", f"{100 * explained.probability:.2f}"
    return Table(
        ("field", "group", "value", "log-odds before calibration", "points"),
        [*rows, ("score", "", explained.stage, *total)],
    )


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
    outlook = Outlook.from_json(bundle.outlook or {})
    outlook.check(project.params)
    with open_view(project, outlook, bundle.contract, now=now, progress=progress) as view:
        if faults := [fault for fault in view.tables.faults if fault.lead_id == lead_id]:
            raise DataError(faults)
        for frame in scoring_snapshots(view, as_of):
            found = frame[frame[LEAD_ID] == lead_id].reset_index(drop=True)
            if len(found):
                return _explained(bundle, found, lead_id)
        known = lead_id in set(view.tables.lead_ids)
    got = f"one that was not in the population at {shown_instant(as_of)}" if known else "no such id"
    raise DataError([Fault("leads", f"must hold the lead {quoted(lead_id)}, got {got}; choose another date or id")])


def _explained(bundle: Bundle, frame: pd.DataFrame, lead_id: str) -> Explained:
    explanation = explain_leads(bundle.model, bundle.model.encoder.encode(frame))
    table = contribution_table(frame, explanation).drop(columns="lead_id")
    order = table["points"].abs().where(table["group"] != START_GROUP, float("inf"))
    table = table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    stage = advised_stages(explanation.probability, StagePlan.from_json(bundle.stages).cuts)[0]
    return Explained(lead_id, float(explanation.probability[0]), str(stage), table)
