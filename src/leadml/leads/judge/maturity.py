"""When labels are known, and how long conversions take.

What enters is a view of dated leads; what leaves is findings, and a table from which a horizon can be chosen.
It counts a lead at an age only where the lead has been observed to that age: young leads are unknown, not negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.leads.check.activity_plan import DAY
from leadml.leads.judge.findings import Finding

if TYPE_CHECKING:
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.contract import Contract
    from leadml.types import Integers


AGES = (7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 730)
MANY_LATE = 0.05


@dataclass(frozen=True)
class ReachedByAge:
    """How many leads have reached the target by an age.

    Parameters
    ----------
    days
        The age.
    leads
        Leads that were observed to that age.
    reached
        Those of them that had reached the target.
    """

    days: int
    leads: int
    reached: int

    @property
    def share(self) -> float:
        """Share of the leads that had reached it."""
        return self.reached / self.leads


@dataclass(frozen=True)
class Maturity:
    """Which labels were known when a training set was made.

    Parameters
    ----------
    observed_until
        The end of what was observed, ISO 8601.
    horizon, settling
        Days from a snapshot until its label is known: those of the target and those that late records are waited for.
    mature, immature
        Snapshots whose label was known, and younger ones.
    converted, late
        Mature snapshots that converted, and those whose conversion was recorded too late to count.
    usable, drawn
        Mature snapshots on either side of the split, and those of them that were drawn.
    leads
        Different leads among those that were drawn.
    by_age
        How long conversions take.
    """

    observed_until: str
    horizon: int
    settling: int
    mature: int
    immature: int
    converted: int
    late: int
    usable: int
    drawn: int
    leads: int
    by_age: tuple[ReachedByAge, ...]


def conversions_by_age(view: AsOfView, reached: Integers, observed_until: int) -> tuple[ReachedByAge, ...]:
    """Return how many leads have reached the target by each age.

    Parameters
    ----------
    view
        The leads.
    reached
        When each of them reached it, of `reached_at`.
    observed_until
        The end of what was observed, microseconds.

    Returns
    -------
    tuple
        One entry an age; ages that no lead has are left out.
    """
    tables = view.history
    rows = []
    for days in AGES:
        observed = tables.created_at + days * DAY <= observed_until
        if observed.any():
            timely = observed & (reached < tables.created_at + days * DAY)
            leads, won = int(observed.sum()), int(timely.sum())
            rows.append(ReachedByAge(days, leads, won))
    return tuple(rows)


def judge_dates(view: AsOfView, counts: dict[str, int], contract: Contract) -> list[Finding]:
    """Return what the dates told.

    Parameters
    ----------
    view
        The leads.
    counts
        Of `training_snapshots`.
    contract
        The columns of leads.

    Notes
    -----
    DT1 mature and immature snapshots, DT2 conversions recorded too late, DT3 attributes without a history.
    """
    target = view.target
    evidence = (
        f"{counts['mature']:,} looks are mature, {counts['usable']:,} of them on a side of the split, and "
        f"{counts['drawn']:,} of those are drawn; {counts['immature']:,} are left out, because {target.horizon} + "
        f"{target.settling} days have not passed"
    )
    findings = [Finding("DT1", "passed", evidence)]
    findings.append(_late(counts, target.settling))
    if contract.valid_from is None and contract.lead_fields:
        findings.append(
            Finding(
                "DT3",
                "warn",
                "leads have one row each, so attributes are those of the export, not those of the look",
                "declare sources.leads.valid_from, or leave out what is filled in later",
            )
        )
    return findings


def _late(counts: dict[str, int], settling: int) -> Finding:
    evidence = f"{counts['late']:,} labels count as negative though a conversion was recorded later"
    if counts["late"] > MANY_LATE * max(counts["converted"], 1):
        return Finding("DT2", "warn", evidence, f"raise the target's settling, {settling} days now")
    return Finding("DT2", "passed", evidence)
