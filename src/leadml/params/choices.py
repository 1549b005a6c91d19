"""Every choice of a project.

What enters is plain data; what leaves is one frozen value that every room reads.
It refuses unknown keys, values out of range, and choices that contradict each other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from leadml.errors import nearest
from leadml.params.rules import Rule
from leadml.params.section import Section, Share

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Calibration = Literal["none", "sigmoid", "beta", "isotonic"]
Count = Annotated[int, Field(ge=1)]

RESERVED = frozenset({"lead_id", "created_at", "converted", "split_key", "starting point"})


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


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


Text = Annotated[str, BeforeValidator(_as_text)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]


class DataParams(Section):
    """Where the leads are and how their files are written."""

    path: str
    """File or folder of leads, CSV or Parquet, relative to params.yaml."""
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
    """Zone of times that have none."""


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


class FeatureParams(Section):
    """The fields that the model may use, in two groups, and those it must not."""

    fit: dict[str, Kind] = {}
    """What the lead is: field and kind (number, category, boolean)."""
    engagement: dict[str, Kind] = {}
    """What the lead does or was done with it: field and kind."""
    excluded: dict[str, str] = {}
    """What must not be used: field and reason."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [*self.fit, *self.engagement, *self.excluded]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"a field must be in one group, got {twice[0]!r} in two"
            raise ValueError(msg)
        if not self.fit and not self.engagement:
            msg = "at least one field must be in fit or engagement"
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
    max_levels: Annotated[int, Field(ge=1, le=255)] = 50
    """Levels of a category that are kept, the most frequent ones."""
    leaves: Annotated[int, Field(ge=2, le=64)] = 4
    """Leaves of a tree."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Of the trees."""
    max_rounds: Annotated[int, Field(ge=10, le=20_000)] = 1000
    """Trees at most; how many is chosen by the folds."""
    patience: Count = 100
    """Rounds without gain after which no more are tried."""
    min_leads_per_leaf: Count = 20
    """Leads."""
    l2: Annotated[float, Field(ge=0)] = 5.0
    """Penalty on the squared values of leaves."""
    field_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the columns that each tree may use."""
    bins: Annotated[int, Field(ge=3, le=255)] = 63
    """Steps of a number that a tree can tell apart."""
    linear_strengths: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (0.01, 0.1, 1.0)
    """Inverse penalties of the linear part to choose from; larger trusts the data more."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Threads; 0 for all. Changes no number."""


class CalibrationParams(Section):
    """Which calibrations are tried."""

    methods: Annotated[tuple[Calibration, ...], Field(min_length=1)] = ("none", "sigmoid", "beta", "isotonic")
    """Calibrations to choose from."""
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
    points: float
    any_of: tuple[Text, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None

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
    lift: Annotated[float, Field(gt=0, le=0.5)] = 0.08
    """ROC AUC that a field may add to all others before it is a suspect, where alone it beats them all."""
    accept: dict[str, Annotated[str, Field(min_length=10)]] = {}
    """Suspects that are none: field and reason (10 letters or more), repeated in the model card."""


class ScoreParams(Section):
    """How leads are scored and shown."""

    chunk_rows: Annotated[int, Field(ge=1)] = 50_000
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


class Params(Section):
    """All choices of one project."""

    data: DataParams
    target: TargetParams
    features: FeatureParams
    stages: StageParams
    split: SplitParams = SplitParams()
    limits: LimitParams = LimitParams()
    model: ModelParams = ModelParams()
    calibration: CalibrationParams = CalibrationParams()
    evaluation: EvaluationParams = EvaluationParams()
    baselines: BaselineParams = BaselineParams()
    leaks: LeakParams = LeakParams()
    score: ScoreParams = ScoreParams()
    tracking: TrackingParams = TrackingParams()
    output: OutputParams = OutputParams()

    @model_validator(mode="after")
    def _roles(self) -> Self:
        roles = {"target.column": self.target.column, "data.lead_id": self.data.lead_id}
        roles["data.created_at"] = self.data.created_at
        used = {**self.features.fit, **self.features.engagement}
        for role, name in roles.items():
            if name in used:
                msg = f"{role} is {name!r}, so {name!r} must not be a feature too"
                raise ValueError(msg)
        if self.target.column in {self.data.lead_id, self.data.created_at}:
            msg = f"target.column must be a column of its own, got {self.target.column!r}"
            raise ValueError(msg)
        taken = sorted(set(used) & RESERVED)
        if taken:
            msg = f"a feature must not be called {taken[0]!r}, which leadml uses itself; rename the column"
            raise ValueError(msg)
        for rule in self.baselines.points:
            rule.check_field(used)
        return self
