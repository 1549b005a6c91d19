"""Say before any training whether leads are ready to be learned from, by the judgement that training uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import DataError, ModelError
from leadml.jobs.assess import assess
from leadml.jobs.train import require_tracking
from leadml.leads.judge.findings import Finding
from leadml.leads.sources.source import training_source
from leadml.publish.text_tables import finding_table

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places
    from leadml.leads.judge.maturity import ReachedByAge
    from leadml.types import Progress


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What a check found.

    Parameters
    ----------
    findings
        In the order in which a person reads them.
    by_age
        How long conversions take; nothing where the leads have no dated outcomes.
    """

    findings: tuple[Finding, ...]
    by_age: tuple[ReachedByAge, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether a training would not refuse the data, but for what only a fit can find."""
        return all(finding.severity != "stop" for finding in self.findings)

    def __repr__(self) -> str:
        """Return the verdict and the codes behind it, in one line."""
        codes = {word: sorted({f.code for f in self.findings if f.severity == word}) for word in ("stop", "warn")}
        named = "; ".join(f"{word}: {', '.join(found)}" for word, found in codes.items() if found)
        verdict = "ready to train" if self.is_ready else "not ready: training would refuse"
        return f"<{verdict}{f' ({named})' if named else ''}>"

    def _repr_html_(self) -> str:
        """Return the findings as a table, for notebooks."""
        return finding_table(self.findings).to_html("ready to train" if self.is_ready else "not ready")


def check(project: Places, *, now: str, progress: Progress, file: Path | None = None) -> CheckResult:
    """Return every finding about the leads of a project; what cannot be read is a finding too.

    Parameters
    ----------
    project
        The choices and places.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.
    file
        Flat leads to check in place of those that params name, or None.

    Raises
    ------
    ParamsError
        Where a file is given and leads are dated.
    MissingExtraError
        Where training would file a run and MLflow is not installed.
    """
    require_tracking(project.params)
    source = training_source(project, project.target, now=now, file=file)
    try:
        training = source.training(progress=progress)
        findings = assess(training, project.params, progress=progress)
    except (DataError, ModelError) as error:
        return CheckResult(tuple(Finding("RD0", "stop", line) for line in str(error).splitlines()))
    return CheckResult(tuple(findings), training.facts.by_age)
