"""Read activities and outcomes: of which lead, when, recorded when, and what.

A row without an id, a time or a known outcome is refused. Rows of leads that the table of leads does not have are
counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.errors import DataError, Fault, quoted
from leadml.leads.asof.features import value_name
from leadml.leads.asof.machines import MACHINE_COLUMNS, machine_columns
from leadml.leads.check.activity_plan import DAY, VALUE_ONE
from leadml.leads.check.convert import arrow_ids, arrow_texts, numbers, plain_text
from leadml.leads.check.rows import read_times, shown_value
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from leadml.leads.check.contract import Contract
    from leadml.leads.read.files import Dialect, RawChunk
    from leadml.leads.read.table_source import TableSource
    from leadml.params import ActivitiesParams, MachineParams, OutcomesParams
    from leadml.types import Mask

    ReadCodes = Callable[[RawChunk, Dialect], tuple[dict[str, pa.Array], Iterable["FaultyRows"]]]

# Changes no number (tests/leads/asof/test_events.py), only memory: 5 columns of 8 bytes are 20 MB.
CHUNK_ROWS = 500_000
MAX_FAULTS = 1000  # of a table that is another one than declared, each row has a fault; a message shows 20 kinds
COMMON = ("lead", "occurred_at", "recorded_at")
MAX_VALUE = 1e9  # so that the sum of 900,000 activities of a lead, in units of VALUE_ONE, fits into 64 bits
OUTCOME_SCHEMA = pa.schema([(name, pa.int64()) for name in (*COMMON, "outcome")])


@dataclass(frozen=True)
class Events:
    """A chunk of events of known leads.

    Parameters
    ----------
    table
        ``lead, occurred_at, recorded_at`` and ``kind, channel`` or ``outcome``, whole numbers.
    rows
        How many rows were read.
    unknown
        How many of them are of leads that the table of leads does not have.
    unknown_id
        The id of one such lead; empty where there is none.
    """

    table: pa.Table
    rows: int
    unknown: int
    unknown_id: str


class FaultyRows(NamedTuple):
    """Rows of a chunk with the same fault: the column, which rows, what the value must be, and what to do."""

    column: str
    mask: Mask
    expected: str
    advice: str = ""


@dataclass(frozen=True)
class EventReader:
    """Reads one table of events.

    Parameters
    ----------
    source
        The table.
    lead_ids
        Arrow array of the ids of all leads; a lead's number is its position.
    contract
        How times are read that have no zone, and dates of three numbers.
    latest
        Instant in microseconds after which nothing can have been recorded yet.
    chunk_rows
        Rows that are read at a time; no result depends on it.
    """

    source: TableSource
    lead_ids: pa.Array
    contract: Contract
    latest: int
    chunk_rows: int = CHUNK_ROWS

    def activities(
        self, roles: ActivitiesParams, kinds: dict[str, int], machines: MachineParams | None = None
    ) -> Iterator[Events]:
        """Yield activities: a kind that ``kinds`` does not have is -1, channels are numbered as they first occur.

        Values are whole numbers of 1/10,000, null where they are missing. With ``machines`` there are the columns of
        `machine_columns`.
        """
        channels: dict[str, int] = {}

        def read_codes(chunk: RawChunk, dialect: Dialect) -> tuple[dict[str, pa.Array], Iterable[FaultyRows]]:
            kind, faulty = arrow_texts(chunk.table[normal_name(roles.kind)], dialect)
            columns = {"kind": _codes(kind, kinds)}
            if roles.channel is not None:
                channel, _ = arrow_texts(chunk.table[normal_name(roles.channel)], dialect)
                for name in pc.unique(channel).drop_null().to_pylist():
                    channels.setdefault(name, len(channels))
                columns["channel"] = _codes(channel, channels, missing=None)
            else:
                columns["channel"] = pa.nulls(len(kind), pa.int64())
            found = [FaultyRows(roles.kind, faulty, "must be text, a whole number or a boolean")]
            for number, name in enumerate(roles.values.values()):
                columns[value_name(number)], bad = _whole_values(chunk.table[normal_name(name)], dialect)
                found.append(FaultyRows(name, bad, f"must be a number between -{MAX_VALUE:,.0f} and {MAX_VALUE:,.0f}"))
            if machines is not None:
                texts = {name: arrow_texts(chunk.table[normal_name(told[name])], dialect)[0] for name in told}
                columns |= machine_columns(kind, texts, machines)
            return columns, found

        columns_told = {"message": roles.message, "agent": roles.agent, "address": roles.address}
        told = {name: column for name, column in columns_told.items() if column and machines}
        others = (roles.kind, roles.channel, *roles.values.values(), *told.values())
        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), others, read_codes)

    def outcomes(self, roles: OutcomesParams, known: dict[str, int]) -> Iterator[Events]:
        """Yield outcomes by their code in ``known``."""
        meanings = {**{name: name for name in known}, **roles.names}
        if self._is_word(roles.outcome, known):
            yield from self._constant(roles, known[roles.outcome])
            return

        def read_codes(chunk: RawChunk, dialect: Dialect) -> tuple[dict[str, pa.Array], Iterable[FaultyRows]]:
            words, _ = arrow_texts(chunk.table[normal_name(roles.outcome)], dialect)
            codes = _codes(words, {plain_text(word): known[name] for word, name in meanings.items()})
            expected = f"must be one of {', '.join(meanings)}, or a word of sources.outcomes.names"
            return {"outcome": codes}, _unknown_words(words.combine_chunks(), codes, roles.outcome, expected)

        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), (roles.outcome,), read_codes)

    def _is_word(self, outcome: str, known: dict[str, int]) -> bool:
        """Return whether params name an outcome that all rows have, and not a column."""
        try:
            self.source.require([normal_name(outcome)])
        except DataError:
            return outcome in known
        return False

    def _constant(self, roles: OutcomesParams, code: int) -> Iterator[Events]:
        def read_codes(chunk: RawChunk, _: Dialect) -> tuple[dict[str, pa.Array], Iterable[FaultyRows]]:
            return {"outcome": pa.chunked_array([np.full(chunk.table.num_rows, code)])}, ()

        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), (), read_codes)

    def _events(
        self, roles: tuple[str, str, str | None], others: tuple[str | None, ...], read_codes: ReadCodes
    ) -> Iterator[Events]:
        lead_id, occurred_at, recorded_at = (role and normal_name(role) for role in roles)
        columns = [normal_name(name) for name in (*roles, *others) if name]
        self.source.require(columns)
        faults: list[Fault] = []
        for chunk in self.source.chunks(columns, rows=self.chunk_rows):
            if sum(fault.rows for fault in faults) > MAX_FAULTS:
                raise DataError(faults, complete=False)
            faults += chunk.faults
            ids, faulty = arrow_ids(chunk.table[str(lead_id)])
            found = [FaultyRows(str(lead_id), faulty, "must be an id of 1 to 256 characters as text or whole number")]
            instants = {}
            for name, column in (("occurred_at", occurred_at), ("recorded_at", recorded_at or occurred_at)):
                instants[name], unread = read_times(chunk, str(column), self.contract)
                found += [FaultyRows(*fault) for fault in unread]
                out_of_range = ~np.any([mask for _, mask, _ in unread], axis=0) & (
                    (instants[name] < 0) | (instants[name] > self.latest)
                )
                found.append(FaultyRows(str(column), out_of_range, "must lie between 1970 and tomorrow"))
            codes, faulty_codes = read_codes(chunk, self.source.dialect)
            faults += _faults(chunk, ids, [*found, *faulty_codes])
            lead = pc.index_in(ids.combine_chunks(), value_set=self.lead_ids)
            table = pa.table({"lead": lead.cast(pa.int64()), **instants, **codes})
            is_known = pc.is_valid(table["lead"])
            unknown = ids.combine_chunks().filter(pc.invert(is_known).combine_chunks())
            unknown_id = unknown[0].as_py() if len(unknown) else ""
            yield Events(table.filter(is_known), table.num_rows, len(unknown), unknown_id)
        if faults:
            raise DataError(faults)


def activity_schema(values: int, *, machines: bool = False) -> pa.Schema:
    """Return the columns of activities that have a number of values, and whether acts of machines are recognised."""
    names = (*COMMON, "kind", "channel", *(value_name(number) for number in range(values)))
    return pa.schema([(name, pa.int64()) for name in (*names, *(MACHINE_COLUMNS if machines else ()))])


def latest_instant(now: int) -> int:
    """Return the instant, in microseconds, after which nothing can have been recorded: a day after now."""
    return now + DAY


def _codes(words: pa.ChunkedArray, known: dict[str, int], *, missing: int | None = -1) -> pa.Array:
    """Return the code of each word, and ``missing`` for words that have none."""
    positions = pc.index_in(words.combine_chunks(), value_set=pa.array(list(known), pa.string()))
    codes = pa.array(list(known.values()), pa.int64()).take(positions)
    return codes if missing is None else pc.fill_null(codes, missing)


def _whole_values(column: pa.ChunkedArray, dialect: Dialect) -> tuple[pa.Array, Mask]:
    """Return numbers in units of ``VALUE_ONE``, and the mask of those that are no numbers or out of range."""
    values, bad = numbers(column, dialect)
    bad |= np.abs(values) > MAX_VALUE
    missing = bad | np.isnan(values)
    return pa.array(np.where(missing, 0, np.rint(values * VALUE_ONE)).astype(np.int64), mask=missing), bad


def _unknown_words(words: pa.Array, codes: pa.Array, column: str, expected: str) -> Iterator[FaultyRows]:
    """Yield the rows of each word that has no code; one mask at a time, because there may be many words."""
    for word in pc.unique(words.filter(pc.less(codes, 0)))[:MAX_FAULTS]:
        mask = pc.fill_null(pc.equal(words, word), fill_value=False) if word.is_valid else pc.is_null(words)
        advice = "leave out rows without an outcome"
        if word.is_valid:
            example = f"sources.outcomes.names: {{{quoted(word)}: lost}}"
            advice = f"give its meaning in params.yaml, for example {example}, or a new name where none of these fits"
        yield FaultyRows(column, mask.to_numpy(zero_copy_only=False), expected, f"; {advice}")


def _faults(chunk: RawChunk, ids: pa.ChunkedArray, found: Iterable[FaultyRows]) -> list[Fault]:
    """Return a fault for the first of each group of rows; a column with two roles is reported once a row."""
    faults = {}
    for column, mask, expected, advice in found:
        if mask.any():
            row = int(np.argmax(mask))
            got = shown_value(chunk, column, row)
            shown = "nothing" if got is None or got == "" else quoted(got)
            message, lead_id = f"{expected}, got {shown}{advice}", str(ids[row].as_py() or "")
            where = chunk.location(row, lead_id)
            faults[where, column] = Fault(where, message, column, lead_id, expected + advice, int(mask.sum()))
    return list(faults.values())
