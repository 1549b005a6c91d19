"""Read activities and outcomes: whose, when, recorded when, and what.

What enters is raw chunks of one source; what leaves is tables of whole numbers, the leads by their number.
It refuses rows without an id, a time or an outcome that leadml knows; rows of unknown leads are counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.errors import DataError, Fault, quoted
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.convert import arrow_ids, arrow_texts, plain_text
from leadml.leads.check.rows import read_times, shown_value
from leadml.leads.read.files import normal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from leadml.leads.read.files import Dialect, RawChunk
    from leadml.leads.read.table_source import TableSource
    from leadml.params import ActivitiesParams, OutcomesParams
    from leadml.types import Mask

    Read = tuple[dict[str, pa.Array], Iterable["Problem"]]

CHUNK_ROWS = 500_000
MOST_FAULTS = 1000
COMMON = ("lead", "occurred_at", "recorded_at")
ACTIVITY_SCHEMA = pa.schema([(name, pa.int64()) for name in (*COMMON, "kind", "channel")])
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
    stranger
        The id of one such lead; empty where there is none.
    """

    table: pa.Table
    rows: int
    unknown: int
    stranger: str


class Problem(NamedTuple):
    """Rows of a chunk with the same trouble: column, mask of the rows, what must hold, and what to do."""

    column: str
    bad: Mask
    expected: str
    advice: str = ""


@dataclass(frozen=True)
class EventReader:
    """How one table of events is read.

    Parameters
    ----------
    source
        Where it is.
    lead_ids
        Arrow array of all ids, by their number.
    timezone
        Zone of times that have none, or None.
    latest
        Instant in microseconds after which nothing can have been recorded yet.
    """

    source: TableSource
    lead_ids: pa.Array
    timezone: str | None
    latest: int

    def activities(self, roles: ActivitiesParams, kinds: dict[str, int]) -> Iterator[Events]:
        """Yield activities; a kind that is not among ``kinds`` is -1, and channels are numbered as they come."""
        channels: dict[str, int] = {}

        def codes(chunk: RawChunk, dialect: Dialect) -> Read:
            words, bad = arrow_texts(chunk.table[normal_name(roles.kind)], dialect)
            columns = {"kind": _numbered(words, kinds)}
            if roles.channel is not None:
                named, _ = arrow_texts(chunk.table[normal_name(roles.channel)], dialect)
                for channel in pc.unique(named).drop_null().to_pylist():
                    channels.setdefault(channel, len(channels))
                columns["channel"] = _numbered(named, channels, missing=None)
            else:
                columns["channel"] = pa.nulls(len(words), pa.int64())
            return columns, [Problem(roles.kind, bad, "must be text, a whole number or a boolean")]

        others = (roles.kind, roles.channel)
        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), others, codes)

    def outcomes(self, roles: OutcomesParams, known: dict[str, int]) -> Iterator[Events]:
        """Yield outcomes by their code in ``known``."""
        words = {**{name: name for name in known}, **roles.names}

        def codes(chunk: RawChunk, dialect: Dialect) -> Read:
            said, _ = arrow_texts(chunk.table[normal_name(roles.outcome)], dialect)
            numbers = _numbered(said, {plain_text(word): known[name] for word, name in words.items()})
            allowed = f"must be one of {', '.join(words)}, or a word of sources.outcomes.names"
            return {"outcome": numbers}, _unknown_words(said.combine_chunks(), numbers, roles.outcome, allowed)

        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), (roles.outcome,), codes)

    def _events(
        self,
        roles: tuple[str, str, str | None],
        others: tuple[str | None, ...],
        codes: Callable[[RawChunk, Dialect], Read],
    ) -> Iterator[Events]:
        lead_id, occurred_at, recorded_at = (role and normal_name(role) for role in roles)
        columns = [normal_name(name) for name in (*roles, *others) if name]
        self.source.require(columns)
        faults: list[Fault] = []
        for chunk in self.source.chunks(columns, rows=CHUNK_ROWS):
            if sum(fault.rows for fault in faults) > MOST_FAULTS:
                raise DataError(faults, complete=False)
            faults += chunk.faults
            ids, bad_ids = arrow_ids(chunk.table[str(lead_id)])
            problems = [Problem(str(lead_id), bad_ids, "must be an id of 1 to 256 characters as text or whole number")]
            instants = {}
            for name, column in (("occurred_at", occurred_at), ("recorded_at", recorded_at or occurred_at)):
                instants[name], found = read_times(chunk, str(column), self.timezone)
                problems += [Problem(*trouble) for trouble in found]
                outside = ~np.any([bad for _, bad, _ in found], axis=0) & (
                    (instants[name] < 0) | (instants[name] > self.latest)
                )
                problems.append(Problem(str(column), outside, "must lie between 1970 and tomorrow"))
            numbers, more = codes(chunk, self.source.dialect)
            faults += _faults(chunk, ids, [*problems, *more])
            lead = pc.index_in(ids.combine_chunks(), value_set=self.lead_ids)
            table = pa.table({"lead": lead.cast(pa.int64()), **instants, **numbers})
            known = pc.is_valid(table["lead"])
            kept, strangers = table.filter(known), ids.combine_chunks().filter(pc.invert(known).combine_chunks())
            yield Events(kept, table.num_rows, len(strangers), strangers[0].as_py() if len(strangers) else "")
        if faults:
            raise DataError(faults)


def latest_instant(now: int) -> int:
    """Return the instant, in microseconds, after which a row would be of the future."""
    return now + DAY


def _numbered(words: pa.ChunkedArray, known: dict[str, int], *, missing: int | None = -1) -> pa.Array:
    """Return the number of each word; of words that are not known ``missing``."""
    places = pc.index_in(words.combine_chunks(), value_set=pa.array(list(known), pa.string()))
    numbers = pa.array(list(known.values()), pa.int64()).take(places)
    return numbers if missing is None else pc.fill_null(numbers, missing)


def _unknown_words(said: pa.Array, numbers: pa.Array, column: str, allowed: str) -> Iterator[Problem]:
    """Yield a problem for each word that has no number; masks one at a time, for there may be many."""
    unknown = pc.less(numbers, 0)
    for word in pc.unique(said.filter(unknown))[:MOST_FAULTS]:
        same = pc.fill_null(pc.equal(said, word), fill_value=False) if word.is_valid else pc.is_null(said)
        advice = "leave out rows that have none"
        if word.is_valid:
            meaning = f"sources.outcomes.names: {{{quoted(word)}: lost}}"
            advice = f"say what it means, as {meaning}; a word of your own will do where it is none of these"
        yield Problem(column, same.to_numpy(zero_copy_only=False), allowed, f"; {advice}")


def _faults(chunk: RawChunk, ids: pa.ChunkedArray, problems: Iterable[Problem]) -> list[Fault]:
    """Return a fault a problem: its first row, and how many rows have it; a column that serves twice has it once."""
    found = {}
    for column, bad, expected, advice in problems:
        if bad.any():
            row = int(np.argmax(bad))
            got = shown_value(chunk, column, row)
            shown = "nothing" if got is None or got == "" else quoted(got)
            message, lead_id = f"{expected}, got {shown}{advice}", str(ids[row].as_py() or "")
            where = chunk.location(row, lead_id)
            found[where, column] = Fault(where, message, column, lead_id, expected + advice, int(bad.sum()))
    return list(found.values())
