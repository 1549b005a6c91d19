"""Do what a review asks for: solve the cuts again, correct the level, or fit the recipe on newer leads.

No version is put in use that the gate does not let pass, and each step is kept in the store.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from leadml.bundle.model import load
from leadml.errors import LeadmlError, ModelError
from leadml.jobs.contest import labelled_leads, training_end
from leadml.jobs.cuts import save_cuts
from leadml.jobs.gate import reasons_without_leads
from leadml.jobs.gate_records import Gated, judged_before, keep_answer
from leadml.jobs.learn import cuts_on
from leadml.jobs.promote import promote, require_name, was_taken_back
from leadml.jobs.recalibrate import newest_periods, outcomes_of, recalibrated, with_and_without
from leadml.jobs.refit import judge_recipe, refitted
from leadml.jobs.store import open_store
from leadml.jobs.train import require_training
from leadml.leads.check.contract import MATURE_AT, SPLIT_KEY
from leadml.leads.check.instants import shown_instant
from leadml.review.gate.judge import judge
from leadml.review.gate.recalibration import has_lasted, shrunk_shift

if TYPE_CHECKING:
    from leadml.bundle.contents import Bundle
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.jobs.promote import Approval
    from leadml.jobs.review import Review
    from leadml.review.gate.judge import Judged
    from leadml.types import Progress

ACTION = "action"  # kind of the decision in the store


@dataclass(frozen=True)
class Acted:
    """What was done after a review.

    Parameters
    ----------
    target
        Name of the target.
    verdict
        That of the review.
    action
        ``recut``, ``recalibrate`` or ``refit``; empty where the verdict asks for none.
    done
        Whether it was done.
    reason
        What was done or would be, or why nothing was, in a sentence.
    version
        The version in use after it.
    """

    target: str
    verdict: str
    action: str
    done: bool
    reason: str
    version: str

    @property
    def line(self) -> str:
        """The result in one line."""
        state = f"{self.action} done" if self.done else f"{self.action} not done" if self.action else "nothing to do"
        return f"{self.target}: {state}: {self.reason}; version {self.version} is in use"


def act(project: Places, review: Review, approval: Approval, *, dry_run: bool, now: str, progress: Progress) -> Acted:
    """Do what a review asks for.

    Parameters
    ----------
    project
        The project, which has a store.
    review
        The review of the version in use.
    approval
        Who approves of it, and why.
    dry_run
        Whether only to say what would be done: nothing changes then.
    now
        The instant in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the leads cannot be read.
    LeadmlError
        If another version is in use than was reviewed, leads have no dates, params ask for a name and none is given, or
        something cannot be written.
    """
    champion = load(project.registry.champion_path())
    if champion.scored_version != review.version:
        msg = f"version {review.version} must be in use to act on its review, got {champion.scored_version}"
        raise LeadmlError(msg)
    if not dry_run:
        require_name(project, approval)
    job = _Act(
        project=project,
        champion=champion,
        review=review,
        approval=approval,
        dry_run=dry_run,
        now=now,
        progress=progress,
    )
    actions = {"RECUT": job.recut, "RECALIBRATE": job.recalibrate, "REFIT": job.refit}
    if review.verdict not in actions:
        return job.acted("", f"the verdict is {review.verdict}", done=False)
    found = actions[review.verdict]()
    if not dry_run:
        from leadml.publish.store.decisions import add_decision  # noqa: PLC0415 - SQLAlchemy takes time

        event = asdict(found) | {"at": now, "by": approval.by}
        with open_store(project, now=now, progress=progress) as (store, _):
            store.write(lambda connection: add_decision(connection, ACTION, event, now))
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class _Act:
    """A version in use about which something is to be done."""

    project: Places
    champion: Model
    review: Review
    approval: Approval
    dry_run: bool
    now: str
    progress: Progress

    def acted(self, action: str, reason: str, *, done: bool, version: str = "") -> Acted:
        """Return what is said."""
        version = version or self.champion.version
        return Acted(self.project.target, self.review.verdict, action, done, reason, version)

    def recut(self) -> Acted:
        """Solve the cuts on the leads whose outcomes became known after the training."""
        leads = self._later()
        try:
            probability = self.champion.bundle.model.predict(leads)
            groups, target = leads[SPLIT_KEY].to_numpy(), self.project.target
            cuts = cuts_on(leads, probability, self.project.params, target=target, groups=groups)
        except ModelError as error:
            return self.acted("recut", f"the rules have no solution on {len(leads):,} newer leads: {error}", done=False)
        before = self.champion.cuts
        moves = [f"{name} from {before.get(name, 1.0):.1%} to {cut:.1%}" for name, cut in cuts.items()]
        reason = f"on {len(leads):,} newer leads the cuts move: {', '.join(moves)}"
        if self.dry_run:
            return self.acted("recut", f"would be: {reason}", done=False)
        number = save_cuts(self.champion, cuts.cuts, cuts.drop, self.now)
        return self.acted("recut", reason, done=True, version=f"{self.champion.version}.{number}")

    def recalibrate(self) -> Acted:
        """Correct the level, if it was wrong for two periods and the correction of the first helped in the second."""
        self._require_training()
        leads = self._later()
        periods = newest_periods(self.champion, leads, days=self.project.params.review.period_days)
        outcomes = [outcomes_of(period) for period in periods]
        if not has_lasted(outcomes, self.champion.bundle.reference.level):
            reason = "an error of the level is corrected once two periods have one of the same sign"
            return self.acted("recalibrate", reason, done=False)
        early = with_and_without(outcomes[-1], shrunk_shift(outcomes[:1]))
        judged = judge(early, self.project.params.gate, kind="refresh")
        shift = shrunk_shift(outcomes)
        reason = f"{shift:+.2f} log-odds; as of a period ago it passed: {'; '.join(judged.reasons)}"
        if not judged.passes:
            return self.acted("recalibrate", f"it does not pass: {'; '.join(judged.reasons)}", done=False)
        if self.dry_run:
            return self.acted("recalibrate", f"would be: {reason}", done=False)
        both, until = pd.concat(periods, ignore_index=True), int(leads[MATURE_AT].max())
        params = self.project.params
        bundle = recalibrated(self.champion.bundle, shift, both, params, at=self.now, used_until=until)
        ends = int(periods[-1][MATURE_AT].min()), until
        return self._put_in_use("recalibrate", bundle, judged, ends, reason)

    def refit(self) -> Acted:
        """Fit the recipe on all leads whose outcomes are known, if as of a period ago it was not surely worse."""
        self._require_training()
        try:
            refresh = judge_recipe(self.champion, self.project, now=self.now, progress=self.progress)
            reason = "; ".join(refresh.judged.reasons)
            if not refresh.judged.passes:
                return self.acted("refit", f"the recipe as of a period ago does not pass: {reason}", done=False)
            if self.dry_run:
                return self.acted("refit", f"would be: the recipe as of a period ago passes: {reason}", done=False)
            bundle = refitted(refresh, self.project, now=self.now, progress=self.progress)
        except ModelError as error:
            return self.acted("refit", f"the recipe cannot be trained: {error}", done=False)
        if not bundle.record.is_usable:
            return self.acted("refit", f"the recipe is weak on newer leads: {bundle.record.weakness}", done=False)
        ends = refresh.since, refresh.until
        return self._put_in_use("refit", bundle, refresh.judged, ends, f"on {len(refresh.rows):,} leads; {reason}")

    def _require_training(self) -> None:
        """Refuse, before the work, to fit a version that could not be stored."""
        if not self.dry_run:
            require_training(self.project)

    def _later(self) -> pd.DataFrame:
        since = training_end(self.champion)
        return labelled_leads(self.champion, self.project, since=since, now=self.now, progress=self.progress)

    def _why_not(self, version: str) -> str:
        """Return why a version is not put in use, whatever leads say of it; empty if it may be."""
        if version == self.champion.version:
            return "it is the one in use"
        if was_taken_back(self.project, version):
            return "it was in use before, and was taken back"
        challenger = load(self.project.registry.path(version))
        return "; ".join(reasons_without_leads(self.champion, challenger, self.project))

    def _put_in_use(self, action: str, bundle: Bundle, judged: Judged, ends: tuple[int, int], reason: str) -> Acted:
        """Store a bundle as a version, keep what the gate said of it, and put it in use."""
        version, _ = self.project.registry.add(bundle)
        if why := self._why_not(version):
            return self.acted(action, f"version {version} is not put in use: {why}", done=False)
        earlier = judged_before(self.project, now=self.now, progress=self.progress)
        gated = Gated(
            at=self.now,
            target=self.project.target,
            champion=self.champion.version,
            challenger=version,
            champion_hash=self.champion.manifest.model_hash,
            challenger_hash=bundle.model_hash,
            kind="refresh" if action == "refit" else "recalibration",
            answer=judged.answer,
            reasons=judged.reasons,
            since=shown_instant(ends[0]),
            until=shown_instant(ends[1]),
            figures=dict(judged.figures),
        )
        keep_answer(self.project, gated, earlier, progress=self.progress)
        moved = promote(self.project, version, self.approval, now=self.now, progress=self.progress)
        reason = f"{reason}; {moved.note}" if moved.note else reason
        return self.acted(action, reason, done=True, version=moved.version)
