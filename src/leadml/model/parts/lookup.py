"""A model as look-ups: what each value of a lead adds to its log-odds, read from tables.

What enters is the fields of leads as numbers and codes; what leaves is the log-odds that each field adds, which are the
prediction and its exact reasons at once.
The tables grow with the sets of fields that trees test, not with the trees, and a lead's numbers do not depend on the
leads beside it.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leadml.types import Floats, Rows


BLOCK_ROWS = 1 << 14  # of fewer rows Python takes longer than the look-ups, of more the memory
NUMBERS = ("edges", "constants", "slopes", "anchors")


@dataclass(frozen=True)
class Single:
    """What a field adds alone: ``constant + slope * (value - anchor)``, by the code of the value.

    The code of a number is how many edges lie below it, and one more than there are edges where it is missing; the
    code of a category is the position of its level.

    Parameters
    ----------
    edges
        Values at which something changes, ascending; empty for a category.
    constants, slopes, anchors
        Arrays of shape (n_codes,), in log-odds, log-odds per unit, and units of the field.
    is_number
        Whether the field is a number or boolean.
    """

    edges: Floats
    constants: Floats
    slopes: Floats
    anchors: Floats
    is_number: bool

    @cached_property
    def sloped(self) -> tuple[float, float] | None:
        """Between which values the place between two edges matters; None where it never does."""
        steep = np.flatnonzero(self.slopes)
        return (float(self.anchors[steep[0]]), float(self.edges[steep[-1]])) if len(steep) else None

    def codes(self, values: Floats) -> Rows:
        """Return the code of each value, shape (n_leads,)."""
        if not self.is_number:
            return values.astype(np.intp)
        codes = np.searchsorted(self.edges, values, side="left")
        codes[np.isnan(values)] = len(self.edges) + 1
        return codes

    def add(self, values: Floats, codes: Rows) -> Floats:
        """Return log-odds of shape (n_leads,)."""
        found = np.take(self.constants, codes)
        if self.sloped:
            inside = np.fmin(np.fmax(values, self.sloped[0]), self.sloped[1])
            found += np.take(self.slopes, codes) * (inside - np.take(self.anchors, codes))
        return found


@dataclass(frozen=True)
class LookupTable:
    """What some fields add together, beside what each adds alone.

    Parameters
    ----------
    fields
        Positions of the fields.
    places
        For each field, from its code to its part of the cell's position.
    values
        Array of shape (n_fields, n_cells): what each field gets, in log-odds.
    """

    fields: tuple[int, ...]
    places: tuple[Rows, ...]
    values: Floats


@dataclass(frozen=True)
class Lookup:
    """A sum of tables.

    Parameters
    ----------
    start
        Log-odds of the mean lead.
    singles
        What each field adds alone.
    tables
        What fields add together.
    left
        Positions of the trees that are in no table.
    """

    start: float
    singles: tuple[Single, ...]
    tables: tuple[LookupTable, ...]
    left: tuple[int, ...] = ()

    @property
    def cells(self) -> int:
        """How many numbers all tables hold."""
        return sum(4 * len(one.constants) for one in self.singles) + sum(table.values.size for table in self.tables)

    def contributions(self, fields: Floats, *, threads: int = 0) -> Floats:
        """Return what each field adds, log-odds of shape (n_leads, n_fields).

        Parameters
        ----------
        fields
            From `Encoder.fields_of`, shape (n_leads, n_fields).
        threads
            How many threads to use; 0 for all. Changes no number.
        """
        found = np.empty(fields.shape[::-1])
        firsts = range(0, len(fields), BLOCK_ROWS)

        def fill(first: int) -> None:
            self._fill(fields[first : first + BLOCK_ROWS], found[:, first : first + BLOCK_ROWS])

        if len(firsts) == 1:
            fill(0)
        else:
            with ThreadPoolExecutor(threads or cpu_count()) as pool:
                list(pool.map(fill, firsts))
        return found.T

    def _fill(self, fields: Floats, found: Floats) -> None:
        codes = []
        for at, single in enumerate(self.singles):
            values = np.ascontiguousarray(fields[:, at])
            codes.append(single.codes(values))
            found[at] = single.add(values, codes[at])
        cell, part = np.empty((2, len(fields)), dtype=np.intp)
        got = np.empty(len(fields))
        for table in self.tables:  # mode="clip" is the fastest; no cell lies outside
            np.take(table.places[0], codes[table.fields[0]], out=cell, mode="clip")
            for field, place in zip(table.fields[1:], table.places[1:], strict=True):
                cell += np.take(place, codes[field], out=part, mode="clip")
            for field, values in zip(table.fields, table.values, strict=True):
                found[field] += np.take(values, cell, out=got, mode="clip")

    def to_json(self) -> dict[str, Any]:
        """Return the tables as plain data; arrays of numbers as base64 of their bytes, least significant first."""
        return {
            "start": self.start,
            "singles": [
                {
                    "is_number": one.is_number,
                    **{name: _packed(getattr(one, name)) for name in NUMBERS},
                }
                for one in self.singles
            ],
            "tables": [
                {
                    "fields": list(table.fields),
                    "places": [place.tolist() for place in table.places],
                    "values": _packed(table.values),
                }
                for table in self.tables
            ],
            "left": list(self.left),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Lookup:
        """Return the tables that `to_json` wrote."""
        singles = (
            Single(**{name: _unpacked(one[name]) for name in NUMBERS}, is_number=one["is_number"])
            for one in stored["singles"]
        )
        tables = (
            LookupTable(
                tuple(entry["fields"]),
                tuple(np.array(place, dtype=np.intp) for place in entry["places"]),
                _unpacked(entry["values"]).reshape(len(entry["fields"]), -1),
            )
            for entry in stored["tables"]
        )
        return cls(stored["start"], tuple(singles), tuple(tables), tuple(stored["left"]))


def _packed(numbers: Floats) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).decode()


def _unpacked(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(np.float64)
