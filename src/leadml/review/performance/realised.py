"""Say how a model performed in each period whose outcomes are known: ranking, calibration, cuts, with intervals.

Whether anything is to be done is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.model.judge.calibration_line import cluster_codes
from leadml.model.metrics import brier, rate_interval
from leadml.params.cut_rule import MIN_ACCOUNTS
from leadml.review.performance.draws import debiased, percentiles
from leadml.review.performance.ranking import roc_auc_interval
from leadml.review.performance.score_parts import Outcomes
from leadml.stages.candidates import candidate_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from leadml.types import Floats, Labels, Mask, Rows

    Row = tuple[str, str, float, float, float]

# A mean of 100 draws is known to a tenth of the spread of one draw. Twice as many take a third longer in all.
CHANCE_DRAWS = 100
NO_INTERVAL = (float("nan"), float("nan"))
BOOTSTRAPPED = (
    "mean_probability",
    "brier",
    "log_loss",
    "uncertainty",
    "discrimination",
    "miscalibration",
    "global_miscalibration",
    "local_miscalibration",
)
BY_CHANCE = {name: f"{name}_by_chance" for name in ("global_miscalibration", "local_miscalibration")}


@dataclass(frozen=True, eq=False)
class JudgedLeads:
    """Leads with the probability that was said of them, and the outcome that is known by now.

    Parameters
    ----------
    period
        The period of each lead, such as ``2026-01``, shape (n_leads,). Periods are shown in their sorted order.
    probability
        As it was said when the lead was scored, in [0, 1], shape (n_leads,).
    label
        Whether the lead converted, 0 or 1, shape (n_leads,).
    cluster
        The account of each lead, shape (n_leads,); leads of one account are not independent. None if all are.
    """

    period: NDArray[Any]
    probability: Floats
    label: Labels
    cluster: NDArray[Any] | None = None

    def at(self, rows: Rows | Mask) -> JudgedLeads:
        """Return the leads at some positions."""
        cluster = None if self.cluster is None else self.cluster[rows]
        return JudgedLeads(self.period[rows], self.probability[rows], self.label[rows], cluster)

    @property
    def codes(self) -> Rows:
        """The number of each lead's account, from 0."""
        return cluster_codes(self.cluster, len(self.label))


def realised_performance(
    leads: JudgedLeads, cuts: Mapping[str, float], *, draws: int, confidence: float, seed: int
) -> pd.DataFrame:
    """Return the performance in each period, with intervals.

    Parameters
    ----------
    leads
        One row per lead and period.
    cuts
        The probability from which a lead is in each stage.
    draws, seed
        Number and seed of the bootstrap draws, of whole accounts. Each period begins with the same seed, so that its
        figures do not depend on which other periods there are.
    confidence
        Of the intervals, in (0, 1).

    Returns
    -------
    frame
        One row per period and figure: ``period, figure, stage, value, low, high``. ``stage`` is empty for figures of
        all leads; those of a cut are ``leads``, ``precision``, ``recall``. Counts have no interval (NaN), and figures
        of fewer than 20 accounts, or the ROC AUC of fewer than 20 conversions or 20 others, neither. Figures of all
        leads: ``leads``, ``conversions``, ``rate``, ``roc_auc``, ``mean_probability``, ``brier``, ``log_loss`` and the
        parts of the latter, see `ScoreParts` in the module beside: ``log_loss = uncertainty - discrimination +
        miscalibration``, and ``miscalibration = global_miscalibration + local_miscalibration``. Both of these are above
        0 even where the probabilities are perfect: ``global_miscalibration_by_chance`` and
        ``local_miscalibration_by_chance`` say how large they then are on average, and between which ends, if leads
        convert independently. They are taken off before the intervals of the parts are made, so that a part that is
        not there has an interval from 0.

    Notes
    -----
    Rate, precision and recall have Wilson's interval over the number of independent leads
    (`leadml.stages.candidates.candidate_table`), the ROC AUC that of DeLong, the others a bootstrap interval.

    Examples
    --------
    >>> converted = np.tile(np.repeat([0, 1], [3, 1]), 5), np.tile(np.repeat([0, 1], [1, 3]), 5)
    >>> leads = JudgedLeads(np.repeat("2026-01", 40), np.repeat([0.25, 0.75], 20), np.concatenate(converted))
    >>> table = realised_performance(leads, {"MQL": 0.5}, draws=100, confidence=0.9, seed=0)
    >>> table[table["figure"].isin(["rate", "precision"])][["figure", "stage", "value", "low", "high"]].round(2)
          figure stage  value   low  high
    2       rate         0.50  0.37  0.63
    5  precision   MQL   0.75  0.57  0.87
    """
    tables = [
        pd.DataFrame(
            [
                *_rates(of_period, cuts, confidence=confidence),
                *_scores(of_period, draws=draws, confidence=confidence, seed=seed),
            ],
            columns=["figure", "stage", "value", "low", "high"],
        ).assign(period=period)
        for period in np.unique(leads.period)
        for of_period in [leads.at(leads.period == period)]
    ]
    columns = ["period", "figure", "stage", "value", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _rates(leads: JudgedLeads, cuts: Mapping[str, float], *, confidence: float) -> Iterator[Row]:
    """Yield counts, rates and the ranking."""
    table = candidate_table(leads.probability, leads.label, groups=leads.cluster)
    of_all = table.iloc[0]
    yield "leads", "", float(of_all["leads"]), *NO_INTERVAL
    yield "conversions", "", float(of_all["conversions"]), *NO_INTERVAL
    yield "rate", "", *_with_wilson(of_all["precision"], of_all["independent_leads"], confidence)
    yield "roc_auc", "", *roc_auc_interval(leads.label, leads.probability, leads.codes, confidence=confidence)
    for stage, cut in cuts.items():
        at = int(np.searchsorted(table["cut"].to_numpy(), cut, side="left"))
        if at == len(table):
            yield "leads", stage, 0.0, *NO_INTERVAL
            yield "precision", stage, float("nan"), *NO_INTERVAL
            yield "recall", stage, 0.0 if of_all["conversions"] else float("nan"), *NO_INTERVAL
            continue
        row = table.iloc[at]
        yield "leads", stage, float(row["leads"]), *NO_INTERVAL
        yield "precision", stage, *_with_wilson(row["precision"], row["independent_leads"], confidence)
        if of_all["conversions"]:
            yield "recall", stage, *_with_wilson(row["recall"], row["independent_conversions"], confidence)
        else:
            yield "recall", stage, float("nan"), *NO_INTERVAL


def _with_wilson(rate: float, trials: float, confidence: float) -> tuple[float, float, float]:
    return float(rate), *rate_interval(float(rate), float(trials), confidence=confidence)


def _scores(leads: JudgedLeads, *, draws: int, confidence: float, seed: int) -> Iterator[Row]:
    """Yield the log loss and its parts, the Brier score, the mean probability, and what chance makes of two parts."""
    random, codes = np.random.default_rng(seed), leads.codes
    outcomes = Outcomes.of(leads.label, leads.probability)
    value, shift = _scores_of(leads, outcomes, np.ones(len(codes)), 0.0)
    clusters = int(codes.max()) + 1
    low, high = np.full((2, len(value)), np.nan)
    chance = _by_chance(outcomes, shift, random)
    if clusters >= MIN_ACCOUNTS:
        weights = (np.bincount(random.integers(0, clusters, clusters), minlength=clusters)[codes] for _ in range(draws))
        drawn = np.array([_scores_of(leads, outcomes, weight.astype(np.float64), shift)[0] for weight in weights])
        of_level, of_rest = chance.mean(axis=0)
        excess = np.array([0.0, 0.0, 0.0, 0.0, of_rest, of_level + of_rest, of_level, of_rest])
        low, high = debiased(value, drawn, excess, confidence=confidence)
    for row in zip(BOOTSTRAPPED, value.tolist(), low.tolist(), high.tolist(), strict=True):
        yield row[0], "", *row[1:]
    ends = percentiles(chance, confidence=confidence)
    for name, mean, *interval in zip(BY_CHANCE.values(), chance.mean(axis=0).tolist(), *ends, strict=True):
        yield name, "", mean, float(interval[0]), float(interval[1])


def _scores_of(leads: JudgedLeads, outcomes: Outcomes, weight: Floats, shift: float) -> tuple[Floats, float]:
    """Return the figures of `BOOTSTRAPPED` of weighted leads, and the shift that makes the mean right."""
    parts, shift = outcomes.parts(weight, shift=shift)
    mean = float((leads.probability * weight).sum() / weight.sum())
    squared = brier(leads.label, leads.probability, weight)
    of_loss = (parts.log_loss, parts.uncertainty, parts.discrimination, parts.miscalibration)
    return np.array([mean, squared, *of_loss, parts.global_miscalibration, parts.local_miscalibration]), shift


def _by_chance(outcomes: Outcomes, shift: float, random: np.random.Generator) -> Floats:
    """Return the global and local miscalibration of outcomes that are drawn with balanced probabilities.

    Returns
    -------
    array
        Shape (n_draws, 2).
    """
    margin = np.repeat(outcomes.log_odds, np.diff(np.append(outcomes.first, len(outcomes.label)))) + shift
    balanced, ones = expit(margin), np.ones(len(margin))
    found = []
    for _ in range(CHANCE_DRAWS):
        label = (random.random(len(balanced)) < balanced).astype(np.int8)
        drawn = Outcomes(np.arange(len(label)), outcomes.first, label, outcomes.log_odds + shift)
        parts = drawn.parts(ones, shift=0.0)[0]
        found.append((parts.global_miscalibration, parts.local_miscalibration))
    return np.array(found)
