"""Fields that seem to know the outcome."""

from leadml.model.leaks.evidence import Evidence
from leadml.model.leaks.gate import find_leaks
from leadml.model.leaks.power import field_scores

__all__ = ["Evidence", "field_scores", "find_leaks"]
