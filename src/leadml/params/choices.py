"""The sections of ``params.yaml`` on the data, the target and the use of a model.

A section refuses unknown keys and values out of range, and says what must hold. The sections of the fit are in
`leadml.params.fitting`, those of dated leads in `leadml.params.dated`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from leadml.errors import nearest
from leadml.params.address import DatabaseAddress
from leadml.params.criteria import FieldTest, LifecycleParams, RuleParams
from leadml.params.features import Kind
from leadml.params.rules import DropRule, Rule
from leadml.params.section import (
    ColumnName,
    DataPath,
    FieldName,
    FilePath,
    Section,
    Share,
    Text,
    ValueName,
    label_word,
)

MACHINE_ZONES = {"localtime", "posixrules", "Factory"}  # they mean another zone on another machine, or none


def _check_zone(name: str) -> str:
    if name not in available_timezones() - MACHINE_ZONES:
        msg = f"must be a time zone, got {name!r}; write UTC or Europe/Berlin for example"
        raise ValueError(msg)
    return name


def _check_delimiter(mark: str) -> str:
    if len(mark) != 1 or mark in "\"'\r\n\0":
        msg = f"must be one character and no quote or line end, got {mark!r}"
        raise ValueError(msg)
    return mark


def _check_date_format(value: Any) -> Any:
    for order in value.values() if isinstance(value, dict) else [value]:
        if order not in get_args(DateOrder):
            msg = f"must be day_first or month_first, for all columns or by column, got {order!r}"
            raise ValueError(msg)
    return value


DateOrder = Literal["day_first", "month_first"]
Zone = Annotated[str, AfterValidator(_check_zone), ValueName("time zone, such as Europe/Berlin")]
Delimiter = Annotated[str, AfterValidator(_check_delimiter), ValueName("one character")]
Encoding = Annotated[str, ValueName("encoding that Python knows")]
Name = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    ValueName("1 to 40 lower-case letters, digits and underscores, a letter first"),
]
DateFormat = Annotated[
    DateOrder | dict[ColumnName, DateOrder],
    BeforeValidator(_check_date_format),
    ValueName("`day_first`, `month_first`, or pairs of column and one of them"),
]
Auc = Annotated[float, Field(gt=0.5, le=1)]


class DataParams(Section):
    """Where flat leads are, and how files are written.

    Flat leads are one table with a row and a label for each lead. For dated leads `path`, `lead_id` and `created_at`
    have no use: `sources` declares the tables. The other keys hold for both.
    """

    path: DataPath | None = None
    """File or folder of flat leads, relative to params.yaml: CSV, TSV, JSON lines, each also with gzip or alone in a
    zip archive, Excel (extra `excel`) or Parquet. All files of a folder are read. Leave it out for dated leads."""
    delimiter: Delimiter = ","
    """Character between two values of a row of a CSV file that does not declare one by `sep=;` in its first line. Write
    `";"` for most exports of European spreadsheets. A file that ends in .tsv has tabs."""
    encoding: Encoding = "utf-8"
    """Encoding of files of text. Write `cp1252` for exports of older Windows programs, if reading stops at a byte that
    is not UTF-8."""
    sheet: Text | None = None
    """Sheet of an Excel workbook that holds the leads. It is needed if more than one sheet that is not hidden holds
    cells."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of numbers that are text. The other mark is read between thousands: with `","`, 1.167 is more than a
    thousand. A currency and a percent sign are read too, 12.5% as 0.125."""
    missing: tuple[Text, ...] = ()
    """Words that mean that a value is missing, such as `[NA, unknown]`. An empty value is always missing. Leave out a
    word that is an answer of its own."""
    lead_id: ColumnName | None = None
    """Column of the id of flat leads. Set it wherever there is an id: without it the number of the row serves, so
    scores can be joined to the same file only."""
    created_at: ColumnName | None = None
    """Column of the time at which the flat lead arrived. With it the newest leads are the holdout and folds
    follow time; without it the split is random and cannot show that the world changes."""
    timezone: Zone | None = None
    """Time zone of times that are written without one; while it is not set such times are refused. Snapshots are taken
    at its midnight. In the hour that clocks repeat, the later time is meant; a time that they skip is refused. A date
    without a time is the first instant of its day."""
    date_format: DateFormat | None = None
    """Order of day and month in dates such as `05.01.2024` or `1/5/2024 3:04 PM`, for all columns of times, or for some
    of them: `{created_at: day_first}`. While it is not set such dates are refused. ISO 8601, dates with English names
    of months, and seconds or milliseconds since 1970 are read without it."""


class TargetParams(Section):
    """What is predicted of flat leads, and how the file says it.

    Dated leads have `targets` in place of this section.
    """

    name: Name
    """Name of what is predicted. The folder of versions, the report and the MLflow model are called by it, so a new
    name begins a new model."""
    column: ColumnName
    """Column that says what became of the lead. It must be no feature, id or date."""
    positive: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Values of the column that mean that the lead converted, such as `[yes, won]`. In all three lists upper and lower
    case, and spaces around a value, make no difference."""
    negative: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Values of the column that mean that the lead did not convert. A value that is in none of the three lists is
    refused."""
    open: tuple[Text, ...] = ()
    """Values of leads whose outcome is still open, such as `[Open, Nurturing]`; `""` is the empty value. Such leads are
    left out of the training and counted; `leadml score FILE --open` scores them."""
    wait_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days that a lead has to convert, counted from `data.created_at` to the newest lead of the file. Younger leads are
    left out of the training, whatever the column says: most of them had no chance yet. Those that have not converted
    are scored as open. Set it if `negative` holds stages in which a lead
    may still convert; the days in which 95% of the conversions came are a good choice."""

    @model_validator(mode="after")
    def _check_disjoint(self) -> Self:
        words = [
            word for each in (self.positive, self.negative, self.open) for word in {label_word(word) for word in each}
        ]
        twice = sorted({word for word in words if words.count(word) > 1})
        if twice:
            msg = (
                f"a label value must be in one of positive, negative and open, got {twice[0]!r} twice (upper and lower "
                "case are the same)"
            )
            raise ValueError(msg)
        return self


class MoneyParams(Section):
    """What a contact costs and what a conversion brings, so that the effect of cuts can be told in money.

    No cut depends on it; the rule `value` has amounts of its own.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), ValueName("code of ISO 4217, such as EUR")] = "EUR"
    """Currency of both amounts, three capital letters."""
    contact_cost: Annotated[float, Field(ge=0)] | None = None
    """Cost of working one lead. Without it and `won_value`, only leads and conversions are told."""
    won_value: Annotated[float, Field(ge=0)] | None = None
    """Value of one conversion, in the same currency."""


class StageParams(Section):
    """The rule that solves the cut of each advised stage.

    A lead is in the highest stage whose cut its probability reaches. All three rules are required, and their cuts must
    rise from IQL to SQL. Cuts are solved on the training set, with out-of-fold probabilities. For dated leads, shares
    and rates are those of snapshots.
    """

    iql: Rule
    """Rule for the cut of the IQL (information-qualified lead), the widest stage."""
    mql: Rule
    """Rule for the cut of the MQL (marketing-qualified lead), between IQL and SQL."""
    sql: Rule
    """Rule for the cut of the SQL (sales-qualified lead), the narrowest stage."""
    drop: DropRule | None = None
    """Whom not to call: the leads below a cut that loses few conversions. null drops nobody."""
    crossing: Literal["refuse", "raise", "lower"] = "refuse"
    """What is done with a cut that is not above that of the stage below: `refuse` stops the training, `raise` raises it
    to that of the lower stage, `lower` lowers that of the lower stage to it. The lower stage is empty then."""
    money: MoneyParams = MoneyParams()
    """What a contact costs and a conversion brings, for what cuts cost and save."""
    rules: RuleParams = RuleParams()
    """The business's own rules, beside the model."""
    lifecycle: LifecycleParams = LifecycleParams()
    """How the stage of a lead changes over time."""


class PointsRule(FieldTest):
    """One rule of the point score that the team has used so far.

    A rule tests one field of `features.fit` or `features.engagement`. Points of all rules that hold are added up.
    """

    points: float
    """Points that a lead gets if the rule holds; negative points are allowed."""

    def check_field(self, kinds: dict[str, Kind]) -> None:
        """Refuse a rule whose field does not exist or is of a kind that the rule cannot test."""
        kind = kinds.get(self.field)
        if kind is None:
            msg = f"baselines.points must use fields of features, got {self.field!r}{nearest(self.field, kinds)}"
            raise ValueError(msg)
        if problem := self.problem(kind):
            msg = f"baselines.points: {problem}"
            raise ValueError(msg)


class BaselineParams(Section):
    """What the model is compared with, and what it starts from.

    The base rate, a logistic regression and Odoo's lead scoring are compared always; a point score only if it is given.
    """

    points: tuple[PointsRule, ...] = ()
    """Rules of the team's own point score. Give them if there is such a score: the report then says whether the model
    is better, and with few leads the model starts from them. How much they count is learnt."""


class LeakParams(Section):
    """From when on a field is suspected of a leak, that is, of knowing the outcome, and which suspects are accepted.

    A suspect stops the training, a weaker sign only warns. The AUC (area under the ROC curve) that is compared is the
    lower bound of a one-sided interval of 95%. Raise a limit only if honest fields are that good; accept a single field
    in `accept`. See decision 16.
    """

    alone: Auc = 0.95
    """AUC from which a field is a suspect if it is used alone (rule LK1). Raise it if a field that is known beforehand
    really ranks leads almost perfectly."""
    own: Auc = 0.7
    """AUC of what a field knows and all other fields together do not, from which the field is a suspect unless it
    behaves like a cause (rule LK3). From 0.62 on there is a warning. Raise it if training stops at honest fields."""
    together: Auc = 0.98
    """AUC of all fields together from which the tables themselves are suspects, for example because rows were removed
    by outcome (rule LK3). From 0.92 on there is a warning."""
    fill: Auc = 0.8
    """AUC of whether a field is filled, from which the field is a suspect (rule LK4). Lower it if your system fills
    fields in after the outcome; from 0.7 on there is a warning."""
    overlap: Annotated[Share, Field(alias="twins")] = 0.02
    """Train-test overlap: pairs of equal leads in training set and holdout, beyond those expected by chance, as a share
    of the holdout, from which the split is a suspect (rule LK9). It stops the training only if their labels agree as
    well. Raise it if equal leads are different people."""
    accept: dict[FieldName, Annotated[str, Field(min_length=10)]] = {}
    """Suspects that are no leak, each with the reason, which the model card repeats. A suspect is a field, or
    `lead_id`, `order`, `split` or `together` as the finding names it; accepted, it warns and does not stop."""


class ScoreParams(Section):
    """How leads are scored and what is shown of them. No key of this section changes a probability."""

    chunk_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Rows that are scored at a time. Lower it if memory is short, raise it for a little more speed."""
    reasons: Annotated[int, Field(ge=1, le=20)] = 3
    """Reasons that the table of scores shows for each lead, the strongest first. What they leave out is added up in
    `everything_else`."""
    explore: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of the leads below MQL that are marked to be worked anyway (column `explore`), drawn once for each lead or
    account; 0.02 to 0.05 is enough. Without it nobody learns what leads that the model advises against would do if
    sales worked them: `leadml review` says it then. 0 marks none."""
    explore_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of that draw. Another one marks other leads."""
    weigh_explored: bool = False
    """Whether a training learns what leads would do if all were worked: of the leads that `explore` drew from, those
    that were marked count 1 / `explore` times, and the others not at all, since nobody worked them. Set it once some
    hundreds of marked leads have their outcomes; with fewer, single leads decide. Flat leads need `data.lead_id` and
    `data.created_at`; leads created before any was explored count once."""


class TrackingParams(Section):
    """Whether and where each training is recorded in MLflow; see decision 6."""

    enabled: bool = True
    """Whether each training is recorded as a run in MLflow (extra `tracking`). Set it to false if MLflow is not
    installed or not wanted; versions are kept in `output.models` in any case."""
    store: FilePath = "mlflow.db"
    """SQLite file of MLflow, relative to params.yaml; it is created if it does not exist. Projects can share a file."""
    experiment: Annotated[str, ValueName("name of an experiment")] = "leadml"
    """Experiment of MLflow that the runs belong to. Give each project its own if they share a file."""


class StoreParams(Section):
    """Where the scores, stages and decisions of a project are kept, and for how long; `store: null` keeps none.

    Keeping scores until their outcome is known is what every later judgement of a model rests on; see decision 25.
    """

    url: DatabaseAddress = "sqlite:///leadml.db"
    """SQLAlchemy address of the store: a file of SQLite, relative to params.yaml, or PostgreSQL (extra `databases`),
    with secrets as `${NAME}` of the environment. It is made if it does not exist. Use PostgreSQL where jobs run on
    several machines."""
    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = 730
    """Days after which the scores of a batch are removed, though never before their outcomes are known; null keeps
    them. What people have a right to, and why two years, is in decision 25."""
