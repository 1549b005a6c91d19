"""The part of a project's Python interface that puts another version in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.jobs.gate import judge_version
from leadml.jobs.judged_version import JudgedVersion
from leadml.jobs.lead_records import current_instant
from leadml.jobs.promote import Approval, Moved, promote, roll_back

if TYPE_CHECKING:
    from leadml.jobs.gate_records import Gated


@dataclass(frozen=True, repr=False, eq=False)
class NextVersion(JudgedVersion):
    """The versions of a project that want the place of the one in use."""

    def gate(self, version: str | int) -> Gated:
        """Judge a version beside the one in use, on leads that neither has learnt from; the store keeps the answer.

        Parameters
        ----------
        version
            The version, as `Model.version` names it.

        Raises
        ------
        BundleError
            If there is no such version, none is in use, or files were changed.
        LeadmlError
            If the project has no store, leads have no dates, or it was judged already.
        """
        return judge_version(self.places, str(version), now=current_instant(), progress=self.progress)

    def promote(self, version: str | int, *, by: str = "", reason: str = "", ungated: bool = False) -> Moved:
        """Put a version in use that the gate lets pass.

        Parameters
        ----------
        version
            The version, as `Model.version` names it.
        by, reason
            Who approves of it, and why, for the record.
        ungated
            Whether to put it in use whatever the gate says; a reason must be given then.

        Raises
        ------
        BundleError
            If there is no such version, or its files were changed.
        LeadmlError
            If it is weak or in use already, if the gate does not let it pass, if ``gate.approval`` asks for a name and
            none is given, or if the store or MLflow cannot be reached. Nothing has changed then.
        """
        approval = Approval(by, reason, ungated)
        return promote(self.places, str(version), approval, now=current_instant(), progress=self.progress)

    def rollback(self, *, by: str = "", reason: str = "") -> Moved:
        """Put the version in use that was in use before.

        Parameters
        ----------
        by, reason
            Who approves of it, and why, for the record.

        Raises
        ------
        BundleError
            If there is none, or its files were changed.
        LeadmlError
            As for `promote`.
        """
        return roll_back(self.places, Approval(by, reason), now=current_instant(), progress=self.progress)
