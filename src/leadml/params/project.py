"""All choices of a project in one value that cannot be changed.

It refuses choices that contradict each other: flat and dated leads at once, a field in two roles, a stage with two
targets.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from leadml.errors import nearest
from leadml.params.choices import (
    BaselineParams,
    DataParams,
    LeakParams,
    Name,
    ScoreParams,
    StageParams,
    StoreParams,
    TargetParams,
    TrackingParams,
)
from leadml.params.dated import (
    FUNNEL,
    OUTCOMES,
    AdvisedStage,
    ComputeParams,
    DatedTargetParams,
    SnapshotParams,
    SourcesParams,
    SuppressionParams,
)
from leadml.params.features import FeatureParams
from leadml.params.fitting import CalibrationParams, EvaluationParams, LimitParams, ModelParams, SplitParams
from leadml.params.gate import GateParams
from leadml.params.output import OutputParams
from leadml.params.review import ReviewParams
from leadml.params.section import Section, normal_name

START = "starting point"
RESERVED = frozenset(
    [
        "lead",
        "lead_id",
        "created_at",
        "recorded_at",
        "valid_from",
        "converted",
        "split_key",
        "as_of",
        "mature_at",
        START,
    ]
)
LEAD_ROLES = ("lead_id", "created_at", "recorded_at", "valid_from", "account")
TIME_ROLES = ("created_at", "recorded_at", "valid_from", "occurred_at")


class Params(Section):
    """All choices of a project, a field for each section."""

    data: DataParams = DataParams()
    target: TargetParams | None = None
    sources: SourcesParams | None = None
    targets: dict[Name, DatedTargetParams] = {}
    snapshots: SnapshotParams = SnapshotParams()
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
    compute: ComputeParams = ComputeParams()
    tracking: TrackingParams = TrackingParams()
    suppression: dict[Name, SuppressionParams] = {}
    store: StoreParams | None = StoreParams()
    review: ReviewParams = ReviewParams()
    gate: GateParams = GateParams()
    output: OutputParams = OutputParams()

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of all targets, in the order of ``params.yaml``."""
        return tuple(self.targets) if self.target is None else (self.target.name,)

    def as_written(self) -> dict[str, Any]:
        """Return all choices as plain data, under the names that ``params.yaml`` writes, for hashes and records."""
        return self.model_dump(mode="json", by_alias=True)

    def as_changed(self) -> dict[str, Any]:
        """Return the choices that differ from the defaults, as `as_written` does."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def drives(self, target: str) -> tuple[AdvisedStage, ...]:
        """Return the stages whose cuts are solved on the probabilities of a target."""
        drives = self.targets[target].drives if target in self.targets else None
        if drives is not None:
            return drives
        return ("iql", "mql", "sql") if len(self.target_names) == 1 else ()

    @model_validator(mode="after")
    def _check_flat_or_dated(self) -> Self:
        flat, dated = (self.data.path, self.target), (self.sources, self.targets or None)
        if None in flat and None in dated:
            msg = "flat leads need data.path and target; dated leads need sources and targets"
            raise ValueError(msg)
        if any(part is not None for part in flat) and any(part is not None for part in dated):
            msg = "leads must be flat (data.path and target) or dated (sources and targets), got parts of both"
            raise ValueError(msg)
        if self.features.activities.kinds and (self.sources is None or self.sources.activities is None):
            msg = "features.activities.kinds must have sources.activities to count, got none"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_targets(self) -> Self:
        names = {*OUTCOMES, *(self.sources.outcomes.names.values() if self.sources else ())}
        driven = [stage for target in self.target_names for stage in self.drives(target)]
        for name, target in self.targets.items():
            if target.outcome not in names:
                msg = f"targets.{name}.outcome must be {', '.join(OUTCOMES)} or a word of sources.outcomes.names, got "
                raise ValueError(msg + repr(target.outcome) + nearest(target.outcome, names))
            if target.outcome == "churned" and target.population == "open":
                msg = f"targets.{name}: churned is reached by customers; set population: customers"
                raise ValueError(msg)
            if target.population == "customers" and target.outcome in FUNNEL[:5] and not target.again:
                msg = f"targets.{name}: customers have reached {target.outcome} already; set population: open"
                raise ValueError(msg)
            if target.population == "customers" and self.snapshots.every == "once":
                msg = f"snapshots.every must be a number of days where targets.{name} is of customers, got 'once'"
                raise ValueError(msg)
            twice = next((stage for stage in self.drives(name) if driven.count(stage) > 1), None)
            if twice is not None:
                msg = f"targets.{name}.drives must hold no stage that another target drives, got {twice} in both"
                raise ValueError(msg)
        if len(self.targets) > 1 and all(target.drives is None for target in self.targets.values()):
            msg = f"targets.{name}: one of several targets must drive the stages; write drives: [iql, mql, sql] or []"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        roles = {"data.lead_id": self.data.lead_id, "data.created_at": self.data.created_at}
        if self.target is not None:
            roles["target.column"] = self.target.column
        if self.sources is not None:
            leads = self.sources.leads
            roles = {f"sources.leads.{role}": getattr(leads, role) for role in LEAD_ROLES}
        used = {**self.features.fit, **self.features.engagement}
        features = {normal_name(name) for name in used}  # the form in which columns are compared
        for role, name in roles.items():
            if name is not None and normal_name(name) in features:
                msg = f"{role} is {name!r}, so {name!r} must not be a feature too"
                raise ValueError(msg)
        derived = {normal_name(name) for name in self.features.derived.columns}
        if self.target is not None and normal_name(self.target.column) in derived:
            msg = f"target.column is {self.target.column!r}, so no feature must be derived from it"
            raise ValueError(msg)
        if self.target is not None and self.target.column in {self.data.lead_id, self.data.created_at}:
            msg = f"target.column must be a column of its own, got {self.target.column!r}"
            raise ValueError(msg)
        kinds = {START} & set(self.features.activities.kinds)
        taken = sorted(features & RESERVED | kinds)
        if taken:
            msg = f"a feature must not be called {taken[0]!r}, which leadml uses itself; rename it"
            raise ValueError(msg)
        for rule in self.baselines.points:
            rule.check_field(used)
        return self

    @model_validator(mode="after")
    def _check_date_format(self) -> Self:
        if isinstance(self.data.date_format, dict):
            tables: list[Section | None] = [self.data]
            if self.sources is not None:
                tables = [self.sources.leads, self.sources.activities, self.sources.outcomes]
            found = [getattr(table, role, None) for table in tables for role in TIME_ROLES]
            columns = {normal_name(name) for name in found if name}
            unknown = next((name for name in self.data.date_format if normal_name(name) not in columns), None)
            if unknown is not None:
                msg = f"data.date_format must name columns of times, got {unknown!r}{nearest(unknown, columns)}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_wait(self) -> Self:
        if self.target is not None and self.target.wait_days is not None and self.data.created_at is None:
            msg = "target.wait_days needs data.created_at, from which the days are counted"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_exploration(self) -> Self:
        if self.score.weigh_explored and self.sources is None and None in {self.data.lead_id, self.data.created_at}:
            msg = (
                "score.weigh_explored needs data.lead_id and data.created_at, by which explored leads are found among "
                "those of the training"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        used = {**self.features.fit, **self.features.engagement}
        numbers = [name for name, kind in used.items() if kind == "number"]
        cuts = {stage: getattr(self.stages, stage) for stage in ("iql", "mql", "sql")}
        for stage, name in ((stage, name) for stage, cut in cuts.items() for name in cut.columns):
            if name not in numbers:
                msg = f"stages.{stage} must use numbers of features, got {name!r}{nearest(name, numbers)}"
                raise ValueError(msg)
        return self
