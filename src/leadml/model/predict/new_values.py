"""Predict and explain leads of which some values are new to the model.

A new value meets each condition on its field with the probability that leads of the training set did. The field then
adds nothing, and what the others add is their SHAP value in trees in which each split on the field is replaced by the
mean of its two sides. Look-up tables of these are made when a lead first needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.predict.compile import MAX_TABLE_VALUES, divided

if TYPE_CHECKING:
    from leadml.model.parts.lookup import Lookup, LookupTable
    from leadml.model.predict.compile import TableLayout
    from leadml.types import Floats, Mask


@dataclass(frozen=True)
class NewValues:
    """The look-up tables of a model, and those without some of their fields.

    Parameters
    ----------
    lookup
        The model.
    layouts
        Of its tables, in the same order.
    made
        The tables that were made, by the number of the table and the bits of the fields that it is without.
    limit
        How many values they may hold before they are made anew.
    """

    lookup: Lookup
    layouts: list[TableLayout]
    made: dict[tuple[int, int], list[LookupTable]] = field(default_factory=dict)
    limit: int = MAX_TABLE_VALUES

    def contributions(self, fields: Floats, is_new: Mask) -> Floats:
        """Return what each field adds, log-odds of shape (n_rows, n_fields).

        Parameters
        ----------
        fields
            Of the encoder's `fields_of`, shape (n_rows, n_fields).
        is_new
            Of the encoder's `is_new`, shape (n_rows, n_fields).
        """
        log_odds = np.empty(fields.shape[::-1])
        codes = self.lookup.alone(fields, log_odds)
        for number, layout in enumerate(self.layouts):
            bits = is_new[:, layout.fields] @ (1 << np.arange(len(layout.fields)))
            for some in np.unique(bits).tolist():
                rows = np.flatnonzero(bits == some)
                for table in self._tables(number, some):
                    cells = sum(
                        steps[codes[each][rows]] for each, steps in zip(table.fields, table.offsets, strict=True)
                    )
                    for each, values in zip(table.fields, table.values, strict=True):
                        log_odds[each, rows] += values[cells]
        return log_odds.T

    def _tables(self, number: int, bits: int) -> list[LookupTable]:
        """Return the tables that replace one where some of its fields are new; bit ``i`` is that of its field ``i``."""
        if not bits:
            return [self.lookup.tables[number]]
        if (number, bits) in self.made:
            return self.made[number, bits]
        layout = self.layouts[number]
        new = {each for place, each in enumerate(layout.fields) if bits >> place & 1}
        paths = sorted((path.without(new) for path in layout.paths), key=lambda path: path.fields)
        kept = [path for path in paths if path.fields]
        tables = [each.table() for each in divided(kept, self.lookup.shape_functions)] if kept else []
        if sum(table.values.size for some in self.made.values() for table in some) > self.limit:
            self.made.clear()  # values that are new in ever other combinations may not fill the memory
        self.made[number, bits] = tables
        return tables
