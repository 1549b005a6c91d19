"""One reason to suspect one field, and how it becomes a finding.

What enters is a rule's judgement; what leaves is a finding that stops, or that warns where the suspect is accepted.
It never drops the evidence: an accepted suspect is repeated with the reason why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from leadml.leads.judge.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection

    from leadml.params import LeakParams

STOP_REMEDY = (
    "is a suspected leak: move it to features.excluded, or name it in leaks.accept with the reason why it is not"
)
WARN_REMEDY = "see when it is filled in: what is known only after the outcome belongs in features.excluded"
STOP_ACTIVITIES = (
    "is a suspected leak: leave out the activities that it counts, or name it in leaks.accept with the reason why it "
    "is not"
)
WARN_ACTIVITIES = "see when its activities are entered: those that are dated back must have the instant of recording"


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

    def finding(self, leaks: LeakParams, *, activities: Collection[str] = ()) -> Finding:
        """Return the finding: a warning where the field is accepted.

        Parameters
        ----------
        leaks
            What is accepted, and why.
        activities
            Fields that are computed from activities, which nobody fills in.
        """
        reason = leaks.accept.get(self.field)
        if reason:
            return Finding(self.code, "warn", f"{self.evidence}; accepted: {reason}", field=self.field)
        counted = self.field in activities
        stop, warn = (STOP_ACTIVITIES, WARN_ACTIVITIES) if counted else (STOP_REMEDY, WARN_REMEDY)
        usual = stop if self.severity == "stop" else warn
        return Finding(self.code, self.severity, self.evidence, self.remedy or usual, self.field)
