"""Check before a training whether the leads are ready; a training uses the same rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import DataError, ModelError
from leadml.jobs.assess import assess
from leadml.jobs.train import require_training
from leadml.leads.judge.findings import Finding
from leadml.leads.sources.source import training_source
from leadml.publish.text_tables import finding_table

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.leads.judge.maturity import ReachedByAge
    from leadml.types import Progress


MAX_EVIDENCE = 160  # characters of a finding in a repr, so that it stays one line


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The result of a check.

    Parameters
    ----------
    findings
        The findings, in the order in which they are shown.
    by_age
        The share of leads that reach the target by each age; empty if the leads have no dated outcomes.
    """

    findings: tuple[Finding, ...]
    by_age: tuple[ReachedByAge, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether no finding stops a training; only a fit can find that a rule of the stages has no cut."""
        return all(finding.severity != "stop" for finding in self.findings)

    def __repr__(self) -> str:
        """Return whether the leads are ready, the codes of the findings and the first that stops, in one line."""
        by_severity = {
            severity: sorted({finding.code for finding in self.findings if finding.severity == severity})
            for severity in ("stop", "warn")
        }
        listed = "; ".join(f"{severity}: {', '.join(codes)}" for severity, codes in by_severity.items() if codes)
        first = next((f": {finding.evidence}" for finding in self.findings if finding.severity == "stop"), "")
        first = first if len(first) <= MAX_EVIDENCE else f"{first[: MAX_EVIDENCE - 1]}…"
        verdict = "ready to train" if self.is_ready else "not ready: training would refuse"
        return f"<{verdict}{f' ({listed})' if listed else ''}{first}>"

    def _repr_html_(self) -> str:
        """Return the findings as a table, for notebooks."""
        return finding_table(self.findings).to_html("ready to train" if self.is_ready else "not ready")


def check(project: Places, *, now: str, progress: Progress, file: Path | None = None) -> CheckResult:
    """Return every finding about the leads of a project; leads that cannot be read give findings too.

    Parameters
    ----------
    project
        The choices and folders of the project.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.
    file
        Flat leads to check instead of those that params name, or None.

    Raises
    ------
    ParamsError
        If a file is given and leads are dated.
    MissingExtraError, LeadmlError
        If a training could not be stored or logged.
    """
    require_training(project)
    source = training_source(project, project.target, now=now, file=file)
    try:
        training = source.training(progress=progress)
        findings = assess(training, project.params, progress=progress)
    except (DataError, ModelError) as error:
        return CheckResult(tuple(Finding("RD0", "stop", line) for line in str(error).splitlines()))
    return CheckResult(tuple(findings), training.facts.by_age)
