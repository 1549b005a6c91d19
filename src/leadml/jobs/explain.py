"""Explain one lead.

What enters is an id, a file that holds it and a bundle; what leaves is its number and every contribution to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import DataError, Fault, quoted
from leadml.leads.load import check_header, checked_chunks
from leadml.leads.schema import LEAD_ID
from leadml.model.evaluation import records
from leadml.model.explain import START_GROUP, contribution_table, explain_leads
from leadml.publish.tables import Table
from leadml.stages.lifecycle import StagePlan, advised_stages

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

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
    """Return the explanation of one lead.

    Raises
    ------
    DataError
        Where the file has no such lead, or its row is at fault.
    """
    check_header(source, bundle.contract, dialect)
    for checked in checked_chunks(source, bundle.contract, dialect):
        faults = [fault for fault in checked.faults if fault.lead_id == lead_id]
        if faults:
            raise DataError(faults)
        frame = checked.frame[checked.frame[LEAD_ID] == lead_id].head(1).reset_index(drop=True)
        if len(frame):
            explanation = explain_leads(bundle.model, bundle.model.encoder.encode(frame))
            table = contribution_table(frame, explanation).drop(columns="lead_id")
            order = table["points"].abs().where(table["group"] != START_GROUP, float("inf"))
            table = table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
            stage = advised_stages(explanation.probability, StagePlan.from_json(bundle.stages).cuts)[0]
            return Explained(lead_id, float(explanation.probability[0]), str(stage), table)
    raise DataError(
        [Fault(source.name, f"must hold the lead {quoted(lead_id)}, got no such id; ids are text, zeros count")]
    )
