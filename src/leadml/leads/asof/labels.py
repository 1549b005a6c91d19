"""Whether a snapshot is in the target's population, and its label.

At the instant of a snapshot an outcome is known only if it occurred before the instant and was recorded by it. A label
uses what was recorded until the label is due, so that a label of an earlier training stays as it was.
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
# A power of 2 above leadml's 9 outcomes; microseconds times 64 stay below 2^63 until the year 6500.
MAX_CODES = 64


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
    """Return the snapshots with their label and whether they are in the target's population.

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
        ``lead``, ``as_of`` and flags, 0 or 1:

        - ``reached``: the target was reached before the instant.
        - ``reached_and_recorded``: it was reached before the instant, and this was recorded by the instant.
        - ``in_population``: the lead is in the population by the outcomes known at the instant.
        - ``converted``: the target is reached within the horizon, and this is recorded until the label is due.
        - ``late``: it is reached within the horizon, and this is recorded later than that.
    """
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    as_of, occurred, recorded = nw.col(AS_OF), nw.col("occurred_at"), nw.col("recorded_at")
    code = nw.col("outcome")
    is_target = code.is_in(target_codes(target, codes))
    before = occurred < as_of
    known = before & (recorded <= as_of)
    in_horizon = is_target & ~before & (occurred < as_of + target.horizon * DAY)
    in_time = recorded <= as_of + target.maturity
    # One number holds instant and code, so that its maximum is the latest outcome.
    latest = nw.when(known & code.is_in(_state_codes(target, codes))).then(occurred * MAX_CODES + code)
    joined = snapshots.join(outcomes, on=LEAD, how="left")
    flags = {
        "reached_and_recorded": is_target & known,
        "reached": is_target & before,
        "converted": in_horizon & in_time,
        "late": in_horizon & ~in_time,
    }
    found = joined.group_by(*SNAPSHOT).agg(
        latest.max().alias("latest"),
        *((_as_integer(mask).fill_null(0).max()).alias(name) for name, mask in flags.items()),
    )
    in_population = _as_integer(_is_in_population(nw.col("latest"), target, codes))
    return found.with_columns(in_population.alias("in_population")).drop("latest")


def target_codes(target: Target, codes: dict[str, int]) -> list[int]:
    """Return the outcomes that count as the target: its own, and for one of the funnel also all later ones."""
    if target.outcome not in FUNNEL:
        return [codes[target.outcome]]
    return [codes[name] for name in FUNNEL[FUNNEL.index(target.outcome) :]]


def _state_codes(target: Target, codes: dict[str, int]) -> list[int]:
    """Return the outcomes that decide whether a lead is in the population."""
    if target.population == "customers":
        return [codes[name] for name in (*CUSTOMERS, "churned")]
    return [codes[name] for name in OUTCOMES]


def _is_in_population(latest: Expression, target: Target, codes: dict[str, int]) -> Expression:
    """Return whether a lead is in the population by its latest known outcome."""
    if target.population == "customers":
        return (latest % MAX_CODES).is_in([codes[name] for name in CUSTOMERS]) & ~latest.is_null()
    return latest.is_null() | ~(latest % MAX_CODES).is_in([codes[name] for name in CLOSED])


def _as_integer(mask: Expression) -> Expression:
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    return mask.cast(nw.Int64)
