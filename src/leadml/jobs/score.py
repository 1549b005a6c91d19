"""Score flat leads in batches, in chunks, each lead once.

What enters is a file of leads and a bundle; what leaves is one table with a row for each lead, and a file with the
leads that could not be scored and why.
The number of a lead depends on that lead and the bundle alone: not on the file's format, its order, the chunk's size
or the number of threads.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import DataError, Fault
from leadml.jobs.scoring import Counted, Digest, batch_id, open_outputs
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.duplicates import conflict_faults, find_duplicates
from leadml.leads.check.load import checked_chunks
from leadml.leads.read.table_source import FileSource

if TYPE_CHECKING:
    import pandas as pd

    from leadml.bundle.storage import Bundle
    from leadml.jobs.project import Progress
    from leadml.jobs.scoring import ScoreOrder
    from leadml.leads.check.contract import Contract
    from leadml.leads.check.duplicates import Duplicates
    from leadml.leads.check.rows import CheckedRows
    from leadml.leads.read.table_source import TableSource


def score(bundle: Bundle, order: ScoreOrder, *, progress: Progress) -> Counted:
    """Score flat leads.

    Parameters
    ----------
    bundle
        The model.
    order
        What, where and how.
    progress
        Called with a line as rows are done.

    Raises
    ------
    DataError
        Where the source as a whole cannot be read, or lacks a column.
    LeadmlError
        Where the result cannot be written, or rows went missing, which would be a defect.
    """
    order.check(bundle)
    source = FileSource(order.source or Path(), order.dialect)
    contract = bundle.contract
    if not (order.held_out and bundle.holdout.since is not None):
        contract = replace(contract, created_at=None)  # a lead needs its date only to tell whether training saw it
    progress("looking for repeated leads")
    duplicates, digest = _survey(source, contract, order)
    counted = Counted(batch_id=batch_id(digest, bundle, order))
    seen = Digest()
    with open_outputs(order, counted) as outputs:
        rows_done = 0
        for checked in checked_chunks(source, contract, rows=order.chunk_rows):
            seen.add(checked.frame, checked.faults)
            here = slice(rows_done, rows_done + len(checked.frame))
            rows_done = here.stop
            frame, faults = _scorable(checked, duplicates, here, counted, contract.lead_id)
            if order.held_out:
                aside = bundle.holdout.mask(frame)
                counted.passed_over += int((~aside).sum())
                frame = frame[aside].reset_index(drop=True)
            counted.read += checked.rows
            outputs.write(bundle, frame, faults, order, counted)
            progress(f"scored {counted.scored:,} leads")
        if seen.hexdigest() != digest:
            raise DataError([Fault(source.name, "must not change while it is read; run again")])
    return counted


def _survey(source: TableSource, contract: Contract, order: ScoreOrder) -> tuple[Duplicates, str]:
    """Return which good rows repeat or contradict another, and a hash of all rows, from a first pass over the file."""
    id_hashes, value_hashes, digest = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)], Digest()
    for checked in checked_chunks(source, contract, rows=order.chunk_rows):
        pair = digest.add(checked.frame, checked.faults)
        id_hashes.append(pair[0])
        value_hashes.append(pair[1])
    return find_duplicates(np.concatenate(id_hashes), np.concatenate(value_hashes)), digest.hexdigest()


def _scorable(
    checked: CheckedRows, duplicates: Duplicates, here: slice, counted: Counted, lead_id: str | None
) -> tuple[pd.DataFrame, list[Fault]]:
    merged, conflicting = duplicates.merged[here], duplicates.conflicting[here]
    counted.merged += int(merged.sum())
    clashes = np.flatnonzero(conflicting)
    rows = [(checked.locations[at], checked.frame[LEAD_ID][at]) for at in clashes]
    faults = [*checked.faults, *conflict_faults(rows, lead_id)]
    return checked.frame[~merged & ~conflicting].reset_index(drop=True), faults
