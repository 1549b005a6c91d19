"""One reason to suspect one field, and how it becomes a finding.

What enters is a rule's judgement; what leaves is a finding that stops, or that warns where the suspect is accepted.
It never drops the evidence: an accepted suspect is repeated with the reason why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from leadml.leads.findings import Finding

if TYPE_CHECKING:
    from leadml.params import LeakParams

STOP_REMEDY = (
    "is a suspected leak: move it to features.excluded, or name it in leaks.accept with the reason why it is not"
)
WARN_REMEDY = "see when it is filled in: what is known only after the outcome belongs in features.excluded"


@dataclass(frozen=True)
class Suspicion:
    """A reason to suspect a field.

    Parameters
    ----------
    code
        Of the rule.
    severity
        ``stop`` or ``warn``.
    evidence
        What was seen, with numbers.
    field
        Whom it is about: a field, or the name by which it can be accepted.
    remedy
        What to do; empty where it is what is done about any field.
    """

    code: str
    severity: Literal["stop", "warn"]
    evidence: str
    field: str
    remedy: str = ""

    def saying(self, more: str) -> Suspicion:
        """Return the same suspicion with more evidence."""
        return replace(self, evidence=f"{self.evidence}; {more}")

    def finding(self, leaks: LeakParams) -> Finding:
        """Return the finding: a warning where the field is accepted."""
        reason = leaks.accept.get(self.field)
        if reason:
            return Finding(self.code, "warn", f"{self.evidence}; accepted: {reason}", field=self.field)
        usual = STOP_REMEDY if self.severity == "stop" else WARN_REMEDY
        return Finding(self.code, self.severity, self.evidence, self.remedy or usual, self.field)
