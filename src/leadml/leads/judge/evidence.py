"""What the leak gate is given beside the rows of a training set.

A source of leads knows more than one frame says: in which order rows stood in the file, when attributes changed, when
outcomes came. Each table is optional; a rule whose evidence is not there is "not applicable", not "passed".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import ModelError, nearest, quoted
from leadml.leads.check.contract import LABEL, LEAD_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.types import Integers, Rows

COLUMNS = {
    "held_out": (LEAD_ID, LABEL),
    "changes": (LEAD_ID, "field", "changed_at"),
    "outcomes": (LEAD_ID, "occurred_at"),
    "activities": ("kind", "rows", "recorded_before", "after_outcome"),
    "future_counts": (LEAD_ID, "as_of"),
    "repeated_activities": ("rows", "repeated", "converted"),
}


@dataclass(frozen=True)
class Clock:
    """The instant of each row.

    Parameters
    ----------
    instants
        Array of shape (n_rows,): microseconds since 1970 in UTC.
    name
        What messages call the instants: ``as_of`` or ``created_at``.
    is_limit
        Whether nothing later may be known of a row, as of a snapshot. What is later than the creation of a lead may be
        honest, because attributes are filled in afterwards.
    """

    instants: Integers
    name: str
    is_limit: bool

    def part(self, rows: Any) -> Clock:
        """Return the clock of some rows."""
        return replace(self, instants=self.instants[rows])


@dataclass(frozen=True)
class LeakEvidence:
    """Optional evidence; instants are integers, microseconds since 1970 in UTC.

    Parameters
    ----------
    order
        Array of shape (n_rows,): the position of each row in the file that it came from.
    clock
        The instant of each row.
    held_out
        The rows of the holdout, with the columns of the frame.
    changes
        One row for each change of a field: ``lead_id``, ``field``, ``changed_at``.
    outcomes
        One row for each lead that converted: ``lead_id``, ``occurred_at``.
    activities
        One row for each kind of activity: ``kind``, ``rows`` (how many there are), ``recorded_before`` (how many were
        recorded before they happened) and ``after_outcome`` (how many happened after the lead's outcome).
    future_counts
        One row for a snapshot: ``lead_id``, ``as_of``, and columns named as the fields that count activities over a
        window before the snapshot, with the counts over a window of the same length after it. Snapshots may be missing.
    repeated_activities
        One row for each lead with activities: ``rows`` of its activities, those ``repeated`` (another has the same
        values), and whether it ``converted``, 0 or 1.

    Raises
    ------
    ModelError
        Where a table lacks a column.
    """

    order: NDArray[np.integer] | None = None
    clock: Clock | None = None
    held_out: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    activities: pd.DataFrame | None = None
    future_counts: pd.DataFrame | None = None
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

    def part(self, rows: Rows) -> LeakEvidence:
        """Return the evidence with order and clock of some rows."""
        order = None if self.order is None else np.asarray(self.order)[rows]
        return replace(self, order=order, clock=self.clock and self.clock.part(rows))
