"""What was known of a lead's outcomes at an instant, and what came of it afterwards.

What enters is snapshots and outcomes, lazy and on any engine; what leaves is whether each snapshot belongs to the
target's population, its label, and when that label is known.
An outcome counts as known only where it had happened before the instant and was recorded by it; a label counts what
was recorded when it is due, so that a judgement as of an earlier day sees what was to be seen on that day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.leads.asof.features import AS_OF, LEAD, SNAPSHOT
from leadml.leads.check.activity_plan import DAY
from leadml.params import FUNNEL, OUTCOMES

if TYPE_CHECKING:
    import narwhals as nw

    from leadml.leads.check.activity_plan import Target

    Lazy = nw.LazyFrame[Any]
    Expression = nw.Expr

CLOSED = ("lost", "rejected", "churned")
CUSTOMERS = ("customer", "evangelist")
CODES = 64


def outcome_codes(custom: tuple[str, ...]) -> dict[str, int]:
    """Return the whole number of each outcome: those of leadml, then the project's own in the order of their names.

    Examples
    --------
    >>> outcome_codes(("repeat purchase",))["repeat purchase"]
    9
    """
    own = sorted(set(custom) - set(OUTCOMES))
    return {name: code for code, name in enumerate((*OUTCOMES, *own))}


def label_snapshots(snapshots: Lazy, outcomes: Lazy, *, target: Target, codes: dict[str, int]) -> Lazy:
    """Return snapshots with their place in the target's population and their label.

    Parameters
    ----------
    snapshots
        ``lead`` and ``as_of``, each pair once.
    outcomes
        ``lead``, ``occurred_at``, ``recorded_at`` and ``outcome`` (its code).
    target
        What is predicted.
    codes
        Of `outcome_codes`.

    Returns
    -------
    LazyFrame
        ``lead``, ``as_of`` and whole numbers, 0 or 1: ``known_reached`` (known at the instant), ``reached`` (true at
        the instant, known or not), ``inside`` (in the population as known at the instant), ``converted`` (reached
        within the horizon and recorded when the label is due), ``late`` (reached within it and recorded too late).
    """
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    as_of, occurred, recorded = nw.col(AS_OF), nw.col("occurred_at"), nw.col("recorded_at")
    code = nw.col("outcome")
    hit = code.is_in(reaching(target, codes))
    before = occurred < as_of
    known = before & (recorded <= as_of)
    within = hit & ~before & (occurred < as_of + target.horizon * DAY)
    timely = recorded <= as_of + target.maturity
    newest = nw.when(known & code.is_in(_states(target, codes))).then(occurred * CODES + code)
    joined = snapshots.join(outcomes, on=LEAD, how="left")
    flags = {
        "known_reached": hit & known,
        "reached": hit & before,
        "converted": within & timely,
        "late": within & ~timely,
    }
    found = joined.group_by(*SNAPSHOT).agg(
        newest.max().alias("newest"),
        *((_whole(mask).fill_null(0).max()).alias(name) for name, mask in flags.items()),
    )
    return found.with_columns(_whole(_inside(nw.col("newest"), target, codes)).alias("inside")).drop("newest")


def reaching(target: Target, codes: dict[str, int]) -> list[int]:
    """Return the outcomes that reach the target: itself, and for one of the funnel those that lie beyond it."""
    if target.outcome not in FUNNEL:
        return [codes[target.outcome]]
    return [codes[name] for name in FUNNEL[FUNNEL.index(target.outcome) :]]


def _states(target: Target, codes: dict[str, int]) -> list[int]:
    """Return the outcomes that say whether a lead is in the population."""
    if target.population == "customers":
        return [codes[name] for name in (*CUSTOMERS, "churned")]
    return [codes[name] for name in OUTCOMES]


def _inside(newest: Expression, target: Target, codes: dict[str, int]) -> Expression:
    """Return whether the newest known outcome puts a lead into the population."""
    if target.population == "customers":
        return (newest % CODES).is_in([codes[name] for name in CUSTOMERS]) & ~newest.is_null()
    return newest.is_null() | ~(newest % CODES).is_in([codes[name] for name in CLOSED])


def _whole(mask: Expression) -> Expression:
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    return mask.cast(nw.Int64)
