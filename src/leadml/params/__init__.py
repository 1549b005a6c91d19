"""Read and check every choice of a project: the sections of ``params.yaml``."""

from leadml.params.choices import (
    BaselineParams,
    DataParams,
    LeakParams,
    PointsRule,
    ScoreParams,
    StageParams,
    TargetParams,
)
from leadml.params.criteria import FieldTest, LifecycleParams, RuleParams, StageRules
from leadml.params.dated import (
    FUNNEL,
    OUTCOMES,
    ActivitiesParams,
    ComputeParams,
    DatedTargetParams,
    LeadsParams,
    OutcomesParams,
    SnapshotParams,
    SourceParams,
    SourcesParams,
)
from leadml.params.features import ActivityParams, DerivedParams, FeatureParams, Group, Kind, MachineParams
from leadml.params.fitting import (
    CalibrationParams,
    EvaluationParams,
    LimitParams,
    ModelParams,
    PersonColumns,
    SplitParams,
)
from leadml.params.project import Params
from leadml.params.reading import load_params, parse_params
from leadml.params.rules import RULES, CapacityRule, FixedRule, PrecisionRule, RecallRule, Rule, ShareRule, ValueRule
from leadml.params.section import label_word, normal_name

__all__ = [
    "FUNNEL",
    "OUTCOMES",
    "RULES",
    "ActivitiesParams",
    "ActivityParams",
    "BaselineParams",
    "CalibrationParams",
    "CapacityRule",
    "ComputeParams",
    "DataParams",
    "DatedTargetParams",
    "DerivedParams",
    "EvaluationParams",
    "FeatureParams",
    "FieldTest",
    "FixedRule",
    "Group",
    "Kind",
    "LeadsParams",
    "LeakParams",
    "LifecycleParams",
    "LimitParams",
    "MachineParams",
    "ModelParams",
    "OutcomesParams",
    "Params",
    "PersonColumns",
    "PointsRule",
    "PrecisionRule",
    "RecallRule",
    "Rule",
    "RuleParams",
    "ScoreParams",
    "ShareRule",
    "SnapshotParams",
    "SourceParams",
    "SourcesParams",
    "SplitParams",
    "StageParams",
    "StageRules",
    "TargetParams",
    "ValueRule",
    "label_word",
    "load_params",
    "normal_name",
    "parse_params",
]
