"""The fields that the model may use: columns of leads, columns derived from them, and counts of activities.

It refuses a field that is in two groups, and a section that names no field at all.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leadml.params.section import ColumnName, Section, Text, ValueName

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Window = Annotated[int, Field(ge=1, le=3650)]
ActivityKind = Annotated[Text, ValueName("kind of activity")]


class DerivedParams(Section):
    """Columns that cannot be used as they are, because they name people or have too many values.

    leadml derives a few classes from each of them and drops the column itself; see decision 12. All derived fields are
    of the fit group.
    """

    email: ColumnName | None = None
    """Column of e-mail addresses. It gives the field `email_domain`: company, free, education, government, disposable
    or no address. Set it where leads have an e-mail address."""
    title: ColumnName | None = None
    """Column of job titles in English or German. It gives the fields `title_rank` (from student to executive) and
    `title_department`. Set it where leads have a job title."""
    company_size: ColumnName | None = None
    """Column of the number of employees, as a number or as a band such as 11-50. It gives the field `company_size` with
    size bands. Use it where the column mixes both notations; a column of plain numbers can be a number in
    `features.fit` instead."""
    country: ColumnName | None = None
    """Column of countries, as English names or ISO 3166 codes. It gives the field `country_code`. Use it where the same
    country is written in several ways."""
    evidence: tuple[ColumnName, ...] = ()
    """Columns of which only matters whether they are filled, such as budget, authority, need and timeline. Each gives a
    field `COLUMN_given`, and all together the count `evidence_given`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that fields are derived from."""
        single = (self.email, self.title, self.company_size, self.country)
        return (*(name for name in single if name), *self.evidence)


class ActivityParams(Section):
    """The fields that are counted from the table of activities, as of each snapshot.

    Activities that happened or were recorded after the snapshot are not counted; see decision 10.
    """

    kinds: dict[ActivityKind, Annotated[str, ValueName("words for it")]] = {}
    """Kinds of activity that get fields of their own, each with the plural that reasons use: `pricing_page: visits of
    the pricing page`. Kinds that are not listed count only in the fields of all activities together."""
    windows: tuple[Window, ...] = (7, 30, 90)
    """Days before the snapshot over which activities are counted, at least one window, shortest first. Choose longer
    windows where the sales cycle is long; each window adds a field to every kind."""
    half_life: Annotated[int, Field(ge=1, le=365)] = 14
    """Days after which an activity counts half in the decayed counts (`KIND_decayed`). Raise it where old activities
    still matter, lower it where only the last days do."""
    trend: Window = 30
    """Days that the field `activity_trend` compares with as many days before them: 1 is all activity in the recent
    days, -1 all in the earlier ones. Raise it where leads are active only now and then."""

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        if not self.windows or list(self.windows) != sorted(set(self.windows)):
            msg = f"windows must be one or more days in rising order, each once, got {list(self.windows)}"
            raise ValueError(msg)
        return self


class FeatureParams(Section):
    """The fields that the model may use, and those that it must not use.

    A field of the group fit says what the lead is, a field of the group engagement what the lead does or what is done
    with it. Both are used to predict; the grade of a lead has a letter for fit and a digit for engagement. At least one
    field must be declared, here or in a subsection.

    A `number` is an amount or a count, a `category` is a text or a code, a `boolean` is written as true and false, yes
    and no, or 1 and 0.
    """

    fit: dict[ColumnName, Kind] = {}
    """Columns that say what the lead is, such as industry or source, each with its kind. List only what is known when
    leads are scored; what is filled in after the outcome makes the model worthless."""
    engagement: dict[ColumnName, Kind] = {}
    """Columns that say what the lead does or what was done with it, such as the number of calls, each with its kind.
    For dated leads, prefer `features.activities`, which counts as of the snapshot."""
    excluded: dict[ColumnName, str] = {}
    """Columns that must not be used, each with the reason, which the model card repeats. A column that is not listed
    anywhere is not used either; the entry records the decision."""
    derived: Annotated[DerivedParams, Field(alias="read_out")] = DerivedParams()
    """Columns such as e-mail and job title from which leadml derives fields. Use it for columns that hold personal data
    or that write the same thing in many ways."""
    activities: ActivityParams = ActivityParams()
    """Fields that are counted from the table of activities. It needs `sources.activities`, and `kinds` must be set for
    counts of each kind."""

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        names = [*self.fit, *self.engagement, *self.excluded]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"a field must be in one group, got {twice[0]!r} in two"
            raise ValueError(msg)
        if not self.fit and not self.engagement and not self.derived.columns and not self.activities.kinds:
            msg = "a field must be in fit, engagement, features.read_out or activities.kinds, got none; add one"
            raise ValueError(msg)
        return self
