"""Read the tables of dated leads, check them, and keep them on disk in blocks of leads that fit into memory.

A row that is not what was declared is a fault, and so is an instant before 1970 or after tomorrow. Activities and
outcomes of leads that the table of leads does not have are counted and left out. The blocks lie in one temporary
folder, which the caller removes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadml.errors import DataError, Fault, inert
from leadml.leads.asof.coverage import Coverage
from leadml.leads.asof.features import MACHINE_SINCE
from leadml.leads.asof.machines import MACHINE_COLUMNS, MACHINE_REASON, find_machines
from leadml.leads.check.contract import CREATED_AT, KEPT, LEAD_ID, RECORDED_AT, SPLIT_KEY, VALID_FROM, kept_columns
from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes
from leadml.leads.check.load import checked_chunks
from leadml.leads.check.rows import faults_of_range

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from leadml.leads.check.contract import Contract
    from leadml.leads.read.table_source import TableSource
    from leadml.params import MachineParams
    from leadml.types import Integers, Mask, Objects, Rows


# Changes no snapshot (tests/leads/asof/test_snapshots.py), only memory, and of how many leads LK7 counts repeated
# activities: at 100 activities for each lead, a block's 5 columns of 8 bytes are 262 MB.
BLOCK_LEADS = 65_536
ROW_NUMBER = "row_number"


@dataclass(frozen=True)
class Block:
    """Some leads, in the order of their ids, with their states, activities and outcomes.

    Parameters
    ----------
    first, stop
        Number of the first lead, and of the one after the last. Column ``lead`` of each table has such numbers, which
        count all leads from 0.
    states
        ``lead, version, created_at, valid_from, recorded_at`` and the attributes, one row for each state.
    read
        Returns the table of the block that is called ``activities`` or ``outcomes``.
    """

    first: int
    stop: int
    states: pa.Table
    read: Callable[[str], pa.Table]

    @cached_property
    def activities(self) -> pa.Table:
        """``lead, occurred_at, recorded_at, kind, channel``, one row for each activity; read on first use.

        If acts of machines are recognised, ``machine_since`` is from when on an act is known to be one, null for acts
        of people; ``machine_reason`` is the position in `machines.REASONS` of the rule, -1 for acts of people.
        """
        return self.read("activities")

    @cached_property
    def acts_of_people(self) -> pa.Table:
        """The activities without those of machines, whenever these are recognised."""
        if MACHINE_SINCE not in self.activities.column_names:
            return self.activities
        return self.activities.filter(pc.is_null(self.activities[MACHINE_SINCE]))

    @cached_property
    def outcomes(self) -> pa.Table:
        """``lead, occurred_at, recorded_at, outcome``, one row for each outcome; read on first use."""
        return self.read("outcomes")


@dataclass(frozen=True)
class LeadHistory:
    """The tables of dated leads.

    Parameters
    ----------
    folder
        The folder of the blocks.
    lead_ids
        Array of shape (n_leads,), rising: the id of each lead by its number.
    split_keys
        Array of shape (n_leads,): the newest account of each lead, or its id where it never had one.
    created_at
        Array of shape (n_leads,): when each lead was created, microseconds.
    known_since
        Array of shape (n_leads,): the first instant, in microseconds, as of which each lead is known: it was created
        before, and a state of it was valid and recorded.
    row_numbers
        Array of shape (n_leads,): the first row of each lead in its source, from 0.
    states
        All states of all leads, in the order of leads and versions.
    coverage
        When the rows of ``leads``, ``activities`` and ``outcomes`` were recorded; without an entry for an empty table.
    counts
        How many rows were read, merged and left out, for the record.
    rows_by_code
        For ``activities`` and ``outcomes``: how many rows of known leads have each code of a kind or an outcome; code
        -1 is any other kind.
    unknown_ids
        For ``activities`` and ``outcomes``: the id of a lead that the table of leads does not have, where there is one.
    faults
        Faults of the rows of leads that were left out; scoring goes on without these leads.
    people
        By id, the person of each lead that is the same person as another lead; None where this is not known.
    block_leads
        Leads of a block; no result depends on it.
    machines
        How acts of machines are recognised, or None.
    kept
        Columns that are carried through to scores, by their names in checked leads: arrays of shape (n_leads,), the
        newest state of each lead.
    """

    folder: Path
    lead_ids: Objects
    split_keys: Objects
    created_at: Integers
    known_since: Integers
    row_numbers: Integers
    states: pa.Table
    coverage: dict[str, Coverage]
    counts: dict[str, int] = field(default_factory=dict)
    rows_by_code: dict[str, Counter[int]] = field(default_factory=dict)
    unknown_ids: dict[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    people: pd.Series | None = None
    block_leads: int = BLOCK_LEADS
    machines: MachineParams | None = None
    kept: dict[str, Objects] = field(default_factory=dict)

    def blocks(self) -> Iterator[Block]:
        """Yield the leads block by block."""
        leads = self.states["lead"].to_numpy()
        for number, first in enumerate(range(0, len(self.lead_ids), self.block_leads)):
            end = min(first + self.block_leads, len(self.lead_ids))
            start, stop = np.searchsorted(leads, (first, end))
            yield Block(first, end, self.states.slice(start, stop - start), partial(self._read, number))

    def _read(self, number: int, name: str) -> pa.Table:
        table = pq.read_table(self.folder / f"{name}-{number:05}.parquet", page_checksum_verification=True)
        if name != "activities" or self.machines is None:
            return table
        found = find_machines(table, self.machines)
        table = table.drop_columns(list(MACHINE_COLUMNS)).append_column(MACHINE_SINCE, found.since)
        return table.append_column(MACHINE_REASON, pa.array(found.reason))


def read_lead_history(source: TableSource, contract: Contract, folder: Path, *, latest: int) -> LeadHistory:
    """Return the leads of a source, without their activities and outcomes.

    Parameters
    ----------
    source
        The table of leads.
    contract
        Its columns.
    folder
        An empty folder for the blocks.
    latest
        Instant in microseconds after which nothing can have been recorded yet.

    Raises
    ------
    DataError
        Where there are no leads or a column is missing.
    """
    tables: list[pa.Table] = []
    hashes: list[tuple[Any, Any]] = []
    where: list[str] = []
    faults: list[Fault] = []
    rows = 0
    for checked in checked_chunks(source, contract):
        out_of_range = faults_of_range(checked, contract, latest)
        in_range = np.ones(len(checked.frame), dtype=bool)
        in_range[list(out_of_range)] = False
        frame = checked.frame[in_range].reset_index(drop=True)
        tables.append(_arrow_table(frame, contract))
        hashes.append(_state_hashes(frame))
        where += [line for line, is_good in zip(checked.locations, in_range, strict=True) if is_good]
        faults += [*checked.faults, *out_of_range.values()]
        rows += checked.rows
    table = pa.concat_tables(tables).unify_dictionaries()
    duplicates = find_duplicates(*(np.concatenate(part) for part in zip(*hashes, strict=True)))
    faults += _faults_of_conflicts(table, where, np.flatnonzero(duplicates.conflicting), contract)
    table = table.append_column(ROW_NUMBER, pa.array(np.arange(table.num_rows)))
    table = table.filter(pa.array(~duplicates.merged & ~duplicates.conflicting))
    if not table.num_rows:
        raise DataError(faults or [Fault(source.name, "must hold leads, got none below the header")])
    table = table.sort_by([(name, "ascending") for name in (LEAD_ID, VALID_FROM, RECORDED_AT)])
    table, creation_faults = _with_one_creation(table, where, str(contract.created_at))
    faults += creation_faults
    return _to_history(table, folder, {"rows": rows, "merged": int(duplicates.merged.sum())}, tuple(faults))


def _faults_of_conflicts(table: pa.Table, where: Sequence[str], rows: Rows, contract: Contract) -> list[Fault]:
    """Return the faults of rows that contradict another row of their lead."""
    if not len(rows):
        return []
    frame = table.take(pa.array(rows)).to_pandas()
    inner = {entry.name: attribute_name(at) for at, entry in enumerate(contract.lead_fields)}
    names = {inner.get(name, name): written for name, written in contract.source_columns.items()}
    once, remedy = "must be there once", "declare sources.leads.valid_from, or keep one row a lead"
    if contract.valid_from is not None:
        once, remedy = f"must be there once at each {inert(contract.valid_from)}", "keep the right row"
    found = [(where[row], lead_id) for row, lead_id in zip(rows, frame[LEAD_ID], strict=True)]
    return conflict_faults(found, contract.lead_id, differing_columns(frame, names), requirement=once, remedy=remedy)


def attribute_name(at: int) -> str:
    """Return the name of an attribute inside the engine; names of the source could clash with the engine's own."""
    return f"attribute_{at}"


def _arrow_table(frame: pd.DataFrame, contract: Contract) -> pa.Table:
    """Return a chunk of leads as an Arrow table, with categories as dictionaries."""
    columns: dict[str, Any] = {LEAD_ID: pa.array(frame[LEAD_ID], pa.string())}
    keys = frame[SPLIT_KEY] if SPLIT_KEY in frame else frame[LEAD_ID]
    columns[SPLIT_KEY] = pa.array(keys, pa.string())
    valid_from = frame.get(VALID_FROM, frame[CREATED_AT])
    recorded_at = frame.get(RECORDED_AT, valid_from)
    times = {CREATED_AT: frame[CREATED_AT], VALID_FROM: valid_from, RECORDED_AT: recorded_at}
    columns |= {name: pa.array(values, pa.int64()) for name, values in times.items()}
    columns |= {name: pa.array(frame[name], pa.string()).dictionary_encode() for name in kept_columns(frame)}
    for at, entry in enumerate(contract.lead_fields):
        if entry.kind == "category":
            columns[attribute_name(at)] = pa.array(frame[entry.name], pa.string()).dictionary_encode()
        else:
            columns[attribute_name(at)] = pa.array(frame[entry.name].to_numpy(), pa.float64())
    return pa.table(columns)


def _state_hashes(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Return for each row a hash of its key (the id, and the instants where leads have a history) and of its values."""
    ids, values = row_hashes(frame)
    if VALID_FROM not in frame:
        return ids, values
    for name in (VALID_FROM, RECORDED_AT):
        if name in frame:
            ids = ids * np.uint64(1_000_003) ^ pd.util.hash_array(frame[name].to_numpy(), categorize=False)
    return ids, values


def _with_one_creation(table: pa.Table, where: Sequence[str], column: str) -> tuple[pa.Table, list[Fault]]:
    """Return the rows whose lead has the same creation as on its first row, and the faults of the other rows."""
    created, numbers = table[CREATED_AT].to_numpy(), table[ROW_NUMBER].to_numpy()
    start = np.maximum.accumulate(np.where(_is_first(table), np.arange(len(created)), 0))
    differs = created != created[start]
    faults = []
    for row in np.flatnonzero(differs):
        message = f"must be the same on every row of a lead, got another at {where[numbers[start[row]]]}; correct one"
        faults.append(Fault(where[numbers[row]], message, column, table[LEAD_ID][row].as_py()))
    return table.filter(pa.array(~differs)), faults


def _is_first(table: pa.Table) -> Mask:
    """Return which rows are the first of their lead; the table must be in the order of ids."""
    ids = table[LEAD_ID].combine_chunks()
    other = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return np.concatenate([np.ones(min(len(ids), 1), dtype=bool), other])


def _to_history(table: pa.Table, folder: Path, counts: dict[str, int], faults: tuple[Fault, ...]) -> LeadHistory:
    """Return the history without activities and outcomes; the rows of the table must be in the order of ids."""
    ids = np.array(table[LEAD_ID].to_pylist(), dtype=object)
    starts = np.flatnonzero(_is_first(table))
    lead = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(ids)))
    created = table[CREATED_AT].to_numpy()
    split_keys = _newest_accounts(np.array(table[SPLIT_KEY].to_pylist(), dtype=object), ids, starts)
    valid_from, recorded_at = (table[name].to_numpy() for name in (VALID_FROM, RECORDED_AT))
    known_since = np.maximum(np.maximum(created, valid_from) + 1, recorded_at)
    newest = pa.array(np.append(starts[1:], len(ids)) - 1)
    names = [name for name in table.column_names if name.startswith(KEPT)]
    kept = {name: np.array(table[name].take(newest).to_pylist(), dtype=object) for name in names}
    states = table.drop_columns([LEAD_ID, SPLIT_KEY, ROW_NUMBER, *names])
    states = states.add_column(0, "version", pa.array(np.arange(len(ids)) - starts[lead]))
    states = states.add_column(0, "lead", pa.array(lead))
    return LeadHistory(
        folder=folder,
        lead_ids=ids[starts],
        split_keys=split_keys,
        created_at=created[starts],
        known_since=np.minimum.reduceat(known_since, starts),
        row_numbers=np.minimum.reduceat(table[ROW_NUMBER].to_numpy(), starts),
        states=states,
        coverage={"leads": Coverage.of(recorded_at)},
        counts=counts,
        faults=faults,
        kept=kept,
    )


def _newest_accounts(keys: Objects, ids: Objects, starts: Integers) -> Objects:
    """Return the newest account of each lead, or its id where it never had one."""
    # An account may be filled in later. It counts for the whole history, because it only divides rows.
    with_account = np.where(keys != ids, np.arange(len(ids)), -1)
    newest = np.maximum.reduceat(with_account, starts)
    return np.where(newest >= 0, keys[newest], ids[starts])
