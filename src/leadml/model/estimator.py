"""The additive model of a lead's log-odds: a linear part and trees, weighed on leads that neither saw.

What enters is checked leads with labels; what leaves is a model that scores any checked lead, and the numbers it gave
to each lead while that lead was kept from it.
It refuses leads of one kind only; the order of the rows and the number of threads change nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import ModelError
from leadml.leads.schema import AS_OF, CREATED_AT, LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.split import describe_part, make_folds
from leadml.model.calibration import Calibrator, choose_calibrator
from leadml.model.compile import compile_model
from leadml.model.encode import Encoder, fit_encoder
from leadml.model.linear import LinearPart, fit_linear, fit_path, plan_terms
from leadml.model.tree_text import read_trees
from leadml.model.trees import Trees, choose_rounds, fit_trees

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from leadml.leads.field import Field
    from leadml.leads.split import Fold
    from leadml.model.lookup import Lookup
    from leadml.params import ModelParams, Params

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

WEIGHTS = np.linspace(0.0, 1.0, 21)


@dataclass(frozen=True)
class LeadModel:
    """A fitted model.

    Its log-odds are ``(1 - tree_weight) * linear + tree_weight * trees``, and its probability is the calibrator's. They
    are read from tables, which are the same model added up; only where there are none are the parts themselves asked.

    Parameters
    ----------
    encoder
        From fields to columns.
    linear, trees
        The two parts.
    tree_weight
        Weight of the trees, 0 to 1.
    calibrator
        From log-odds to probability.
    lookup
        Both parts as tables; None where the trees are too deep for that.
    """

    encoder: Encoder
    linear: LinearPart
    trees: Trees
    tree_weight: float
    calibrator: Calibrator
    lookup: Lookup | None

    @classmethod
    def of(
        cls, encoder: Encoder, linear: LinearPart, trees: Trees, *, tree_weight: float, calibrator: Calibrator
    ) -> LeadModel:
        """Return the model of these parts, with their tables."""
        lookup = compile_model(encoder, linear, read_trees(trees.text), tree_weight=tree_weight)
        return cls(encoder, linear, trees, tree_weight, calibrator, lookup)

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
        if self.lookup is not None:
            return self.lookup.start, self.lookup.contributions(fields, threads=self.trees.threads)
        matrix = self.encoder.columns_of(fields)
        tree_part, tree_base = self.trees.contributions(matrix)
        columns = (1.0 - self.tree_weight) * self.linear.contributions(matrix) + self.tree_weight * tree_part
        start = (1.0 - self.tree_weight) * self.linear.base + self.tree_weight * tree_base
        return start, added_up(columns, self.encoder.owners)

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Return the probability that each lead converts, shape (n_leads,), in (0, 1)."""
        return self.calibrator.probability(summed(*self.contributions(self.encoder.fields_of(frame))))


def summed(start: float, contributions: Floats) -> Floats:
    """Return log-odds of shape (n_leads,): start and contributions, one field after the other."""
    margin = np.full(len(contributions), start)
    for column in contributions.T:
        margin += column
    return margin


def added_up(columns: Floats, owners: NDArray[np.intp]) -> Floats:
    """Return the sums of the columns of each owner, shape (n_leads, n_owners).

    They are taken one column after the other, so that a lead's sums do not depend on the leads beside it.
    """
    total = np.zeros((len(columns), int(owners.max(initial=-1)) + 1))
    for at, owner in enumerate(owners):
        total[:, owner] += columns[:, at]
    return total


@dataclass(frozen=True)
class Fitted:
    """A model, and what is known of it from the leads it was fitted on.

    Parameters
    ----------
    model
        The model, fitted on all of these leads.
    probability, label
        For the leads that some fold kept aside: calibrated probability by models that did not see the lead, and
        whether it converted; arrays of one shape.
    groups
        Of the same leads, whose look each is, where leads are looked at more than once; else None.
    choices
        What was chosen and the loss of what was not, for the record.
    folds
        Of each fold, what it was fitted on and what it was judged by, as `describe_part` tells.
    """

    model: LeadModel
    probability: Floats
    label: Labels
    groups: NDArray[Any] | None
    choices: dict[str, Any]
    folds: list[dict[str, dict[str, int]]]


def fit_model(frame: pd.DataFrame, fields: Sequence[Field], params: Params) -> Fitted:
    """Return the model of checked leads.

    Parameters
    ----------
    frame
        Checked leads with ``lead_id`` and ``converted``, in any order.
    fields
        The fields to learn from.
    params
        The sections ``split``, ``model`` and ``calibration`` are used.

    Raises
    ------
    ModelError
        Where a fold would hold leads of one kind only.
    """
    order = [LEAD_ID, AS_OF] if AS_OF in frame else [SPLIT_KEY, LABEL] if SPLIT_KEY in frame else [LEAD_ID]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    folds = make_folds(frame, params.split)
    encoder = fit_encoder(frame, fields, params.model)
    matrix = encoder.encode(frame)
    strength, linear_margin, losses = _choose_strength(matrix, label, folds, encoder, params.model)
    rounds, tree_margin = choose_rounds(matrix, label, folds, params.model)
    judged = ~np.isnan(tree_margin)
    weight = _choose_weight(linear_margin[judged], tree_margin[judged], label[judged])
    margin = (1.0 - weight) * linear_margin[judged] + weight * tree_margin[judged]
    calibrator, calibration_losses = choose_calibrator(margin, label[judged], params.calibration)
    linear = fit_linear(matrix, label, plan_terms(matrix, encoder.is_flag), strength=strength)
    trees = fit_trees(matrix, label, params.model, rounds=rounds)
    choices = {
        "rounds": rounds,
        "tree_weight": weight,
        "linear_strength": strength,
        "calibration": calibrator.method,
        "log_loss_linear": losses[strength],
        "log_loss_trees": _log_loss(tree_margin[judged], label[judged]),
        "log_loss_both": _log_loss(margin, label[judged]),
        **{f"log_loss_calibration_{method}": loss for method, loss in calibration_losses.items()},
    }
    model = LeadModel.of(encoder, linear, trees, tree_weight=weight, calibrator=calibrator)
    choices["table_numbers"] = model.lookup.cells if model.lookup else 0
    clocks = frame[[name for name in (LABEL, AS_OF, CREATED_AT) if name in frame]]
    parts = [
        {part: describe_part(clocks.iloc[rows]) for part, rows in zip(("fit", "judge"), fold, strict=True)}
        for fold in folds
    ]
    groups = frame[SPLIT_KEY].to_numpy()[judged] if AS_OF in frame else None
    return Fitted(model, calibrator.probability(margin), label[judged], groups, choices, parts)


def _choose_strength(
    matrix: Floats, label: Labels, folds: Sequence[Fold], encoder: Encoder, choices: ModelParams
) -> tuple[float, Floats, dict[float, float]]:
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - the door opens without it

    def margins_of(fold: Fold) -> list[Floats]:
        fit, judge = fold
        known = matrix[fit]
        parts = fit_path(known, label[fit], plan_terms(known, encoder.is_flag), strengths=choices.linear_strengths)
        return [part.margin(matrix[judge]) for part in parts]

    margins = {strength: np.full(len(label), np.nan) for strength in choices.linear_strengths}
    with threadpool_limits(1), ThreadPoolExecutor(choices.threads or cpu_count()) as pool:
        for (_, judge), found in zip(folds, pool.map(margins_of, folds), strict=True):
            for strength, margin in zip(choices.linear_strengths, found, strict=True):
                margins[strength][judge] = margin
    judged = np.concatenate([judge for _, judge in folds])
    losses = {strength: _log_loss(margin[judged], label[judged]) for strength, margin in margins.items()}
    best = min(losses, key=lambda strength: losses[strength])
    return best, margins[best], losses


def _choose_weight(linear: Floats, trees: Floats, label: Labels) -> float:
    losses = [_log_loss((1.0 - weight) * linear + weight * trees, label) for weight in WEIGHTS]
    return float(WEIGHTS[int(np.argmin(np.round(losses, 9)))])


def _log_loss(margin: Floats, label: Labels) -> float:
    return float(np.logaddexp(0.0, np.where(label == 1, -margin, margin)).mean())
