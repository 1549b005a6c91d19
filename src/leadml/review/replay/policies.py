"""What each policy would have said in every period of a history, with only what was known at the time.

- ``once``: the model of the beginning, for good.
- ``refit``: a model of all outcomes known by the beginning of each period.
- ``loop``: the same, but it serves only if the recipe passes the gate of a refresh: as of one period ago it was not
  surely worse than the newest model that had passed by then, on the leads whose outcomes have become known since; else
  that one serves. In between the level of the probabilities follows the outcomes.
- ``oracle``: the model of ``refit`` with the level that the leads of the period turn out to have. Nobody can know it:
  it shows how much there is to gain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit

from leadml.model.parts.calibration import log_losses
from leadml.review.performance.level_shift import shift_of
from leadml.review.replay.level import Level, Step, fitted_level, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from leadml.review.replay.history import History
    from leadml.review.replay.level import Outcomes
    from leadml.types import Floats, Mask, Rows

    LogOdds = Callable[[pd.DataFrame], Floats]
    """A model: log-odds of rows."""
    Policy = Literal["once", "refit", "loop", "oracle"]

POLICIES: tuple[Policy, ...] = ("once", "refit", "loop", "oracle")
CONFIDENCE = 0.95  # of the one-sided test, as gate.confidence


@dataclass(frozen=True)
class Period:
    """A period of a replay.

    Parameters
    ----------
    month
        Its number.
    begin
        Its first instant, in microseconds since 1970.
    rows
        The rows that were scored in it, shape (n_rows,).
    model
        The number of the model that the loop used.
    promoted
        Whether the loop put the newest model in use.
    level
        What the loop knew of the level at the beginning.
    """

    month: int
    begin: int
    rows: Rows
    model: int
    promoted: bool
    level: Level


@dataclass
class Replay:
    """The state of a replay, period after period.

    Parameters
    ----------
    history
        The leads.
    fit
        From rows whose outcomes are known to a model.
    probability
        By policy the probability of each row, shape (n_rows,); NaN for rows of no period.
    periods
        The periods so far.
    """

    history: History
    fit: Callable[[pd.DataFrame], LogOdds]
    probability: dict[Policy, Floats]
    periods: list[Period] = field(default_factory=list)
    _models: list[LogOdds] = field(default_factory=list)
    _log_odds: list[Floats] = field(default_factory=list)
    _passed: int = 0

    @classmethod
    def of(cls, history: History, fit: Callable[[pd.DataFrame], LogOdds]) -> Replay:
        """Return a replay before its first period."""
        return cls(history, fit, {name: np.full(len(history.frame), np.nan) for name in POLICIES})

    def play(self, month: int) -> Period:
        """Play a month: train on what was known at its beginning, and score its leads.

        Parameters
        ----------
        month
            A month later than those that were played.
        """
        history, begin = self.history, self.history.begin(month)
        known, rows, newest = history.known(begin), history.rows(month), len(self._models)
        self._models.append(self.fit(history.frame[known].reset_index(drop=True)))
        self._log_odds.append(np.full(len(history.frame), np.nan))
        promoted = newest == 0 or self._passes(known)
        in_use = newest if promoted else self._passed
        log_odds = self._of(newest, rows)
        self.probability["once"][rows] = expit(self._of(0, rows))
        self.probability["refit"][rows] = expit(log_odds)
        self.probability["oracle"][rows] = expit(log_odds + shift_of(log_odds, history.label[rows]))
        level = fitted_level([self._steps(period, known)[0] for period in self.periods])
        period = Period(month, begin, rows, in_use, promoted, level)
        steps, places = self._steps(period, np.ones(len(known), dtype=bool))
        for place, probability in zip(places, follow(level, steps)[0], strict=True):
            self.probability["loop"][place] = probability
        self.periods.append(period)
        return period

    def _passes(self, known: Mask) -> bool:
        """Return whether the recipe as of one period ago is not surely worse than the newest model that passed.

        Both are judged on the rows whose outcomes have become known since.
        """
        recipe = len(self._models) - 2
        since = np.flatnonzero(known & ~self.history.known(self.periods[-1].begin))
        label = self.history.label[since]
        one, other = (log_losses(self._of(number, since), label) for number in (recipe, self._passed))
        if len(since) and self.history.gain(other - one, since).is_surely_below(0.0, confidence=CONFIDENCE):
            return False
        self._passed = recipe
        return True

    def _of(self, model: int, rows: Rows) -> Floats:
        """Return the log-odds of rows by a model, each computed once."""
        found = self._log_odds[model]
        missing = rows[np.isnan(found[rows])]
        if len(missing):
            found[missing] = self._models[model](self.history.frame.iloc[missing].reset_index(drop=True))
        return found[rows]

    def _steps(self, period: Period, known: Mask) -> tuple[list[Step], list[Rows]]:
        """Return the steps of a period, as far as outcomes are known, and the rows that were scored in each."""
        history, steps, places, until = self.history, [], [], period.begin
        for begin in np.unique(history.step_begin[period.rows]).tolist():
            at = max(begin, period.begin)
            learnt = np.flatnonzero((history.known_at >= until) & (history.known_at < at))
            said = period.rows[(history.step_begin[period.rows] == begin) & known[period.rows]]
            steps.append(Step(self._outcomes(period, learnt), self._outcomes(period, said)))
            places.append(said)
            until = at
        return steps, places

    def _outcomes(self, period: Period, rows: Rows) -> Outcomes:
        return self._of(period.model, rows), self.history.label[rows]
