"""Predict and explain leads of which some values are new to the model.

A new value meets each condition on its field with the probability that leads of the training set did. The field then
adds nothing, and what the others add is their SHAP value in trees in which each split on the field is replaced by the
mean of its two sides. Each is computed once for all leads that differ in no value that a look-up table reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.model.parts.lookup import Lookup
    from leadml.model.predict.layout import TableLayout
    from leadml.types import Floats, Mask, Rows

BLOCK_LEADS = 512  # that are computed together: with 500 leaves of 5 fields in a table that takes 10 MB


@dataclass(frozen=True)
class NewValues:
    """The look-up tables of a model, and the leaves that they are the sums of.

    Parameters
    ----------
    lookup
        The model.
    layouts
        Of its tables, in the same order.
    """

    lookup: Lookup
    layouts: Sequence[TableLayout]

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
        for table, layout in zip(self.lookup.tables, self.layouts, strict=True):
            offsets = [steps[codes[each]] for each, steps in zip(table.fields, table.offsets, strict=True)]
            cells = np.sum(offsets, axis=0)
            new = np.stack([is_new[:, each] for each in table.fields])
            has_new = np.flatnonzero(new.any(axis=0))
            known = np.flatnonzero(~new.any(axis=0))
            for each, values in zip(table.fields, table.values, strict=True):
                log_odds[each, known] += values[cells[known]]
            if len(has_new):
                some = [codes[each][has_new] for each in table.fields]
                expected = _expected(layout, cells[has_new], some, new[:, has_new])
                for each, values in zip(table.fields, expected, strict=True):
                    log_odds[each, has_new] += values
        return log_odds.T


def _expected(layout: TableLayout, cells: Rows, codes: Sequence[Rows], is_new: Mask) -> Floats:
    """Return what fields with new values add in a table, shape (n_fields of the table, n_leads)."""
    bits = (is_new << np.arange(len(is_new))[:, None]).sum(axis=0)
    _, first, inverse = np.unique((cells << len(is_new)) + bits, return_index=True, return_inverse=True)
    blocks = [first[start : start + BLOCK_LEADS] for start in range(0, len(first), BLOCK_LEADS)]
    found = [layout.cells([code[block] for code in codes], is_new[:, block]) for block in blocks]
    return np.concatenate(found, axis=1)[:, inverse]
