"""Fit the additive model of a lead's log-odds: a linear part and trees, with stacking weights from cross-validation.

The result has the model and the out-of-fold probabilities, from which cuts can be solved. A training set in which all
leads have the same outcome is refused. The order of the rows and the number of threads change no number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL
from leadml.leads.split import FoldSize, PartSize, column_of
from leadml.model.fit.points import named_levels, points_terms, useful_rules
from leadml.model.fit.selection import FitData, Selection, directions_of, fit_pool, select_parts
from leadml.model.fit.uncertainty import (
    importance_correlation,
    sampling_deviation,
    score_deviation,
    with_deviations_of_new,
)
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import fit_encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import weighted_sum
from leadml.model.parts.trees import BoosterData, Trees, fit_boosters
from leadml.model.predict.lead_model import LeadModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.model.parts.linear import LinearPart
    from leadml.params import CalibrationParams, ModelParams, PointsRule
    from leadml.types import Floats, Labels, Progress


class FitParams(Protocol):
    """The sections of the params that a fit reads."""

    @property
    def model(self) -> ModelParams:
        """The candidates."""

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
    rules: Sequence[PointsRule] = (),
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
    rules
        The points of the team, which the linear part starts from; empty if there are none.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    ModelError
        Where a fold would be fitted on leads of one outcome only.
    """
    frame = frame.sort_values(list(split.order), kind="stable", ignore_index=True)
    rules = useful_rules(frame, rules)
    encoder = fit_encoder(frame, fields, params.model, named=named_levels(rules))
    clock = column_of(frame, split.clock)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    directions = directions_of(fields, params.model.directions)
    groups = column_of(frame, split.cluster)
    cluster = None if groups is None else pd.factorize(groups)[0]
    points = points_terms(encoder, rules, directions)
    data = FitData(encoder, encoder.fields_of(frame), label, clock, directions, split.folds(frame), cluster, points)
    selection = select_parts(data, params.model, progress)
    progress("fitting the chosen model")
    linear, trees = _fit_selection(data, selection, params.model)
    margin = linear.margin(data.matrix) + trees.margin(data.fields)
    sampling = sampling_deviation(data, selection, margin)
    deviation = score_deviation(sampling, selection.between)
    intervals = Intervals(deviation, params.calibration.interval)
    model = with_deviations_of_new(
        LeadModel.of(encoder, linear, trees, calibrator=Calibrator(), intervals=intervals), data.fields
    )
    choices = _choices(selection) | {
        "sampling_deviation": sampling,
        "log_odds_deviation": deviation,
        "points_terms": len(data.points),
        "importance_correlation": importance_correlation(selection.importance),
        "table_numbers": model.lookup.size,
        "trees_without_tables": len(model.lookup.uncompiled),
    }
    rows = data.evaluation_rows
    return FitResult(
        model=model,
        rows=frame.iloc[rows],
        probability=model.calibrator.probability(selection.margin[rows]),
        label=label[rows],
        clusters=None if groups is None else groups[rows],
        choices=choices,
        folds=_fold_sizes(data),
    )


def _fit_selection(data: FitData, selection: Selection, params: ModelParams) -> tuple[LinearPart, Trees]:
    """Return the sums of the selected linear parts and trees, fitted on the whole training set."""
    used = [(each, weight) for each, weight in selection.linear if weight] or list(selection.linear[:1])
    fitted = fit_pool(data, [each for each, _ in used])
    linear = weighted_sum([(part, weight) for part, (_, weight) in zip(fitted, used, strict=True)])
    linear = replace(linear, base=linear.base + selection.intercept_shift)
    specs, weights = [], []
    for each, by_rounds in selection.trees:
        whole = {round(count * data.refit_factor): weight for count, weight in by_rounds.items() if weight}
        if whole:
            booster_data = BoosterData(data.fields, data.label, data.directions, data.weight(each.half_life))
            specs.append((booster_data, each, max(whole)))
            weights.append(
                [sum(weight for count, weight in whole.items() if count > tree) for tree in range(max(whole))]
            )
    if not specs:
        specs = [(BoosterData(data.fields, data.label, data.directions), selection.trees[0][0], 1)]
        weights = [[0.0]]
    return linear, Trees.of(list(zip(fit_boosters(specs, params), weights, strict=True)), threads=params.threads)


def _choices(selection: Selection) -> dict[str, float | str]:
    """Return the weights and the log loss of every candidate, by name, and the weights of all parts of a kind.

    ``newest_weight`` is that of all parts in which older rows weigh less, ``points_weight`` that of the team's points
    alone; the other linear parts start from the points, too.
    """
    choices: dict[str, float | str] = {
        "intercept_shift": selection.intercept_shift,
        "linear_weight": sum(weight for _, weight in selection.linear),
        "points_weight": sum(weight for each, weight in selection.linear if each.is_points),
        "trees_weight": sum(sum(by_rounds.values()) for _, by_rounds in selection.trees),
        "newest_weight": sum(weight for each, weight in selection.linear if each.half_life)
        + sum(sum(by_rounds.values()) for each, by_rounds in selection.trees if each.half_life),
    }
    named: dict[str, float] = {f"weight_{settings}": weight for settings, weight in selection.linear}
    for settings, by_rounds in selection.trees:
        named[f"weight_{settings}"] = weight = sum(by_rounds.values())
        named[f"rounds_{settings}"] = sum(count * each for count, each in by_rounds.items()) / weight if weight else 0.0
    named |= {f"log_loss_{name}": loss for name, loss in selection.losses.items()}
    choices |= {name.replace(", ", "_").replace(" ", "_"): value for name, value in named.items()}
    return choices | {"log_loss_together": selection.loss}


def _fold_sizes(data: FitData) -> tuple[FoldSize, ...]:
    clock = data.clock
    return tuple(
        FoldSize(*(PartSize.of(data.label[rows], None if clock is None else clock[rows]) for rows in fold))
        for fold in data.folds
    )
