"""The fields that the model may use: columns of leads, what is read out of them, and what leads did.

What enters is plain data; what leaves is sections of ``params.yaml``.
It refuses a field in two groups and a section without any field.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadml.params.section import Section, Text

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Window = Annotated[int, Field(ge=1, le=3650)]


class DerivedParams(Section):
    """Fields read out of columns that cannot be used as they are; the columns themselves are not kept."""

    email: str | None = None
    """Column of e-mail addresses: class of the domain (company, free, education, government, disposable)."""
    title: str | None = None
    """Column of job titles: rank and department."""
    company_size: str | None = None
    """Column of employees, a number or a band such as 11-50: size band."""
    country: str | None = None
    """Column of countries, names or codes: ISO 3166 code."""
    evidence: tuple[str, ...] = ()
    """Columns of budget, authority, need, timeline: whether each is filled, and how many are."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        single = (self.email, self.title, self.company_size, self.country)
        return (*(name for name in single if name), *self.evidence)


class ActivityParams(Section):
    """Features of what leads did."""

    kinds: dict[Text, str] = {}
    """Kinds of activity and what reasons call them, in the plural: `pricing_page: visits of the pricing page`."""
    windows: tuple[Window, ...] = (7, 30, 90)
    """Days before the look over which activities are counted, shortest first."""
    half_life: Annotated[int, Field(ge=1, le=365)] = 14
    """Days after which an activity counts half in decayed counts."""
    trend: Window = 30
    """Days that are compared with as many days before them."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.windows or list(self.windows) != sorted(set(self.windows)):
            msg = f"windows must rise, got {list(self.windows)}"
            raise ValueError(msg)
        return self


class FeatureParams(Section):
    """The fields that the model may use, in two groups, and those it must not."""

    fit: dict[str, Kind] = {}
    """What the lead is: field and kind (number, category, boolean)."""
    engagement: dict[str, Kind] = {}
    """What the lead does or was done with it: field and kind."""
    excluded: dict[str, str] = {}
    """What must not be used: field and reason."""
    read_out: DerivedParams = DerivedParams()
    """Fields read out of e-mail, title, size, country and evidence columns."""
    activities: ActivityParams = ActivityParams()
    """Features of dated activities."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [*self.fit, *self.engagement, *self.excluded]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"a field must be in one group, got {twice[0]!r} in two"
            raise ValueError(msg)
        if (
            not names[: len(self.fit) + len(self.engagement)]
            and not self.read_out.columns
            and not self.activities.kinds
        ):
            msg = "at least one field must be in fit or engagement"
            raise ValueError(msg)
        return self
