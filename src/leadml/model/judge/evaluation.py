"""Judge a model on leads that neither it, its calibration nor its cuts have seen.

What enters is labels, probabilities and points of those leads, and what the baselines gave them; what leaves is tables
with an interval for every figure: bootstrap draws, and Wilson's where a group is small.
All figures of one draw are taken from the same leads, so that differences between models are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.model import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from leadml.leads.check.field import Field
    from leadml.params import EvaluationParams
    from leadml.types import Floats, Labels, Rows

    Figures = dict[tuple[str, ...], float]

TENTHS = 10
MODEL = "leadml"
COMPARED = ("roc_auc", "average_precision", "log_loss", "brier")
LARGER_IS_BETTER = ("roc_auc", "average_precision")
FIGURES = ("value", "low", "high")
DIFFERENCES = ("difference", "difference_low", "difference_high")


@dataclass(frozen=True)
class HoldoutPredictions:
    """Leads to judge by and what was said of them.

    Parameters
    ----------
    label
        Array of shape (n_leads,) of 0 and 1.
    probability
        Calibrated, of the same shape.
    points
        Array of shape (n_leads, n_fields).
    fields
        The fields of ``points``.
    cuts
        Name and probability of each advised stage, lowest first.
    baselines
        Name and probabilities of each baseline.
    groups
        Array of shape (n_leads,): whose look each row is, where leads are looked at more than once; the draws are of
        groups then, because looks at one lead are no news of each other.
    """

    label: Labels
    probability: Floats
    points: Floats
    fields: Sequence[Field]
    cuts: Mapping[str, float]
    baselines: Mapping[str, Floats]
    groups: NDArray[Any] | None = None

    @cached_property
    def group_codes(self) -> Rows:
        """Array of shape (n_leads,): the number of each row's group, in the order of the rows."""
        if self.groups is None:
            return np.arange(len(self.label))
        return np.asarray(pd.factorize(self.groups)[0], dtype=np.intp)


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth, in long tables whose figures stand in ``value``, ``low`` and ``high``.

    Parameters
    ----------
    leads, conversions
        How many it was judged by.
    confidence
        Of the intervals.
    ece_by_chance
        The calibration error that a perfect model would show on as many leads.
    metrics
        ``metric`` and figures.
    models
        ``model``, ``metric`` and figures, and ``difference`` of leadml to it with ``difference_low`` and
        ``difference_high``.
    deciles
        ``decile`` (1 has the best leads), ``figure`` (rate, lift, gain) and figures.
    reliability
        ``bin``, ``leads``, ``probability`` and the rate's figures.
    stages
        ``stage``, ``cut``, ``figure`` (share, precision) and figures, of all leads at or above the cut; no row where
        the target drives no stage.
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

    TABLES = ("metrics", "models", "deciles", "reliability", "stages", "importance")

    def metric(self, name: str) -> dict[str, float]:
        """Return ``value``, ``low`` and ``high`` of a metric."""
        return next(row for row in as_rows(self.metrics) if row["metric"] == name)

    def beaten(self) -> tuple[list[str], list[str]]:
        """Return the baselines that the model clearly beats in log loss, and the others."""
        rows = self.models[(self.models["metric"] == "log_loss") & (self.models["model"] != MODEL)]
        better = rows["difference_high"] < 0
        return rows.loc[better, "model"].tolist(), rows.loc[~better, "model"].tolist()

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
        tables: dict[str, Any] = {name: pd.DataFrame(stored[name]) for name in cls.TABLES}
        for table in tables.values():
            for name in {*FIGURES, *DIFFERENCES} & set(table.columns):
                table[name] = table[name].astype(float)
        plain: dict[str, Any] = {name: stored[name] for name in ("leads", "conversions", "confidence", "ece_by_chance")}
        return cls(**plain, **tables)


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def evaluate(judged: HoldoutPredictions, choices: EvaluationParams, *, seed: int) -> Evaluation:
    """Return the evaluation of a model.

    Parameters
    ----------
    judged
        Leads that neither the model, its calibration nor its cuts have seen.
    choices
        Number of bootstrap draws and confidence of the intervals.
    seed
        Of the draws.
    """
    judged = _sorted(judged)
    size = len(judged.label)
    figures = _figures_of(judged)
    at_hand = figures(np.ones(size))
    random = np.random.default_rng(seed)
    codes = judged.group_codes
    groups = int(codes.max(initial=-1)) + 1
    draws = [
        figures(np.bincount(random.integers(0, groups, groups), minlength=groups).astype(float)[codes])
        for _ in range(choices.draws)
    ]
    table = _widened(_intervals(at_hand, draws, choices.confidence), judged, choices.confidence)
    named = table.set_index("table")
    return Evaluation(
        leads=size,
        conversions=int(judged.label.sum()),
        confidence=choices.confidence,
        ece_by_chance=metrics.ece_by_chance(judged.probability, seed=seed),
        metrics=_part(named, "metrics", {"first": "metric"}),
        models=_models(named),
        deciles=_part(named, "deciles", {"first": "decile", "second": "figure"}).astype({"decile": int}),
        reliability=_reliability(judged, choices),
        stages=_stages(named, judged),
        importance=_importance(named, judged),
    )


def _sorted(judged: HoldoutPredictions) -> HoldoutPredictions:
    ties = () if judged.groups is None else (pd.factorize(judged.groups, sort=True)[0],)
    order = np.lexsort((*ties, *judged.points.T, *judged.baselines.values(), judged.label, judged.probability))
    baselines = {name: probability[order] for name, probability in judged.baselines.items()}
    arrays = (judged.label[order], judged.probability[order], judged.points[order])
    groups = None if judged.groups is None else judged.groups[order]
    return HoldoutPredictions(*arrays, judged.fields, judged.cuts, baselines, groups)


def _figures_of(judged: HoldoutPredictions) -> Callable[[Floats], Figures]:
    """Return the function from weights of leads to every figure that has an interval."""
    strength = np.abs(judged.points)

    def figures(weight: Floats) -> Figures:
        found: Figures = {
            ("metrics", name, ""): value
            for name, value in metrics.summary(judged.label, judged.probability, weight).items()
        }
        for model, probability in {MODEL: judged.probability, **judged.baselines}.items():
            for name in COMPARED:
                found["models", model, name] = getattr(metrics, name)(judged.label, probability, weight)
        for stage, cut in judged.cuts.items():
            inside = weight * (judged.probability >= cut)
            found["stages", stage, "share"] = inside.sum() / weight.sum()
            found["stages", stage, "precision"] = _ratio((inside * judged.label).sum(), inside.sum())
        found.update(_decile_figures(judged, weight))
        average = (weight @ strength) / weight.sum()
        return found | {
            ("importance", field.name, ""): value for field, value in zip(judged.fields, average, strict=True)
        }

    return figures


def _decile_figures(judged: HoldoutPredictions, weight: Floats) -> Figures:
    """Return rate, lift and gain of each tenth of the leads, the best first."""
    parts = metrics.parts_of_equal_mass(judged.label, judged.probability, weight, parts=TENTHS)
    mass, _, won = (part[::-1] for part in parts)
    rates = [_ratio(*pair) for pair in zip(won, mass, strict=True)]
    base, gains = _ratio(won.sum(), mass.sum()), np.cumsum(won) / max(won.sum(), 1e-15)
    found: Figures = {}
    for at in range(TENTHS):
        found["deciles", str(at + 1), "rate"] = rates[at]
        found["deciles", str(at + 1), "lift"] = _ratio(rates[at], base)
        found["deciles", str(at + 1), "gain"] = float(gains[at])
    return found


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _intervals(at_hand: Figures, draws: Sequence[Figures], confidence: float) -> pd.DataFrame:
    names = list(at_hand)
    drawn = np.array([[draw[name] for name in names] for draw in draws])
    low, high = _bounds(np.array(list(at_hand.values())), drawn, confidence)
    table = pd.DataFrame(names, columns=["table", "first", "second"])
    table["value"], table["low"], table["high"] = list(at_hand.values()), low, high
    reference = {name[2]: at for at, name in enumerate(names) if name[:2] == ("models", MODEL)}
    compared = [at for at, name in enumerate(names) if name[0] == "models"]
    differences = np.full((len(names), 3), np.nan)
    for at in compared:
        paired = drawn[:, reference[names[at][2]]] - drawn[:, at]
        value = at_hand["models", MODEL, names[at][2]] - at_hand[names[at]]
        bounds = _bounds(np.array([value]), paired[:, None], confidence)
        differences[at] = value, *(bound[0] for bound in bounds)
    table[list(DIFFERENCES)] = differences
    return table


def _widened(table: pd.DataFrame, judged: HoldoutPredictions, confidence: float) -> pd.DataFrame:
    """Return the figures with the intervals of rates no narrower than Wilson's.

    Draws of few leads of which none converted are all 0; that is no proof that none ever will.
    """
    codes, base = judged.group_codes, float(judged.label.mean())
    size = len(np.unique(codes))
    for at, row in enumerate(as_rows(table)):
        if row["second"] not in {"rate", "lift", "precision"} or np.isnan(row["value"]):
            continue
        inside = size / TENTHS if row["table"] == "deciles" else _groups_above(judged, row["first"])
        unit = base if row["second"] == "lift" else 1.0
        low, high = metrics.rate_interval(min(row["value"] * unit, 1.0), inside, confidence=confidence)
        table.loc[at, "low"] = min(row["low"], low / unit)
        table.loc[at, "high"] = max(row["high"], high / unit)
    return table


def _groups_above(judged: HoldoutPredictions, stage: str) -> int:
    return len(np.unique(judged.group_codes[judged.probability >= judged.cuts[stage]]))


def _bounds(value: Floats, drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the interval of each figure from its draws, shifted so that their median is the figure.

    A figure such as the calibration error is larger on every redrawn sample than on the sample itself; without the
    shift its interval would lie above it. A figure that is never below 0 keeps its bound there.
    """
    tail = (1 - confidence) / 2
    undefined = np.isnan(drawn).all(axis=0) | np.isnan(value)
    safe = np.where(undefined, 0.0, drawn)
    low, middle, high = np.nanquantile(safe, [tail, 0.5, 1 - tail], axis=0)
    shift = value - middle
    low, high = low + shift, high + shift
    low = np.where(np.nanmin(safe, axis=0) >= 0, np.maximum(low, 0.0), low)
    high = np.where(np.nanmax(safe, axis=0) <= 1, np.minimum(high, 1.0), high)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def _part(named: pd.DataFrame, name: str, columns: dict[str, str]) -> pd.DataFrame:
    part = named.loc[named.index == name].reset_index(drop=True)
    return part.rename(columns=columns)[[*columns.values(), *FIGURES]]


def _models(named: pd.DataFrame) -> pd.DataFrame:
    table = named.loc[["models"]].reset_index(drop=True).rename(columns={"first": "model", "second": "metric"})
    table.loc[table["model"] == MODEL, list(DIFFERENCES)] = np.nan
    return table


def _stages(named: pd.DataFrame, judged: HoldoutPredictions) -> pd.DataFrame:
    table = _part(named, "stages", {"first": "stage", "second": "figure"})
    table.insert(1, "cut", table["stage"].map(dict(judged.cuts)))
    return table


def _importance(named: pd.DataFrame, judged: HoldoutPredictions) -> pd.DataFrame:
    table = _part(named, "importance", {"first": "field"})
    table.insert(1, "group", table["field"].map({field.name: field.group for field in judged.fields}))
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _reliability(judged: HoldoutPredictions, choices: EvaluationParams) -> pd.DataFrame:
    """Return each bin's rate with Wilson's interval, which is there also where none of a bin converted."""
    rows = []
    ones = np.ones(len(judged.label))
    for at, (mass, probability, rate) in enumerate(
        metrics.reliability(judged.label, judged.probability, ones), start=1
    ):
        leads = max(round(mass), 1)
        rows.append((at, leads, probability, rate, *metrics.rate_interval(rate, leads, confidence=choices.confidence)))
    return pd.DataFrame(rows, columns=["bin", "leads", "probability", *FIGURES])
