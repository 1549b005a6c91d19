"""Judge a version beside the one in use, on leads that neither has learnt from, and keep the answer in the store.

What judged once does not judge again: a change of fields, params or seed is judged on leads that no earlier change was
judged on, and only some times a year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leadml.bundle.model import load
from leadml.errors import DataError, LeadmlError, ModelError
from leadml.jobs.contest import labelled_leads, scored_by_both, training_end
from leadml.jobs.gate_records import Gated, judged_before, keep_answer
from leadml.jobs.learn import cuts_on
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import SPLIT_KEY
from leadml.leads.check.instants import from_shown, shown_day, shown_instant
from leadml.review.gate.judge import Judged, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.bundle.model import Model
    from leadml.jobs.contest import LaterLeads
    from leadml.jobs.places import Places
    from leadml.review.gate.judge import Kind
    from leadml.types import Floats, Progress

YEAR = 365 * DAY  # what gate.attempts counts over
LONGEST = 10  # years: nobody waits longer for enough leads
MEGABYTE = 1_000_000  # bytes, as gate.megabytes has them


def judge_version(project: Places, version: str, *, now: str, progress: Progress) -> Gated:
    """Judge a version beside the one in use, and keep the answer in the store.

    Parameters
    ----------
    project
        The project, which has a store.
    version
        Name of the version.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    BundleError
        If there is no such version, none is in use, or files were changed.
    DataError
        If the leads cannot be read for the version in use.
    LeadmlError
        If the project has no store, leads have no dates, both versions are one, or predict different things.
    """
    champion = load(project.registry.champion_path())
    challenger = load(project.registry.rival(version))
    earlier = judged_before(project, now=now, progress=progress)
    found = _Gate(project, champion, challenger, earlier, now).judged(progress)
    keep_answer(project, found, earlier, progress=progress)
    return replace(found, note=_tell_mlflow(project, challenger, found))


def _tell_mlflow(project: Places, challenger: Model, found: Gated) -> str:
    """Write the answer beside MLflow's version, and return a sentence where that cannot be done."""
    if not project.params.tracking.enabled or find_spec("mlflow") is None:
        return ""
    from leadml.publish.tracking import note_event  # noqa: PLC0415 - MLflow takes seconds to import

    try:
        note_event(project.tracking_store, challenger, {"action": "gate", "answer": found.answer, "line": found.line})
    except LeadmlError as error:
        return f"MLflow was not told ({error})"
    return ""


def reasons_without_leads(champion: Model, challenger: Model, project: Places) -> list[str]:
    """Return why a challenger is refused, whatever leads say of it.

    Parameters
    ----------
    champion, challenger
        The version in use, and the one that wants its place.
    project
        The project.
    """
    record, before = challenger.bundle.record, champion.bundle.record
    leaks = sorted({*record.accepted_leaks} - {*before.accepted_leaks})
    most, size = project.params.gate.megabytes, sum(file.stat().st_size for file in challenger.folder.iterdir())
    reasons = [] if record.is_usable else [record.weakness]
    reasons += [f"it reads {name}, which is suspected of a leak" for name in leaks]
    if size > most * MEGABYTE:
        reasons.append(f"its files have {size / MEGABYTE:,.1f} megabytes, and gate.megabytes is {most:g}")
    end, later = record.known_until, before.known_until
    if record.recipe_hash == before.recipe_hash and end is not None and later is not None and end < later:
        reasons.append(f"its outcomes end on {shown_day(end)}, before those of the version in use")
    return reasons


@dataclass(frozen=True, eq=False)
class _Gate:
    """A challenger beside the version in use, with what the gate said before."""

    project: Places
    champion: Model
    challenger: Model
    earlier: Sequence[Gated]
    now: str

    @property
    def kind(self) -> Kind:
        """Whether the challenger has the same recipe."""
        one, other = (model.bundle.record.recipe_hash for model in (self.champion, self.challenger))
        return "refresh" if one == other else "change"

    @property
    def _hashes(self) -> tuple[str, str]:
        return self.champion.manifest.model_hash, self.challenger.manifest.model_hash

    def judged(self, progress: Progress) -> Gated:
        """Return what the gate says."""
        since, look = self._window()
        if reasons := [*reasons_without_leads(self.champion, self.challenger, self.project), *self._too_many()]:
            return self._gated(Judged("refused", tuple(reasons), {}))
        leads = labelled_leads(self.champion, self.project, since=since, now=self.now, progress=progress)
        try:
            other = labelled_leads(self.challenger, self.project, since=since, now=self.now, progress=progress)
        except DataError as error:
            return self._gated(Judged("refused", (f"leads cannot be read for it: {error}",), {}))
        progress("scoring later leads")
        later = scored_by_both(self.champion, self.challenger, leads=leads, other=other)
        said = self._judged(later, look)
        return self._gated(said, since=since, until=later.until, look=look)

    def _too_many(self) -> list[str]:
        """Return that there were too many changes in the last year, if there were."""
        attempts, choices = self._attempts(), self.project.params.gate
        if self.kind != "change" or len(attempts) < choices.attempts:
            return []
        free = shown_day(from_shown(attempts[-choices.attempts].at) + YEAR + DAY)
        words = f"{len(attempts)} changes were judged in the last 365 days, and gate.attempts is {choices.attempts}"
        return [f"{words}; the next may be on {free}"]

    def _attempts(self) -> list[Gated]:
        """Return the other changes that were judged in the last year, oldest first, each once."""
        begin = from_shown(self.now) - YEAR
        changes = [each for each in self.earlier if each.is_decided_change and from_shown(each.at) > begin]
        return [each for each in changes if each.look == 1 and each.hashes != self._hashes]

    def _window(self) -> tuple[int, int]:
        """Return after which instant outcomes became known that judge the challenger, and which look at them it is.

        Raises
        ------
        LeadmlError
            If the challenger was judged on all looks that there are.
        """
        champion, bundle = training_end(self.champion), self.challenger.bundle
        if self.kind == "refresh":  # its recipe as of the beginning of its holdout
            return max(champion, bundle.leads.holdout.since or 0, bundle.record.used_until), 1
        changes = [each for each in self.earlier if each.is_decided_change]
        looks = [each for each in changes if each.hashes == self._hashes]
        if len(looks) >= self.project.params.gate.looks:
            msg = (
                f"version {self.challenger.version} must not be judged again beside version {self.champion.version}: "
                f"it was on {looks[-1].at[:10]}, and gate.looks is {self.project.params.gate.looks}"
            )
            raise LeadmlError(msg)
        if looks:
            return from_shown(looks[0].since), len(looks) + 1
        ends = [from_shown(each.until) for each in changes if each.until]
        return max(champion, training_end(self.challenger), *ends), 1

    def _judged(self, later: LaterLeads, look: int) -> Judged:
        """Return what the gate says of the leads that both versions scored."""
        choices = self.project.params.gate
        if later.times_as_slow > choices.slower:
            reason = f"it takes {later.times_as_slow:.1f} times as long, and gate.slower is {choices.slower:g}"
            return Judged("refused", (reason,), {"leads": len(later.frame)})
        contest = later.contest(self.champion, self.project.params.review.slices)
        said = judge(contest, choices, kind=self.kind, look=look, seed=self.project.params.split.seed)
        if said.passes and (why := self._unsolvable(later)):
            return Judged("refused", (*said.reasons, why), said.figures)
        return said

    def _unsolvable(self, later: LaterLeads) -> str:
        """Return why the cuts have no solution by the challenger, if they have one by the champion; else nothing."""
        why = self._cuts_fail(later, later.challenger)
        is_new = bool(why) and not self._cuts_fail(later, later.champion)
        return f"the cuts have no solution on later leads: {why}" if is_new else ""

    def _cuts_fail(self, later: LaterLeads, probability: Floats) -> str:
        params, frame = self.project.params, later.frame
        try:
            cuts_on(frame, probability, params, target=self.project.target, groups=frame[SPLIT_KEY].to_numpy())
        except ModelError as error:
            return str(error)
        return ""

    def _gated(self, said: Judged, *, since: int | None = None, until: int | None = None, look: int = 1) -> Gated:
        """Return what is kept."""
        champion, challenger = self.champion, self.challenger
        return Gated(
            at=self.now,
            target=self.project.target,
            champion=champion.version,
            challenger=challenger.version,
            champion_hash=champion.manifest.model_hash,
            challenger_hash=challenger.manifest.model_hash,
            kind=self.kind,
            answer=said.answer,
            reasons=said.reasons,
            since="" if since is None else shown_instant(since),
            until="" if until is None else shown_instant(until),
            look=look,
            figures=dict(said.figures),
            enough_on=_enough_on(said, since, until),
        )


def _enough_on(said: Judged, since: int | None, until: int | None) -> str:
    """Return the day on which there are enough leads if they come as since the beginning; empty if nobody can say."""
    leads, needed = said.figures.get("leads", 0), said.figures.get("needed", 0)
    if said.answer != "not enough evidence" or since is None or until is None or not leads or needed <= leads:
        return ""
    wait = int((needed - leads) * (until - since) / leads)
    return shown_day(until + wait + DAY) if wait < LONGEST * YEAR else ""
