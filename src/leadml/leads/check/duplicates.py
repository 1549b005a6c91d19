"""Find leads that have more than one row.

Rows of one id with the same values are merged into one lead. Rows of one id with different values contradict each
other and are faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import Fault, inert, quoted
from leadml.leads.check.contract import LEAD_ID, kept_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadml.types import Hashes, Mask

MAX_NAMED_COLUMNS = 3  # so that a fault stays on one line; the row itself shows the others
# Any number that the hash of a value is unlikely to have: 2^64 divided by the golden ratio.
MISSING_HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Duplicates:
    """The rows that repeat or contradict another row of their lead.

    Parameters
    ----------
    merged
        Mask of shape (n_rows,): the row repeats an earlier one.
    conflicting
        Mask of shape (n_rows,): another row has the same id and different values.
    """

    merged: Mask
    conflicting: Mask


def row_hashes(frame: pd.DataFrame) -> tuple[Hashes, Hashes]:
    """Return a hash of the id and a hash of all values for each row.

    Two rows have the same hash of values where all columns have the same values after checking, however the file writes
    them. Columns that are only kept do not count: rows that differ there are no contradiction.

    Parameters
    ----------
    frame
        Checked rows with ``lead_id``.

    Returns
    -------
    tuple
        Two arrays of shape (n_rows,).
    """
    kept = set(kept_columns(frame))
    values = _value_hashes(frame, [name for name in frame.columns if name not in kept])
    return pd.util.hash_array(frame[LEAD_ID].to_numpy(), categorize=False).astype(np.uint64), values


def kept_hashes(frame: pd.DataFrame) -> Hashes:
    """Return a hash of the columns of each row that are only kept, an array of shape (n_rows,)."""
    return _value_hashes(frame, kept_columns(frame))


def content_keys(frame: pd.DataFrame) -> pd.Series:
    """Return a text key for each row; rows with the same values in all columns have the same key."""
    hashes = _value_hashes(frame, frame.columns)
    return pd.Series([f"{value:016x}" for value in hashes], index=frame.index, dtype=object)


def _value_hashes(frame: pd.DataFrame, names: Iterable[str]) -> Hashes:
    hashes = np.zeros(len(frame), dtype=np.uint64)
    for name in names:
        column = frame[name].to_numpy()
        missing = pd.isna(column)
        if column.dtype == object:
            column = np.where(missing, "", column)
        elif column.dtype.kind == "f":
            column = column + 0.0  # -0.0 becomes 0.0
        column_hashes = pd.util.hash_array(column, categorize=False).astype(np.uint64)
        hashes = hashes * np.uint64(1_000_003) ^ np.where(missing, MISSING_HASH, column_hashes)
    return hashes


def find_duplicates(id_hashes: Hashes, value_hashes: Hashes) -> Duplicates:
    """Return which rows repeat or contradict another.

    Parameters
    ----------
    id_hashes, value_hashes
        Arrays of shape (n_rows,) from `row_hashes`, in the order of the rows.

    Examples
    --------
    >>> duplicates = find_duplicates(np.array([1, 1, 2, 2]), np.array([7, 7, 8, 9]))
    >>> duplicates.merged.tolist(), duplicates.conflicting.tolist()
    ([False, True, False, False], [False, False, True, True])
    """
    order = np.lexsort((np.arange(len(id_hashes)), id_hashes))
    sorted_ids, sorted_values = id_hashes[order], value_hashes[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = sorted_ids[1:] != sorted_ids[:-1]
    lead = np.cumsum(is_first) - 1
    differs = sorted_values != sorted_values[np.flatnonzero(is_first)][lead]
    has_conflict = np.bincount(lead, weights=differs, minlength=1)[lead] > 0 if len(order) else is_first
    merged = np.zeros(len(order), dtype=bool)
    conflicting = np.zeros(len(order), dtype=bool)
    merged[order] = ~is_first & ~has_conflict
    conflicting[order] = has_conflict
    return Duplicates(merged, conflicting)


def conflict_faults(
    rows: Sequence[tuple[str, str]],
    column: str | None,
    differences: Mapping[str, str] | None = None,
    *,
    requirement: str = "must be there once",
    remedy: str = "keep the right row",
) -> list[Fault]:
    """Return the faults of rows that contradict another row of their lead.

    Parameters
    ----------
    rows
        Location and id of each row.
    column
        Name of the id column in the file.
    differences
        The columns in which the rows of an id differ, by id, from `differing_columns`; None where not all rows of an id
        are at hand.
    requirement
        Text of the message for what must hold.
    remedy
        Text of the message for what to do.
    """
    faults = []
    for location, lead_id in rows:
        other = (differences or {}).get(lead_id, "other values")
        message = f"{requirement}, got {quoted(lead_id)} on another row too, with {other}; {remedy}"
        faults.append(Fault(location, message, column or LEAD_ID, lead_id, requirement))
    return faults


def differing_columns(frame: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Return the columns in which the rows of an id differ, as text for messages, by id.

    Parameters
    ----------
    frame
        ``lead_id`` and the columns to compare.
    names
        Name in the file of each column to compare; the text names the first three that differ, in this order.

    Examples
    --------
    >>> rows = pd.DataFrame({"lead_id": ["1", "1"], "size": [3, 4], "land": ["BE", "BE"]})
    >>> differing_columns(rows, {"size": "employees", "land": "country"})
    {'1': 'another employees'}
    """
    counts = frame.groupby(LEAD_ID)[list(names)].nunique(dropna=False)
    shown_names = [inert(name) for name in names.values()]
    texts = {}
    for lead_id, row in zip(counts.index, counts.to_numpy() > 1, strict=True):
        others = [f"another {name}" for name, differs in zip(shown_names, row, strict=True) if differs]
        if others:
            ellipsis = ", …" if len(others) > MAX_NAMED_COLUMNS else ""
            texts[str(lead_id)] = ", ".join(others[:MAX_NAMED_COLUMNS]) + ellipsis
    return texts
