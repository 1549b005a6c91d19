"""The additive model of a lead's log-odds: a linear part and trees, weighed on leads that neither saw.

What enters is checked leads with labels; what leaves is a model that scores any checked lead, and the numbers it gave
to each lead while that lead was kept from it.
It refuses leads of one kind only; the order of the rows and the number of threads change nothing.
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
        """What is tried, and how long."""

    @property
    def calibration(self) -> CalibrationParams:
        """Methods, and the level of the intervals."""


@dataclass(frozen=True)
class FitResult:
    """A model, and what is known of it from the leads it was fitted on.

    Parameters
    ----------
    model
        The model, fitted on all of these leads.
    probability, label
        Out-of-fold: the calibrated probability of each row that some fold is evaluated on, by models that were not
        fitted on it, and whether it converted; arrays of one shape.
    clusters
        The group of each of these rows where groups have many rows; None where rows are independent.
    choices
        What was selected, and the log loss of every candidate, by name.
    folds
        How large each fold is.
    """

    model: LeadModel
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
        Where a fold would hold leads of one outcome only.
    """
    frame = frame.sort_values(list(split.order), kind="stable", ignore_index=True)
    encoder = fit_encoder(frame, fields, params.model)
    clock = column_of(frame, split.clock)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    directions = directions_of(fields, params.model.directions)
    halves = split.halves(frame, 2 * DIVISIONS)
    data = FitData(encoder, encoder.fields_of(frame), label, clock, directions, split.folds(frame), halves)
    selection = select_parts(data, params.model, progress)
    margin, evaluated = selection.margin[data.judged], label[data.judged]
    calibrator, calibration_losses = choose_calibrator(
        margin, evaluated, params.calibration, clock=None if clock is None else clock[data.judged]
    )
    progress("estimating the width of the intervals")
    gap = information_gap(data, selection.growths[0][0], params.model)
    intervals = Intervals(deviation_of(calibrator.probability(margin), gap), params.calibration.interval)
    progress("fitting the chosen model")
    model = _fit_parts(data, selection, calibrator, intervals, params.model)
    choices = _told(selection) | {
        "calibration": calibrator.method,
        **{f"log_loss_calibration_{method}": loss for method, loss in calibration_losses.items()},
        "information_gap": gap,
        "log_odds_deviation": intervals.deviation,
        "table_numbers": model.lookup.cells,
        "trees_without_tables": len(model.lookup.left),
    }
    sizes = [
        FoldSize(*(PartSize.of(label[rows], clock if clock is None else clock[rows]) for rows in fold))
        for fold in data.folds
    ]
    clusters = column_of(frame, split.cluster)
    return FitResult(
        model=model,
        probability=calibrator.probability(margin),
        label=evaluated,
        clusters=None if clusters is None else clusters[data.judged],
        choices=choices,
        folds=tuple(sizes),
    )


def _fit_parts(
    leads: FitData, choice: Selection, calibrator: Calibrator, intervals: Intervals, choices: ModelParams
) -> LeadModel:
    """Return the model of all leads, as it was chosen."""
    matrix = leads.encoder.columns_of(leads.fields)
    terms = leads.terms(matrix)
    lines = [
        fit_linear(matrix, leads.label, terms, strength=line.strength, weight=leads.weight(line.half_life))
        for line, _ in choice.lines
    ]
    base = lines[-1].margin(matrix)
    used = [(growth, weight) for growth, weight in choice.growths if weight] or [choice.growths[0]]
    orders = [
        (
            BoosterData(leads.fields, leads.label, leads.directions, base if growth.kind.on_linear else None),
            growth.kind,
            round(growth.rounds * leads.growth),
        )
        for growth, _ in used
    ]
    texts = fit_boosters(orders, choices)
    boosters = [
        (text, weight / choices.boosters) for (_, weight), some in zip(used, texts, strict=True) for text in some
    ]
    linear = weighted_sum([(line, weight) for line, (_, weight) in zip(lines, choice.lines, strict=True)])
    linear = replace(linear, base=linear.base + choice.lift)
    trees = Trees.of(boosters, threads=choices.threads)
    return LeadModel.of(leads.encoder, linear, trees, calibrator=calibrator, intervals=intervals)


def _told(choice: Selection) -> dict[str, float | str]:
    """Return what was chosen and what was not, for the record."""
    (line, alone), (base, stood_on) = choice.lines
    told: dict[str, float | str] = {
        "linear_weight": alone,
        "linear_strength": line.strength,
        "half_life": line.half_life,
    }
    told |= {"base_weight": stood_on, "base_strength": base.strength, "base_half_life": base.half_life}
    for growth, weight in choice.growths:
        name = "trees_on_linear" if growth.kind.on_linear else "trees"
        told |= {f"{name}_weight": weight, f"{name}_leaves": growth.kind.leaves}
        told |= {f"{name}_penalty": growth.kind.penalty, f"{name}_rounds": growth.rounds}
    losses = {str(growth.kind): growth.loss for growth in choice.tried}
    tried = {f"log_loss_{kind.replace(', ', '_').replace(' ', '_')}": loss for kind, loss in losses.items()}
    return told | {"lift": choice.lift, "log_loss_linear": base.loss, **tried, "log_loss_together": choice.loss}
