"""The sections of dated leads: where the tables are, what is predicted, and when snapshots are taken.

A section refuses a source that is both a file and a database, a literal password, and a text that is no date.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from leadml.params.address import DatabaseAddress
from leadml.params.section import ColumnName, DatabaseTable, DataPath, Section, Text, ValueName

Engine = Literal["duckdb", "polars"]
Population = Literal["open", "customers"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
AdvisedStage = Literal["iql", "mql", "sql"]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Days = Annotated[int, Field(ge=1, le=3650)]

LONGEST_STEP = 92  # days of the longest quarter

FUNNEL = ("mql", "sal", "sql", "opportunity", "customer", "evangelist")
OUTCOMES = (*FUNNEL, "rejected", "lost", "churned")


def _check_date(text: str) -> str:
    try:
        datetime.fromisoformat(text)  # a text without a zone is fine: data.timezone gives it
    except ValueError:
        is_date = False
    else:
        is_date = DATE.match(text) is not None
    if not is_date:
        msg = f"must be a date or a time in ISO 8601, got {text!r}; write 2026-01-31 for example"
        raise ValueError(msg)
    return text


Date = Annotated[str, AfterValidator(_check_date), ValueName("date or time, ISO 8601")]
WordForNumbers = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$"), ValueName("word of lower-case letters, digits and underscores")
]
OutcomeName = Annotated[str, ValueName("name of an outcome")]


def _check_every(value: Any) -> Any:
    if value == "once" or (type(value) is int and 1 <= value <= LONGEST_STEP):
        return value
    msg = f"must be a whole number of days from 1 to {LONGEST_STEP}, or once, got {value!r}"
    raise ValueError(msg)


DaysOrOnce = Annotated[
    int | Literal["once"], BeforeValidator(_check_every), ValueName(f"days, 1 to {LONGEST_STEP}, or `once`")
]


class SourceParams(Section):
    """Where one table is: a file or a folder, or a table or a query of a database."""

    path: DataPath | None = None
    """File or folder of the table, of any format of `data.path`, relative to params.yaml. All files of a folder are
    read. Set either `path` or `url`."""
    url: DatabaseAddress | None = None
    """SQLAlchemy address of the database (extra `databases`), with secrets as `${NAME}` of the environment. Set it with
    `table` or `query` in place of `path`; see decision 14."""
    table: DatabaseTable | None = None
    """Table or view of the database, with its schema where it needs one: `sales.leads`. Needs `url`."""
    query: Annotated[str, ValueName("SELECT statement")] | None = None
    """One SELECT in place of `table`, for example to rename columns or to leave out rows. Needs `url`."""
    lead_id: ColumnName = "lead_id"
    """Column of the lead's id, by which the three tables are joined. Ids are compared as text of 1 to 256
    characters."""
    recorded_at: ColumnName | None = None
    """Column of the time at which the row was written to the system. Set it wherever the system has it: without it a
    row counts as known from the moment it happened, and back-dated rows leak the future."""

    @model_validator(mode="after")
    def _check_location(self) -> Self:
        if (self.path is None) == (self.url is None):
            msg = "a source must have a path, or a url with a table or a query"
            raise ValueError(msg)
        if self.url is not None and (self.table is None) == (self.query is None):
            msg = "a url must come with either a table or a query"
            raise ValueError(msg)
        if self.path is not None and (self.table is not None or self.query is not None):
            msg = "a path must come without a table and a query; remove them, or write a url in place of the path"
            raise ValueError(msg)
        return self


class SuppressionParams(SourceParams):
    """A list of people, one row each, by the id of their lead.

    NAME names the list, such as suppressed or objecting. Their rows are taken out of every table before anything else
    is done: they are in no training, no score, no message and no report, and their rows in the store are removed at the
    next scoring. A list that cannot be read stops the job.
    """


class LeadsParams(SourceParams):
    """The table of leads: a row for each lead or, with `valid_from`, a row for each state of a lead."""

    created_at: ColumnName = "created_at"
    """Column of the time at which the lead arrived. No snapshot of a lead is taken before it."""
    valid_from: ColumnName | None = None
    """Column of the time from which the values of the row hold, so that a lead can have a row for each change. Without
    it a snapshot shows the values of the export, which may have been filled in later (finding DT3)."""
    account: ColumnName | None = None
    """Column of the company or account. Leads of one account are never in both the training set and the holdout. Set it
    where several leads belong to one company."""


class ActivitiesParams(SourceParams):
    """The table of activities: what leads did or what was done with them, a row for each time."""

    occurred_at: ColumnName = "occurred_at"
    """Column of the time of the activity. Only activities before the snapshot are counted."""
    kind: ColumnName = "kind"
    """Column of the kind of activity, such as page_visit or call, whose values `features.activities.kinds` names."""
    channel: ColumnName | None = None
    """Column of the channel, such as e-mail or phone. With it, the number of distinct channels becomes a field for each
    window (`channels_7d`)."""
    message: ColumnName | None = None
    """Column of the id of the mail that the activity is about, for `features.activities.machines`."""
    agent: ColumnName | None = None
    """Column of the agent, the name that a browser or a mail program sends, for `features.activities.machines`."""
    address: ColumnName | None = None
    """Column of the network address of the activity, for `features.activities.machines`."""
    values: dict[WordForNumbers, ColumnName] = {}
    """Columns of numbers, such as the amount of an order, each by a word for it: `amount: order_total`. Numbers are
    kept to four decimal places and must lie between -1 and 1 billion; a number may be missing."""


class OutcomesParams(SourceParams):
    """The table of outcomes: what became of leads, a row for each event."""

    occurred_at: ColumnName = "occurred_at"
    """Column of the time of the outcome, from which labels and the population of a snapshot follow."""
    outcome: ColumnName = "outcome"
    """Column of the outcome: mql, sal, sql, opportunity, customer, evangelist, rejected, lost, churned, or a word of
    `names`. Where the table has no such column and all rows are of one outcome, write that outcome: `customer`."""
    names: dict[Annotated[Text, ValueName("word of the table")], OutcomeName] = {}
    """Words of the table that are no outcome of leadml, each with the outcome that it means: `Closed Won: customer`. An
    outcome of your own is declared the same way: `purchase: purchase`."""


class SourcesParams(Section):
    """The three tables of dated leads: leads, activities and outcomes.

    Leads without this section are flat: one file with a label for each lead (`data.path` and `target`).
    """

    leads: LeadsParams
    """Where the leads are and which columns have a role. Columns to learn from are declared in `features`."""
    activities: ActivitiesParams | None = None
    """Where the activities are and which columns have a role. Leave it out if there are none."""
    outcomes: OutcomesParams
    """Where the outcomes are and which columns have a role. All targets are read from this table."""
    observed_until: Date | None = None
    """Time up to which outcomes are complete, which is that of the export. Without it, the end of the regular records
    of outcomes is taken. Set it where outcomes are rare; a snapshot whose label is due later is not used."""


class DatedTargetParams(Section):
    """What is predicted of dated leads: whether an outcome is reached within a number of days after a snapshot.

    NAME names the model: 1 to 40 lower-case letters, digits and underscores, a letter first. Each target has a model of
    its own; `--target NAME` chooses one.
    """

    outcome: OutcomeName
    """Outcome to predict: mql, sal, sql, opportunity, customer, evangelist, rejected, lost, churned, or one of your own
    from `sources.outcomes.names`. An outcome further down the funnel counts too: a customer has been an sql."""
    horizon: Days
    """Days after the snapshot within which the outcome must be reached. Choose it so that most conversions fit in:
    `leadml check` shows how many leads convert by which age. A longer horizon leaves fewer mature snapshots."""
    settling: Annotated[int, Field(ge=0, le=3650)] = 0
    """Days after the horizon that leadml waits for late records before a label counts as final. Raise it if finding DT2
    warns that conversions were recorded too late; see decision 13."""
    population: Population = "open"
    """Leads that get snapshots and scores: `open` (neither lost, rejected nor churned) or `customers` (customers that
    have not churned). Use `customers` to predict churn or further purchases."""
    again: bool = False
    """Whether the outcome can be reached more than once, such as a purchase. If true, leads get snapshots after they
    have reached it, too."""
    drives: tuple[AdvisedStage, ...] | None = None
    """Stages whose cuts are solved on the probabilities of this target; `[]` is none. A single target drives all three
    by default; of several targets at least one must set this key, and a stage may have one target."""


class SnapshotParams(Section):
    """When snapshots of dated leads are taken for training: a snapshot is one lead as it was known at one time.

    A lead gets a snapshot on every date while it is in the population of the target; see decision 9.
    """

    every: DaysOrOnce = 7
    """Days between two snapshots of a lead. Raise it where leads change slowly or training takes too long; lower it
    only where days matter, since snapshots of one lead resemble each other. With `once` a lead gets one snapshot, at
    the first 0:00 after it came, and a scoring takes the leads that came since 0:00 of the day before: choose it where
    leads are judged when they arrive and never again, and score each day."""
    weekday: Weekday = "monday"
    """Day of the week of the first snapshots, taken at 0:00 in `data.timezone` or UTC. Choose the day on which you will
    score. Not used with `every: once`."""
    since: Date | None = None
    """First day of snapshots; without it, the day of the first lead. Set it to leave out an early period in which the
    tables were incomplete or all leads were young; see decision 11."""
    oldest: Days | None = None
    """Largest age of a lead in days; older leads get no snapshots and no scores, in either population. Set it where old
    leads are no longer worked."""
    most: Annotated[int, Field(ge=1000, le=1_000_000_000)] = 80_000
    """Largest number of snapshots in the training set; the holdout has at most a third as many. If there are more, they
    are drawn by a hash of lead and date. Raise it if memory and time allow."""


class ComputeParams(Section):
    """What computes the features of dated leads. No key of this section changes a number."""

    engine: Engine = "duckdb"
    """Engine that computes features: DuckDB is installed with leadml, Polars needs the extra `polars`. Both give the
    same features to the bit; see decision 10."""
    memory_gb: Annotated[float, Field(ge=0.2, le=10_000)] = 1.0
    """Gigabytes of memory that DuckDB may use before it writes to disk. Raise it on a large machine for speed. Polars
    does not read it."""
