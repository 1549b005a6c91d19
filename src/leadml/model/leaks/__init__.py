"""The leak gate: find fields that know the outcome (target leakage) before a model is fitted."""

from leadml.model.leaks.gate import find_leaks
from leadml.model.leaks.univariate_auc import field_scores

__all__ = ["field_scores", "find_leaks"]
