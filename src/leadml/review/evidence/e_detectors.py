"""The evidence of a sequence of days that a version no longer holds, valid however often it is judged.

Evidence is the value of a bet against the version: as long as its errors stay inside the null interval, the value is
not expected to rise. A value of 100 or more on any day of a year then has a chance of at most 1% (Ville, *Étude
critique de la notion de collectif*, 1939). The bet is an e-detector (Shin, Ramdas & Rinaldo, *The New England Journal
of Statistics in Data Science* 2, 2024): it begins anew each week, so that the good days before a change do not dilute
the evidence of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logsumexp

from leadml.model.judge.null_interval import part_scores
from leadml.review.evidence.likelihood import LEVEL_STEPS, SLOPE_STEPS, blocks, level_ratios, part_ratios, slope_ratios

if TYPE_CHECKING:
    from leadml.model.judge.null_interval import Reference
    from leadml.types import Floats, Integers, Labels

WEEK, YEAR = 7, 365  # days from one start of the bet to the next, and of a year of service
# Starts of a year of service: every week that begins in it. The stake is shared among them, so that they are worth at
# most 1 together. With the next year the bets begin anew.
STAKES = 53
# Outcomes of each kind that are expected in a cell: a day with fewer is put together with the next, since the ranking
# of leads of which none or all converted says nothing. Expected, not found: what a cell is must not hang on outcomes.
MIN_EXPECTED = 3.0
# What is expected of the error of a part before any outcome, in log-odds of each log-odds of the part: it counts for a
# third less or more than the score says. benchmarks/drift.py shows what another value does.
EXPECTED_ERROR = 0.3
# Of the most that may be staked on one lead: small stakes win where the share is a little too low, large ones where it
# is far too low.
PRECISION_STAKES = (0.05, 0.1, 0.2, 0.4)
LARGEST = 1e300  # that is shown: a number of 64 bits ends at 1.8e308, and a figure needs some room above its lines


@dataclass(frozen=True)
class JudgedScores:
    """Scores whose outcomes are known: the first of each lead in each period.

    Parameters
    ----------
    day
        The day on which each lead was scored, counted from 1970, shape (n_leads,).
    log_odds
        Log-odds of the probability that was given, shape (n_leads,).
    parts
        Log-odds that fields contributed, shape (n_leads, n_parts), in the order of the reference's parts.
    label
        Outcome, shape (n_leads,).
    rank
        A number of each lead that does not depend on its outcome, such as a hash of its id, shape (n_leads,).
    since
        The day on which the version came into use.
    """

    day: Integers
    log_odds: Floats
    parts: Floats
    label: Labels
    rank: Integers
    since: int


@dataclass(frozen=True)
class Evidence:
    """The evidence against a version over time.

    Parameters
    ----------
    day
        The last day of each cell, shape (n_cells,), rising.
    log_value
        Natural logarithm of the evidence after each cell, shape (n_cells,).
    """

    day: Integers
    log_value: Floats

    @property
    def value(self) -> Floats:
        """The evidence after each cell, at most 1e300, shape (n_cells,)."""
        return np.exp(np.minimum(self.log_value, np.log(LARGEST)))

    @property
    def is_known(self) -> bool:
        """Whether there are outcomes that say anything, for or against the version."""
        return bool(np.isfinite(self.log_value).any())

    def first_day(self, least: float) -> int | None:
        """Return the first day on which the evidence was at least a value; None if it never was."""
        reached = np.flatnonzero(self.log_value >= np.log(least))
        return int(self.day[reached[0]]) if len(reached) else None

    def most(self, since: int, until: int) -> float:
        """Return the logarithm of the largest evidence from one day to another, both included; -inf without days."""
        inside = (self.day >= since) & (self.day <= until)
        return float(self.log_value[inside].max(initial=-np.inf))


def level_evidence(scores: JudgedScores, reference: Reference) -> Evidence:
    """Return the evidence that the level of the probabilities left the null interval."""
    days, cells = _cells(scores)
    begins, values = _begins(days, scores.since), []
    total = np.zeros((len(days) + 1, len(LEVEL_STEPS)))
    for at, rows in enumerate(cells):
        total[at + 1] = total[at] + level_ratios(scores.log_odds[rows], scores.label[rows], reference)
        starts = begins[at]
        values.append(logsumexp(_mean(total[at + 1] - total[starts])))
    return Evidence(days, np.array(values) - np.log(STAKES))


def ranking_evidence(scores: JudgedScores, reference: Reference) -> Evidence:
    """Return the evidence that the ranking left the null intervals, whatever the level is on each day.

    Half of the bet is on errors of the slope, half on the errors of the parts that the days since its start suggest.
    """
    days, cells = _cells(scores)
    begins, values, parts = _begins(days, scores.since), [], scores.parts.shape[1]
    slope, learnt = np.zeros((len(days) + 1, len(SLOPE_STEPS))), np.zeros(len(days))
    seen = [(np.zeros(parts), np.zeros((parts, parts)))]
    for at, rows in enumerate(cells):
        starts = begins[at]
        errors = np.array([_suggested(seen[start], seen[at]) for start in starts])
        of_slope, of_parts = _ranking_ratios(scores, rows, errors, reference)
        slope[at + 1] = slope[at] + of_slope
        learnt[starts] += of_parts
        seen.append(_with_rows(seen[at], scores, rows))
        bets = np.logaddexp(_mean(slope[at + 1] - slope[starts]), learnt[starts]) - np.log(2)
        values.append(logsumexp(bets))
    return Evidence(days, np.array(values) - np.log(STAKES))


def precision_evidence(day: Integers, label: Labels, *, floor: float, since: int) -> Evidence:
    """Return the evidence that fewer than a share of some leads convert.

    Each lead is a bet at odds that are fair or unfavourable as long as the share is at least the floor (Waudby-Smith &
    Ramdas, *Journal of the Royal Statistical Society B* 86, 2024): ``1 + stake * (floor - outcome)``.

    Parameters
    ----------
    day, label
        Day and outcome of each lead at or above a cut, shape (n_leads,).
    floor
        The share of them that was promised, in (0, 1).
    since
        The day on which the version came into use.
    """
    days, position = np.unique(day, return_inverse=True)
    stakes = np.array(PRECISION_STAKES) / (1 - floor)
    by_lead = np.log1p(stakes * (floor - label[:, None]))
    total = np.zeros((len(days) + 1, len(stakes)))
    np.add.at(total, position + 1, by_lead)
    total = np.cumsum(total, axis=0)
    begins = _begins(days, since)
    values = [logsumexp(_mean(total[at + 1] - total[begins[at]])) for at in range(len(days))]
    return Evidence(days, np.array(values) - np.log(STAKES))


def _ranking_ratios(
    scores: JudgedScores, rows: Integers, errors: Floats, reference: Reference
) -> tuple[Floats, Floats]:
    """Return the logarithms of the likelihood ratios of the slope and of some errors of the parts, for a cell."""
    of_slope, of_parts, edges = np.zeros(len(SLOPE_STEPS)), np.zeros(len(errors)), reference.edges(errors)
    for block in blocks(rows, scores.rank[rows]):
        log_odds, label = scores.log_odds[block], scores.label[block]
        of_slope += slope_ratios(log_odds, label, reference)
        of_parts += part_ratios(log_odds, scores.parts[block], label, errors, edges)
    return of_slope, of_parts


def _suggested(before: tuple[Floats, Floats], until: tuple[Floats, Floats]) -> Floats:
    """Return the errors of the parts that the cells between two sums suggest: one step of Newton's, with a prior."""
    score, known = until[0] - before[0], until[1] - before[1]
    return np.asarray(np.linalg.solve(known + np.eye(len(score)) / EXPECTED_ERROR**2, score))


def _with_rows(sums: tuple[Floats, Floats], scores: JudgedScores, rows: Integers) -> tuple[Floats, Floats]:
    """Return the sums of score and information of the parts, with those of a cell."""
    by_row, information = part_scores(scores.log_odds[rows], scores.parts[rows], scores.label[rows])
    return sums[0] + by_row.sum(axis=0), sums[1] + information


def _cells(scores: JudgedScores) -> tuple[Integers, list[Integers]]:
    """Return the last day of each cell, and the rows of each.

    Days are put together until a cell has enough leads. The newest days may have too few yet and are in no cell.
    """
    days, position = np.unique(scores.day, return_inverse=True)
    probability, by_day = expit(scores.log_odds), np.argsort(position, kind="stable")
    wins, losses = (np.bincount(position, weights=each) for each in (probability, 1 - probability))
    ends: list[int] = []
    cells: list[Integers] = []
    first = 0
    for at, day in enumerate(days):
        if min(wins[first : at + 1].sum(), losses[first : at + 1].sum()) >= MIN_EXPECTED:
            start, stop = np.searchsorted(position[by_day], (first, at + 1))
            cells.append(by_day[start:stop])
            ends.append(int(day))
            first = at + 1
    return np.array(ends, dtype=np.int64), cells


def _begins(days: Integers, since: int) -> list[Integers]:
    """Return for each cell the first cells of the weeks so far, of the same year of service."""
    years, in_year = np.divmod(days - since, YEAR)
    weeks = in_year // WEEK
    begins = np.flatnonzero(np.diff(weeks, prepend=-1) | np.diff(years, prepend=-1))
    return [begins[(begins <= at) & (years[begins] == year)] for at, year in enumerate(years)]


def _mean(log_ratios: Floats) -> Floats:
    """Return the logarithm of the mean of the ratios of each row."""
    return np.asarray(logsumexp(log_ratios, axis=1) - np.log(log_ratios.shape[1]))
