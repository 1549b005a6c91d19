"""Every figure of an evaluation with its bootstrap interval.

All figures of one bootstrap draw are those of the same rows, so that differences between models are paired. Rates of
few rows get Wilson's interval where it is wider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.model import metrics
from leadml.model.judge.predictions import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadml.model.judge.predictions import HoldoutPredictions
    from leadml.params import EvaluationParams
    from leadml.types import Floats

    Figures = dict[tuple[str, ...], float]

DECILES = 10  # tenths of the leads, as the word says
COMPARED = ("roc_auc", "average_precision", "log_loss", "brier")
DIFFERENCES = ("difference", "difference_low", "difference_high")
RATES = ("rate", "lift", "precision")


def figures_with_intervals(predictions: HoldoutPredictions, params: EvaluationParams, *, seed: int) -> pd.DataFrame:
    """Return every figure with its interval, one row each.

    Parameters
    ----------
    predictions
        Of the holdout, shape (n_rows,).
    params
        Number of bootstrap draws and confidence of the intervals.
    seed
        Of the draws.

    Returns
    -------
    frame
        ``table`` of the evaluation, ``first`` and ``second`` (names within the table), ``value``, ``low``, ``high``,
        and for models the ``difference`` of leadml to each with ``difference_low`` and ``difference_high``.
    """
    figures = _figure_function(predictions)
    estimates = figures(np.ones(len(predictions.label)))
    random = np.random.default_rng(seed)
    codes = predictions.group_codes
    groups = int(codes.max(initial=-1)) + 1
    draws = [
        figures(np.bincount(random.integers(0, groups, groups), minlength=groups).astype(float)[codes])
        for _ in range(params.draws)
    ]
    return _with_wilson(_bootstrap_table(estimates, draws, params.confidence), predictions, params.confidence)


def _figure_function(predictions: HoldoutPredictions) -> Callable[[Floats], Figures]:
    """Return the function from weights of rows to every figure that has an interval."""
    absolute_points = np.abs(predictions.points)
    label = predictions.label

    def figures(weight: Floats) -> Figures:
        values: Figures = {
            ("metrics", name, ""): value
            for name, value in metrics.summary(label, predictions.probability, weight).items()
        }
        for model, probability in {MODEL: predictions.probability, **predictions.baselines}.items():
            for name in COMPARED:
                values["models", model, name] = getattr(metrics, name)(label, probability, weight)
        for stage, cut in predictions.cuts.items():
            inside = weight * (predictions.probability >= cut)
            values["stages", stage, "share"] = inside.sum() / weight.sum()
            values["stages", stage, "precision"] = _ratio((inside * label).sum(), inside.sum())
        values.update(_decile_figures(predictions, weight))
        means = (weight @ absolute_points) / weight.sum()
        return values | {
            ("importance", field.name, ""): mean for field, mean in zip(predictions.fields, means, strict=True)
        }

    return figures


def _decile_figures(predictions: HoldoutPredictions, weight: Floats) -> Figures:
    """Return rate, lift and gain of each tenth of the rows, the highest probabilities first."""
    parts = metrics.parts_of_equal_mass(predictions.label, predictions.probability, weight, parts=DECILES)
    mass, _, conversions = (part[::-1] for part in parts)
    rates = [_ratio(*pair) for pair in zip(conversions, mass, strict=True)]
    base_rate = _ratio(conversions.sum(), mass.sum())
    gains = np.cumsum(conversions) / max(conversions.sum(), 1e-15)
    values: Figures = {}
    for index in range(DECILES):
        values["deciles", str(index + 1), "rate"] = rates[index]
        values["deciles", str(index + 1), "lift"] = _ratio(rates[index], base_rate)
        values["deciles", str(index + 1), "gain"] = float(gains[index])
    return values


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _bootstrap_table(estimates: Figures, draws: Sequence[Figures], confidence: float) -> pd.DataFrame:
    names, values = list(estimates), list(estimates.values())
    drawn = np.array([[draw[name] for name in names] for draw in draws])
    low, high = _bounds(np.array(values), drawn, confidence)
    table = pd.DataFrame(names, columns=["table", "first", "second"])
    table["value"], table["low"], table["high"] = values, low, high
    column_of_metric = {name[2]: column for column, name in enumerate(names) if name[:2] == ("models", MODEL)}
    differences = np.full((len(names), 3), np.nan)
    for column, name in enumerate(names):
        if name[0] == "models":
            paired = drawn[:, column_of_metric[name[2]]] - drawn[:, column]
            value = estimates["models", MODEL, name[2]] - estimates[name]
            bounds = _bounds(np.array([value]), paired[:, None], confidence)
            differences[column] = value, *(bound[0] for bound in bounds)
    table[list(DIFFERENCES)] = differences
    return table


def _with_wilson(table: pd.DataFrame, predictions: HoldoutPredictions, confidence: float) -> pd.DataFrame:
    """Return the figures with intervals of rates that are at least as wide as Wilson's.

    Bootstrap draws of few rows of which none converted are all 0, but that does not prove that the rate is 0.
    """
    codes, base_rate = predictions.group_codes, float(predictions.label.mean())
    size = len(np.unique(codes))
    for index, row in enumerate(table.to_dict("records")):
        if row["second"] not in RATES or np.isnan(row["value"]):
            continue
        is_decile = row["table"] == "deciles"
        groups = size / DECILES if is_decile else _groups_at_or_above(predictions, row["first"])
        unit = base_rate if row["second"] == "lift" else 1.0
        low, high = metrics.rate_interval(min(row["value"] * unit, 1.0), groups, confidence=confidence)
        table.loc[index, "low"] = min(row["low"], low / unit)
        table.loc[index, "high"] = max(row["high"], high / unit)
    return table


def _groups_at_or_above(predictions: HoldoutPredictions, stage: str) -> int:
    return len(np.unique(predictions.group_codes[predictions.probability >= predictions.cuts[stage]]))


def _bounds(value: Floats, drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the interval of each figure from its draws, shifted so that their median is the figure.

    A figure such as the calibration error is larger on every redrawn sample than on the sample itself; without the
    shift its interval would lie above it. Bounds of figures that are never below 0, or above 1, stay there.
    """
    tail = (1 - confidence) / 2
    undefined = np.isnan(drawn).all(axis=0) | np.isnan(value)
    defined = np.where(undefined, 0.0, drawn)
    low, median, high = np.nanquantile(defined, [tail, 0.5, 1 - tail], axis=0)
    shift = value - median
    low, high = low + shift, high + shift
    low = np.where(np.nanmin(defined, axis=0) >= 0, np.maximum(low, 0.0), low)
    high = np.where(np.nanmax(defined, axis=0) <= 1, np.minimum(high, 1.0), high)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
