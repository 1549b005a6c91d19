"""When labels are known, and how long conversions take, so that a horizon can be chosen.

A lead counts at an age only if it has been observed to that age: a younger lead is unknown, not negative.
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


# Days, for a table that is only shown: weeks, months, quarters and years, where horizons are chosen.
AGES = (7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 730)
# Decides a warning only: probabilities are too low by this share, so one of 20% would be given as 19%.
MAX_LATE_SHARE = 0.05


@dataclass(frozen=True)
class ReachedByAge:
    """How many leads have reached the target by an age.

    Parameters
    ----------
    days
        The age.
    leads
        Number of leads that were observed to that age.
    reached
        How many of them had reached the target.
    """

    days: int
    leads: int
    reached: int

    @property
    def share(self) -> float:
        """The share of the leads that had reached the target."""
        return self.reached / self.leads


@dataclass(frozen=True)
class Maturity:
    """Which labels were known when a training set was made.

    Parameters
    ----------
    observed_until
        The end of what was observed, ISO 8601.
    horizon, settling
        Days from a snapshot to the end of its horizon, and from there until its label is known.
    mature, immature
        Number of snapshots whose label was known, and of younger ones.
    converted, late
        Number of mature snapshots that converted, and of those whose conversion was recorded too late to count.
    usable, drawn
        Number of mature snapshots in either part of the split, and of those that were drawn from them.
    leads
        Number of leads with a snapshot that was drawn.
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
        When each of them reached the target, of `reached_at`.
    observed_until
        The end of what was observed, microseconds.

    Returns
    -------
    tuple
        One entry for each age; without ages that no lead was observed to.
    """
    created_at = view.history.created_at
    ages = []
    for days in AGES:
        observed = created_at + days * DAY <= observed_until
        if observed.any():
            reached_by_age = observed & (reached < created_at + days * DAY)
            ages.append(ReachedByAge(days, int(observed.sum()), int(reached_by_age.sum())))
    return tuple(ages)


def judge_dates(view: AsOfView, counts: dict[str, int], contract: Contract) -> list[Finding]:
    """Return the findings about the dates of snapshots, outcomes and attributes.

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
        f"{counts['mature']:,} snapshots are mature, {counts['usable']:,} of them are in a part of the split, and "
        f"{counts['drawn']:,} of those are drawn; {counts['immature']:,} are left out, because {target.horizon} + "
        f"{target.settling} days (horizon + settling) have not passed"
    )
    findings = [Finding("DT1", "passed", evidence), _judge_late(counts, target.settling)]
    if contract.valid_from is None and contract.lead_fields:
        evidence = "leads have one row each, so attributes are those of the export, not those at the snapshot"
        remedy = "declare sources.leads.valid_from, or leave out what is filled in later"
        findings.append(Finding("DT3", "warn", evidence, remedy))
    return findings


def _judge_late(counts: dict[str, int], settling: int) -> Finding:
    evidence = f"{counts['late']:,} labels count as negative though a conversion was recorded later"
    if counts["late"] > MAX_LATE_SHARE * max(counts["converted"], 1):
        return Finding("DT2", "warn", evidence, f"raise the target's settling, which is {settling} days now")
    return Finding("DT2", "passed", evidence)
