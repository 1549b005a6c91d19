"""What the gate said of versions, as the store keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from leadml.errors import LeadmlError
from leadml.jobs.store import open_store
from leadml.review.gate.judge import PASSED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.types import Progress

GATE = "gate"  # kind of the decision in the store
DECIDED = ("better", "no better", "worse")  # answers that a change was judged with: each counts as an attempt


@dataclass(frozen=True)
class Gated:
    """What the gate said of a version.

    Parameters
    ----------
    at
        The instant in ISO 8601.
    target
        Name of the target.
    champion, challenger
        The version in use, and the one that was judged.
    champion_hash, challenger_hash
        Hashes of both models.
    kind
        ``change``, ``refresh`` or ``recalibration``.
    answer
        As of `Judged`.
    reasons
        In sentences.
    since, until
        After which instant and until when the outcomes became known that it was judged on, in ISO 8601; empty if none.
    look
        Which look at these leads it was, from 1.
    figures
        As of `Judged`.
    enough_on
        The day on which enough leads will be known, as far as the present rate says; empty if it does not.
    note
        What could not be done besides, in a sentence; empty if nothing.
    """

    at: str
    target: str
    champion: str
    challenger: str
    champion_hash: str
    challenger_hash: str
    kind: str
    answer: str
    reasons: tuple[str, ...]
    since: str = ""
    until: str = ""
    look: int = 1
    figures: Mapping[str, float] = field(default_factory=dict)
    enough_on: str = ""
    note: str = ""

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Gated:
        """Return what `to_json` wrote."""
        return cls(**{**stored, "reasons": tuple(stored["reasons"])})

    def to_json(self) -> dict[str, Any]:
        """Return it as values that JSON can store."""
        return asdict(self)

    @property
    def passes(self) -> bool:
        """Whether the version may be put in use."""
        return self.answer in PASSED

    @property
    def line(self) -> str:
        """The answer in one line."""
        wait = f"; enough of them are expected by {self.enough_on}" if self.enough_on else ""
        name = f"{self.target}: version {self.challenger} beside version {self.champion}, a {self.kind}"
        return f"{name}: {self.answer}: {'; '.join(self.reasons)}{wait}"

    @property
    def hashes(self) -> tuple[str, str]:
        """The hashes of both models."""
        return self.champion_hash, self.challenger_hash

    @property
    def is_decided_change(self) -> bool:
        """Whether leads decided on a change, in whatever way: also by its calibration, a slice or its speed."""
        return self.kind == "change" and (self.answer in DECIDED or (self.answer == "refused" and bool(self.until)))


def judged_before(project: Places, *, now: str, progress: Progress) -> list[Gated]:
    """Return what the gate said of versions of the target, oldest first.

    Raises
    ------
    LeadmlError
        If the project has no store.
    """
    from leadml.publish.store.decisions import decisions_of  # noqa: PLC0415 - SQLAlchemy takes time

    with open_store(project, now=now, progress=progress) as (store, _):
        found = store.read(lambda connection: decisions_of(connection, GATE))
    return [Gated.from_json(each) for each in found if each["target"] == project.target]


def last_answer(earlier: Sequence[Gated], champion: Model, challenger: Model) -> Gated | None:
    """Return the newest answer on two models, or None."""
    hashes = champion.manifest.model_hash, challenger.manifest.model_hash
    answers = [each for each in earlier if each.hashes == hashes]
    return answers[-1] if answers else None


def keep_answer(project: Places, found: Gated, earlier: Sequence[Gated], *, progress: Progress) -> None:
    """Keep an answer in the store.

    Raises
    ------
    LeadmlError
        If another answer was kept since the earlier ones were read: both may have judged on the same leads.
    """
    from leadml.publish.store.decisions import add_decision, decisions_of  # noqa: PLC0415 - SQLAlchemy takes time

    with open_store(project, now=found.at, progress=progress) as (store, _):
        now = [each for each in store.read(lambda c: decisions_of(c, GATE)) if each["target"] == project.target]
        if len(now) != len(earlier):
            msg = f"{project.target}: another version was judged meanwhile; run the command again"
            raise LeadmlError(msg)
        store.write(lambda connection: add_decision(connection, GATE, found.to_json(), found.at))
