"""Read leads and check them, chunk by chunk or all at once.

`load_leads` refuses a source with any fault. `checked_chunks` returns the faults with the rows, so that the other leads
can be scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import DataError, Fault
from leadml.leads.check.contract import CREATED_AT, LABEL, LEAD_ID, OPEN
from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes
from leadml.leads.check.rows import check_chunk, faults_of_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leadml.leads.check.contract import Contract, Label
    from leadml.leads.check.rows import CheckedRows
    from leadml.leads.read.table_source import TableSource
    from leadml.types import Integers, Mask

# Changes no number, only memory: 20 columns of 10 characters are a million Python texts of 59 bytes, 59 MB.
CHUNK_ROWS = 50_000
# Of the rows that may be without a date: more are no slip of single leads but another way of writing dates.
MOST_UNDATED = 0.05


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
    misdated
        The faults of the rows that were left out because their date is before 1970 or in the future, or, where these
        are few, because they have none.
    open, too_young
        Number of leads that were left out because their outcome is open, or because they are younger than the days that
        a lead has to convert.
    places
        Array of shape (n_leads,): position in the source of each row of the frame, from 0.
    """

    frame: pd.DataFrame
    rows: int
    merged: int
    places: Integers
    misdated: tuple[Fault, ...] = ()
    open: int = 0
    too_young: int = 0


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
    read = replace(contract, kept=(), sensitive=()).columns
    kept = {name: "output.keep" for name in contract.kept if name not in read}
    kept |= {name: "features.sensitive" for name in contract.sensitive if name not in read}
    source.require(contract.columns, {**kept, **(keys or {})})
    before, records, name = 0, 0, ""
    for chunk in source.chunks(contract.columns, rows=rows):
        if chunk.source != name:
            before, name = records, chunk.source
        checked = check_chunk(chunk, contract, source.dialect, before=before)
        records += checked.rows
        yield checked


def load_leads(source: TableSource, contract: Contract, *, latest: int | None = None) -> LoadedLeads:
    """Return all leads of a source; where the contract has a label, those whose outcome is known.

    Parameters
    ----------
    source
        Where the leads are.
    contract
        Columns and values that the leads must have.
    latest
        Instant in microseconds after which no lead can have been created yet; rows with a later one, with one before
        1970, or (at most 5%) without one are left out. None to refuse rows without a date, and for no limit.

    Raises
    ------
    DataError
        With all faults of the source: missing columns, unreadable rows, wrong values or labels, and rows of one id with
        different values.
    """
    frames: list[pd.DataFrame] = []
    locations: list[str] = []
    faults: list[Fault] = []
    misdated: list[Fault] = []
    rows = 0
    for checked in checked_chunks(source, contract, keys=_params_keys(contract)):
        wrong = {} if latest is None else faults_of_range(checked, contract, latest)
        misdated += wrong.values()
        frames.append(checked.frame.drop(index=list(wrong)))
        locations += [location for row, location in enumerate(checked.locations) if row not in wrong]
        faults += checked.faults
        rows += checked.rows
    undated = [fault for fault in faults if fault.column == contract.created_at]
    if latest is not None and len(undated) <= MOST_UNDATED * rows:
        misdated += undated
        faults = [fault for fault in faults if fault.column != contract.created_at]
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
    is_open, is_young = open_leads(leads, contract.label)
    known = leads[~(is_open | is_young)]
    if known.empty:
        raise DataError([Fault(source.name, "must hold leads whose outcome is known, got open ones only")])
    return LoadedLeads(
        known.reset_index(drop=True),
        rows,
        int(duplicates.merged.sum()),
        known.index.to_numpy(),
        tuple(misdated),
        open=int(is_open.sum()),
        too_young=int((is_young & ~is_open).sum()),
    )


def open_leads(leads: pd.DataFrame, label: Label | None, *, latest: int | None = None) -> tuple[Mask, Mask]:
    """Return which leads have a label that says that their outcome is open, and which are too young to have one.

    Parameters
    ----------
    leads
        Checked leads: all that there are, because the newest of them says when they were exported.
    label
        The label; without one no lead is open.
    latest
        Instant in microseconds after which no lead can have been created; later ones do not count. None for no limit.
    """
    none = np.zeros(len(leads), dtype=bool)
    if label is None:
        return none, none
    is_open = (leads[LABEL] == OPEN).to_numpy()
    if label.wait_days is None or leads.empty:  # params have a date where leads have days to convert
        return is_open, none
    created_at = leads[CREATED_AT].to_numpy()
    possible = created_at if latest is None else created_at[created_at <= latest]
    newest = possible.max() if len(possible) else 0
    return is_open, created_at + label.wait > newest


def _params_keys(contract: Contract) -> dict[str, str]:
    """Return the key of params that names each column, for messages."""
    label = contract.label.column if contract.label else None
    columns = {"data.lead_id": contract.lead_id, "data.created_at": contract.created_at, "target.column": label}
    return {column: key for key, column in columns.items() if column}
