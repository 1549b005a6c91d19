"""The choices of each step that flat and dated leads share.

What enters is plain data; what leaves is one frozen section a step.
It refuses unknown keys and values out of range.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from leadml.errors import nearest
from leadml.params.address import no_password
from leadml.params.features import Kind
from leadml.params.rules import Rule
from leadml.params.section import Section, Share, Text

Calibration = Literal["none", "sigmoid", "beta", "isotonic"]
Base = Literal["none", "linear"]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        msg = f"must be a time zone, got {name!r}; write UTC or Europe/Berlin for example"
        raise ValueError(msg) from None
    return name


def _delimiter(mark: str) -> str:
    if len(mark) != 1 or mark in "\"'\r\n\0":
        msg = f"must be one character and no quote or line end, got {mark!r}"
        raise ValueError(msg)
    return mark


Delimiter = Annotated[str, AfterValidator(_delimiter)]


class DataParams(Section):
    """Where the leads are and how their files are written."""

    path: str | None = None
    """File or folder of flat leads, CSV or Parquet, relative to params.yaml; dated leads have sources."""
    delimiter: Delimiter = ","
    """Between the values of a CSV row."""
    encoding: str = "utf-8"
    """Of CSV files."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of numbers in CSV files."""
    missing: tuple[Text, ...] = ()
    """Words that mean "not known", beside the empty one."""
    lead_id: str | None = None
    """Column of the id; without one the number of the row serves."""
    created_at: str | None = None
    """Column of the instant at which the lead came, ISO 8601; with it the newest leads are kept aside."""
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    """Zone of times that have none; of a time that its clocks show twice the later is meant, a skipped one refused."""


class TargetParams(Section):
    """What is predicted and how the file says it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """What is predicted: the name of versions, pages and MLflow's model."""
    column: str
    """Column that says what became of the lead."""
    positive: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Its values for leads that converted."""
    negative: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Its values for leads that did not; any other value is refused."""

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        both = sorted(set(self.positive) & set(self.negative))
        if both:
            msg = f"a label value must be positive or negative, got {both[0]!r} in both"
            raise ValueError(msg)
        return self


class SplitParams(Section):
    """Which leads are kept aside and how the others are folded."""

    test_share: Annotated[float, Field(ge=0.01, le=0.9)] = 0.25
    """Share of the leads kept aside for the evaluation."""
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Parts of the other leads; each is judged by models that did not see it."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of the hash that divides ids, and of the bootstrap."""


class LimitParams(Section):
    """How little is too little to learn from."""

    min_leads: Count = 1000
    """Leads; fewer are refused."""
    min_conversions: Count = 120
    """Leads of each kind; fewer are refused."""
    allow_small: bool = False
    """Train all the same, and stamp the report."""


class ModelParams(Section):
    """How the additive model is fitted."""

    min_level_count: Count = 20
    """Leads; a level of a category that fewer have is "other"."""
    max_levels: Annotated[int, Field(ge=1, le=255)] = 255
    """Levels of a category that are kept, the most frequent ones."""
    leaves: Annotated[tuple[Annotated[int, Field(ge=2, le=64)], ...], Field(min_length=1)] = (8,)
    """Leaves of a tree, to choose from: the fewest that lose no more than the best by a standard error; of 2 the trees
    combine no fields."""
    bases: Annotated[tuple[Base, ...], Field(min_length=1)] = ("none", "linear")
    """What the trees are grown on, to choose from: nothing, or the linear part, to add what it lacks."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Of the trees."""
    max_rounds: Annotated[int, Field(ge=10, le=20_000)] = 1500
    """Trees of a booster at most; how many is chosen by the folds."""
    patience: Count = 60
    """Rounds without gain after which no more are tried."""
    budget: Annotated[float, Field(gt=0)] = 30.0
    """Billions of values (leads times fields times rounds) that choosing among trees may look at; then the best yet
    is taken."""
    boosters: Annotated[int, Field(ge=1, le=64)] = 1
    """Boosters that are averaged and written as one."""
    min_leads_per_leaf: Count = 20
    """Leads."""
    leaf_penalties: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (50.0, 5.0)
    """Penalties on the squared values of leaves, to choose from: the strongest that loses no more than the best by a
    standard error."""
    field_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the fields that each tree may use."""
    bins: Annotated[int, Field(ge=3, le=255)] = 63
    """Steps of a number that a tree can tell apart."""
    linear_strengths: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (0.01, 0.1, 1.0)
    """Inverse penalties of the linear part to choose from; larger trusts the data more."""
    half_lives: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)] = (0.0, 0.25, 0.0625)
    """Share of the leads, the newest, after which a lead counts half in the linear part, to choose from where leads
    have dates; 0 lets all count alike. Each strength is tried with the first, the others with the best strength."""
    directions: dict[str, Literal["rises", "falls"]] = {}
    """Numbers and booleans with which the probability may only rise, or only fall."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads; 0 for all. Changes no number."""


class CalibrationParams(Section):
    """Which calibrations are tried."""

    methods: Annotated[tuple[Calibration, ...], Field(min_length=1)] = ("none", "sigmoid", "beta", "isotonic")
    """Calibrations to choose from."""
    interval: Share = 0.9
    """Share of leads whose true probability lies from probability_low to probability_high, as far as can be told."""
    isotonic_min_conversions: Count = 1000
    """Conversions below which isotonic calibration is not tried."""


class StageParams(Section):
    """The rule that solves each advised stage's cut."""

    iql: Rule
    """Rule of the cut of IQL."""
    mql: Rule
    """Rule of the cut of MQL."""
    sql: Rule
    """Rule of the cut of SQL."""


class EvaluationParams(Section):
    """How sure the figures of the evaluation must say they are."""

    draws: Annotated[int, Field(ge=50, le=10_000)] = 300
    """Bootstrap draws."""
    confidence: Share = 0.95
    """Of the intervals."""


class PointsRule(Section):
    """Points that a lead is given by the rule the team has used so far."""

    field: str
    """Field of features that the rule looks at."""
    points: float
    """Points that a lead is given for which the rule holds."""
    any_of: tuple[Text, ...] | None = None
    """Levels of a category, one of which the lead must have."""
    at_least: float | None = None
    """Smallest number for which the rule holds; false is 0, true is 1."""
    at_most: float | None = None
    """Largest number for which the rule holds."""

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (self.any_of is None) == (self.at_least is None and self.at_most is None):
            msg = "a points rule must have any_of, or at_least and at_most or one of them"
            raise ValueError(msg)
        return self

    def check_field(self, kinds: dict[str, Kind]) -> None:
        """Refuse a rule whose field is not there or is of a kind that the rule cannot test."""
        kind = kinds.get(self.field)
        if kind is None:
            msg = f"baselines.points must use fields of features, got {self.field!r}{nearest(self.field, kinds)}"
            raise ValueError(msg)
        if (kind == "category") != (self.any_of is not None):
            needed = "any_of" if kind == "category" else "at_least or at_most (false is 0, true is 1)"
            msg = f"baselines.points: {self.field!r} is a {kind}, so its rule must have {needed}"
            raise ValueError(msg)


class BaselineParams(Section):
    """What the model must beat."""

    points: tuple[PointsRule, ...] = ()
    """The team's rule: field, points, and any_of (levels) or at_least, at_most (numbers)."""


class LeakParams(Section):
    """When a field is suspected to know the outcome, and which suspects are accepted and why."""

    alone: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    """ROC AUC of a field alone from which it is a suspect."""
    own: Annotated[float, Field(gt=0.5, le=1)] = 0.7
    """ROC AUC of what a field knows and all others together do not, from which it is a suspect."""
    together: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    """ROC AUC of all fields together from which the tables are suspects; from 0.92 on it is said."""
    fill: Annotated[float, Field(gt=0.5, le=1)] = 0.8
    """ROC AUC of whether a field is filled from which it is a suspect."""
    twins: Share = 0.02
    """Share of the leads kept aside that may be copies of leads to learn from."""
    accept: dict[str, Annotated[str, Field(min_length=10)]] = {}
    """Suspects that are none: field and reason (10 letters or more), repeated in the model card."""


class ScoreParams(Section):
    """How leads are scored and shown."""

    chunk_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Rows at a time."""
    reasons: Annotated[int, Field(ge=1, le=20)] = 3
    """Reasons that a row shows."""


class TrackingParams(Section):
    """Where the training is written down."""

    enabled: bool = True
    """File each training in MLflow."""
    store: str = "mlflow.db"
    """MLflow's SQLite file, relative to params.yaml."""
    experiment: str = "leadml"
    """MLflow's experiment."""


class OutputParams(Section):
    """Where bundles and reports are written."""

    models: str = "models"
    """Folder of versions, relative to params.yaml."""
    reports: str = "reports"
    """Folder of reports, relative to params.yaml."""
    database: Annotated[str, AfterValidator(no_password)] | None = None
    """SQLAlchemy's address of a database that scores can be written to; secrets as ${NAME} of the environment."""
    table: str = "scored"
    """Table of the database, with its schema where it needs one."""
