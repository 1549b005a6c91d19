"""Whether the newest outcomes are all alike, as where outcomes stopped coming in.

A lead whose conversion nobody wrote down is one that did not convert. A source of outcomes that broke therefore looks
as if leads had stopped converting, and a model that is calibrated on such outcomes says 0 of every lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day

if TYPE_CHECKING:
    from leadml.types import Floats, Integers, Labels

# Conversions that are expected of days on which nobody converts: with right probabilities as many fail to come once in
# a million times, exp(-14), and once in a thousand where half as many come as are expected.
LEAST_EXPECTED = 14.0


@dataclass(frozen=True)
class AlikeOutcomes:
    """The newest days, of which all outcomes are alike though they should not be.

    Parameters
    ----------
    since
        The first of these days, counted from 1970.
    leads
        Judged leads of these days, all with one outcome.
    label
        That outcome, 0 or 1.
    expected
        How many of them should have the other one.
    """

    since: int
    leads: int
    label: int
    expected: float

    def __str__(self) -> str:
        """Return what was found as a sentence without its full stop."""
        leads = f"of the {self.leads:,} judged leads that were scored since {shown_day(self.since * DAY)}"
        if self.label:
            return f"all {leads} converted, and {self.expected:,.0f} should not have"
        return f"none {leads} converted, where {self.expected:,.0f} were expected to"


def alike_outcomes(day: Integers, probability: Floats, label: Labels) -> AlikeOutcomes | None:
    """Return the newest days if all their outcomes are alike and that is no chance; None if they are not.

    Parameters
    ----------
    day, probability, label
        Of each judged score, shape (n_scores,), in the order of days.

    Examples
    --------
    >>> day, probability = np.arange(300) // 10, np.full(300, 0.1)
    >>> str(alike_outcomes(day, probability, (day < 15) * np.int8(1) * (np.arange(300) % 10 == 0)))
    'none of the 150 judged leads that were scored since 1970-01-16 converted, where 15 were expected to'
    >>> alike_outcomes(day, probability, (day < 20) * np.int8(1)) is None
    True
    """
    if not len(day):
        return None
    newest = int(label[-1])
    others = np.flatnonzero(label != newest)
    rows = slice(int(np.searchsorted(day, day[others[-1]], side="right")) if len(others) else 0, None)
    said = probability[rows]
    expected = float((1 - said if newest else said).sum())
    if expected < LEAST_EXPECTED:
        return None
    return AlikeOutcomes(int(day[rows][0]), len(said), newest, expected)
