"""Read leads and check them, chunk by chunk or all at once.

`load_leads` refuses a source with any fault. `checked_chunks` returns the faults with the rows, so that the other leads
can be scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from leadml.errors import DataError, Fault
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes
from leadml.leads.check.rows import check_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.rows import CheckedRows
    from leadml.leads.read.table_source import TableSource
    from leadml.types import Integers

# Changes no number, only memory: 20 columns of 10 characters are a million Python texts of 59 bytes, 59 MB.
CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class LoadedLeads:
    """All leads of a source, checked.

    Parameters
    ----------
    frame
        Checked leads, each id once, sorted by id.
    rows
        Number of rows of the source.
    merged
        Number of rows that were dropped because they repeat another row in every value.
    places
        Array of shape (n_leads,): position in the source of each row of the frame, from 0.
    """

    frame: pd.DataFrame
    rows: int
    merged: int
    places: Integers


def checked_chunks(
    source: TableSource, contract: Contract, *, rows: int = CHUNK_ROWS, keys: Mapping[str, str] | None = None
) -> Iterator[CheckedRows]:
    """Yield checked leads, at most ``rows`` at a time, in the order of the source.

    Parameters
    ----------
    source
        Where the leads are.
    contract
        Columns and values that the leads must have.
    rows
        Largest number of rows of a chunk.
    keys
        Key of params that names each column, for messages.

    Raises
    ------
    DataError
        Where the source has not all columns of the contract.
    """
    source.require(contract.columns, keys)
    before, records, name = 0, 0, ""
    for chunk in source.chunks(contract.columns, rows=rows):
        if chunk.source != name:
            before, name = records, chunk.source
        checked = check_chunk(chunk, contract, source.dialect, before=before)
        records += checked.rows
        yield checked


def load_leads(source: TableSource, contract: Contract) -> LoadedLeads:
    """Return all leads of a source.

    Parameters
    ----------
    source
        Where the leads are.
    contract
        Columns and values that the leads must have.

    Raises
    ------
    DataError
        With all faults of the source: missing columns, unreadable rows, wrong values or labels, and rows of one id with
        different values.
    """
    frames: list[pd.DataFrame] = []
    locations: list[str] = []
    faults: list[Fault] = []
    rows = 0
    for checked in checked_chunks(source, contract, keys=_params_keys(contract)):
        frames.append(checked.frame)
        locations += checked.locations
        faults += checked.faults
        rows += checked.rows
    frame = pd.concat(frames, ignore_index=True)
    duplicates = find_duplicates(*row_hashes(frame))
    conflicts = duplicates.conflicting.nonzero()[0]
    differences = differing_columns(frame.loc[conflicts], contract.source_columns)
    conflicting_rows = [(locations[row], frame[LEAD_ID][row]) for row in conflicts]
    faults += conflict_faults(conflicting_rows, contract.lead_id, differences)
    if faults:
        raise DataError(faults)
    leads = frame[~duplicates.merged].sort_values(LEAD_ID, kind="stable")
    if leads.empty:
        raise DataError([Fault(source.name, "must hold leads, got none below the header")])
    return LoadedLeads(leads.reset_index(drop=True), rows, int(duplicates.merged.sum()), leads.index.to_numpy())


def _params_keys(contract: Contract) -> dict[str, str]:
    """Return the key of params that names each column, for messages."""
    label = contract.label.column if contract.label else None
    columns = {"data.lead_id": contract.lead_id, "data.created_at": contract.created_at, "target.column": label}
    return {column: key for key, column in columns.items() if column}
