"""Keep the tables of dated leads, checked and typed, in blocks of leads that fit into memory.

What enters is three sources; what leaves is blocks of whole numbers and attributes, leads in the order of their ids.
It refuses a row that is not what was declared, and instants before 1970 or after tomorrow; rows of leads that the table
of leads does not have are left out and counted. It writes to one temporary folder, which its caller removes.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadml.errors import DataError, Fault, inert
from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.contract import CREATED_AT, LEAD_ID, RECORDED_AT, SPLIT_KEY, VALID_FROM
from leadml.leads.check.duplicates import conflict_faults, differing_columns, find_duplicates, row_hashes
from leadml.leads.check.load import checked_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from leadml.leads.asof.events import Events
    from leadml.leads.check.contract import Contract
    from leadml.leads.check.rows import CheckedRows
    from leadml.leads.read.table_source import TableSource
    from leadml.types import Integers, Mask, Objects, Rows


BLOCK_LEADS = 65_536
TIMES = (CREATED_AT, VALID_FROM, RECORDED_AT)


@dataclass(frozen=True)
class Block:
    """Some leads, in the order of their ids, with all that is known of them.

    Parameters
    ----------
    first
        Number of the first lead, from 0; ``lead`` of each table counts from the first of all.
    states
        ``lead, version, created_at, valid_from, recorded_at`` and attributes, a row a state.
    read
        Gives the table of the block that is called ``activities`` or ``outcomes``.
    """

    first: int
    states: pa.Table
    read: Callable[[str], pa.Table]

    @cached_property
    def activities(self) -> pa.Table:
        """``lead, occurred_at, recorded_at, kind, channel``, a row an activity; read when first asked for."""
        return self.read("activities")

    @cached_property
    def outcomes(self) -> pa.Table:
        """``lead, occurred_at, recorded_at, outcome``, a row an outcome; read when first asked for."""
        return self.read("outcomes")


@dataclass(frozen=True)
class LeadHistory:
    """The tables of dated leads.

    Parameters
    ----------
    folder
        Where blocks are kept.
    lead_ids
        Array of shape (n_leads,), rising: the id of each lead by its number.
    split_keys
        The newest account of each lead, or its id where it never had one.
    created_at
        When each lead came, microseconds.
    known_from
        The first instant, in microseconds, as of which each lead is known: it had come, and a state of it held and was
        recorded.
    places
        The row of each lead in its source, from 0: the first, where there are several.
    states
        All states of all leads, in the order of leads and versions.
    coverage
        When the rows of ``leads``, ``activities`` and ``outcomes`` were recorded; a table without rows is not there.
    counts
        What was read, merged and left out, for the record.
    tallies
        Of ``activities`` and ``outcomes``, the rows of known leads by number of kind or outcome; -1 is any other kind.
    strangers
        For ``activities`` and ``outcomes`` the id of a lead that is not there, where they have rows of one.
    faults
        Rows of leads that could not be read, where the caller can go on without them.
    """

    folder: Path
    lead_ids: Objects
    split_keys: Objects
    created_at: Integers
    known_from: Integers
    places: Integers
    states: pa.Table
    coverage: dict[str, Coverage]
    counts: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, Counter[int]] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """Yield the leads block by block."""
        leads = self.states["lead"].to_numpy()
        for number, first in enumerate(range(0, len(self.lead_ids), BLOCK_LEADS)):
            start, stop = np.searchsorted(leads, (first, first + BLOCK_LEADS))
            yield Block(first, self.states.slice(start, stop - start), partial(self._read, number))

    def _read(self, number: int, name: str) -> pa.Table:
        return pq.read_table(self.folder / f"{name}-{number:05}.parquet", page_checksum_verification=True)


def read_lead_history(source: TableSource, contract: Contract, folder: Path, *, latest: int) -> LeadHistory:
    """Return the leads of a source, without their activities and outcomes.

    Parameters
    ----------
    source
        The table of leads.
    contract
        Its columns.
    folder
        An empty folder for blocks.
    latest
        Instant in microseconds after which nothing can have been recorded yet.

    Raises
    ------
    DataError
        Where there are no leads or a column is missing.
    """
    pieces: list[pa.Table] = []
    hashes: list[tuple[Any, Any]] = []
    where: list[str] = []
    faults: list[Fault] = []
    rows = 0
    for checked in checked_chunks(source, contract):
        outside = _outside(checked, contract, latest)
        inside = np.ones(len(checked.frame), dtype=bool)
        inside[list(outside)] = False
        frame = checked.frame[inside].reset_index(drop=True)
        pieces.append(_piece(frame, contract))
        hashes.append(_state_hashes(frame))
        where += [place for place, kept in zip(checked.locations, inside, strict=True) if kept]
        faults += [*checked.faults, *outside.values()]
        rows += checked.rows
    table = pa.concat_tables(pieces).unify_dictionaries()
    duplicates = find_duplicates(*(np.concatenate(part) for part in zip(*hashes, strict=True)))
    faults += _conflicts(table, where, np.flatnonzero(duplicates.conflicting), contract)
    table = table.append_column("place", pa.array(np.arange(table.num_rows)))
    table = table.filter(pa.array(~duplicates.merged & ~duplicates.conflicting))
    if not table.num_rows:
        raise DataError(faults or [Fault(source.name, "must hold leads, got none below the header")])
    table = table.sort_by([(name, "ascending") for name in (LEAD_ID, VALID_FROM, RECORDED_AT)])
    table, moved = _of_one_time(table, where, str(contract.created_at))
    faults += moved
    return _numbered(table, folder, {"rows": rows, "merged": int(duplicates.merged.sum())}, tuple(faults))


def _conflicts(table: pa.Table, where: Sequence[str], rows: Rows, contract: Contract) -> list[Fault]:
    """Return the faults of rows that contradict another of their lead."""
    if not len(rows):
        return []
    frame = table.take(pa.array(rows)).to_pandas()
    inner = {entry.name: attribute_name(at) for at, entry in enumerate(contract.lead_fields)}
    names = {inner.get(name, name): told for name, told in contract.source_columns.items()}
    once, remedy = "must be there once", "declare sources.leads.valid_from, or keep one row a lead"
    if contract.valid_from is not None:
        once, remedy = f"must be there once at each {inert(contract.valid_from)}", "keep the right row"
    found = [(where[row], lead_id) for row, lead_id in zip(rows, frame[LEAD_ID], strict=True)]
    return conflict_faults(found, contract.lead_id, differing_columns(frame, names), requirement=once, remedy=remedy)


def attribute_name(at: int) -> str:
    """Return what the attribute at a place is called inside: names of columns are strangers' words."""
    return f"attribute_{at}"


def add_events(tables: LeadHistory, name: str, events: Iterable[Events], schema: pa.Schema) -> LeadHistory:
    """Write activities or outcomes into the blocks of their leads.

    Parameters
    ----------
    tables
        The leads.
    name
        ``activities`` or ``outcomes``.
    events
        Chunks of them.
    schema
        Their columns.
    """
    rows, unknown = 0, 0
    records, strangers, tally = None, tables.strangers, Counter[int]()
    code = schema.names[3]
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(path, schema)) for path in _paths(tables, name)]
        for chunk in events:
            rows += chunk.rows
            unknown += chunk.unknown
            strangers = ({name: chunk.stranger} if chunk.stranger else {}) | strangers
            if chunk.table.num_rows:
                records = Coverage.of(chunk.table[RECORDED_AT].to_numpy()).beside(records)
                numbers = np.bincount(chunk.table[code].to_numpy() + 1).tolist()
                tally.update(dict(enumerate(numbers, start=-1)))
                _spread(chunk.table, writers)
    counts = {**tables.counts, name: rows, f"{name}_of_unknown_leads": unknown}
    known = tables.coverage | ({name: records} if records else {})
    tallies = tables.tallies | {name: tally}
    return replace(tables, coverage=known, counts=counts, tallies=tallies, strangers=strangers)


def _paths(tables: LeadHistory, name: str) -> Iterator[Path]:
    blocks = -(-len(tables.lead_ids) // BLOCK_LEADS)
    return (tables.folder / f"{name}-{number:05}.parquet" for number in range(blocks))


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)


def _spread(table: pa.Table, writers: Sequence[pq.ParquetWriter]) -> None:
    """Write each row into the block of its lead."""
    block = table["lead"].to_numpy() // BLOCK_LEADS
    order = np.argsort(block, kind="stable")
    edges = np.searchsorted(block[order], np.arange(len(writers) + 1))
    table = table.take(pa.array(order))
    for number, (start, stop) in enumerate(pairwise(edges)):
        if stop > start:
            writers[number].write_table(table.slice(start, stop - start))


def _outside(checked: CheckedRows, contract: Contract, latest: int) -> dict[int, Fault]:
    """Return the faults of rows whose instants no lead can have, by row."""
    faults: dict[int, Fault] = {}
    for name in TIMES:
        if name in checked.frame:
            instants = checked.frame[name].to_numpy()
            for row in np.flatnonzero((instants < 0) | (instants > latest)).tolist():
                lead_id = str(checked.frame[LEAD_ID][row])
                column = str(getattr(contract, name))
                faults[row] = Fault(checked.locations[row], "must lie between 1970 and tomorrow", column, lead_id)
    return faults


def _piece(frame: pd.DataFrame, contract: Contract) -> pa.Table:
    """Return a chunk of leads as an Arrow table, its words by number."""
    columns: dict[str, Any] = {LEAD_ID: pa.array(frame[LEAD_ID], pa.string())}
    keys = frame[SPLIT_KEY] if SPLIT_KEY in frame else frame[LEAD_ID]
    columns[SPLIT_KEY] = pa.array(keys, pa.string())
    held = frame.get(VALID_FROM, frame[CREATED_AT])
    times = {CREATED_AT: frame[CREATED_AT], VALID_FROM: held, RECORDED_AT: frame.get(RECORDED_AT, held)}
    columns |= {name: pa.array(values, pa.int64()) for name, values in times.items()}
    for at, entry in enumerate(contract.lead_fields):
        if entry.kind == "category":
            columns[attribute_name(at)] = pa.array(frame[entry.name], pa.string()).dictionary_encode()
        else:
            columns[attribute_name(at)] = pa.array(frame[entry.name].to_numpy(), pa.float64())
    return pa.table(columns)


def _state_hashes(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Return a hash of what names a state and one of all its values: a lead has one state, or one at each instant."""
    ids, values = row_hashes(frame)
    if VALID_FROM not in frame:
        return ids, values
    for name in (VALID_FROM, RECORDED_AT):
        if name in frame:
            ids = ids * np.uint64(1_000_003) ^ pd.util.hash_array(frame[name].to_numpy(), categorize=False)
    return ids, values


def _of_one_time(table: pa.Table, where: Sequence[str], column: str) -> tuple[pa.Table, list[Fault]]:
    """Return rows of leads without those on which a lead came at another time than on its first, and their faults."""
    created, places = table[CREATED_AT].to_numpy(), table["place"].to_numpy()
    start = np.maximum.accumulate(np.where(_is_first(table), np.arange(len(created)), 0))
    moved = created != created[start]
    faults = []
    for row in np.flatnonzero(moved):
        message = f"must be the same on every row of a lead, got another at {where[places[start[row]]]}; correct one"
        faults.append(Fault(where[places[row]], message, column, table[LEAD_ID][row].as_py()))
    return table.filter(pa.array(~moved)), faults


def _is_first(table: pa.Table) -> Mask:
    """Return which rows are the first of their lead, in a table in the order of ids."""
    ids = table[LEAD_ID].combine_chunks()
    other = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return np.concatenate([np.ones(min(len(ids), 1), dtype=bool), other])


def _numbered(table: pa.Table, folder: Path, counts: dict[str, int], faults: tuple[Fault, ...]) -> LeadHistory:
    ids = np.array(table[LEAD_ID].to_pylist(), dtype=object)
    starts = np.flatnonzero(_is_first(table))
    lead = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(ids)))
    created = table[CREATED_AT].to_numpy()
    split_keys = _last_accounts(np.array(table[SPLIT_KEY].to_pylist(), dtype=object), ids, starts)
    valid_from, recorded_at = (table[name].to_numpy() for name in (VALID_FROM, RECORDED_AT))
    known = np.maximum(np.maximum(created, valid_from) + 1, recorded_at)
    states = table.drop_columns([LEAD_ID, SPLIT_KEY, "place"])
    states = states.add_column(0, "version", pa.array(np.arange(len(ids)) - starts[lead]))
    states = states.add_column(0, "lead", pa.array(lead))
    return LeadHistory(
        folder=folder,
        lead_ids=ids[starts],
        split_keys=split_keys,
        created_at=created[starts],
        known_from=np.minimum.reduceat(known, starts),
        places=np.minimum.reduceat(table["place"].to_numpy(), starts),
        states=states,
        coverage={"leads": Coverage.of(recorded_at)},
        counts=counts,
        faults=faults,
    )


def _last_accounts(keys: Objects, ids: Objects, starts: Integers) -> Objects:
    """Return the newest account of each lead, its id where it never had one: sides of a split are no feature."""
    named = np.where(keys != ids, np.arange(len(ids)), -1)
    newest = np.maximum.reduceat(named, starts)
    return np.where(newest >= 0, keys[newest], ids[starts])
