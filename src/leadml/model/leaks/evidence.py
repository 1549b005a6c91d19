"""What the gate may be given beside the leads.

What enters is optional tables and arrays; what leaves is the same, known to have the columns that its rules read.
It refuses tables that lack a column; a rule whose evidence is not there is not applicable.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pandas as pd

from leadml.errors import ModelError, nearest, quoted
from leadml.leads.check.contract import LEAD_ID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS = {
    "aside": (LEAD_ID, "converted"),
    "changes": (LEAD_ID, "field", "changed_at"),
    "outcomes": (LEAD_ID, "occurred_at"),
    "activities": ("kind", "rows", "recorded_before", "after_outcome"),
    "ahead": (LEAD_ID, "as_of"),
    "repeats": ("rows", "repeated", "converted"),
}


@dataclass(frozen=True)
class LeakEvidence:
    """Optional evidence; instants are integers, microseconds since the epoch in UTC.

    Parameters
    ----------
    order
        Array of shape (n_leads,): the place of each lead of the frame in the file it came from.
    aside
        The leads kept aside, with the columns of the frame.
    changes
        One row for each change of a field: ``lead_id``, ``field``, ``changed_at``.
    outcomes
        One row for each lead that converted: ``lead_id``, ``occurred_at``.
    activities
        One row for each kind of activity: ``kind``, ``rows`` (how many there are), ``recorded_before`` (how many were
        recorded before they happened) and ``after_outcome`` (how many happened after the lead's outcome).
    ahead
        One row for a look: ``lead_id``, ``as_of``, and columns named as the fields that count activities over a window
        before the look, holding the counts over as long a window that begins at the look. Looks may be missing.
    repeats
        One row for each lead that did something: ``rows`` of its activities, those ``repeated`` (another says the same
        to the letter), and whether it ``converted``, 0 or 1.

    Raises
    ------
    ModelError
        Where a table lacks a column.
    """

    order: NDArray[np.integer] | None = None
    aside: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    activities: pd.DataFrame | None = None
    ahead: pd.DataFrame | None = None
    repeated_activities: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        """Refuse tables that lack a column."""
        for field in fields(self):
            table = getattr(self, field.name)
            for column in COLUMNS.get(field.name, ()) if isinstance(table, pd.DataFrame) else ():
                if column not in table:
                    hint = nearest(column, map(str, table.columns)) or f"; it has {len(table.columns)} others"
                    msg = f"evidence.{field.name} must have a column {quoted(column)}, got none{hint}"
                    raise ModelError(msg)
