"""Tests of one field of a lead, the business's own rules that are made of them, and how stages change over time.

A test refuses to be of no kind or of two. Whether a field exists and is of a kind that the test can judge is decided
where the fields are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from leadml.params.section import FieldName, Section, Text

if TYPE_CHECKING:
    from leadml.params.features import Kind


class FieldTest(Section):
    """A test of one field, by `any_of` or by `at_least` and `at_most`."""

    field: FieldName
    """Name of the field of the model that the rule tests."""
    any_of: tuple[Text, ...] | None = None
    """Levels of a category, of which the lead must have one. Only for categories."""
    at_least: float | None = None
    """Smallest value of a number or boolean for which the test holds; false is 0, true is 1. A missing value never
    holds."""
    at_most: float | None = None
    """Largest value of a number or boolean for which the test holds. With `at_least` it makes a range."""

    @property
    def words(self) -> str:
        """The test in words."""
        if self.any_of is not None:
            return f"{self.field} is {' or '.join(self.any_of)}"
        low = f" from {self.at_least:g}" if self.at_least is not None else ""
        return f"{self.field}{low}{f' up to {self.at_most:g}' if self.at_most is not None else ''}"

    def problem(self, kind: Kind) -> str:
        """Return what the test must have to judge a field of a kind; empty if it has it.

        Examples
        --------
        >>> FieldTest(field="country", at_least=1).problem("category")
        "'country' is a category, so its rule must have any_of"
        """
        if (kind == "category") == (self.any_of is not None):
            return ""
        needed = "any_of" if kind == "category" else "at_least or at_most (false is 0, true is 1)"
        return f"{self.field!r} is a {kind}, so its rule must have {needed}"

    @model_validator(mode="after")
    def _check_test(self) -> Self:
        if (self.any_of is None) == (self.at_least is None and self.at_most is None):
            msg = "a rule must have either any_of, or at_least or at_most or both of these"
            raise ValueError(msg)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = f"at_least must not be above at_most, got {self.at_least:g} and {self.at_most:g}"
            raise ValueError(msg)
        return self


class StageRules(Section):
    """The business's own rules for one stage. What is excluded beats what overrides, which beats what is required.

    A test may use every field of the model, those of `features.read_out` and of activities too. A test of a field that
    the model does not have is not applied, and `leadml check` says so.
    """

    required: tuple[FieldTest, ...] = ()
    """Tests that must all hold for the model to advise the stage or a higher one, such as a known budget. A missing
    value does not hold."""
    excluded: tuple[FieldTest, ...] = ()
    """Tests of which none may hold: a lead for which one holds is advised a lower stage, whatever the model and other
    rules say. Use it for leads whom the team never works, such as students."""
    overriding: tuple[FieldTest, ...] = ()
    """Tests of which one is enough for the stage, whatever the model says, such as a demo request."""


class RuleParams(Section):
    """The business's own rules of each advised stage, beside the model."""

    iql: StageRules = StageRules()
    """Rules for the IQL (information-qualified lead)."""
    mql: StageRules = StageRules()
    """Rules for the MQL (marketing-qualified lead)."""
    sql: StageRules = StageRules()
    """Rules for the SQL (sales-qualified lead)."""


class LifecycleParams(Section):
    """How the stage of a lead changes over time. All but silence needs the store, which remembers stages.

    What people record stands above advice, and a stage that is set by hand stands above both; see decision 26.
    """

    hysteresis: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the cut by which a probability may fall below it before the lead loses the stage, so that a lead at the
    cut does not change its stage from day to day. 0 compares with the cut alone."""
    silence_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days without activity after which advice falls by one stage, by two after twice as many; null never lowers it.
    The model knows how long ago the last activity was, so set it only where the team wants a firm rule."""
    silence_field: FieldName = "activity_last"
    """Field with the days since the last activity; that of dated leads is `activity_last`. A lead without a value was
    never active, and its advice does not fall."""
    recycle_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days after a rejection for which a lead is nurtured as an IQL, whatever the model and the rules advise. 0 lets
    the model advise again at once."""
