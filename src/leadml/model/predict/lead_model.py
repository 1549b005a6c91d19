"""The fitted model: log-odds, contributions and calibrated probabilities of leads.

The linear part and the trees are compiled into look-up tables when the model is made, so that a prediction and its
explanation are the same sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import ModelError
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart
from leadml.model.parts.tree_text import read_trees, select_trees
from leadml.model.predict.compile import compile_model
from leadml.model.predict.new_values import NewValues
from leadml.model.predict.tree_shap import tree_contributions

if TYPE_CHECKING:
    import pandas as pd

    from leadml.model.parts.lookup import Lookup
    from leadml.model.parts.tree_text import Tree
    from leadml.model.parts.trees import Trees
    from leadml.model.predict.layout import TableLayout
    from leadml.types import Floats, Mask, Rows


@dataclass(frozen=True, repr=False, eq=False)
class LeadModel:
    """A fitted model.

    Its log-odds are the sum of the linear part and the trees, and the calibrator turns them into a probability. They
    are read from look-up tables; only trees that are not compiled are evaluated by LightGBM.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts, with their weights multiplied in.
    calibrator
        From log-odds to probability.
    intervals
        Intervals of true probabilities.
    lookup
        Both parts as look-up tables.
    layouts
        Of its tables: the leaves that each is the sum of, for leads of which some values are new.
    """

    encoder: Encoder
    linear: LinearPart
    trees: Trees
    calibrator: Calibrator
    intervals: Intervals
    lookup: Lookup
    layouts: tuple[TableLayout, ...]

    @classmethod
    def of(
        cls, encoder: Encoder, linear: LinearPart, trees: Trees, *, calibrator: Calibrator, intervals: Intervals
    ) -> LeadModel:
        """Return the model of these parts, with its look-up tables."""
        lookup, layouts = compile_model(encoder, linear, read_trees(trees.text))
        return cls(encoder, linear, trees, calibrator, intervals, lookup, layouts)

    @classmethod
    def from_json(cls, stored: dict[str, Any], trees: Trees) -> LeadModel:
        """Return the model of the parts that `to_json` wrote and of trees."""
        return cls.of(
            Encoder.from_json(stored["encoder"]),
            LinearPart.from_json(stored["linear"]),
            trees,
            calibrator=Calibrator(**stored["calibrator"]),
            intervals=Intervals.from_json(stored["intervals"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return all parts but the trees as plain data."""
        return {
            "encoder": self.encoder.to_json(),
            "linear": self.linear.to_json(),
            "calibrator": self.calibrator.to_json(),
            "intervals": self.intervals.to_json(),
        }

    def __repr__(self) -> str:
        """Return the number of fields, in one line."""
        return f"<lead model of {len(self.encoder.fields)} fields>"

    def contributions(self, fields: Floats, is_new: Mask | None = None) -> tuple[float, Floats]:
        """Return the log-odds of the mean lead, and what each field adds to them, shape (n_rows, n_fields).

        Parameters
        ----------
        fields
            Of `Encoder.fields_of`, shape (n_rows, n_fields).
        is_new
            Of `Encoder.is_new`, shape (n_rows, n_fields); None to compute it here.

        Raises
        ------
        ModelError
            Where they have another shape, as the encoder's columns have.
        """
        if fields.shape[1] != len(self.encoder.fields):
            msg = f"fields must have a column for each of {len(self.encoder.fields)} fields, got {fields.shape[1]}"
            raise ModelError(msg)
        is_new = self.encoder.is_new(fields) if is_new is None else is_new
        has_new = is_new.any(axis=1)
        if not has_new.any():
            return self._start, self._of_known(fields)
        log_odds = np.empty(fields.shape, order="F")
        log_odds[~has_new] = self._of_known(fields[~has_new])
        log_odds[has_new] = self._of_new(fields[has_new], is_new[has_new])
        return self._start, log_odds

    def _of_known(self, fields: Floats) -> Floats:
        """Return what each field adds where no value is new to the model."""
        log_odds = self.lookup.contributions(fields, threads=self.trees.threads)
        return log_odds + self._uncompiled_trees.contributions(fields)[0] if self.lookup.uncompiled else log_odds

    def _of_new(self, fields: Floats, is_new: Mask) -> Floats:
        """Return the same where some values are new."""
        log_odds = self._new_values.contributions(fields, is_new)
        return log_odds + tree_contributions(self._left, fields, is_new) if self._left else log_odds

    @cached_property
    def _start(self) -> float:
        """The log-odds of the mean lead."""
        return self.lookup.start + sum(tree.mean for tree in self._left)

    @cached_property
    def _new_values(self) -> NewValues:
        return NewValues(self.lookup, self.layouts)

    @cached_property
    def _left(self) -> list[Tree]:
        """The trees that are in no look-up table."""
        return list(read_trees(self._uncompiled_trees.text)) if self.lookup.uncompiled else []

    @cached_property
    def _uncompiled_trees(self) -> Trees:
        return replace(self.trees, text=select_trees(self.trees.text, self.lookup.uncompiled))

    def interval(self, probability: Floats, fields: Floats) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends of the intervals of leads, each of shape (n_rows,).

        Parameters
        ----------
        probability
            Their probabilities, shape (n_rows,).
        fields
            Of `Encoder.fields_of`, shape (n_rows, n_fields).
        """
        return self.intervals.interval(probability, self.encoder.is_new(fields))

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Return the probability that each lead converts, shape (n_rows,), in (0, 1)."""
        return self.probability(self.encoder.fields_of(frame))

    def probability(self, fields: Floats) -> Floats:
        """Return the same of the encoder's `fields_of`, shape (n_rows, n_fields)."""
        return self.calibrator.probability(sum_contributions(*self.contributions(fields)))


def sum_contributions(start: float, contributions: Floats) -> Floats:
    """Return log-odds of shape (n_rows,): the start plus all contributions, one field after the other."""
    margin = np.full(len(contributions), start)
    for column in contributions.T:
        margin += column
    return margin


def sum_by_owner(columns: Floats, owners: Rows) -> Floats:
    """Return the sums of the columns of each owner, shape (n_rows, n_owners).

    They are taken one column after the other, so that the sums of a row do not depend on the other rows.

    Parameters
    ----------
    columns
        Array of shape (n_rows, n_columns).
    owners
        Array of shape (n_columns,): the number of the owner of each column, from 0.
    """
    totals = np.zeros((len(columns), int(owners.max(initial=-1)) + 1))
    for column, owner in enumerate(owners):
        totals[:, owner] += columns[:, column]
    return totals
