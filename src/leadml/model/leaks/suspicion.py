"""A reason to suspect a field of target leakage, and the finding that is made of it.

A suspicion becomes a finding that stops or warns. An accepted one becomes a warning that repeats the evidence and the
reason why it was accepted: evidence is never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from leadml.leads.judge.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection

    from leadml.params import LeakParams

STOP_REMEDY = (
    "it is a suspected leak: ask who fills it in whether that happens before or after the deal is decided; if after, "
    "move it to features.excluded; if before, name it in leaks.accept with that reason"
)
WARN_REMEDY = (
    "ask who fills it in whether that happens before or after the deal is decided; if after, move it to "
    "features.excluded"
)
STOP_DERIVED = (
    "it is a suspected leak: ask who fills in the column that it is derived from whether that happens before or after "
    "the deal is decided; if after, take that column out of features.read_out; if before, name the field in "
    "leaks.accept with that reason"
)
WARN_DERIVED = (
    "ask who fills in the column that it is derived from whether that happens before or after the deal is decided; if "
    "after, take that column out of features.read_out"
)
STOP_ACTIVITIES = (
    "it is a suspected leak: leave out the activities that it counts, or name it in leaks.accept with the reason why "
    "it is no leak"
)
WARN_ACTIVITIES = "check when its activities are entered: backdated activities need the instant of their recording"


@dataclass(frozen=True)
class Suspicion:
    """A reason to suspect a field.

    Parameters
    ----------
    code
        Code of the rule.
    severity
        ``stop`` or ``warn``.
    evidence
        What was found, with numbers.
    field
        The field, or the name by which the suspect can be accepted.
    remedy
        What to do; empty for the usual remedy of a field.
    """

    code: str
    severity: Literal["stop", "warn"]
    evidence: str
    field: str
    remedy: str = ""

    def with_evidence(self, text: str) -> Suspicion:
        """Return the suspicion with more evidence."""
        return replace(self, evidence=f"{self.evidence}; {text}")

    def finding(self, leaks: LeakParams, *, activities: Collection[str] = (), derived: Collection[str] = ()) -> Finding:
        """Return the finding: a warning where the field is accepted.

        Parameters
        ----------
        leaks
            Which fields are accepted, and why.
        activities
            Names of the fields that are computed from activities; nobody fills them in.
        derived
            Names of the fields that are derived from a column, which is what people fill in.
        """
        reason = leaks.accept.get(self.field)
        if reason:
            return Finding(self.code, "warn", f"{self.evidence}; accepted: {reason}", field=self.field)
        stop, warn = STOP_REMEDY, WARN_REMEDY
        if self.field in activities:
            stop, warn = STOP_ACTIVITIES, WARN_ACTIVITIES
        elif self.field in derived:
            stop, warn = STOP_DERIVED, WARN_DERIVED
        usual = stop if self.severity == "stop" else warn
        return Finding(self.code, self.severity, self.evidence, self.remedy or usual, self.field)
