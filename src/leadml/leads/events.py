"""Read activities and outcomes: whose, when, recorded when, and what.

What enters is raw chunks of one source; what leaves is tables of whole numbers, the leads by their number.
It refuses rows without an id, a time or an outcome that leadml knows; rows of unknown leads are counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.errors import DataError, Fault, quoted
from leadml.leads.check import read_times, shown_value
from leadml.leads.convert import arrow_ids, arrow_texts, plain_text
from leadml.leads.ingest import normal_name
from leadml.leads.plan import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from leadml.leads.ingest import Dialect, RawChunk
    from leadml.leads.sources import Source
    from leadml.params import ActivitiesParams, OutcomesParams

    Mask = NDArray[np.bool_]

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

    source: Source
    lead_ids: pa.Array
    timezone: str | None
    latest: int

    def activities(self, roles: ActivitiesParams, kinds: dict[str, int]) -> Iterator[Events]:
        """Yield activities; a kind that is not among ``kinds`` is -1, and channels are numbered as they come."""
        channels: dict[str, int] = {}

        def codes(chunk: RawChunk, dialect: Dialect) -> tuple[dict[str, pa.Array], list[tuple[str, Mask, str]]]:
            words, bad = arrow_texts(chunk.table[normal_name(roles.kind)], dialect)
            columns = {"kind": _numbered(words, kinds)}
            if roles.channel is not None:
                named, _ = arrow_texts(chunk.table[normal_name(roles.channel)], dialect)
                for channel in pc.unique(named).drop_null().to_pylist():
                    channels.setdefault(channel, len(channels))
                columns["channel"] = _numbered(named, channels, missing=None)
            else:
                columns["channel"] = pa.nulls(len(words), pa.int64())
            return columns, [(roles.kind, bad, "must be text, a whole number or a boolean")]

        others = (roles.kind, roles.channel)
        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), others, codes)

    def outcomes(self, roles: OutcomesParams, known: dict[str, int]) -> Iterator[Events]:
        """Yield outcomes by their code in ``known``."""
        words = {**{name: name for name in known}, **roles.names}

        def codes(chunk: RawChunk, dialect: Dialect) -> tuple[dict[str, pa.Array], list[tuple[str, Mask, str]]]:
            said, _ = arrow_texts(chunk.table[normal_name(roles.outcome)], dialect)
            numbers = _numbered(said, {plain_text(word): known[name] for word, name in words.items()})
            bad = pc.less(numbers, 0).to_numpy(zero_copy_only=False)
            allowed = f"must be one of {', '.join(words)}, or a word of sources.outcomes.names"
            return {"outcome": numbers}, [(roles.outcome, bad, allowed)]

        yield from self._events((roles.lead_id, roles.occurred_at, roles.recorded_at), (roles.outcome,), codes)

    def _events(
        self,
        roles: tuple[str, str, str | None],
        others: tuple[str | None, ...],
        codes: Callable[[RawChunk, Dialect], tuple[dict[str, pa.Array], list[tuple[str, Mask, str]]]],
    ) -> Iterator[Events]:
        lead_id, occurred_at, recorded_at = (role and normal_name(role) for role in roles)
        columns = [normal_name(name) for name in (*roles, *others) if name]
        self.source.require(columns)
        faults: list[Fault] = []
        for chunk in self.source.chunks(columns, rows=CHUNK_ROWS):
            faults += chunk.faults
            ids, bad_ids = arrow_ids(chunk.table[str(lead_id)])
            problems = [(str(lead_id), bad_ids, "must be an id of 1 to 256 characters as text or whole number")]
            instants = {}
            for name, column in (("occurred_at", occurred_at), ("recorded_at", recorded_at or occurred_at)):
                instants[name], found = read_times(chunk, str(column), self.timezone)
                problems += found
                outside = ~np.any([bad for _, bad, _ in found], axis=0) & (
                    (instants[name] < 0) | (instants[name] > self.latest)
                )
                problems.append((str(column), outside, "must lie between 1970 and tomorrow"))
            numbers, more = codes(chunk, self.source.dialect)
            faults += _faults(chunk, ids, [*problems, *more])
            if len(faults) > MOST_FAULTS:
                break
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


def _faults(chunk: RawChunk, ids: pa.ChunkedArray, problems: list[tuple[str, Mask, str]]) -> list[Fault]:
    found = {}
    for column, bad, expected in problems:
        for row in np.flatnonzero(bad)[:MOST_FAULTS].tolist():
            got = shown_value(chunk, column, row)
            shown = "nothing" if got is None or got == "" else quoted(got)
            lead_id = str(ids[row].as_py() or "")
            where = chunk.place(row, lead_id)
            found[where, column] = Fault(where, f"{expected}, got {shown}", column, lead_id)
    return list(found.values())
