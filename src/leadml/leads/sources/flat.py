"""Flat leads: a file or a frame with one row per lead, which is the single snapshot of the lead.

If leads have dates, the snapshot is taken at the creation of the lead and its label counts as mature right after it,
because a flat file has no date of the outcome; params may say how many days it is waited for. Rows with the same id and
values are merged. A lead whose rows contradict each other, or with a faulty row, is neither scored nor explained.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import DataError, Fault, LeadmlError, quoted
from leadml.leads.asof.known_labels import attributes_of
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.check.duplicates import conflict_faults, find_duplicates, row_hashes
from leadml.leads.check.load import CHUNK_ROWS, checked_chunks, load_leads, open_leads
from leadml.leads.check.same_person import join_groups
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.leads.judge.left_out import judge_left_out
from leadml.leads.sources.leads_as_of import ContentHash, LeadsAsOf
from leadml.leads.sources.people import read_people
from leadml.leads.sources.settings import SingleSnapshot
from leadml.leads.sources.spool import LeadChunk, Spool
from leadml.leads.sources.temporary import temporary_folder
from leadml.leads.sources.training_set import DataFacts, TrainingSet
from leadml.leads.split import RandomSplit, TimeSplit
from leadml.params import PersonColumns, SplitParams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leadml.leads.check.contract import Contract, Label
    from leadml.leads.check.duplicates import Duplicates
    from leadml.leads.read.table_source import TableSource
    from leadml.leads.sources.scored_pairs import ScoredPairs
    from leadml.leads.split import Holdout
    from leadml.types import Mask, Progress

FAULTY_ROW = "must have no faulty row, got another row of this lead with a fault; correct that row"


@dataclass(frozen=True)
class FlatLeads:
    """The source of flat leads: one table with a row for each lead.

    Parameters
    ----------
    table
        The table.
    contract
        Columns and fields; with the label for a training set.
    split
        How a training set is divided.
    holdout
        The rule of the holdout if only the holdout is scored, or None.
    only_open
        Whether only the leads are scored whose outcome is open by the label of the contract.
    latest
        Instant in microseconds after which no lead can have been created yet, or None.
    in_memory
        Whether rows stay in memory while they are scored, as for a frame; otherwise they are stored on disk.
    instant
        The column ``as_of`` and its value, for a frame of snapshots; empty for leads without one.
    """

    table: TableSource
    contract: Contract
    split: SplitParams = field(default_factory=SplitParams)
    holdout: Holdout | None = None
    only_open: bool = False
    latest: int | None = None
    in_memory: bool = False
    instant: Mapping[str, str] = field(default_factory=dict)

    def training(self, *, progress: Progress) -> TrainingSet:
        """Return the labelled leads; see `LeadSource.training`."""
        progress("reading leads")
        loaded = load_leads(self.table, self.contract, latest=self.latest)
        frame, places = as_snapshots(loaded.frame, self.contract.label), loaded.places
        people = None
        if self.split.same_person.columns:
            people = read_people(self.table, self.contract.lead_id, self.split.same_person)
            frame = _with_people(frame, people)
        copies = self.contract.lead_id is None
        if copies:  # without an id the order of rows says nothing, so it must change nothing
            frame = frame.sort_values([name for name in (SPLIT_KEY, LABEL, AS_OF) if name in frame], kind="stable")
            frame, places = frame.reset_index(drop=True), places[frame.index]
        evidence = LeakEvidence(order=places, people=people)
        left_out = {"open": loaded.open, "too young": loaded.too_young, "misdated": len(loaded.misdated)}
        counts = {name: number for name, number in left_out.items() if number}
        facts = DataFacts(self.table.name, loaded.rows, loaded.merged, counts)
        findings = judge_left_out(loaded, self.contract)
        if AS_OF not in frame:
            split = RandomSplit(self.split, copies=copies)
            settings, holdout = SingleSnapshot(), split.holdout()
            return TrainingSet(frame, self.contract, settings, split, holdout, evidence, findings, facts)
        by_time = TimeSplit(self.split, copies=copies)
        evidence = replace(evidence, clock=Clock(frame[AS_OF].to_numpy(), CREATED_AT, is_limit=False))
        settings, holdout = SingleSnapshot(), by_time.holdout(frame)
        return TrainingSet(frame, self.contract, settings, by_time, holdout, evidence, findings, facts)

    def later(self, since: int, *, progress: Progress) -> pd.DataFrame:
        """Return the leads whose outcomes became known after an instant; see `LeadSource.later`."""
        frame = self.training(progress=progress).frame
        if AS_OF not in frame:
            msg = "data.created_at must name the date of leads, to tell which are later than a training, got none"
            raise LeadmlError(msg)
        if self.contract.lead_id is None:  # equal values are a common kind of lead, not a person
            return frame[frame[MATURE_AT] > since].reset_index(drop=True)
        first = frame.groupby(SPLIT_KEY)[MATURE_AT].transform("min")
        return frame[first > since].reset_index(drop=True)

    @contextmanager
    def at(self, as_of: str | None, *, progress: Progress, rows: int = CHUNK_ROWS) -> Iterator[LeadsAsOf]:
        """Give the leads of the table; see `LeadSource.at`."""
        _refuse_instant(as_of)
        contract = self._scoring_contract()
        with nullcontext() if self.in_memory else temporary_folder() as folder:
            spool, content, rows_read, faulty = Spool(folder), ContentHash(), 0, set[str]()
            hashes, requested_parts = [(np.empty(0, np.uint64), np.empty(0, np.uint64))], [np.empty(0, dtype=bool)]
            labels: list[pd.DataFrame] = []
            progress("reading leads")
            people = self._people()
            for checked in checked_chunks(self.table, contract, rows=rows):
                hashes.append(content.add(checked.frame, checked.faults))
                requested_parts.append(self._requested(checked.frame, people))
                if self.only_open:
                    labels.append(checked.frame[[name for name in (LABEL, CREATED_AT) if name in checked.frame]])
                spool.add(LeadChunk(checked.frame, checked.locations, checked.faults))
                faulty |= {fault.lead_id for fault in checked.faults if fault.lead_id}
                rows_read += checked.rows
            duplicates = find_duplicates(*(np.concatenate(part) for part in zip(*hashes, strict=True)))
            requested = np.concatenate(requested_parts)
            if self.only_open:
                every = pd.concat(labels, ignore_index=True)
                is_open, is_young = open_leads(every, contract.label, latest=self.latest)
                requested &= is_open | (is_young & (every[LABEL] == 0).to_numpy())  # who converted is open no more
            yield LeadsAsOf(
                content_hash=content.hexdigest(),
                rows_read=rows_read,
                merged=int(duplicates.merged.sum()),
                left_out=int((~requested & ~duplicates.merged & ~duplicates.conflicting).sum()),
                reason_left_out="their outcome is known" if self.only_open else "not in the holdout of the training",
                chunks=lambda: _chunks_to_score(spool, duplicates, requested, faulty, contract),
                stamp=self.stamp(as_of),
            )

    def find(self, lead_id: str, as_of: str | None, *, progress: Progress) -> pd.DataFrame:
        """Return the row of one lead; see `LeadSource.find`."""
        _refuse_instant(as_of)
        progress("reading leads")
        contract = self._scoring_contract()
        frames, where, faults = [], [], []
        for checked in checked_chunks(self.table, contract):
            same_id = (checked.frame[LEAD_ID] == lead_id).to_numpy()
            frames.append(checked.frame[same_id])
            where += [checked.locations[row] for row in np.flatnonzero(same_id)]
            faults += [fault for fault in checked.faults if fault.lead_id == lead_id]
        frame = pd.concat(frames, ignore_index=True)
        if find_duplicates(*row_hashes(frame)).conflicting.any():
            faults += conflict_faults([(line, lead_id) for line in where], contract.lead_id)
        if faults:
            raise DataError(faults)
        if frame.empty:
            message = f"must contain the lead {quoted(lead_id)}, got no such id; ids are text, so 007 is not 7"
            raise DataError([Fault(self.table.name, message)])
        return frame.head(1)

    def labels(self, scores: ScoredPairs, *, progress: Progress) -> pd.DataFrame:
        """Return what became of scored leads; see `LeadSource.labels`."""
        if self.contract.lead_id is None:  # the same number is another lead in another file
            msg = (
                "data.lead_id must name the column of ids, by which outcomes are joined to scores, got none; declare it"
            )
            raise LeadmlError(msg)
        progress("reading outcomes")
        fields = attributes_of(self.contract, scores.attributes)
        loaded = load_leads(self.table, replace(self.contract, fields=fields), latest=self.latest)
        frame = as_snapshots(loaded.frame, self.contract.label)
        people = self.split.same_person
        if scores.holdout.by_group:  # what was fitted on depends on the groups that the training had
            people = PersonColumns(**(scores.holdout.same_person or {}))
        if people.columns:
            frame = _with_people(frame, read_people(self.table, self.contract.lead_id, people))
        attributes = frame[list(scores.attributes)].rename(columns=scores.columns)
        known = frame[[LEAD_ID, SPLIT_KEY, LABEL]].assign(fitted=scores.holdout.learnable(frame)).join(attributes)
        pairs = pd.DataFrame({LEAD_ID: scores.lead_ids, AS_OF: scores.as_of}).drop_duplicates()
        return pairs.merge(known, on=LEAD_ID)

    def stamp(self, as_of: str | None) -> Mapping[str, str]:
        """Return the instant of a frame of snapshots; flat leads have none; see `LeadSource.stamp`."""
        _refuse_instant(as_of)
        return self.instant

    def _scoring_contract(self) -> Contract:
        """Return the columns that scoring needs: the date of a lead only if it decides which leads are scored."""
        label = self.contract.label if self.only_open else None
        needs_date = self.holdout is not None and self.holdout.since is not None
        needs_date |= label is not None and label.wait_days is not None
        contract = replace(self.contract, label=label)
        return contract if needs_date else replace(contract, created_at=None)

    def _people(self) -> pd.Series:
        """Return the people on whom the holdout depends, by id of their leads; none where it depends on nobody."""
        columns = self.holdout.same_person if self.holdout else None
        if columns is None:
            return pd.Series(dtype=object)
        return read_people(self.table, self.contract.lead_id, PersonColumns(**columns))

    def _requested(self, frame: pd.DataFrame, people: pd.Series) -> Mask:
        """Return which rows are to be scored: all, or those of the holdout."""
        if self.holdout is None:
            return np.ones(len(frame), dtype=bool)
        return self.holdout.mask(_with_people(as_snapshots(frame), people))


def as_snapshots(frame: pd.DataFrame, label: Label | None = None) -> pd.DataFrame:
    """Return flat leads as snapshots: one per lead, as of the creation of the lead, with its group.

    Parameters
    ----------
    frame
        Checked leads.
    label
        The label, which says how long the outcome of a lead is waited for; None for not at all.

    Returns
    -------
    DataFrame
        The leads with ``split_key`` (the id if no other group is declared), and with ``as_of`` and ``mature_at`` in
        place of ``created_at``.
    """
    columns = {str(name): column for name, column in frame.items()}
    group = columns.pop(SPLIT_KEY, columns[LEAD_ID])
    first: dict[str, pd.Series] = {LEAD_ID: columns.pop(LEAD_ID), SPLIT_KEY: group}
    if CREATED_AT in columns:
        created_at = columns.pop(CREATED_AT)
        first |= {AS_OF: created_at, MATURE_AT: created_at + (label.wait if label else 1)}
    return pd.DataFrame({**first, **columns})


def _with_people(frame: pd.DataFrame, people: pd.Series) -> pd.DataFrame:
    """Return snapshots in which leads that are one person are one group."""
    groups = frame[SPLIT_KEY].to_numpy(dtype=object)
    return frame.assign(**{SPLIT_KEY: join_groups(groups, frame[LEAD_ID].to_numpy(dtype=object), people)})


def _chunks_to_score(
    spool: Spool, duplicates: Duplicates, requested: Mask, faulty: set[str], contract: Contract
) -> Iterator[LeadChunk]:
    """Yield the leads to score, and the faults of the leads that are refused."""
    position = 0
    for chunk in spool:
        here = slice(position, position + len(chunk.frame))
        position = here.stop
        merged, conflicting = duplicates.merged[here], duplicates.conflicting[here]
        ids = chunk.frame[LEAD_ID]
        conflicts = [(chunk.where[row], ids[row]) for row in np.flatnonzero(conflicting).tolist()]
        has_faulty_row = ids.isin(faulty).to_numpy() & requested[here] & ~merged & ~conflicting
        column = contract.lead_id or LEAD_ID
        faults = [
            *chunk.faults,
            *conflict_faults(conflicts, contract.lead_id),
            *(
                Fault(chunk.where[row], FAULTY_ROW, column, ids[row], FAULTY_ROW)
                for row in np.flatnonzero(has_faulty_row).tolist()
            ),
        ]
        to_score = requested[here] & ~merged & ~conflicting & ~has_faulty_row
        yield LeadChunk(chunk.frame[to_score].reset_index(drop=True), faults=faults)


def _refuse_instant(as_of: str | None) -> None:
    if as_of is not None:
        msg = "flat leads have one snapshot each, so as_of (--as-of) must not be given; only dated leads have many"
        raise LeadmlError(msg)
