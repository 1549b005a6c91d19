"""Features of leads as of an instant: the one function that training, scoring and review share.

What enters is snapshots, the states of their leads and their activities, lazy and on any engine; what leaves is one row
a snapshot.
It looks at nothing that had not happened before the instant or was not recorded by it, and adds up whole numbers only,
so that every engine, order and number of threads gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.leads.check.activity_plan import ACTIVITY, DAY, DECAYED, FIRST, LAST, LEAD_AGE, TREND, WEIGHT_ONE

if TYPE_CHECKING:
    import narwhals as nw

    from leadml.leads.check.activity_plan import ActivityPlan

    Lazy = nw.LazyFrame[Any]
    Expression = nw.Expr

LEAD, AS_OF = "lead", "as_of"
SNAPSHOT = (LEAD, AS_OF)


def features(snapshots: Lazy, states: Lazy, activities: Lazy, weights: Lazy, *, plan: ActivityPlan) -> Lazy:
    """Return the features of snapshots, one row each, in the order of lead and instant.

    Parameters
    ----------
    snapshots
        ``lead`` and ``as_of``, each pair once; instants are whole microseconds since 1970, UTC.
    states
        ``lead``, ``created_at``, ``version`` (rising within a lead), ``valid_from``, ``recorded_at``, and attributes
        under names of leadml's own.
    activities
        ``lead``, ``occurred_at``, ``recorded_at``, ``kind`` (its number in the plan, -1 for others), ``channel``.
    weights
        ``age`` (whole days) and ``weight`` (whole), as the plan has them; see `weight_columns`.
    plan
        What is computed from activities.

    Returns
    -------
    LazyFrame
        ``lead``, ``as_of``, the attributes of the state that held, and the cells of the plan's layout. A snapshot
        before whose instant the lead was not known has no row.
    """
    return (
        _states_as_of(snapshots, states)
        .join(_activity_features(_seen(snapshots, activities, weights), plan), on=list(SNAPSHOT), how="left")
        .with_columns(*_finished(plan))
        .drop("recent", "earlier")
        .sort(*SNAPSHOT)
    )


def weight_columns(plan: ActivityPlan) -> dict[str, list[int]]:
    """Return the columns of the table of decay weights."""
    return {"age": list(range(len(plan.weights))), "weight": list(plan.weights)}


def _states_as_of(snapshots: Lazy, states: Lazy) -> Lazy:
    """Return each snapshot with the newest state of its lead that held before the instant and was recorded by it."""
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    known = snapshots.join(states, on=LEAD, how="inner").filter(
        nw.col("created_at") < nw.col(AS_OF),
        nw.col("valid_from") < nw.col(AS_OF),
        nw.col("recorded_at") <= nw.col(AS_OF),
    )
    newest = known.group_by(*SNAPSHOT).agg(nw.col("version").max())
    age = ((nw.col(AS_OF) - nw.col("created_at") - 1) // DAY).alias(LEAD_AGE)
    return known.join(newest, on=[*SNAPSHOT, "version"], how="semi").with_columns(age)


def _seen(snapshots: Lazy, activities: Lazy, weights: Lazy) -> Lazy:
    """Return the activities that each snapshot may know, with their age in whole days and their weight."""
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    return (
        activities.join(snapshots, on=LEAD, how="inner")
        .filter(nw.col("occurred_at") < nw.col(AS_OF), nw.col("recorded_at") <= nw.col(AS_OF))
        .with_columns(((nw.col(AS_OF) - nw.col("occurred_at") - 1) // DAY).alias("age"))
        .join(weights, on="age", how="left")
        .with_columns(nw.col("weight").fill_null(0))
    )


def _activity_features(seen: Lazy, plan: ActivityPlan) -> Lazy:
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    age, weight = nw.col("age"), nw.col("weight")
    sums = [
        age.min().alias(f"{ACTIVITY}{LAST}"),
        weight.sum().alias(f"{ACTIVITY}{DECAYED}"),
        _count(age < plan.trend).alias("recent"),
        _count((age >= plan.trend) & (age < 2 * plan.trend)).alias("earlier"),
    ]
    for number in range(len(plan.kinds)):
        here = nw.col("kind") == number
        sums += [_count(here & (age < days)).alias(f"k{number}_{days}d") for days in plan.windows]
        its_age = nw.when(here).then(age)
        sums += [its_age.min().alias(f"k{number}{LAST}"), its_age.max().alias(f"k{number}{FIRST}")]
        sums.append(nw.when(here).then(weight).otherwise(0).sum().alias(f"k{number}{DECAYED}"))
    for days in plan.windows:
        inside = age < days
        sums.append(_distinct(age, inside).alias(f"active_days_{days}d"))
        if plan.channels:
            channel = nw.col("channel")
            sums.append(_distinct(channel, inside & ~channel.is_null()).alias(f"channels_{days}d"))
    return seen.group_by(*SNAPSHOT).agg(*sums)


def _count(mask: Expression) -> Expression:
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    return mask.cast(nw.Int64).sum()


def _distinct(value: Expression, mask: Expression) -> Expression:
    """Return how many values there are under a mask; what is outside is one value more, "missing", and taken off."""
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    return nw.when(mask).then(value).n_unique() - (~mask).cast(nw.Int64).max()


def _finished(plan: ActivityPlan) -> list[Expression]:
    """Return the plan's fields: counts are 0 where nothing was seen, ages missing, quotients taken once at the end."""
    import narwhals as nw  # noqa: PLC0415 - the door opens without it

    recent, earlier = (nw.col(name).cast(nw.Int64).fill_null(0) for name in ("recent", "earlier"))
    both = recent + earlier
    trend = nw.when(both > 0).then((recent - earlier).cast(nw.Float64) / both.cast(nw.Float64))
    finished = []
    for inner, field in plan.layout:
        column = nw.col(inner).cast(nw.Int64) if inner != TREND else trend
        if inner.endswith(DECAYED):
            column = column.fill_null(0).cast(nw.Float64) / float(WEIGHT_ONE)
        elif not field.words_if_missing:
            column = column.fill_null(0)
        finished.append(column.cast(nw.Float64).alias(inner))
    return finished
