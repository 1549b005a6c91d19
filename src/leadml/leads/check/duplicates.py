"""Find leads that are in the data twice.

What enters is a hash of the id and of the values of each row; what leaves is the rows to merge and the rows to refuse.
Rows of one id with the same values are one lead; rows of one id with other values contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import Fault, inert, quoted
from leadml.leads.check.contract import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]


MOST_TOLD = 3
MISSING = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Duplicates:
    """Which rows are not leads of their own.

    Parameters
    ----------
    merged
        Mask of shape (n_rows,): the row repeats an earlier one.
    conflicting
        Mask of shape (n_rows,): another row has the same id and other values.
    """

    merged: NDArray[np.bool_]
    conflicting: NDArray[np.bool_]


def row_hashes(frame: pd.DataFrame) -> tuple[Hashes, Hashes]:
    """Return a hash of the id and one of all values for each row.

    Two rows have the same hash of values where every column is the same, however the file wrote it.
    """
    return pd.util.hash_array(frame[LEAD_ID].to_numpy(), categorize=False).astype(np.uint64), _value_hashes(frame)


def content_keys(frame: pd.DataFrame) -> pd.Series:
    """Return a text for each row that is the same where every column is the same."""
    return pd.Series([f"{value:016x}" for value in _value_hashes(frame)], index=frame.index, dtype=object)


def _value_hashes(frame: pd.DataFrame) -> Hashes:
    values = np.zeros(len(frame), dtype=np.uint64)
    for name in frame.columns:
        column = frame[name].to_numpy()
        missing = pd.isna(column)
        if column.dtype == object:
            column = np.where(missing, "", column)
        hashed = pd.util.hash_array(column, categorize=False).astype(np.uint64)
        values = values * np.uint64(1_000_003) ^ np.where(missing, MISSING, hashed)
    return values


def find_duplicates(id_hashes: Hashes, value_hashes: Hashes) -> Duplicates:
    """Return which rows repeat or contradict another.

    Parameters
    ----------
    id_hashes, value_hashes
        Arrays of shape (n_rows,) from `row_hashes`, in the order of the rows.

    Examples
    --------
    >>> found = find_duplicates(np.array([1, 1, 2, 2]), np.array([7, 7, 8, 9]))
    >>> found.merged.tolist(), found.conflicting.tolist()
    ([False, True, False, False], [False, False, True, True])
    """
    order = np.lexsort((np.arange(len(id_hashes)), id_hashes))
    sorted_ids, sorted_values = id_hashes[order], value_hashes[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = sorted_ids[1:] != sorted_ids[:-1]
    group = np.cumsum(starts) - 1
    differs = sorted_values != sorted_values[np.flatnonzero(starts)][group]
    conflict = np.bincount(group, weights=differs, minlength=1)[group] > 0 if len(order) else starts
    merged = np.zeros(len(order), dtype=bool)
    conflicting = np.zeros(len(order), dtype=bool)
    merged[order] = ~starts & ~conflict
    conflicting[order] = conflict
    return Duplicates(merged, conflicting)


def conflict_faults(
    rows: Sequence[tuple[str, str]],
    column: str | None,
    differing: Mapping[str, str] | None = None,
    *,
    once: str = "must be there once",
    remedy: str = "keep the right row",
) -> list[Fault]:
    """Return the faults of contradicting rows.

    Parameters
    ----------
    rows
        File and line, and id, of each.
    column
        What the file calls the id.
    differing
        In what the rows of an id differ, of `differing_columns`, where all of them are at hand.
    once
        What must hold.
    remedy
        What to do.
    """
    faults = []
    for where, lead_id in rows:
        other = (differing or {}).get(lead_id, "other values")
        message = f"{once}, got {quoted(lead_id)} on another row too, with {other}; {remedy}"
        faults.append(Fault(where, message, column or LEAD_ID, lead_id, once))
    return faults


def differing_columns(frame: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Return the columns in which the rows of an id differ, in words, by id.

    Parameters
    ----------
    frame
        ``lead_id`` and columns.
    names
        What the file calls each of the columns to compare, in the order in which they are told.

    Examples
    --------
    >>> rows = pd.DataFrame({"lead_id": ["1", "1"], "size": [3, 4], "land": ["BE", "BE"]})
    >>> differing_columns(rows, {"size": "employees", "land": "country"})
    {'1': 'another employees'}
    """
    counts = frame.groupby(LEAD_ID)[list(names)].nunique(dropna=False)
    told = [inert(name) for name in names.values()]
    found = {}
    for lead_id, row in zip(counts.index, counts.to_numpy() > 1, strict=True):
        others = [f"another {name}" for name, differs in zip(told, row, strict=True) if differs]
        if others:
            found[str(lead_id)] = ", ".join(others[:MOST_TOLD]) + (", …" if len(others) > MOST_TOLD else "")
    return found
