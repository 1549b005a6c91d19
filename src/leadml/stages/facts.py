"""Fold the outcomes that people recorded into stages: what each outcome makes of a lead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leadml.leads.asof.outcomes import OCCURRED_AT, OUTCOME
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import LEAD_ID, RECORDED_AT
from leadml.stages.ladder import NURTURE, STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

RANK_OF = {stage.lower(): rank for rank, stage in enumerate(STAGES) if stage not in {"LEAD", "IQL"}}
CLOSING = ("lost", "churned", "rejected")


@dataclass(frozen=True, slots=True)
class Fact:
    """An outcome of a lead, known at the instant of the batch.

    Parameters
    ----------
    occurred_at
        Microseconds since 1970 in UTC.
    outcome
        Its name.
    is_new
        Whether the batch before did not know it.
    """

    occurred_at: int
    outcome: str
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """What people recorded of a lead.

    Parameters
    ----------
    rank
        The highest stage since the lead was last closed; 0 if there is none.
    rejected_at
        When it was rejected, if that is how it was last closed and nothing was recorded since; None else.
    closed
        Whether the last outcome that counts closed the lead.
    """

    rank: int = 0
    rejected_at: int | None = None
    closed: bool = False

    def after(self, fact: Fact) -> Recorded:
        """Return what is recorded after one more outcome; an outcome that is no stage changes nothing.

        Examples
        --------
        >>> Recorded().after(Fact(0, "sql")).after(Fact(1, "mql")).rank
        4
        >>> Recorded(rank=4).after(Fact(2, "rejected"))
        Recorded(rank=0, rejected_at=2, closed=True)
        """
        if fact.outcome in CLOSING:
            return Recorded(rejected_at=fact.occurred_at if fact.outcome == "rejected" else None, closed=True)
        if fact.outcome not in RANK_OF:
            return self
        return replace(self, rank=max(self.rank, RANK_OF[fact.outcome]), rejected_at=None, closed=False)

    def is_nurtured(self, at: int, recycle_days: int) -> bool:
        """Return whether the lead is nurtured at an instant, microseconds."""
        return self.rejected_at is not None and at < self.rejected_at + recycle_days * DAY

    def stage(self, advised: int, *, nurtured: bool) -> tuple[int, str]:
        """Return stage and source of a lead that nobody set by hand, from what is advised of it."""
        if nurtured:
            return NURTURE, "recycled"
        if self.rank >= advised and (self.rank or self.closed):
            return self.rank, "recorded"
        return advised, "advised"


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return outcomes in the order in which they count: of those at one instant, later stages after earlier ones."""
    order = {name: at for at, name in enumerate((*RANK_OF, *CLOSING))}
    return sorted(facts, key=lambda fact: (fact.occurred_at, order.get(fact.outcome, -1), fact.outcome))


def recorded_after(facts: Iterable[Fact]) -> Recorded:
    """Return what is recorded of a lead after all its outcomes, given in any order."""
    recorded = Recorded()
    for fact in in_order(facts):
        recorded = recorded.after(fact)
    return recorded


def outcomes_by_lead(
    frames: Iterable[pd.DataFrame], others: Mapping[str, list[Fact]], *, since: int | None
) -> Iterator[dict[str, list[Fact]]]:
    """Yield the outcomes of leads, by lead.

    Parameters
    ----------
    frames
        Frames with ``lead_id, occurred_at, recorded_at`` (microseconds) and ``outcome``; all rows of a lead are in one.
    others
        Further outcomes by lead.
    since
        Instant, in microseconds, at which a row is no longer new if it was known by then; None if all are new.
    """
    left = dict(others)
    for frame in frames:
        found: dict[str, list[Fact]] = {}
        columns = (frame[name].tolist() for name in (LEAD_ID, OCCURRED_AT, RECORDED_AT, OUTCOME))
        for lead_id, occurred, recorded, outcome in zip(*columns, strict=True):
            is_new = since is None or occurred >= since or recorded > since
            found.setdefault(lead_id, []).append(Fact(occurred, outcome, is_new))
        for lead_id, facts in found.items():
            facts.extend(left.pop(lead_id, []))
        yield found
    yield left
