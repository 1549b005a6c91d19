"""Evaluate probabilities on the holdout: metrics, comparisons with baselines, deciles, reliability, stages, importance.

Every figure has an interval. The rows must be held out of the model, its calibration and its cuts; nothing here can
check that.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.arguments import whole_number
from leadml.errors import ModelError, nearest, quoted
from leadml.model import metrics
from leadml.model.judge.bootstrap import DIFFERENCES, figures_with_intervals
from leadml.model.judge.predictions import MODEL, HoldoutPredictions, checked_predictions
from leadml.params import EvaluationParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

LARGER_IS_BETTER = ("roc_auc", "average_precision")
FIGURES = ("value", "low", "high")
DEFAULTS = EvaluationParams()
BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"
MIN_DRAWS, MAX_DRAWS = 50, 10_000  # of the params key evaluation.draws


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """How good probabilities are, in long tables whose figures are in ``value``, ``low`` and ``high``.

    Parameters
    ----------
    leads, conversions
        How many rows were evaluated, and how many of them converted.
    confidence
        Of the intervals.
    ece_by_chance
        The calibration error that perfect probabilities would show by chance on as many rows.
    metrics
        ``metric`` and figures.
    models
        ``model``, ``metric`` and figures, and ``difference`` of leadml to it with ``difference_low`` and
        ``difference_high``.
    deciles
        ``decile`` (1 has the highest probabilities), ``figure`` (rate, lift, gain) and figures.
    reliability
        ``bin``, ``leads``, ``probability`` and the rate's figures.
    stages
        ``stage``, ``cut``, ``figure`` (share, precision) and figures, of all rows at or above the cut; no row where
        there is no cut.
    importance
        ``field``, ``group`` and the mean of absolute points, strongest first.
    """

    leads: int
    conversions: int
    confidence: float
    ece_by_chance: float
    metrics: pd.DataFrame
    models: pd.DataFrame
    deciles: pd.DataFrame
    reliability: pd.DataFrame
    stages: pd.DataFrame
    importance: pd.DataFrame

    TABLES = MappingProxyType(
        {
            "metrics": ("metric", *FIGURES),
            "models": ("model", "metric", *FIGURES, *DIFFERENCES),
            "deciles": ("decile", "figure", *FIGURES),
            "reliability": ("bin", "leads", "probability", *FIGURES),
            "stages": ("stage", "cut", "figure", *FIGURES),
            "importance": ("field", "group", *FIGURES),
        }
    )

    def metric(self, name: str) -> dict[str, float]:
        """Return ``value``, ``low`` and ``high`` of a metric, by its name in ``metrics``.

        Raises
        ------
        ModelError
            If there is no such metric.
        """
        rows = {row["metric"]: row for row in as_rows(self.metrics)}
        if name not in rows:
            msg = f"metric must be one of {', '.join(rows)}, got {quoted(name)}{nearest(str(name), rows)}"
            raise ModelError(msg)
        return rows[name]

    def rivals(self) -> dict[str, str]:
        """Return for each baseline whether the model is ``better``, ``worse`` or ``unclear``, by log loss.

        It is better or worse if the whole interval of the paired difference lies on one side of 0.
        """
        rows = self.models[(self.models["metric"] == "log_loss") & (self.models["model"] != MODEL)]
        found = np.select([rows["difference_high"] < 0, rows["difference_low"] > 0], [BETTER, WORSE], UNCLEAR)
        return dict(zip(rows["model"].tolist(), found.tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as plain data, undefined figures as None."""
        plain: dict[str, Any] = {
            "leads": self.leads,
            "conversions": self.conversions,
            "confidence": self.confidence,
            "ece_by_chance": self.ece_by_chance,
        }
        for name in self.TABLES:
            table = getattr(self, name).astype(object)
            plain[name] = as_rows(table.where(table.notna(), None))
        return plain

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Evaluation:
        """Return the evaluation that `to_json` wrote."""
        tables: dict[str, Any] = {
            name: pd.DataFrame(stored[name], columns=list(columns)) for name, columns in cls.TABLES.items()
        }
        for table in tables.values():
            for name in {"cut", *FIGURES, *DIFFERENCES} & set(table.columns):
                table[name] = table[name].astype(float)
        plain: dict[str, Any] = {name: stored[name] for name in ("leads", "conversions", "confidence", "ece_by_chance")}
        return cls(**plain, **tables)

    def __repr__(self) -> str:
        """Return the most important figures, in one line."""
        auc, loss, ece = (self.metric(name) for name in ("roc_auc", "log_loss", "ece"))
        return (
            f"<evaluation of {self.leads:,} rows, {self.conversions:,} conversions: "
            f"ROC AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f}), log loss {loss['value']:.3f}, "
            f"ECE {ece['value']:.3f} (chance {self.ece_by_chance:.3f})>"
        )

    def _repr_html_(self) -> str:
        """Return the most important figures and every metric with its interval, for notebooks."""
        return f"<p>{escape(repr(self)[1:-1])}</p>{self.metrics.round(4).to_html(index=False)}"


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cuts: Mapping[str, float] | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    draws: int = DEFAULTS.draws,
    confidence: float = DEFAULTS.confidence,
    seed: int = 0,
) -> Evaluation:
    """Return how good probabilities are: every metric with its interval.

    The probabilities may come from any model. They must be those of rows that the model was not fitted on.

    Parameters
    ----------
    y
        Outcomes of shape (n_rows,): 0 and 1 or booleans.
    p
        Probabilities of a 1, in [0, 1], shape (n_rows,). The table ``models`` calls them ``leadml``.
    groups
        Group of each row, shape (n_rows,), where rows are not independent: the lead or the account, for example. The
        bootstrap then draws groups. None for independent rows.
    cuts
        Name and probability of stages, for ``stages``, or what `leadml.solve_cuts` returns: a row at the cut is in.
    baselines
        Name and probabilities of other models, for ``models``, each of shape (n_rows,).
    draws
        Bootstrap draws, 50 to 10,000.
    confidence
        Confidence of the intervals, between 0 and 1.
    seed
        Seed of the draws, 0 or more.

    Raises
    ------
    ModelError
        Where an array has another shape, a value is missing, an outcome is not 0 or 1, a probability or cut is not in
        [0, 1], or another argument is out of its range.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> p = random.random(500)
    >>> y = random.random(500) < p
    >>> evaluation = evaluate(y, p, cuts={"MQL": 0.5}, baselines={"coin": np.full(500, 0.5)})
    >>> evaluation
    <evaluation of 500 rows, 263 conversions: ROC AUC 0.841 (0.808 to 0.873), log loss 0.494, ECE 0.045 (chance 0.054)>
    >>> evaluation.metrics.head(3).round(3)
                  metric  value    low   high
    0            roc_auc  0.841  0.808  0.873
    1  average_precision  0.848  0.799  0.887
    2           log_loss  0.494  0.452  0.543
    >>> evaluation.stages[["stage", "figure", "value"]].round(3)
      stage     figure  value
    0   MQL      share  0.554
    1   MQL  precision  0.762
    >>> evaluation.rivals()
    {'coin': 'better'}
    """
    whole_number(draws, "draws", low=MIN_DRAWS, high=MAX_DRAWS, error=ModelError)
    whole_number(seed, "seed", low=0, error=ModelError)
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        msg = f"confidence must lie between 0 and 1, such as 0.95, got {confidence!r}"
        raise ModelError(msg)
    params = EvaluationParams(draws=draws, confidence=confidence)
    predictions = checked_predictions(y, p, groups=groups, cuts=cuts or {}, baselines=baselines or {})
    return evaluate_holdout(predictions, params, seed=seed)


def evaluate_holdout(predictions: HoldoutPredictions, params: EvaluationParams, *, seed: int) -> Evaluation:
    """Return the evaluation of a model on its holdout.

    Parameters
    ----------
    predictions
        Of rows that are held out of the model, its calibration and its cuts.
    params
        Number of bootstrap draws and confidence of the intervals.
    seed
        Of the draws.
    """
    predictions = predictions.ordered()
    figures = figures_with_intervals(predictions, params, seed=seed).set_index("table")
    return Evaluation(
        leads=len(predictions.label),
        conversions=int(predictions.label.sum()),
        confidence=params.confidence,
        ece_by_chance=metrics.ece_by_chance(predictions.probability, seed=seed, copies=predictions.copies),
        metrics=_table(figures, "metrics", {"first": "metric"}),
        models=_models(figures),
        deciles=_table(figures, "deciles", {"first": "decile", "second": "figure"}).astype({"decile": int}),
        reliability=_reliability(predictions, params),
        stages=_stages(figures, predictions),
        importance=_importance(figures, predictions),
    )


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON can store them: numbers that are not finite are None."""
    return [finite(row) for row in as_rows(table)]


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return values by name, None in place of numbers that are not finite.

    Examples
    --------
    >>> finite({"auc": float("nan"), "leads": 3})
    {'auc': None, 'leads': 3}
    """
    return {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()}


def _table(figures: pd.DataFrame, name: str, columns: dict[str, str]) -> pd.DataFrame:
    """Return one table of all figures, with names for its columns."""
    rows = figures.loc[figures.index == name].reset_index(drop=True)
    return rows.rename(columns=columns)[[*columns.values(), *FIGURES]]


def _models(figures: pd.DataFrame) -> pd.DataFrame:
    table = figures.loc[["models"]].reset_index(drop=True).rename(columns={"first": "model", "second": "metric"})
    table.loc[table["model"] == MODEL, list(DIFFERENCES)] = np.nan
    return table


def _stages(figures: pd.DataFrame, predictions: HoldoutPredictions) -> pd.DataFrame:
    table = _table(figures, "stages", {"first": "stage", "second": "figure"})
    table.insert(1, "cut", table["stage"].map(dict(predictions.cuts)).astype(float))
    return table


def _importance(figures: pd.DataFrame, predictions: HoldoutPredictions) -> pd.DataFrame:
    table = _table(figures, "importance", {"first": "field"})
    table.insert(1, "group", table["field"].map({field.name: field.group for field in predictions.fields}))
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _reliability(predictions: HoldoutPredictions, params: EvaluationParams) -> pd.DataFrame:
    """Return the rate of each bin with Wilson's interval, which has a width even where no row of a bin converted."""
    rows = []
    weight = np.ones(len(predictions.label))
    bins = metrics.reliability(predictions.label, predictions.probability, weight)
    for number, (mass, probability, rate) in enumerate(bins, start=1):
        leads = max(round(mass), 1)
        low, high = metrics.rate_interval(rate, leads, confidence=params.confidence)
        rows.append((number, leads, probability, rate, low, high))
    return pd.DataFrame(rows, columns=["bin", "leads", "probability", *FIGURES])
