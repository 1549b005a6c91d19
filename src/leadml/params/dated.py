"""The choices of dated leads: three tables, when leads are looked at, and what is predicted of them.

What enters is plain data; what leaves is sections of ``params.yaml``.
It refuses a source that is both a file and a database, a literal password, and an outcome that leadml does not know.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from leadml.params.address import no_password
from leadml.params.section import Section, Text

Engine = Literal["duckdb", "polars"]
Population = Literal["open", "customers"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
AdvisedStage = Literal["iql", "mql", "sql"]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Days = Annotated[int, Field(ge=1, le=3650)]

FUNNEL = ("mql", "sal", "sql", "opportunity", "customer", "evangelist")
OUTCOMES = (*FUNNEL, "rejected", "lost", "churned")


def _date(text: str) -> str:
    try:
        datetime.fromisoformat(text)  # the zone of one that has none is another key
    except ValueError:
        good = False
    else:
        good = DATE.match(text) is not None
    if not good:
        msg = f"must be a date or a time in ISO 8601, got {text!r}; write 2026-01-31 for example"
        raise ValueError(msg)
    return text


Date = Annotated[str, AfterValidator(_date)]


class SourceParams(Section):
    """Where one table is: a file or a folder, or a table or a query of a database."""

    path: str | None = None
    """File or folder, CSV or Parquet, relative to params.yaml."""
    url: Annotated[str, AfterValidator(no_password)] | None = None
    """SQLAlchemy's address of a database; secrets as ${NAME} of the environment."""
    table: str | None = None
    """Table or view of the database, with its schema where it needs one: sales.leads."""
    query: str | None = None
    """SELECT in place of a table."""
    lead_id: str = "lead_id"
    """Column of the lead's id."""
    recorded_at: str | None = None
    """Column of the instant at which a row was written; without it a row counts as written when it happened."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            msg = "a source must have a path, or a url with a table or a query"
            raise ValueError(msg)
        if self.url is not None and (self.table is None) == (self.query is None):
            msg = "a url must have a table or a query beside it, and not both"
            raise ValueError(msg)
        if self.path is not None and (self.table is not None or self.query is not None):
            msg = "a path must have no table and no query beside it"
            raise ValueError(msg)
        return self


class LeadsParams(SourceParams):
    """The leads: a row each, or a row for each state of a lead."""

    created_at: str = "created_at"
    """Column of the instant at which the lead came."""
    valid_from: str | None = None
    """Column of the instant from which a row holds; with it a lead may have several rows."""
    account: str | None = None
    """Column of the company or account: leads of one are never on both sides of a split."""


class ActivitiesParams(SourceParams):
    """What leads did or what was done with them, a row each time."""

    occurred_at: str = "occurred_at"
    """Column of the instant of the activity."""
    kind: str = "kind"
    """Column that says what it was."""
    channel: str | None = None
    """Column that says by which channel."""


class OutcomesParams(SourceParams):
    """What became of leads, a row each time."""

    occurred_at: str = "occurred_at"
    """Column of the instant of the outcome."""
    outcome: str = "outcome"
    """Column that says which."""
    names: dict[Text, str] = {}
    """Words of the file and the outcome that each means; a word that is an outcome itself need not be here."""


class SourcesParams(Section):
    """The three tables of dated leads; without this section leads are flat."""

    leads: LeadsParams
    """The leads."""
    activities: ActivitiesParams | None = None
    """Their activities."""
    outcomes: OutcomesParams
    """Their outcomes."""
    observed_until: Date | None = None
    """Instant up to which outcomes are complete, ISO 8601: that of the export. Without it the end of the outcomes."""


class DatedTargetParams(Section):
    """What is predicted of dated leads."""

    outcome: str
    """Outcome to be reached: mql, sal, sql, opportunity, customer, evangelist, churned or a word of your own."""
    horizon: Days
    """Days after the look within which it must be reached."""
    settling: Annotated[int, Field(ge=0, le=3650)] = 0
    """Days that late records are waited for after the horizon."""
    population: Population = "open"
    """Leads that are scored: open (not lost, rejected or churned) or customers (not churned)."""
    again: bool = False
    """Whether it can be reached more than once; a lead is then looked at after it was reached too."""
    drives: tuple[AdvisedStage, ...] | None = None
    """Stages whose cuts are solved on it; all where it is the only target; of several one must say it."""


class SnapshotParams(Section):
    """When leads are looked at in training."""

    every: Annotated[int, Field(ge=1, le=92)] = 7
    """Days between looks."""
    weekday: Weekday = "monday"
    """Day of the first look, at 0:00 in data.timezone or UTC."""
    since: Date | None = None
    """First day of looks, ISO 8601; without it the day of the first lead."""
    oldest: Days | None = None
    """Age in days from which an open lead is no longer looked at or scored."""
    most: Annotated[int, Field(ge=1000, le=1_000_000_000)] = 80_000
    """Snapshots to learn from, a third as many to judge by; of more, so many are drawn by a hash of lead and date."""


class ComputeParams(Section):
    """What computes the features; changes no number."""

    engine: Engine = "duckdb"
    """duckdb, or polars (extra polars)."""
    memory_gb: Annotated[float, Field(ge=0.2, le=10_000)] = 1.0
    """Memory that DuckDB may use before it writes to disk."""
