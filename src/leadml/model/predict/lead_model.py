"""The fitted model: from the fields of leads to log-odds, contributions and calibrated probabilities.

The linear part and the trees are added up into look-up tables when the model is made, so that scoring a lead and
explaining it are the same sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import ModelError
from leadml.model.parts.tree_text import read_trees, some_trees
from leadml.model.predict.compile import compile_model

if TYPE_CHECKING:
    import pandas as pd

    from leadml.model.parts.calibration import Calibrator
    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.intervals import Intervals
    from leadml.model.parts.linear import LinearPart
    from leadml.model.parts.lookup import Lookup
    from leadml.model.parts.trees import Trees
    from leadml.types import Floats, Rows


@dataclass(frozen=True)
class LeadModel:
    """A fitted model.

    Its log-odds are the sum of both parts, and its probability is the calibrator's. They are read from tables, which
    are the same model added up; only trees that are in no table are asked themselves.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts, what each weighs in their numbers.
    calibrator
        From log-odds to probability.
    intervals
        How far true log-odds may lie from those that are said.
    lookup
        Both parts as tables.
    """

    encoder: Encoder
    linear: LinearPart
    trees: Trees
    calibrator: Calibrator
    intervals: Intervals
    lookup: Lookup

    @classmethod
    def of(
        cls, encoder: Encoder, linear: LinearPart, trees: Trees, *, calibrator: Calibrator, intervals: Intervals
    ) -> LeadModel:
        """Return the model of these parts, with their tables."""
        lookup = compile_model(encoder, linear, read_trees(trees.text))
        return cls(encoder, linear, trees, calibrator, intervals, lookup)

    def contributions(self, fields: Floats) -> tuple[float, Floats]:
        """Return the log-odds of the mean lead, and what each field adds to them, shape (n_leads, n_fields).

        Parameters
        ----------
        fields
            Of `Encoder.fields_of`, shape (n_leads, n_fields).

        Raises
        ------
        ModelError
            Where they are of another shape, as the encoder's columns are.
        """
        if fields.shape[1] != len(self.encoder.fields):
            msg = f"fields must have a column for each of {len(self.encoder.fields)} fields, got {fields.shape[1]}"
            raise ModelError(msg)
        found = self.lookup.contributions(fields, threads=self.trees.threads)
        if not self.lookup.left:
            return self.lookup.start, found
        more, base = self._left.contributions(fields)
        return self.lookup.start + base, found + more

    @cached_property
    def _left(self) -> Trees:
        """The trees that are in no table."""
        return replace(self.trees, text=some_trees(self.trees.text, self.lookup.left))

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Return the probability that each lead converts, shape (n_leads,), in (0, 1)."""
        return self.calibrator.probability(summed(*self.contributions(self.encoder.fields_of(frame))))


def summed(start: float, contributions: Floats) -> Floats:
    """Return log-odds of shape (n_leads,): start and contributions, one field after the other."""
    margin = np.full(len(contributions), start)
    for column in contributions.T:
        margin += column
    return margin


def added_up(columns: Floats, owners: Rows) -> Floats:
    """Return the sums of the columns of each owner, shape (n_leads, n_owners).

    They are taken one column after the other, so that a lead's sums do not depend on the leads beside it.
    """
    total = np.zeros((len(columns), int(owners.max(initial=-1)) + 1))
    for at, owner in enumerate(owners):
        total[:, owner] += columns[:, at]
    return total
