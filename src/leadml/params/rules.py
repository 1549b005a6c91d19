"""Rules by which the cut of a stage is solved.

What enters is plain data; what leaves is one frozen rule of a known kind.
It refuses numbers out of range; whether data support a rule is found where cuts are solved.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadml.params.section import Section, Share


class PrecisionRule(Section):
    """The lowest cut whose leads convert at this rate or better."""

    rule: Literal["precision"]
    at_least: Share
    """Share, 0 to 1."""
    confidence: Share = 0.9
    """With which it must hold, 0 to 1."""


class RecallRule(Section):
    """The highest cut that still reaches this share of the converters."""

    rule: Literal["recall"]
    at_least: Share
    """Share, 0 to 1."""
    confidence: Share = 0.9
    """With which it must hold, 0 to 1."""


class CapacityRule(Section):
    """The lowest cut that sends no more leads than the team can work."""

    rule: Literal["capacity"]
    leads_per_week: Annotated[float, Field(gt=0)]
    """Leads that the team can work."""
    incoming_per_week: Annotated[float, Field(gt=0)]
    """Leads that come."""

    @model_validator(mode="after")
    def _busy(self) -> Self:
        if self.leads_per_week >= self.incoming_per_week:
            msg = (
                f"leads_per_week must be below incoming_per_week, got {self.leads_per_week:g} of "
                f"{self.incoming_per_week:g}; with so much capacity no cut is needed"
            )
            raise ValueError(msg)
        return self


class ShareRule(Section):
    """The cut that lets this share of the leads in."""

    rule: Literal["share"]
    top: Share
    """Share of the leads."""


class ValueRule(Section):
    """The cut from which a contact earns more than it costs."""

    rule: Literal["value"]
    contact_cost: Annotated[float, Field(gt=0)]
    """Cost of working a lead, in any currency."""
    won_value: Annotated[float, Field(gt=0)]
    """Value of a conversion, in the same currency."""

    @model_validator(mode="after")
    def _worth(self) -> Self:
        if self.contact_cost >= self.won_value:
            msg = f"contact_cost must be below won_value, got {self.contact_cost:g} and {self.won_value:g}"
            raise ValueError(msg)
        return self


class FixedRule(Section):
    """A cut that somebody has chosen."""

    rule: Literal["fixed"]
    probability: Share
    """The cut."""


Rule = Annotated[
    PrecisionRule | RecallRule | CapacityRule | ShareRule | ValueRule | FixedRule, Field(discriminator="rule")
]
