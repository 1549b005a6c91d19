"""Divide the records of a table into chunks, with the faults of those that have not as many values as the header.

Lines below the leads that are no leads are passed over and told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from leadml.errors import Fault, inert, quoted
from leadml.leads.read.footers import count_footers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Record = Sequence[str | None]

# Records that are read ahead of those that are given, to see the end of the table: reports have up to six lines there.
LAST_RECORDS = 20
SHOWN_CELLS = 3  # of a record that is passed over: enough to recognise it in one line


@dataclass(frozen=True)
class Records:
    """Some records of a table.

    Parameters
    ----------
    records
        The records that have as many values as the header has names.
    lines
        The line on which each of them begins.
    places
        The number of records of the table before each of them.
    faults
        The faults of the other records.
    passed_over
        One line of text for each record below the leads that is no lead.
    """

    records: Sequence[Record]
    lines: Sequence[int]
    places: Sequence[int]
    faults: Sequence[Fault] = ()
    passed_over: tuple[str, ...] = ()


def divide(entries: Iterable[tuple[int, Record]], *, width: int, name: str, rows: int) -> Iterator[Records]:
    """Yield the records of a table, at most ``rows`` at a time; a table without records gives one empty chunk.

    Parameters
    ----------
    entries
        The line and the values of each record; a blank line is a record without values.
    width
        Number of columns.
    name
        Name of the table, for messages.
    rows
        Largest number of records and faults of a chunk.
    """
    waiting = _Waiting(name, width)
    values, lines, places, others = waiting.values, waiting.lines, waiting.places, waiting.others
    place, limit = 0, rows + LAST_RECORDS
    for line, record in entries:
        if not record:
            waiting.after_blank.append(place)
            continue
        if len(record) == width:
            values.append(record)
            lines.append(line)
            places.append(place)
        else:
            others.append((place, line, record))
        place += 1
        if len(values) + len(others) >= limit:
            yield waiting.take(rows)
    passed_over = waiting.pass_over_footers()
    while len(values) + len(others) > rows:
        yield waiting.take(rows)
    yield waiting.take(rows, passed_over)


class _Waiting:
    """Records that are read and not given yet; the lists are changed in place."""

    def __init__(self, name: str, width: int) -> None:
        self.name = name
        self.width = width
        self.given = 0
        self.values: list[Record] = []
        self.lines: list[int] = []
        self.places: list[int] = []
        self.others: list[tuple[int, int, Record]] = []  # place, line and values of records of another width
        self.after_blank: deque[int] = deque(maxlen=LAST_RECORDS)  # places before which there is a blank line

    def take(self, rows: int, passed_over: tuple[str, ...] = ()) -> Records:
        """Return the first records and forget them."""
        self.given += rows
        n_values, n_others = self._before(self.given)
        faults = [self._fault(line, record) for _, line, record in self.others[:n_others]]
        taken = Records(self.values[:n_values], self.lines[:n_values], self.places[:n_values], faults, passed_over)
        for column in (self.values, self.lines, self.places):
            del column[:n_values]
        del self.others[:n_others]
        return taken

    def pass_over_footers(self) -> tuple[str, ...]:
        """Forget the records at the end that are no leads, and return what they say."""
        last = zip(*(each[-LAST_RECORDS:] for each in (self.places, self.lines, self.values)), strict=True)
        tail = sorted([*last, *self.others[-LAST_RECORDS:]], key=itemgetter(0))[-LAST_RECORDS:]
        after_blank = {at for at, (place, _, _) in enumerate(tail) if place in self.after_blank}
        number = count_footers([record for _, _, record in tail], self.width, after_blank)
        footers = tail[len(tail) - number :]
        if footers:
            n_values, n_others = self._before(footers[0][0])
            for column in (self.values, self.lines, self.places):
                del column[n_values:]
            del self.others[n_others:]
        return tuple(_told(f"{self.name}:{line}", record) for _, line, record in footers)

    def _before(self, place: int) -> tuple[int, int]:
        """Return how many records that are waiting are before a place: those of the right width, and the others."""
        return bisect_left(self.places, place), bisect_left(self.others, place, key=itemgetter(0))

    def _fault(self, line: int, record: Record) -> Fault:
        message = f"must have {self.width} values as the header has, got {len(record)}; correct the row"
        return Fault(f"{self.name}:{line}", message)


def _told(location: str, record: Record) -> str:
    """Return what a record below the leads says: its words, and the first numbers beside them."""
    first, *others = [cell for cell in record if cell and cell.strip()][:SHOWN_CELLS] or [""]
    return f"{location}: {', '.join([quoted(first), *map(inert, others)])}"
