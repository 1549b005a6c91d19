"""Evidence of the leak gate that the rows of a training set do not hold.

A source of leads knows more than its rows: their order in the file, the dates at which attributes changed, the dates of
outcomes. Each part is optional; a rule without its evidence is "not applicable", not "passed".
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

REQUIRED_COLUMNS = {
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
        Name of the instants in messages: ``as_of`` or ``created_at``.
    is_limit
        Whether a row must hold nothing later, as a snapshot must not. Values later than the creation of a lead may be
        honest, because attributes are also filled in afterwards.
    """

    instants: Integers
    name: str
    is_limit: bool

    def part(self, rows: Any) -> Clock:
        """Return the clock of some rows."""
        return replace(self, instants=self.instants[rows])


@dataclass(frozen=True)
class LeakEvidence:
    """Evidence of the rows of a training set; instants are integers, microseconds since 1970 in UTC.

    Parameters
    ----------
    order
        Array of shape (n_rows,): the position of each row in its file.
    clock
        The instant of each row.
    held_out
        The rows of the holdout, with the columns of the training set.
    changes
        One row for each change of a field: ``lead_id``, ``field``, ``changed_at``.
    outcomes
        One row for each lead that converted: ``lead_id``, ``occurred_at``.
    activities
        One row for each kind of activity: ``kind``, ``rows`` (the number of activities), ``recorded_before`` (those
        recorded before they happened) and ``after_outcome`` (those that happened after the outcome of their lead).
    future_counts
        One row for a snapshot: ``lead_id``, ``as_of``, and a column for each field that counts activities over a window
        before the snapshot, of the same name, with the count over an equally long window after it. Snapshots may be
        missing.
    repeated_activities
        One row for each lead with activities: ``rows`` (the number of its activities), ``repeated`` (those of which
        another has the same values) and ``converted``, 0 or 1.
    people
        By id, the person of each lead that is the same person as another lead; None where this is not known.

    Raises
    ------
    ModelError
        Where a table has not all of its columns.
    """

    order: NDArray[np.integer] | None = None
    clock: Clock | None = None
    held_out: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    activities: pd.DataFrame | None = None
    future_counts: pd.DataFrame | None = None
    repeated_activities: pd.DataFrame | None = None
    people: pd.Series | None = None

    def __post_init__(self) -> None:
        """Refuse a table that has not all of its columns."""
        for field in fields(self):
            table = getattr(self, field.name)
            for column in REQUIRED_COLUMNS.get(field.name, ()) if isinstance(table, pd.DataFrame) else ():
                if column not in table:
                    hint = nearest(column, map(str, table.columns)) or f"; it has {len(table.columns)} others"
                    msg = f"evidence.{field.name} must have a column {quoted(column)}, got none{hint}"
                    raise ModelError(msg)

    def part(self, rows: Rows) -> LeakEvidence:
        """Return the evidence with order and clock of some rows."""
        order = None if self.order is None else np.asarray(self.order)[rows]
        return replace(self, order=order, clock=self.clock and self.clock.part(rows))
