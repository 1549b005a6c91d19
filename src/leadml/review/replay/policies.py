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
from leadml.review.replay.level import SIZES, STILL, Followed, Step, chances

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from leadml.review.replay.history import History
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
    followed
        The rows, with their probabilities for each size that a move of the level may have.
    moves
        How likely it was at the beginning that the level is not that of the training, from 0 to 1.
    """

    month: int
    begin: int
    rows: Rows
    model: int
    promoted: bool
    followed: Followed
    moves: float


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
        self.periods.append(self._followed(month, rows, in_use, promoted=promoted))
        return self.periods[-1]

    def _followed(self, month: int, rows: Rows, model: int, *, promoted: bool) -> Period:
        """Return a month of the loop, which says the probabilities of its rows step after step."""
        history, begin = self.history, self.history.begin(month)
        sizes = SIZES if history.is_followed else STILL
        followed = Followed.of(self._steps(begin, rows, model), history.label[rows], sizes)
        evidence = np.array([each.log_prior for each in sizes])
        for each in self.periods:
            evidence += each.followed.evidence(history.known_at[each.rows] < begin)
        for step in np.unique(history.step_begin[rows]):
            said, known = history.step_begin[rows] == step, history.known_at[rows] < max(step, begin)
            self.probability["loop"][rows[said]] = followed.mixed(evidence + followed.evidence(known), said)
        return Period(month, begin, rows, model, promoted, followed, 1.0 - float(chances(evidence)[0]))

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

    def _steps(self, begin: int, rows: Rows, model: int) -> list[Step]:
        """Return the steps in which rows follow one another after a training, with the log-odds of a model."""
        history, steps, until = self.history, [], begin
        for first in np.unique(history.step_begin[rows]).tolist():
            at = max(first, begin)
            learnt = np.flatnonzero((history.known_at >= until) & (history.known_at < at))
            outcomes = self._of(model, learnt), history.label[learnt]
            steps.append(Step(outcomes, self._of(model, rows[history.step_begin[rows] == first])))
            until = at
        return steps
