"""The fields that the model may use: columns of leads, columns derived from them, and counts of activities.

It refuses a field that is in two groups, and a section that names no field at all.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from leadml.params.section import ColumnName, Section, Text, ValueName, normal_name

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Window = Annotated[int, Field(ge=1, le=3650)]
ActivityKind = Annotated[Text, ValueName("kind of activity")]
# Names of mail gateways and of kinds of programs, as they stand in the agents that these programs send.
MACHINE_AGENTS = (
    "bot", "crawler", "spider", "scanner", "preview", "prefetch", "barracuda", "bitdefender", "cloudmark", "fireeye",
    "forcepoint", "fortimail", "mimecast", "proofpoint", "safelinks", "sophos", "symantec", "trendmicro", "zscaler",
    "python-requests", "curl/", "wget/", "go-http-client", "headless",
)  # fmt: skip


def _check_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        msg = f"must be a network, got {text!r}; write 203.0.113.0/24 or 203.0.113.7 for example"
        raise ValueError(msg) from None
    return text


Network = Annotated[str, AfterValidator(_check_network), ValueName("network")]


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


class MachineParams(Section):
    """How acts of mail scanners and bots are recognised, which are kept out of all features.

    A mail scanner opens a mail and follows its links before the reader does, so that whoever has one looks eager. Each
    rule works where the table of activities has its column; `leadml check` counts what is found by each, and says what
    could not be judged. See decision 27.
    """

    delivered: tuple[ActivityKind, ...] = ()
    """Kinds of activity that say that a mail was delivered, such as email_delivered. They are no act of the lead and
    are kept out of features, too."""
    mail: tuple[ActivityKind, ...] = ()
    """Kinds of activity that are acts on a mail, such as email_open and email_click. `seconds` and `burst` judge
    them."""
    agents: tuple[Text, ...] = MACHINE_AGENTS
    """Words by which the agent of a machine is known (`sources.activities.agent`), whatever their case. The default has
    words of common mail scanners and crawlers."""
    addresses: tuple[Network, ...] = ()
    """Networks of machines such as 203.0.113.0/24 (`sources.activities.address`)."""
    seconds: Annotated[float, Field(ge=0, le=60)] = 2.0
    """Acts on a mail before its delivery, or no more than these seconds after it, are those of a machine. It needs
    `delivered` and `sources.activities.message`."""
    burst: Annotated[int, Field(ge=2, le=100)] = 3
    """Number of acts on one mail, each no more than `seconds` after the one before, that only a machine does, because
    it follows all links at once."""
    hours: Annotated[float, Field(gt=0, le=168)] | None = 4.0
    """Hours of activity of one lead without a pause of ten minutes that only a machine does; null does not judge it."""


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
    machines: MachineParams | None = None
    """How acts of machines are recognised; null takes all acts for those of people."""
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
    sensitive: tuple[ColumnName, ...] = ()
    """Columns of attributes that no decision may rest on, such as gender or age. They are no fields: `leadml check` and
    training read them only to say whether the fields betray them (finding RD14)."""
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
        used = {normal_name(name) for name in (*self.fit, *self.engagement, *self.derived.columns)}
        sensitive = next((name for name in self.sensitive if normal_name(name) in used), None)
        if sensitive is not None:
            msg = f"sensitive must name columns that are no fields, got {sensitive!r}; take it out of the fields"
            raise ValueError(msg)
        if not self.fit and not self.engagement and not self.derived.columns and not self.activities.kinds:
            msg = "a field must be in fit, engagement, features.read_out or activities.kinds, got none; add one"
            raise ValueError(msg)
        return self
