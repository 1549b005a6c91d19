"""The rule for the cut of a stage where leads differ in what they bring."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from leadml.params.cut_rule import Candidates, CutRule, Solution
from leadml.params.section import FieldName


class ExpectedValueRule(CutRule):
    """The cut above which contacts earn the most: the sum of probability times amount, less the cost of each contact.

    Use it when deals differ in size and each lead has an expected amount: with one amount for all leads, `value` gives
    the same cut.

    The sum is over the training set, with out-of-fold probabilities. A lead whose amount is missing counts with the
    average amount. Training stops if no cut would earn more than it costs, or if an amount is negative.
    """

    rule: Literal["expected_value"]
    amount: FieldName
    """Field of `features.fit` or `features.engagement` with what a lead brings if it converts, a number in the currency
    of `contact_cost`. It must be known when leads are scored."""
    contact_cost: Annotated[float, Field(gt=0)]
    """Cost of working one lead. A higher cost gives a higher cut."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"a contact costs {self.contact_cost:g}, a conversion brings its {self.amount}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The field of the amounts."""
        return (self.amount,)

    def solve(self, candidates: Candidates) -> Solution:
        """Return the candidate that earns the most, the lowest of several, if it earns anything."""
        amount = candidates.column(self.amount)
        known = amount[~np.isnan(amount)]
        if not len(known) or known.min() < 0:
            got = "a negative one" if len(known) else "none"
            return Solution(np.array([]), f"can be solved where {self.words}: amounts must be 0 or more, got {got}")
        expected = candidates.probability * np.where(np.isnan(amount), known.mean(), amount)
        profit = candidates.total(expected) - candidates.leads * self.contact_cost
        loss = f"{0 - profit.max():,.4g}"
        problem = f"earns more than it costs where {self.words}: the best one loses {loss}; lower contact_cost"
        return Solution(candidates.cut[[profit.argmax()]] if profit.max() > 0 else np.array([]), problem)
