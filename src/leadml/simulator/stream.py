"""A plain stream of leads with a known truth: what reviews of a model are proved on.

Each day brings new leads with a few normal fields. The log-odds of a lead are linear in the fields, with interactions,
so that everything about a drift is known: when it begins, and whether it moves the level, the leads or the effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.arguments import whole_number
from leadml.errors import LeadmlError, nearest, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FIRST_EFFECT, NEXT_EFFECT = 0.8, 0.8  # the effects .8, -.64, .51, -.41 ...: a few strong fields and a tail of weak ones
INTERACTION = 0.3  # of fields 1 and 2, 3 and 4 ...: what a purely linear model misses
ODDS = 1.6  # with the drift odds: 12.5% become 18.6%
MOVED_SHARE, MOVED_BY = 0.5, 0.5  # with the drift mix: half of the leads have fields that are half a deviation higher
WEAKENED, WEAKENED_TO = 2, 0.5  # with the drift effects: the two strongest are halved
DRIFTS = ("none", "odds", "mix", "effects")
LEVEL_LEADS, LEVEL_SEED = 100_000, 0  # for the level of the log-odds: the rate is met to 0.1 points
MOST_DAYS, MOST_LEADS_A_DAY = 3_660, 1_000_000  # ten years; a day is computed in memory
MOST_LEADS = 20_000_000  # as many as a simulated CRM may have


@dataclass(frozen=True)
class Stream:
    """A stream of leads.

    Parameters
    ----------
    rate
        Share of leads that convert without drift, in (0, 1).
    fields
        Number of fields, 2 or more.
    leads_a_day
        Number of leads on each day.
    drift
        ``none``; ``odds``: the odds of every lead are 1.6 times as high; ``mix``: half of the leads have fields that
        are half a standard deviation higher, converting as such leads always did; ``effects``: the two strongest
        effects are halved.
    drift_day
        First day of the drift, from 0.
    level_noise
        Standard deviation of the log-odds of a whole day, drawn anew for each day.

    Raises
    ------
    LeadmlError
        If a value is out of its range.

    Examples
    --------
    >>> stream = Stream(leads_a_day=5, drift="odds", drift_day=2)
    >>> leads = stream.days(4, seed=1)
    >>> leads["day"].value_counts().to_dict()
    {0: 5, 1: 5, 2: 5, 3: 5}
    >>> leads.columns[:4].tolist()
    ['lead_id', 'day', 'field_1', 'field_2']
    """

    rate: float = 0.125
    fields: int = 8
    leads_a_day: int = 100
    drift: str = "none"
    drift_day: int = 120
    level_noise: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.drift not in DRIFTS:
            hint = nearest(self.drift, DRIFTS)
            msg = f"drift must be one of {', '.join(DRIFTS)}, got {quoted(self.drift)}{hint}"
            raise LeadmlError(msg)
        if not 0 < self.rate < 1:
            msg = f"rate must be above 0 and below 1, got {self.rate}"
            raise LeadmlError(msg)
        if not 0 <= self.level_noise < np.inf:
            msg = f"level_noise must be a number from 0, got {self.level_noise}"
            raise LeadmlError(msg)
        whole_number(self.fields, "fields", low=2, high=100)
        whole_number(self.leads_a_day, "leads_a_day", low=1, high=MOST_LEADS_A_DAY)
        whole_number(self.drift_day, "drift_day", low=0, high=MOST_DAYS)

    @property
    def names(self) -> list[str]:
        """Names of the fields."""
        return [f"field_{number}" for number in range(1, self.fields + 1)]

    @property
    def effects(self) -> Floats:
        """Effects of the fields on the log-odds without drift, the strongest first, with alternating signs."""
        order = np.arange(self.fields)
        return np.asarray(FIRST_EFFECT * NEXT_EFFECT**order * (-1.0) ** order)

    @cached_property
    def level(self) -> float:
        """The log-odds of a lead whose fields are all 0; they give the rate."""
        log_odds = self._log_odds(np.random.default_rng(LEVEL_SEED).normal(size=(LEVEL_LEADS, self.fields)), 0.0, 1.0)
        low, high = -30.0, 30.0  # log-odds of probabilities that no rate reaches
        for _ in range(60):  # halves the range below the precision of its numbers
            middle = (low + high) / 2
            low, high = (middle, high) if _expit(log_odds + middle).mean() < self.rate else (low, middle)
        return low

    def before(self, leads: int, *, seed: int) -> pd.DataFrame:
        """Return leads of the time before the first day, without drift and noise: to fit and to evaluate a model.

        Parameters
        ----------
        leads
            Number of leads, from 1 to 20,000,000.
        seed
            Seed of the leads; another seed gives other leads.

        Returns
        -------
        frame
            ``lead_id``, the fields, ``probability`` (the true one) and ``converted``.
        """
        whole_number(leads, "leads", low=1, high=MOST_LEADS)
        whole_number(seed, "seed", low=0)
        random = np.random.default_rng([seed, 0])
        values = random.normal(size=(leads, self.fields))
        return self._frame(values, self._log_odds(values, self.level, 1.0), random, prefix="before")

    def days(self, days: int, *, seed: int) -> pd.DataFrame:
        """Return the leads of the first days.

        Parameters
        ----------
        days
            Number of days, from 1 to 3,660.
        seed
            Seed of the stream. The same seed gives the same leads up to the first day of a drift, whatever the drift.

        Returns
        -------
        frame
            ``lead_id``, ``day`` (from 0), the fields, ``probability`` (the true one) and ``converted``.
        """
        whole_number(days, "days", low=1, high=MOST_DAYS)
        whole_number(seed, "seed", low=0)
        frames = []
        for day in range(days):
            random = np.random.default_rng([seed, 1, day])
            values = random.normal(size=(self.leads_a_day, self.fields))
            moved, noise = random.random(self.leads_a_day) < MOVED_SHARE, random.normal()
            drift = self.drift if day >= self.drift_day else "none"
            if drift == "mix":
                values[moved] += MOVED_BY
            level = self.level + self.level_noise * noise + (np.log(ODDS) if drift == "odds" else 0.0)
            log_odds = self._log_odds(values, level, WEAKENED_TO if drift == "effects" else 1.0)
            frame = self._frame(values, log_odds, random, prefix=f"{day:04}")
            frame.insert(1, "day", day)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _log_odds(self, values: Floats, level: float, strongest: float) -> Floats:
        effects = self.effects
        effects[:WEAKENED] *= strongest
        products = values[:, 0:-1:2] * values[:, 1::2]
        return np.asarray(level + values @ effects + INTERACTION * products.sum(axis=1))

    def _frame(self, values: Floats, log_odds: Floats, random: np.random.Generator, *, prefix: str) -> pd.DataFrame:
        probability = _expit(log_odds)
        ids = [f"{prefix}-{number:06}" for number in range(len(values))]
        columns: dict[str, Any] = {"lead_id": ids, **dict(zip(self.names, values.T, strict=True))}
        converted = (random.random(len(values)) < probability).astype(np.int8)
        return pd.DataFrame({**columns, "probability": probability, "converted": converted})


def _expit(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
