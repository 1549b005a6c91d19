"""Every choice of a project.

What enters is plain data; what leaves is one frozen value that every room reads.
It refuses unknown keys, values out of range, and choices that contradict each other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leadml.errors import nearest

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]

RESERVED = frozenset({"lead_id", "created_at", "converted"})


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


class Section(BaseModel):
    """A section of ``params.yaml``: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataParams(Section):
    """Where the leads are and how their files are written."""

    path: str
    delimiter: Delimiter = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[Text, ...] = ()
    lead_id: str | None = None
    created_at: str | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None


class TargetParams(Section):
    """What is predicted and how the file says it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    column: str
    positive: Annotated[tuple[Text, ...], Field(min_length=1)]
    negative: Annotated[tuple[Text, ...], Field(min_length=1)]

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
    engagement: dict[str, Kind] = {}
    excluded: dict[str, str] = {}

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
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class LimitParams(Section):
    """How little is too little to learn from."""

    min_leads: Count = 1000
    min_conversions: Count = 120
    allow_small: bool = False


class ModelParams(Section):
    """How the additive model is fitted."""

    min_level_count: Count = 20
    max_levels: Annotated[int, Field(ge=1, le=255)] = 50
    leaves: Annotated[int, Field(ge=2, le=64)] = 4
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    max_rounds: Annotated[int, Field(ge=10, le=20_000)] = 1000
    patience: Count = 100
    min_leads_per_leaf: Count = 20
    l2: Annotated[float, Field(ge=0)] = 5.0
    field_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    bins: Annotated[int, Field(ge=3, le=255)] = 63
    linear_strengths: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (0.01, 0.1, 1.0)
    threads: Annotated[int, Field(ge=0)] = 0


class CalibrationParams(Section):
    """Which calibrations are tried."""

    methods: Annotated[tuple[Literal["none", "sigmoid", "beta", "isotonic"], ...], Field(min_length=1)] = (
        "none",
        "sigmoid",
        "beta",
        "isotonic",
    )
    isotonic_min_conversions: Count = 1000


class PrecisionRule(Section):
    """The lowest cut whose leads convert at this rate or better."""

    rule: Literal["precision"]
    at_least: Share
    confidence: Share = 0.9


class RecallRule(Section):
    """The highest cut that still reaches this share of the converters."""

    rule: Literal["recall"]
    at_least: Share
    confidence: Share = 0.9


class CapacityRule(Section):
    """The lowest cut that sends no more leads than the team can work."""

    rule: Literal["capacity"]
    leads_per_week: Annotated[float, Field(gt=0)]
    incoming_per_week: Annotated[float, Field(gt=0)]


class ShareRule(Section):
    """The cut that lets this share of the leads in."""

    rule: Literal["share"]
    top: Share


class ValueRule(Section):
    """The cut from which a contact earns more than it costs."""

    rule: Literal["value"]
    contact_cost: Annotated[float, Field(gt=0)]
    won_value: Annotated[float, Field(gt=0)]


class FixedRule(Section):
    """A cut that somebody has chosen."""

    rule: Literal["fixed"]
    probability: Share


Rule = Annotated[
    PrecisionRule | RecallRule | CapacityRule | ShareRule | ValueRule | FixedRule, Field(discriminator="rule")
]


class StageParams(Section):
    """The rule that solves each advised stage's cut."""

    iql: Rule
    mql: Rule
    sql: Rule


class EvaluationParams(Section):
    """How sure the figures of the evaluation must say they are."""

    draws: Annotated[int, Field(ge=50, le=10_000)] = 300
    confidence: Share = 0.95


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


class BaselineParams(Section):
    """What the model must beat."""

    points: tuple[PointsRule, ...] = ()


class LeakParams(Section):
    """When a field is suspected to know the outcome, and which suspects are accepted and why."""

    alone: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    lift: Annotated[float, Field(gt=0, le=0.5)] = 0.08
    accept: dict[str, Annotated[str, Field(min_length=10)]] = {}


class ScoreParams(Section):
    """How leads are scored and shown."""

    chunk_rows: Annotated[int, Field(ge=1)] = 50_000
    reasons: Annotated[int, Field(ge=1, le=20)] = 3


class TrackingParams(Section):
    """Where the training is written down."""

    enabled: bool = True
    store: str = "mlflow.db"
    experiment: str = "leadml"


class OutputParams(Section):
    """Where bundles and reports are written."""

    models: str = "models"
    reports: str = "reports"


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
        unknown = sorted({rule.field for rule in self.baselines.points} - set(used))
        if unknown:
            msg = f"baselines.points must use fields of features, got {unknown[0]!r}{nearest(unknown[0], used)}"
            raise ValueError(msg)
        return self
