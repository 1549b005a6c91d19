"""Flat leads: a file or a frame with one row for each lead, which is its single snapshot.

With dates a lead is seen as of its creation, and its label counts as known right after it: the file says no better.
Rows of one id with the same values are one lead; a lead whose rows contradict each other, or of which a row is at
fault, is refused by scoring and explaining alike.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import DataError, Fault, LeadmlError, quoted
from leadml.leads.check.contract import AS_OF, CREATED_AT, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.check.duplicates import conflict_faults, find_duplicates, row_hashes
from leadml.leads.check.load import CHUNK_ROWS, checked_chunks, load_leads
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.leads.sources.leads_as_of import ContentHash, LeadsAsOf
from leadml.leads.sources.settings import SingleSnapshot
from leadml.leads.sources.spool import Piece, Spool
from leadml.leads.sources.temporary import temporary_folder
from leadml.leads.sources.training_set import DataFacts, TrainingSet
from leadml.leads.split import RandomSplit, TimeSplit
from leadml.params import SplitParams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.duplicates import Duplicates
    from leadml.leads.read.table_source import TableSource
    from leadml.leads.split import Holdout
    from leadml.types import Mask, Progress

FAULTY_ROW = "must have no faulty row, got another row of this lead that is at fault; correct it"


@dataclass(frozen=True)
class FlatLeads:
    """Leads of one table, a row each.

    Parameters
    ----------
    table
        Where the rows are.
    contract
        Columns and fields; the label where leads are learned from.
    split
        How a training set is divided.
    only
        Where it is given, only the holdout of this rule is scored.
    in_memory
        Whether rows fit into memory while they are scored, as those of a frame do.
    """

    table: TableSource
    contract: Contract
    split: SplitParams = field(default_factory=SplitParams)
    only: Holdout | None = None
    in_memory: bool = False

    def training(self, *, progress: Progress) -> TrainingSet:
        """Return the labelled leads; see `LeadSource.training`."""
        progress("reading leads")
        loaded = load_leads(self.table, self.contract)
        frame = as_snapshots(loaded.frame)
        copies = self.contract.lead_id is None
        evidence = LeakEvidence(order=loaded.places)
        facts = DataFacts(self.table.name, loaded.rows, loaded.merged)
        if AS_OF not in frame:
            split = RandomSplit(self.split, copies=copies)
            settings, holdout = SingleSnapshot(), split.holdout()
            return TrainingSet(frame, self.contract, settings, split, holdout, evidence, (), facts)
        by_time = TimeSplit(self.split, copies=copies)
        evidence = replace(evidence, clock=Clock(frame[AS_OF].to_numpy(), CREATED_AT, is_limit=False))
        settings, holdout = SingleSnapshot(), by_time.holdout(frame)
        return TrainingSet(frame, self.contract, settings, by_time, holdout, evidence, (), facts)

    @contextmanager
    def at(self, as_of: str | None, *, progress: Progress, rows: int = CHUNK_ROWS) -> Iterator[LeadsAsOf]:
        """Give the leads of the table; see `LeadSource.at`."""
        _refuse_instant(as_of)
        contract = self._scored_contract()
        with nullcontext() if self.in_memory else temporary_folder() as folder:
            spool, content, read, faulty = Spool(folder), ContentHash(), 0, set[str]()
            hashes, kept = [(np.empty(0, np.uint64), np.empty(0, np.uint64))], [np.empty(0, dtype=bool)]
            progress("reading leads")
            for checked in checked_chunks(self.table, contract, rows=rows):
                hashes.append(content.add(checked.frame, checked.faults))
                kept.append(self._asked_for(checked.frame))
                spool.add(Piece(checked.frame, checked.locations, checked.faults))
                faulty |= {fault.lead_id for fault in checked.faults if fault.lead_id}
                read += checked.rows
            duplicates = find_duplicates(*(np.concatenate(part) for part in zip(*hashes, strict=True)))
            wanted = np.concatenate(kept)
            yield LeadsAsOf(
                content_hash=content.hexdigest(),
                read=read,
                merged=int(duplicates.merged.sum()),
                left_out=int((~wanted & ~duplicates.merged & ~duplicates.conflicting).sum()),
                reason_left_out="not in the holdout of the training",
                chunks=lambda: _scorable(spool, duplicates, wanted, faulty, contract),
            )

    def find(self, lead_id: str, as_of: str | None, *, progress: Progress) -> pd.DataFrame:
        """Return the row of one lead; see `LeadSource.find`."""
        _refuse_instant(as_of)
        progress("reading leads")
        contract = self._scored_contract()
        frames, where, faults = [], [], []
        for checked in checked_chunks(self.table, contract):
            own = (checked.frame[LEAD_ID] == lead_id).to_numpy()
            frames.append(checked.frame[own])
            where += [checked.locations[row] for row in np.flatnonzero(own)]
            faults += [fault for fault in checked.faults if fault.lead_id == lead_id]
        frame = pd.concat(frames, ignore_index=True)
        if find_duplicates(*row_hashes(frame)).conflicting.any():
            faults += conflict_faults([(place, lead_id) for place in where], contract.lead_id)
        if faults:
            raise DataError(faults)
        if frame.empty:
            got = f"must hold the lead {quoted(lead_id)}, got no such id; ids are text, zeros count"
            raise DataError([Fault(self.table.name, got)])
        return frame.head(1)

    def _scored_contract(self) -> Contract:
        """Return what must be there to score: the date of a lead only where it decides whether it is asked for."""
        needs_date = self.only is not None and self.only.since is not None
        return self.contract if needs_date else replace(self.contract, created_at=None)

    def _asked_for(self, frame: pd.DataFrame) -> Mask:
        return np.ones(len(frame), dtype=bool) if self.only is None else self.only.mask(as_snapshots(frame))


def as_snapshots(frame: pd.DataFrame) -> pd.DataFrame:
    """Return flat leads as snapshots: of each lead one, as of the instant at which it came, with its group.

    Parameters
    ----------
    frame
        Checked leads.

    Returns
    -------
    DataFrame
        With ``split_key``, the id where nothing else is declared, and with ``as_of`` and ``mature_at`` in place of
        ``created_at``.
    """
    columns = {str(name): column for name, column in frame.items()}
    group = columns.pop(SPLIT_KEY, columns[LEAD_ID])
    first: dict[str, pd.Series] = {LEAD_ID: columns.pop(LEAD_ID), SPLIT_KEY: group}
    if CREATED_AT in columns:
        came = columns.pop(CREATED_AT)
        first |= {AS_OF: came, MATURE_AT: came + 1}
    return pd.DataFrame({**first, **columns})


def _scorable(
    spool: Spool, duplicates: Duplicates, wanted: Mask, faulty: set[str], contract: Contract
) -> Iterator[Piece]:
    """Yield the leads to score; of the others the faults."""
    done = 0
    for piece in spool:
        here = slice(done, done + len(piece.frame))
        done = here.stop
        merged, conflicting = duplicates.merged[here], duplicates.conflicting[here]
        ids = piece.frame[LEAD_ID]
        clashes = [(piece.where[row], ids[row]) for row in np.flatnonzero(conflicting).tolist()]
        tainted = ids.isin(faulty).to_numpy() & wanted[here] & ~merged & ~conflicting
        column = contract.lead_id or LEAD_ID
        faults = [
            *piece.faults,
            *conflict_faults(clashes, contract.lead_id),
            *(
                Fault(piece.where[row], FAULTY_ROW, column, ids[row], FAULTY_ROW)
                for row in np.flatnonzero(tainted).tolist()
            ),
        ]
        good = wanted[here] & ~merged & ~conflicting & ~tainted
        yield Piece(piece.frame[good].reset_index(drop=True), faults=faults)


def _refuse_instant(as_of: str | None) -> None:
    if as_of is not None:
        msg = "flat leads have one snapshot each, so --as-of must not be given; only dated leads have many"
        raise LeadmlError(msg)
