"""The part of a project's Python interface that puts another version in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.arguments import file_path, require_suffix
from leadml.jobs.act import Acted, act
from leadml.jobs.compare import Comparison, compare
from leadml.jobs.gate import judge_version
from leadml.jobs.judged_version import JudgedVersion
from leadml.jobs.lead_records import as_text, current_instant
from leadml.jobs.promote import Approval, Moved, promote, roll_back
from leadml.jobs.replay import Replayed, replay
from leadml.jobs.replay_page import build_replay_page
from leadml.jobs.shadows import choose_shadow
from leadml.publish.files import write_text
from leadml.publish.page import render

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from typing import Any

    from leadml.jobs.gate_records import Gated
    from leadml.jobs.review import Review


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

    def compare(
        self,
        one: str | int,
        other: str | int,
        *,
        file: str | Path | None = None,
        as_of: str | date | None = None,
    ) -> Comparison:
        """Return what changes from one version to another: fields, stages and why, volume and money.

        Parameters
        ----------
        one, other
            The versions, as `Model.version` names them.
        file
            Flat leads; None for those that params name.
        as_of
            The date as of which dated leads are compared; None for flat leads.

        Raises
        ------
        BundleError
            If there is no such version, or files were changed.
        DataError
            If the leads cannot be read.
        LeadmlError
            If there is no lead that both can score.
        """
        path, now = None if file is None else file_path(file, "file"), current_instant()
        choices: dict[str, Any] = {"file": path, "as_of": as_text(as_of), "now": now, "progress": self.progress}
        return compare(self.model(one), self.model(other), self.places, **choices)

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

    def act(self, review: Review, *, by: str = "", reason: str = "", dry_run: bool = False) -> Acted:
        """Do what a review asks for: solve the cuts again, correct the level, or fit the recipe on newer leads.

        Parameters
        ----------
        review
            What `review` returned.
        by, reason
            Who approves of it, and why, for the record.
        dry_run
            Whether only to say what would be done.

        Raises
        ------
        DataError
            If the leads cannot be read.
        LeadmlError
            If another version is in use than was reviewed, leads have no dates, ``gate.approval`` asks for a name and
            none is given, or something cannot be written.
        """
        approval, now = Approval(by, reason), current_instant()
        return act(self.places, review, approval, dry_run=dry_run, now=now, progress=self.progress)

    def shadow(self, version: str | int, *, stop: bool = False) -> list[str]:
        """Let a version score beside the one in use, and return the versions that do; reviews show them.

        Parameters
        ----------
        version
            The version, as `Model.version` names it.
        stop
            Whether to end it.

        Raises
        ------
        BundleError
            If its files were changed.
        LeadmlError
            If there is no such version, it is in use, or there are three shadows already.
        """
        return choose_shadow(self.places, str(version), stop=stop)

    def replay(self, since: str | None = None) -> Replayed:
        """Play the past as if it were live, month by month, and return what each policy would have said.

        Parameters
        ----------
        since
            The first month, such as ``2026-03``; None for the first one at whose beginning there were enough leads.

        Raises
        ------
        LeadmlError
            If leads have no dates, or there is no such month.
        """
        return replay(self.places, since=since, now=current_instant(), progress=self.progress)

    def replay_page(self, replayed: Replayed, out: str | Path | None = None) -> Path:
        """Write the page of a replay and return its path.

        Parameters
        ----------
        replayed
            What `replay` returned.
        out
            File to write, ``.html``; None for ``reports/<target>_replay.html``.
        """
        path = self.places.reports / f"{replayed.target}_replay.html" if out is None else file_path(out, "out")
        require_suffix(path, ".html")
        write_text(path, render(build_replay_page(replayed)))
        return path
