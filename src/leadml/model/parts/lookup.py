"""A model as look-up tables: the log-odds that each value of a lead adds.

Prediction and explanation are the same sums of numbers that are read from the tables. The tables grow with the sets of
fields that trees combine, not with the number of trees, and the numbers of a lead do not depend on other leads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import cpu_count
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leadml.types import Floats, Rows


LEAST_ROWS, MOST_ROWS = 1 << 13, 1 << 16  # of a block; in small ones Python is slower than the look-ups (decision 17)
NUMBERS_PER_CODE = 4  # edge, constant, slope and anchor


@dataclass(frozen=True)
class ShapeFunction:
    """What a field adds alone: ``constant + slope * (value - anchor)``, by the code of the value.

    The code of a number is the count of edges below it, and the count of edges plus one where it is missing. The code
    of a category is the position of its level.

    Parameters
    ----------
    edges
        Values at which the function changes, ascending; empty for a category.
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
    def sloped_range(self) -> tuple[float, float] | None:
        """The values between which slopes are not 0; None where all slopes are."""
        steep = np.flatnonzero(self.slopes)
        return (float(self.anchors[steep[0]]), float(self.edges[steep[-1]])) if len(steep) else None

    def codes(self, values: Floats) -> Rows:
        """Return the code of each value, shape (n_rows,)."""
        if not self.is_number:
            return values.astype(np.intp)
        codes = np.searchsorted(self.edges, values, side="left")
        codes[np.isnan(values)] = len(self.edges) + 1
        return codes

    def log_odds(self, values: Floats, codes: Rows) -> Floats:
        """Return what values with these codes add, log-odds of shape (n_rows,)."""
        total = np.take(self.constants, codes)
        if self.sloped_range:
            clipped = np.fmin(np.fmax(values, self.sloped_range[0]), self.sloped_range[1])
            total += np.take(self.slopes, codes) * (clipped - np.take(self.anchors, codes))
        return total


@dataclass(frozen=True)
class LookupTable:
    """What several fields add together, on top of their shape functions.

    Parameters
    ----------
    fields
        Positions of the fields.
    offsets
        For each field, by its code, what it adds to the position of the cell.
    values
        Array of shape (n_fields, n_cells): the share of each field, in log-odds.
    """

    fields: tuple[int, ...]
    offsets: tuple[Rows, ...]
    values: Floats


@dataclass(frozen=True)
class Lookup:
    """A model as a sum of shape functions and look-up tables.

    Parameters
    ----------
    start
        Log-odds of the mean lead.
    shape_functions
        What each field adds alone.
    tables
        What fields add together.
    uncompiled
        Positions of the trees that are in no look-up table.
    """

    start: float
    shape_functions: tuple[ShapeFunction, ...]
    tables: tuple[LookupTable, ...]
    uncompiled: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers all shape functions and look-up tables hold."""
        alone = sum(NUMBERS_PER_CODE * len(function.constants) for function in self.shape_functions)
        return alone + sum(table.values.size for table in self.tables)

    def contributions(self, fields: Floats, *, threads: int = 0) -> Floats:
        """Return what each field adds, log-odds of shape (n_rows, n_fields).

        Parameters
        ----------
        fields
            Of `Encoder.fields_of`, shape (n_rows, n_fields).
        threads
            How many threads to use; 0 for all. Changes no number.
        """
        log_odds = np.empty(fields.shape[::-1])
        workers = threads or cpu_count()
        size = min(max(-(-len(fields) // workers), LEAST_ROWS), MOST_ROWS)  # a part for each worker
        starts = range(0, len(fields), size)

        def fill(start: int) -> None:
            self._fill(fields[start : start + size], log_odds[:, start : start + size])

        if len(starts) == 1:
            fill(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(fill, starts))
        return log_odds.T

    def alone(self, fields: Floats, log_odds: Floats) -> list[Rows]:
        """Write what each field adds alone into an array of shape (n_fields, n_rows), and return the codes of each."""
        codes = []
        for index, function in enumerate(self.shape_functions):
            values = np.ascontiguousarray(fields[:, index])
            codes.append(function.codes(values))
            log_odds[index] = function.log_odds(values, codes[index])
        return codes

    def _fill(self, fields: Floats, log_odds: Floats) -> None:
        """Write what each field of a block of rows adds into an array of shape (n_fields, n_rows)."""
        codes = self.alone(fields, log_odds)
        cell, offset = np.empty((2, len(fields)), dtype=np.intp)
        buffer = np.empty(len(fields))
        for table in self.tables:  # mode="clip" is the fastest; no cell lies outside
            np.take(table.offsets[0], codes[table.fields[0]], out=cell, mode="clip")
            for field, offsets in zip(table.fields[1:], table.offsets[1:], strict=True):
                cell += np.take(offsets, codes[field], out=offset, mode="clip")
            for field, values in zip(table.fields, table.values, strict=True):
                log_odds[field] += np.take(values, cell, out=buffer, mode="clip")
