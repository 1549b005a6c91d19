"""Fit the additive model of a lead's log-odds: a linear part and trees, with stacking weights from cross-validation.

The result has the model and the out-of-fold probabilities, from which cuts can be solved. A training set in which all
leads have the same outcome is refused. The order of the rows and the number of threads change no number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadml.leads.check.contract import LABEL
from leadml.leads.split import FoldSize, PartSize, column_of
from leadml.model.fit.information_gap import DIVISIONS, information_gap
from leadml.model.fit.selection import FitData, Selection, directions_of, select_parts
from leadml.model.parts.calibration import Calibrator, choose_calibrator
from leadml.model.parts.encode import fit_encoder
from leadml.model.parts.intervals import Intervals, deviation_of
from leadml.model.parts.linear import fit_linear, weighted_sum
from leadml.model.parts.trees import BoosterData, Trees, fit_boosters
from leadml.model.predict.lead_model import LeadModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.params import CalibrationParams, ModelParams
    from leadml.types import Floats, Labels, Progress


class FitParams(Protocol):
    """The sections of the params that a fit reads."""

    @property
    def model(self) -> ModelParams:
        """The candidates, and the budget for trying them."""

    @property
    def calibration(self) -> CalibrationParams:
        """Methods, and the level of the intervals."""


@dataclass(frozen=True)
class FitResult:
    """A fitted model and its out-of-fold probabilities.

    Parameters
    ----------
    model
        The model, fitted on the whole training set.
    rows
        The rows that some fold is evaluated on.
    probability, label
        The calibrated out-of-fold probability of each of these rows, and whether the lead converted; arrays of one
        shape.
    clusters
        The group of each of these rows where groups have many rows; None where rows are independent.
    choices
        What was selected, and the log loss of every candidate, by name.
    folds
        How large each fold is.
    """

    model: LeadModel
    rows: pd.DataFrame
    probability: Floats
    label: Labels
    clusters: NDArray[Any] | None
    choices: Mapping[str, float | str]
    folds: tuple[FoldSize, ...]


def fit_model(
    frame: pd.DataFrame,
    fields: Sequence[Field],
    params: FitParams,
    *,
    split: Split,
    progress: Progress = lambda _: None,
) -> FitResult:
    """Return the model of a training set.

    Parameters
    ----------
    frame
        Rows with ``converted``, the fields and the columns that the split reads, in any order.
    fields
        The fields to learn from.
    params
        The sections ``model`` and ``calibration`` are used.
    split
        How the rows are divided into folds, and which of their columns is the clock.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    ModelError
        Where a fold would be fitted on leads of one outcome only.
    """
    frame = frame.sort_values(list(split.order), kind="stable", ignore_index=True)
    encoder = fit_encoder(frame, fields, params.model)
    clock = column_of(frame, split.clock)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    directions = directions_of(fields, params.model.directions)
    halves = split.halves(frame, 2 * DIVISIONS)
    data = FitData(encoder, encoder.fields_of(frame), label, clock, directions, split.folds(frame), halves)
    selection = select_parts(data, params.model, progress)
    rows = data.evaluation_rows
    margin, evaluation_label = selection.margin[rows], label[rows]
    calibrator, calibration_losses = choose_calibrator(
        margin, evaluation_label, params.calibration, clock=None if clock is None else clock[rows]
    )
    progress("estimating the width of the intervals")
    gap = information_gap(data, selection.tree_parts[0][0], params.model)
    intervals = Intervals(deviation_of(calibrator.probability(margin), gap), params.calibration.interval)
    progress("fitting the chosen model")
    model = _fit_selection(data, selection, calibrator, intervals, params.model)
    choices = _choices(selection) | {
        "calibration": calibrator.method,
        **{f"log_loss_calibration_{method}": loss for method, loss in calibration_losses.items()},
        "information_gap": gap,
        "log_odds_deviation": intervals.deviation,
        "table_numbers": model.lookup.size,
        "trees_without_tables": len(model.lookup.uncompiled),
    }
    clusters = column_of(frame, split.cluster)
    return FitResult(
        model=model,
        rows=frame.iloc[rows],
        probability=calibrator.probability(margin),
        label=evaluation_label,
        clusters=None if clusters is None else clusters[rows],
        choices=choices,
        folds=_fold_sizes(data),
    )


def _fit_selection(
    data: FitData, selection: Selection, calibrator: Calibrator, intervals: Intervals, params: ModelParams
) -> LeadModel:
    """Return the model with the selected parts, fitted on the whole training set."""
    matrix = data.encoder.columns_of(data.fields)
    terms = data.terms(matrix)
    linear_parts = [
        fit_linear(matrix, data.label, terms, strength=candidate.strength, weight=data.weight(candidate.half_life))
        for candidate, _ in selection.linear_parts
    ]
    base = linear_parts[-1].margin(matrix)
    used = [(result, weight) for result, weight in selection.tree_parts if weight] or [selection.tree_parts[0]]
    specs = [
        (
            BoosterData(data.fields, data.label, data.directions, base if result.settings.on_linear else None),
            result.settings,
            round(result.rounds * data.refit_factor),
        )
        for result, _ in used
    ]
    boosters = [
        (text, weight / params.boosters)
        for (_, weight), texts in zip(used, fit_boosters(specs, params), strict=True)
        for text in texts
    ]
    weights = [weight for _, weight in selection.linear_parts]
    linear = weighted_sum(list(zip(linear_parts, weights, strict=True)))
    linear = replace(linear, base=linear.base + selection.intercept_shift)
    trees = Trees.of(boosters, threads=params.threads)
    return LeadModel.of(data.encoder, linear, trees, calibrator=calibrator, intervals=intervals)


def _choices(selection: Selection) -> dict[str, float | str]:
    """Return what was selected and the log loss of every candidate, by name."""
    (linear, linear_weight), (base, base_weight) = selection.linear_parts
    choices: dict[str, float | str] = {
        "linear_weight": linear_weight,
        "linear_strength": linear.strength,
        "half_life": linear.half_life,
        "base_weight": base_weight,
        "base_strength": base.strength,
        "base_half_life": base.half_life,
    }
    for result, weight in selection.tree_parts:
        name = "trees_on_linear" if result.settings.on_linear else "trees"
        choices |= {f"{name}_weight": weight, f"{name}_leaves": result.settings.leaves}
        choices |= {f"{name}_penalty": result.settings.penalty, f"{name}_rounds": result.rounds}
    choices |= {"intercept_shift": selection.intercept_shift, "log_loss_linear": base.loss}
    for result in selection.tree_candidates:
        choices[f"log_loss_{str(result.settings).replace(', ', '_').replace(' ', '_')}"] = result.loss
    return choices | {"log_loss_together": selection.loss}


def _fold_sizes(data: FitData) -> tuple[FoldSize, ...]:
    clock = data.clock
    return tuple(
        FoldSize(*(PartSize.of(data.label[rows], None if clock is None else clock[rows]) for rows in fold))
        for fold in data.folds
    )
