"""Every choice of a project, read from ``params.yaml`` and checked.

What enters is the file and the overrides of the command line; what leaves is one frozen value.
It refuses unknown keys and values out of range, and says file, line, key and the nearest key that exists.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leadml.errors import ParamsError, inert
from leadml.strict_yaml import Document, read_yaml, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Kind = Literal["number", "category", "boolean"]
Group = Literal["fit", "engagement"]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Section(BaseModel):
    """A section of ``params.yaml``: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataParams(Section):
    """Where the leads are and how their files are written."""

    path: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[Text, ...] = ()
    lead_id: str | None = None
    created_at: str | None = None
    timezone: str | None = None


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

    test_share: Annotated[float, Field(gt=0, lt=0.9)] = 0.25
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0)] = 0


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
        unknown = sorted({rule.field for rule in self.baselines.points} - set(used))
        if unknown:
            msg = f"baselines.points must use fields of features, got {unknown[0]!r}{_nearest(unknown[0], used)}"
            raise ValueError(msg)
        return self


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Return the choices of a project.

    Parameters
    ----------
    path
        A ``params.yaml``.
    overrides
        ``section.key=value``, each replacing one value of the file.

    Raises
    ------
    ParamsError
        One line a fault, with file, line, key and the nearest key that exists.
    """
    if not path.is_file():
        msg = f"{path}: there is no such file; make one with leadml init FILE, or name one with --params"
        raise ParamsError(msg)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: must be UTF-8, got byte {text_byte(error)} at {error.start}"
        raise ParamsError(msg) from None
    return parse_params(text, name=str(path), overrides=overrides)


def text_byte(error: UnicodeDecodeError) -> str:
    """Return the byte that could not be decoded, in hexadecimal."""
    return f"0x{error.object[error.start]:02x}"


def parse_params(text: str, *, name: str = "params.yaml", overrides: Sequence[str] = ()) -> Params:
    """Return the choices that a YAML text and its overrides make; see `load_params`."""
    document = read_yaml(text, name=name)
    if not isinstance(document.data, dict):
        msg = f"{name}:1: must hold sections, got {type(document.data).__name__}"
        raise ParamsError(msg)
    for override in overrides:
        _set(document.data, override)
    try:
        return Params.model_validate(document.data)
    except ValidationError as error:
        changed = [override.partition("=")[0].strip() for override in overrides]
        lines = [_line(fault, document, name, changed) for fault in error.errors(include_url=False)]
        raise ParamsError("\n".join(dict.fromkeys(lines))) from None


def _set(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.strip().split(".", maxsplit=2)
    if not equals or not sections or not last:
        msg = f"--set must be section.key=value, got '{inert(override)}'"
        raise ParamsError(msg)
    at = data
    for section in sections:
        below = at.setdefault(section, {})
        if not isinstance(below, dict):
            msg = f"--set {inert(override)}: {inert(section)} holds one value and no keys"
            raise ParamsError(msg)
        at = below
    parsed = read_yaml(value, name=f"--set {inert(key)}").data if value[:1] in "[{" else scalar(value)
    at[last] = parsed


def _line(fault: Any, document: Document, name: str, changed: Sequence[str]) -> str:
    path = tuple(part for part in fault["loc"] if not _is_tag(part))
    key = ".".join(str(part) for part in path) or "params"
    where = next((f"--set {inert(text)}" for text in changed if key.startswith(text)), None)
    if where is None:
        known = (path[:length] for length in range(len(path), -1, -1) if path[:length] in document.lines)
        where = f"{name}:{document.lines.get(next(known, ()), 1)}"
    if fault["type"] == "extra_forbidden":
        return f"{where}: {inert(key)} is not a key of leadml{_nearest(str(path[-1]), _siblings(path))}"
    if fault["type"] == "missing":
        return f"{where}: {key} must be there; add it"
    message = fault["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    got = "" if isinstance(fault["input"], dict) or "got" in message else f", got {inert(repr(fault['input']))}"
    return f"{where}: {inert(key)}: {message}{got}"


def _is_tag(part: str | int) -> bool:
    return part in {"precision", "recall", "capacity", "share", "value", "fixed"}


def _siblings(path: tuple[str | int, ...]) -> list[str]:
    fields: Any = Params.model_fields
    for part in path[:-1]:
        annotation = fields[part].annotation if part in fields else None
        if annotation is None or not hasattr(annotation, "model_fields"):
            rules = (PrecisionRule, RecallRule, CapacityRule, ShareRule, ValueRule, FixedRule)
            shown = rules if path[0] == "stages" else (PointsRule,)
            return sorted({key for section in shown for key in section.model_fields})
        fields = annotation.model_fields
    return sorted(fields)


def _nearest(name: str, names: Any) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; the nearest is {close[0]!r}" if close else ""
