"""Read leads and check them, in chunks or whole.

What enters is a source and a contract; what leaves is checked leads, each once.
Whole, it refuses a file with any fault; in chunks it passes faults on, so that the other leads can be scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from leadml.errors import DataError, Fault
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes
from leadml.leads.check.rows import check_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.rows import Checked
    from leadml.leads.read.table_source import TableSource

CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class Loaded:
    """Leads of a whole file.

    Parameters
    ----------
    frame
        Checked leads, each id once, in the order of the ids.
    rows
        How many rows the file has.
    merged
        How many of them repeated another to the letter.
    places
        Array of shape (n_leads,): where each row of the frame stood among all, from 0.
    """

    frame: pd.DataFrame
    rows: int
    merged: int
    places: NDArray[np.int64]


def checked_chunks(source: TableSource, contract: Contract, *, rows: int = CHUNK_ROWS) -> Iterator[Checked]:
    """Yield checked leads, at most ``rows`` at a time, in the order of the source.

    Raises
    ------
    DataError
        Where the source lacks a column of the contract.
    """
    source.require(contract.columns)
    before, records, name = 0, 0, ""
    for chunk in source.chunks(contract.columns, rows=rows):
        if chunk.source != name:
            before, name = records, chunk.source
        checked = check_chunk(chunk, contract, source.dialect, before=before)
        records += checked.rows
        yield checked


def load_leads(source: TableSource, contract: Contract) -> Loaded:
    """Return all leads of a source.

    Raises
    ------
    DataError
        With all faults of the file: columns, rows, values, labels, and ids with contradicting rows.
    """
    frames: list[pd.DataFrame] = []
    where: list[str] = []
    faults: list[Fault] = []
    rows = 0
    for checked in checked_chunks(replace(source, keys=_role_keys(contract)), contract):
        frames.append(checked.frame)
        where += checked.where
        faults += checked.faults
        rows += checked.rows
    frame = pd.concat(frames, ignore_index=True)
    duplicates = find_duplicates(*row_hashes(frame))
    conflicts = duplicates.conflicting.nonzero()[0]
    differing = differing_columns(frame.loc[conflicts], contract.written)
    rows_at_fault = [(where[row], frame[LEAD_ID][row]) for row in conflicts]
    faults += conflict_faults(rows_at_fault, contract.lead_id, differing)
    if faults:
        raise DataError(faults)
    kept = frame[~duplicates.merged].sort_values(LEAD_ID, kind="stable")
    if kept.empty:
        raise DataError([Fault(source.name, "must hold leads, got none below the header")])
    return Loaded(kept.reset_index(drop=True), rows, int(duplicates.merged.sum()), kept.index.to_numpy())


def _role_keys(contract: Contract) -> dict[str, str]:
    """Return the key of params that names each column of a role, for messages."""
    label = contract.label.column if contract.label else None
    roles = {"data.lead_id": contract.lead_id, "data.created_at": contract.created_at, "target.column": label}
    return {column: key for key, column in roles.items() if column}
