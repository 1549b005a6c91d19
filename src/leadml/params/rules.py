"""The rules by which the cut of a stage is solved: the probability from which a lead is in the stage.

A rule refuses numbers out of range. Whether the leads support a rule is decided later, where cuts are solved.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

import numpy as np
from pydantic import Field, model_validator

from leadml.params.cut_rule import MIN_ACCOUNTS, Candidates, CutRule, Solution
from leadml.params.expected_value import ExpectedValueRule
from leadml.params.section import Share


class PrecisionRule(CutRule):
    """The lowest cut at which leads convert at the rate `at_least` or better.

    Use it when the stage promises a conversion rate, for example that three in ten leads given to sales convert.

    The rate is that of all leads at or above the cut, measured out-of-fold on the training set. At least 20 leads
    (accounts, for dated leads) must lie there; see decision 8.
    """

    rule: Literal["precision"]
    at_least: Share
    """Share of the leads at or above the cut that must convert. Raise it for a smaller and better stage; if no cut
    reaches it, training stops and says how close the best one comes."""
    confidence: Share = 0.9
    """Confidence with which the conversion rate holds, whichever cut is chosen. Raise it for a safer promise and a
    higher cut; lower it if no cut is found."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"at least {100 * self.at_least:g}% convert, with {100 * self.confidence:g}% confidence"

    @property
    def promised_precision(self) -> float:
        """The share of the leads at or above the cut that is to convert."""
        return self.at_least

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule, lowest first."""
        bound = candidates.precision_bound(self.confidence)
        return self.among(candidates.cut[bound >= self.at_least], f"the highest lower bound is {bound.max():.1%}")


class RecallRule(CutRule):
    """The highest cut at which the stage still has the share `at_least` of all leads that convert.

    Use it when a missed conversion costs more than a wasted contact, for example where the stage decides who gets
    e-mails.
    """

    rule: Literal["recall"]
    at_least: Share
    """Share of all converting leads that must lie at or above the cut. Raise it to miss fewer conversions; the stage
    then lets in more leads."""
    confidence: Share = 0.9
    """Confidence with which that share of the conversions is reached (Wilson's bound). Raise it for a safer promise and
    a lower cut; lower it if no cut is found."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"at least {100 * self.at_least:g}% of the converters, with {100 * self.confidence:g}% confidence"

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule, highest first."""
        bound = candidates.recall_bound(self.confidence)
        cuts = candidates.cut[bound >= self.at_least][::-1]
        return self.among(cuts, f"the highest lower bound is {bound.max():.1%}")


class CapacityRule(CutRule):
    """The lowest cut that sends the team no more leads than it can work.

    Use it when the team has a fixed number of hours and works the best leads first.

    The cut lets in the share `leads_per_week` / `incoming_per_week` of the leads, measured out-of-fold on the training
    set.
    """

    rule: Literal["capacity"]
    leads_per_week: Annotated[float, Field(gt=0)]
    """Leads that the team can work in a week; must be below `incoming_per_week`. Change it when the team grows or
    shrinks."""
    incoming_per_week: Annotated[float, Field(gt=0)]
    """Leads that arrive in a week and are scored. Change it when campaigns bring more or fewer leads."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"at most {self.leads_per_week:g} of {self.incoming_per_week:g} leads a week"

    @property
    def promised_share(self) -> float:
        """The share of the leads that is to be at or above the cut."""
        return self.leads_per_week / self.incoming_per_week

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule, lowest first."""
        return _within(self, candidates, self.leads_per_week / self.incoming_per_week)

    @model_validator(mode="after")
    def _check_capacity(self) -> Self:
        if self.leads_per_week >= self.incoming_per_week:
            msg = (
                f"leads_per_week must be below incoming_per_week, got {self.leads_per_week:g} of "
                f"{self.incoming_per_week:g}; with so much capacity no cut is needed"
            )
            raise ValueError(msg)
        return self


class ShareRule(CutRule):
    """The lowest cut that lets in no more than the share `top` of the leads.

    Use it when the stage should have a fixed size, or as a start when you know neither costs nor a conversion rate to
    ask for.
    """

    rule: Literal["share"]
    top: Share
    """Largest share of the leads that the stage lets in: 0.2 is the best fifth. Raise it for a larger stage with a
    lower conversion rate."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"the best {100 * self.top:g}% of leads"

    @property
    def promised_share(self) -> float:
        """The share of the leads that is to be at or above the cut."""
        return self.top

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule, lowest first."""
        return _within(self, candidates, self.top)


class DropRule(CutRule):
    """The highest cut below which no more than the share `lose_at_most` of all conversions lies: whom not to call.

    Use it when there are more leads than the team can call, and the most hopeless ones should cost no time at all. It
    is the one cut that lets nobody in: a lead below it is marked in the column `drop`, whatever its stage.
    """

    lose_at_most: Share
    """Largest share of all converting leads that may lie below the cut. Raise it to call fewer leads and to lose more
    conversions."""
    confidence: Share = 0.9
    """Confidence with which no more conversions are lost (Wilson's bound). Raise it for a safer promise and a lower
    cut."""

    @property
    def words(self) -> str:
        """The rule in words."""
        lost = f"at most {100 * self.lose_at_most:g}% of the converters"
        return f"{lost} are dropped, with {100 * self.confidence:g}% confidence"

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule, highest first; one that drops nobody does not meet it."""
        lost = 1 - candidates.recall_bound(self.confidence)
        cuts = candidates.cut[1:][lost[1:] <= self.lose_at_most][::-1]
        return self.among(cuts, f"the smallest upper bound of what is lost is {lost.min():.1%}")


class ValueRule(CutRule):
    """The cut from which a contact earns more than it costs: `contact_cost` / `won_value`.

    Use it when you know what a contact costs and what a conversion is worth: with calibrated probabilities no other cut
    earns more.

    Training stops if no cut would earn more than it costs on the training set.
    """

    rule: Literal["value"]
    contact_cost: Annotated[float, Field(gt=0)]
    """Cost of working one lead, in any currency; must be below `won_value`. A higher cost gives a higher cut."""
    won_value: Annotated[float, Field(gt=0)]
    """Value of one conversion, in the currency of `contact_cost`. A higher value gives a lower cut."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"a contact costs {self.contact_cost:g}, a conversion brings {self.won_value:g}"

    def solve(self, candidates: Candidates) -> Solution:
        """Return the cost divided by the value, where some candidate above it earns more than it costs."""
        cut = self.contact_cost / self.won_value
        profit = (candidates.conversions * self.won_value - candidates.leads * self.contact_cost)[candidates.cut >= cut]
        problem = (
            f"earns more than it costs where {self.words}: contacts pay from a probability of {cut:.3f} on, and the "
            f"highest is {candidates.cut.max():.3f}; lower contact_cost or raise won_value"
        )
        return Solution(np.array([cut] if profit.max(initial=0.0) > 0 else []), problem)

    @model_validator(mode="after")
    def _check_value(self) -> Self:
        if self.contact_cost >= self.won_value:
            msg = f"contact_cost must be below won_value, got {self.contact_cost:g} and {self.won_value:g}"
            raise ValueError(msg)
        return self


class FixedRule(CutRule):
    """The probability that you give.

    Use it when the cut is agreed already, or when a new version of the model should keep the cut of the old one.
    """

    rule: Literal["fixed"]
    probability: Share
    """Probability from which a lead is in the stage. Raise it for a smaller and better stage."""

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"fixed at {self.probability:g}"

    def solve(self, candidates: Candidates) -> Solution:  # noqa: ARG002 - whatever the candidates are
        """Return the probability that is given."""
        return Solution(np.array([self.probability]), "")


def _within(rule: CutRule, candidates: Candidates, share: float) -> Solution:
    """Return the cuts that let in no more than a share of the rows, lowest first.

    If so many rows have the highest probability that none does, the cut is that probability.
    """
    cuts, smallest = candidates.cut, f"{100 * candidates.share.min():.4g}%"
    if candidates.units < MIN_ACCOUNTS:
        return rule.among(
            cuts[:0], f"there must be at least {MIN_ACCOUNTS} leads or accounts, got {candidates.units:.0f}"
        )
    if len(cuts) == 1:
        return rule.among(cuts[:0], "all leads have the same probability")
    within = cuts[candidates.share <= share]
    if len(within):
        return rule.among(within, "")
    return Solution(cuts[-1:], "", f"{smallest} of the leads have the highest probability, so it lets in that many")


Rule = Annotated[
    PrecisionRule | RecallRule | CapacityRule | ShareRule | ValueRule | ExpectedValueRule | FixedRule,
    Field(discriminator="rule"),
]
RULES: dict[str, type[CutRule]] = {
    get_args(rule.model_fields["rule"].annotation)[0]: rule for rule in get_args(get_args(Rule)[0])
}
