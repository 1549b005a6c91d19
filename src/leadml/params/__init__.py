"""Params: every choice of a project, and how it is read."""

from leadml.params.choices import (
    BaselineParams,
    CalibrationParams,
    DataParams,
    EvaluationParams,
    Group,
    Kind,
    LeakParams,
    LimitParams,
    ModelParams,
    Params,
    PointsRule,
    ScoreParams,
    SplitParams,
    StageParams,
)
from leadml.params.reading import load_params, parse_params
from leadml.params.rules import CapacityRule, FixedRule, PrecisionRule, RecallRule, Rule, ShareRule, ValueRule

__all__ = [
    "BaselineParams",
    "CalibrationParams",
    "CapacityRule",
    "DataParams",
    "EvaluationParams",
    "FixedRule",
    "Group",
    "Kind",
    "LeakParams",
    "LimitParams",
    "ModelParams",
    "Params",
    "PointsRule",
    "PrecisionRule",
    "RecallRule",
    "Rule",
    "ScoreParams",
    "ShareRule",
    "SplitParams",
    "StageParams",
    "ValueRule",
    "load_params",
    "parse_params",
]
