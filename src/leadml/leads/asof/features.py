"""Features of leads as of an instant: the one function that training, scoring and explaining share.

A snapshot uses only what happened before its instant and was recorded by it. All sums are of whole numbers, so that
every engine, order of rows and number of threads gives the same numbers to the bit.
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
        ``lead`` and ``as_of``, each pair once; instants are microseconds since 1970 in UTC.
    states
        ``lead``, ``created_at``, ``version`` (rising within a lead), ``valid_from``, ``recorded_at``, and attributes,
        which have the names of `history.attribute_name`.
    activities
        ``lead``, ``occurred_at``, ``recorded_at``, ``kind`` (its number in the plan, -1 for other kinds), ``channel``.
    weights
        ``age`` (whole days) and ``weight`` (whole), of `weight_columns`.
    plan
        What is computed from activities.

    Returns
    -------
    LazyFrame
        ``lead``, ``as_of``, the attributes of the state that held, and the columns of the plan's layout. A snapshot of
        a lead that was not known at the instant has no row.
    """
    return (
        _states_as_of(snapshots, states)
        .join(_aggregates(_known_activities(snapshots, activities, weights), plan), on=list(SNAPSHOT), how="left")
        .with_columns(*_final_columns(plan))
        .drop("recent", "earlier")
        .sort(*SNAPSHOT)
    )


def weight_columns(plan: ActivityPlan) -> dict[str, list[int]]:
    """Return the columns of the table of decay weights: the age in days and the whole weight."""
    return {"age": list(range(len(plan.weights))), "weight": list(plan.weights)}


def _states_as_of(snapshots: Lazy, states: Lazy) -> Lazy:
    """Return each snapshot with the newest state of its lead that held before the instant and was recorded by it."""
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    known = snapshots.join(states, on=LEAD, how="inner").filter(
        nw.col("created_at") < nw.col(AS_OF),
        nw.col("valid_from") < nw.col(AS_OF),
        nw.col("recorded_at") <= nw.col(AS_OF),
    )
    newest = known.group_by(*SNAPSHOT).agg(nw.col("version").max())
    age = ((nw.col(AS_OF) - nw.col("created_at") - 1) // DAY).alias(LEAD_AGE)
    return known.join(newest, on=[*SNAPSHOT, "version"], how="semi").with_columns(age)


def _known_activities(snapshots: Lazy, activities: Lazy, weights: Lazy) -> Lazy:
    """Return the activities that were known at each snapshot, with their age in whole days and their weight."""
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    return (
        activities.join(snapshots, on=LEAD, how="inner")
        .filter(nw.col("occurred_at") < nw.col(AS_OF), nw.col("recorded_at") <= nw.col(AS_OF))
        .with_columns(((nw.col(AS_OF) - nw.col("occurred_at") - 1) // DAY).alias("age"))
        .join(weights, on="age", how="left")
        .with_columns(nw.col("weight").fill_null(0))
    )


def _aggregates(known: Lazy, plan: ActivityPlan) -> Lazy:
    """Return counts, ages and sums of weights of the known activities of each snapshot."""
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    age, weight = nw.col("age"), nw.col("weight")
    columns = [
        age.min().alias(f"{ACTIVITY}{LAST}"),
        weight.sum().alias(f"{ACTIVITY}{DECAYED}"),
        _count(age < plan.trend).alias("recent"),
        _count((age >= plan.trend) & (age < 2 * plan.trend)).alias("earlier"),
    ]
    for number in range(len(plan.kinds)):
        of_kind = nw.col("kind") == number
        columns += [_count(of_kind & (age < days)).alias(f"k{number}_{days}d") for days in plan.windows]
        age_of_kind = nw.when(of_kind).then(age)
        columns += [age_of_kind.min().alias(f"k{number}{LAST}"), age_of_kind.max().alias(f"k{number}{FIRST}")]
        columns.append(nw.when(of_kind).then(weight).otherwise(0).sum().alias(f"k{number}{DECAYED}"))
    for days in plan.windows:
        in_window = age < days
        columns.append(_distinct(age, in_window).alias(f"active_days_{days}d"))
        if plan.channels:
            channel = nw.col("channel")
            columns.append(_distinct(channel, in_window & ~channel.is_null()).alias(f"channels_{days}d"))
    return known.group_by(*SNAPSHOT).agg(*columns)


def _count(mask: Expression) -> Expression:
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    return mask.cast(nw.Int64).sum()


def _distinct(value: Expression, mask: Expression) -> Expression:
    """Return the number of distinct values where the mask is true; null, the value elsewhere, is not counted."""
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    return nw.when(mask).then(value).n_unique() - (~mask).cast(nw.Int64).max()


def _final_columns(plan: ActivityPlan) -> list[Expression]:
    """Return the plan's fields: without activities, counts are 0 and ages are missing; divisions come last."""
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    recent, earlier = (nw.col(name).cast(nw.Int64).fill_null(0) for name in ("recent", "earlier"))
    total = recent + earlier
    trend = nw.when(total > 0).then((recent - earlier).cast(nw.Float64) / total.cast(nw.Float64))
    columns = []
    for inner, field in plan.layout:
        column = nw.col(inner).cast(nw.Int64) if inner != TREND else trend
        if inner.endswith(DECAYED):
            column = column.fill_null(0).cast(nw.Float64) / float(WEIGHT_ONE)
        elif not field.words_if_missing:
            column = column.fill_null(0)
        columns.append(column.cast(nw.Float64).alias(inner))
    return columns
