"""The additive model of a lead's log-odds: a linear part and trees, weighed on leads that neither saw.

What enters is checked leads with labels; what leaves is a model that scores any checked lead, and the numbers it gave
to each lead while that lead was kept from it.
It refuses leads of one kind only; the order of the rows and the number of threads change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.split import describe_part, halves_of, make_folds
from leadml.model.fit.information_gap import DIVISIONS, information_gap
from leadml.model.fit.selection import FitData, Selection, directions_of, select_parts
from leadml.model.parts.calibration import Calibrator, choose_calibrator
from leadml.model.parts.encode import fit_encoder
from leadml.model.parts.intervals import Intervals, deviation_of
from leadml.model.parts.linear import fit_linear, weighted_sum
from leadml.model.parts.trees import BoosterData, Trees, fit_boosters
from leadml.model.predict.lead_model import LeadModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from leadml.leads.check.field import Field
    from leadml.params import CalibrationParams, ModelParams, SplitParams
    from leadml.types import Floats, Labels


class FitParams(Protocol):
    """The sections of the params that a fit reads."""

    @property
    def split(self) -> SplitParams:
        """Folds."""

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


def fit_model(
    frame: pd.DataFrame, fields: Sequence[Field], params: FitParams, *, progress: Callable[[str], None] = lambda _: None
) -> FitResult:
    """Return the model of checked leads.

    Parameters
    ----------
    frame
        Checked leads with ``lead_id`` and ``converted``, in any order.
    fields
        The fields to learn from.
    params
        The sections ``split``, ``model`` and ``calibration`` are used.
    progress
        Told what is tried.

    Raises
    ------
    ModelError
        Where a fold would hold leads of one kind only.
    """
    named = [LEAD_ID, AS_OF] if AS_OF in frame else [SPLIT_KEY, LABEL] if SPLIT_KEY in frame else [LEAD_ID]
    order = [*named, *({CREATED_AT} & set(frame.columns))]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    encoder = fit_encoder(frame, fields, params.model)
    clock = next((frame[name].to_numpy() for name in (AS_OF, CREATED_AT) if name in frame), None)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    directions = directions_of(fields, params.model.directions)
    folds = make_folds(frame, params.split)
    halves = halves_of(frame, params.split, 2 * DIVISIONS)
    leads = FitData(encoder, encoder.fields_of(frame), label, clock, directions, folds, halves)
    choice = select_parts(leads, params.model, progress)
    margin, judged = choice.margin[leads.judged], label[leads.judged]
    calibrator, calibration_losses = choose_calibrator(
        margin, judged, params.calibration, clock=None if clock is None else clock[leads.judged]
    )
    progress("measuring what is not seen")
    lacking = information_gap(leads, choice.growths[0][0], params.model)
    spread = Intervals(deviation_of(calibrator.probability(margin), lacking), params.calibration.interval)
    progress("fitting the chosen model")
    model = _fit_parts(leads, choice, calibrator, spread, params.model)
    choices = _told(choice) | {
        "calibration": calibrator.method,
        **{f"log_loss_calibration_{method}": loss for method, loss in calibration_losses.items()},
        "information_lacking": lacking,
        "log_odds_deviation": spread.deviation,
        "table_numbers": model.lookup.cells,
        "trees_without_tables": len(model.lookup.left),
    }
    clocks = frame[[name for name in (LABEL, AS_OF, CREATED_AT) if name in frame]]
    parts = [
        {part: describe_part(clocks.iloc[rows]) for part, rows in zip(("fit", "judge"), fold, strict=True)}
        for fold in leads.folds
    ]
    groups = frame[SPLIT_KEY].to_numpy()[leads.judged] if AS_OF in frame else None
    return FitResult(model, calibrator.probability(margin), judged, groups, choices, parts)


def _fit_parts(
    leads: FitData, choice: Selection, calibrator: Calibrator, spread: Intervals, choices: ModelParams
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
    return LeadModel.of(leads.encoder, linear, trees, calibrator=calibrator, spread=spread)


def _told(choice: Selection) -> dict[str, Any]:
    """Return what was chosen and what was not, for the record."""
    (line, alone), (base, stood_on) = choice.lines
    told: dict[str, Any] = {"linear_weight": alone, "linear_strength": line.strength, "half_life": line.half_life}
    told |= {"base_weight": stood_on, "base_strength": base.strength, "base_half_life": base.half_life}
    for growth, weight in choice.growths:
        name = "trees_on_linear" if growth.kind.on_linear else "trees"
        told |= {f"{name}_weight": weight, f"{name}_leaves": growth.kind.leaves}
        told |= {f"{name}_penalty": growth.kind.penalty, f"{name}_rounds": growth.rounds}
    losses = {str(growth.kind): growth.loss for growth in choice.tried}
    tried = {f"log_loss_{kind.replace(', ', '_').replace(' ', '_')}": loss for kind, loss in losses.items()}
    return told | {"lift": choice.lift, "log_loss_linear": base.loss, **tried, "log_loss_together": choice.loss}
