"""What was found in the data, with evidence and what to do.

What enters is a judgement; what leaves is one line that a person can act on.
"Not applicable" is not "passed": the first says that nothing could be judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadml.errors import inert

Severity = Literal["stop", "warn", "passed", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """One judgement.

    Parameters
    ----------
    code
        Short and stable, so that it can be looked up.
    severity
        ``stop`` (training refuses), ``warn``, ``passed`` or ``not applicable``.
    evidence
        What was seen, with numbers.
    remedy
        What to do; empty where nothing is to be done.
    field
        The field it is about; empty where it is about all.
    """

    code: str
    severity: Severity
    evidence: str
    remedy: str = ""
    field: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        subject = f"{inert(self.field)} " if self.field else ""
        return f"{self.code} {subject}{self.evidence}{f'; {self.remedy}' if self.remedy else ''}"
