"""Features of leads as of an instant: the one function that training, scoring and explaining share.

A snapshot uses only what happened before its instant and was recorded by it. All sums are of whole numbers, so that
every engine, order of rows and number of threads gives the same numbers to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import DAY, LEAD_AGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals as nw

    from leadml.leads.check.activity_feature import ActivityColumn
    from leadml.leads.check.activity_plan import ActivityPlan

    Lazy = nw.LazyFrame[Any]
    Expression = nw.Expr

LEAD, AS_OF = "lead", "as_of"
SNAPSHOT = (LEAD, AS_OF)
MACHINE_SINCE = "machine_since"


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
        ``lead``, ``occurred_at``, ``recorded_at``, ``kind`` (its number in the plan, -1 for other kinds), ``channel``
        and the columns of `value_name`, one for each of the plan's values; if the plan recognises machines also
        ``machine_since``, from when on an act is known to be a machine's.
    weights
        ``age`` (whole days) and ``weight`` (whole), of `weight_columns`.
    plan
        What is computed from activities.

    Returns
    -------
    LazyFrame
        ``lead``, ``as_of``, the attributes of the state that held, and the plan's `activity_columns`. A snapshot of a
        lead that was not known at the instant has no row.
    """
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    columns, found = activity_columns(plan), _states_as_of(snapshots, states)
    aggregates = _aggregates(columns)
    if aggregates:
        machines_since = None if plan.machines is None else MACHINE_SINCE
        known = _known_activities(snapshots, activities, weights, machines_since).group_by(*SNAPSHOT).agg(*aggregates)
        found = found.join(known, on=list(SNAPSHOT), how="left")
    values = [column.value(Aggregated()).cast(nw.Float64).alias(column.inner) for column in columns]
    inner = {column.inner for column in columns}
    parts = {name for column in columns for name in column.aggregates} - inner
    return found.with_columns(*values).drop(*sorted(parts)).sort(*SNAPSHOT)


def value_name(number: int) -> str:
    """Return the name of a column of ``sources.activities.values`` inside the engine, by its number in the plan."""
    return f"value_{number}"


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


def _known_activities(snapshots: Lazy, activities: Lazy, weights: Lazy, machines_since: str | None) -> Lazy:
    """Return the activities that were known at each snapshot, with their age in whole days and their weight.

    Those that were known to be a machine's by then are not among them.
    """
    import narwhals as nw  # noqa: PLC0415 - only dated leads need it

    by_people = []
    if machines_since is not None:
        since = nw.col(machines_since)
        by_people.append(since.is_null() | (since > nw.col(AS_OF)))
    return (
        activities.join(snapshots, on=LEAD, how="inner")
        .filter(nw.col("occurred_at") < nw.col(AS_OF), nw.col("recorded_at") <= nw.col(AS_OF), *by_people)
        .with_columns(((nw.col(AS_OF) - nw.col("occurred_at") - 1) // DAY).alias("age"))
        .join(weights, on="age", how="left")
        .with_columns(nw.col("weight").fill_null(0))
    )


def _aggregates(columns: Sequence[ActivityColumn]) -> list[Expression]:
    """Return the aggregates of all columns, each once."""
    known = Known()
    needed = {name: aggregate for column in columns for name, aggregate in column.aggregates.items()}
    return [aggregate(known).alias(name) for name, aggregate in needed.items()]


class Known:
    """The known activities as narwhals expressions; see `KnownActivities`."""

    def __init__(self) -> None:
        """Import narwhals."""
        import narwhals as nw  # noqa: PLC0415 - only dated leads need it

        self._nw = nw
        self.age, self.weight, self.channel = nw.col("age"), nw.col("weight"), nw.col("channel")

    def of_kind(self, number: int) -> Expression:
        """Return the mask of a kind."""
        return self._nw.col("kind") == number

    def value(self, number: int) -> Expression:
        """Return a column of numbers."""
        return self._nw.col(value_name(number))

    def count(self, mask: Expression) -> Expression:
        """Return the size of a mask."""
        return mask.cast(self._nw.Int64).sum()

    def total(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return a sum."""
        return (column if mask is None else self._nw.when(mask).then(column).otherwise(0)).sum()

    def smallest(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return the smallest number."""
        return self._where(mask, column).min()

    def largest(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return the largest number."""
        return self._where(mask, column).max()

    def distinct(self, column: Expression, mask: Expression) -> Expression:
        """Return the number of distinct values."""
        # null, the value outside the mask, is counted as a value, and so is taken off
        return self._where(mask, column).n_unique() - (~mask).cast(self._nw.Int64).max()

    def _where(self, mask: Expression | None, column: Expression) -> Expression:
        return column if mask is None else self._nw.when(mask).then(column)


class Aggregated:
    """The aggregates of a snapshot as narwhals expressions; see `Aggregates`."""

    def __init__(self) -> None:
        """Import narwhals."""
        import narwhals as nw  # noqa: PLC0415 - only dated leads need it

        self._nw = nw

    def number(self, name: str) -> Expression:
        """Return an aggregate, null where there is none."""
        return self._nw.col(name).cast(self._nw.Int64)

    def count(self, name: str) -> Expression:
        """Return an aggregate, 0 where there is none."""
        return self.number(name).fill_null(0)

    def scaled(self, name: str, unit: int) -> Expression:
        """Return an aggregate in units."""
        whole = self.count(name)
        # a column of units: by a plain number Polars multiplies with its rounded inverse, DuckDB divides
        return whole.cast(self._nw.Float64) / (whole * 0 + unit).cast(self._nw.Float64)

    def ratio(self, numerator: Expression, denominator: Expression) -> Expression:
        """Return a quotient, null where the denominator is 0."""
        quotient = numerator.cast(self._nw.Float64) / denominator.cast(self._nw.Float64)
        return self._nw.when(denominator != 0).then(quotient)
