"""The features of activities: counts in windows, breadth, recency, decayed counts and trend.

The list decides which fields dated leads have beside their attributes, and in which order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.check.activity_feature import ActivityColumn, ActivityFeature, ActivityKind, activity_field
from leadml.leads.check.activity_plan import ACTIVITY, LEAD_AGE, WEIGHT_ONE
from leadml.leads.check.activity_values import Values
from leadml.leads.check.field import DAYS_AGO, DAYS_SINCE

if TYPE_CHECKING:
    from leadml.leads.check.activity_feature import Aggregates, Expression
    from leadml.leads.check.activity_plan import ActivityPlan


class Counts(ActivityFeature):
    """How many activities of a kind there were in each window."""

    def of_kind(self, plan: ActivityPlan, kind: ActivityKind) -> list[ActivityColumn]:
        """Return a column for each window."""
        return [self._in_window(kind, days) for days in plan.windows]

    def _in_window(self, kind: ActivityKind, days: int) -> ActivityColumn:
        field = activity_field(f"{kind.name}_{days}d", kind.name, f"{{}} {kind.words} in the last {days} days")
        return ActivityColumn.of_count(
            f"k{kind.number}_{days}d", field, lambda known: known.count(known.of_kind(kind.number) & (known.age < days))
        )


class Breadth(ActivityFeature):
    """On how many days, and by how many channels, a lead was active in each window."""

    def of_all(self, plan: ActivityPlan) -> list[ActivityColumn]:
        """Return a column of days for each window, and one of channels where activities have a channel."""
        measures = (self._days, self._channels) if plan.channels else (self._days,)
        return [measure(days) for days in plan.windows for measure in measures]

    def _days(self, days: int) -> ActivityColumn:
        name = f"active_days_{days}d"
        field = activity_field(name, ACTIVITY, f"active on {{}} of the last {days} days")
        return ActivityColumn.of_count(name, field, lambda known: known.distinct(known.age, known.age < days))

    def _channels(self, days: int) -> ActivityColumn:
        name = f"channels_{days}d"
        field = activity_field(name, ACTIVITY, f"{{}} channels in the last {days} days")
        return ActivityColumn.of_count(
            name,
            field,
            lambda known: known.distinct(known.channel, (known.age < days) & ~known.channel.is_null()),
        )


class Recency(ActivityFeature):
    """How many days ago the last and the first activity were."""

    def of_kind(self, plan: ActivityPlan, kind: ActivityKind) -> list[ActivityColumn]:  # noqa: ARG002 - the same for all
        """Return the days since the last and since the first activity of the kind."""
        last, first = (
            activity_field(
                f"{kind.name}_{end}", kind.name, f"{kind.words}: the {end} {DAYS_AGO}", f"no {kind.words} so far"
            )
            for end in ("last", "first")
        )
        return [
            ActivityColumn.of_number(
                f"k{kind.number}_last", last, lambda known: known.smallest(known.age, known.of_kind(kind.number))
            ),
            ActivityColumn.of_number(
                f"k{kind.number}_first", first, lambda known: known.largest(known.age, known.of_kind(kind.number))
            ),
        ]

    def of_all(self, plan: ActivityPlan) -> list[ActivityColumn]:  # noqa: ARG002 - the same for all
        """Return the days since the last activity of any kind."""
        name = f"{ACTIVITY}_last"
        field = activity_field(name, ACTIVITY, f"last active {DAYS_AGO}", "not active so far")
        return [ActivityColumn.of_number(name, field, lambda known: known.smallest(known.age))]


class Decay(ActivityFeature):
    """How many activities there were where old ones count less."""

    def of_kind(self, plan: ActivityPlan, kind: ActivityKind) -> list[ActivityColumn]:  # noqa: ARG002 - the same for all
        """Return the decayed count of the kind."""
        inner = f"k{kind.number}_decayed"
        field = activity_field(f"{kind.name}_decayed", kind.name, f"{kind.words}: {{}} where old ones count less")
        aggregates = {inner: lambda known: known.total(known.weight, known.of_kind(kind.number))}
        return [ActivityColumn(inner, field, aggregates, lambda found: found.scaled(inner, WEIGHT_ONE))]

    def of_all(self, plan: ActivityPlan) -> list[ActivityColumn]:  # noqa: ARG002 - the same for all
        """Return the decayed count of all activities."""
        name = f"{ACTIVITY}_decayed"
        field = activity_field(name, ACTIVITY, "{} activities where old ones count less")
        aggregates = {name: lambda known: known.total(known.weight)}
        return [ActivityColumn(name, field, aggregates, lambda found: found.scaled(name, WEIGHT_ONE))]


class Trend(ActivityFeature):
    """The activity of the last days against as many days before them: (recent - earlier) / (recent + earlier)."""

    def of_all(self, plan: ActivityPlan) -> list[ActivityColumn]:
        """Return the trend, which is missing where a lead was not active on these days."""
        name, days = f"{ACTIVITY}_trend", plan.trend
        words = f"activity of the last {days} days against the {days} before: {{}} (-1 to 1)"
        field = activity_field(name, ACTIVITY, words, f"not active in the last {2 * days} days")
        aggregates = {
            "recent": lambda known: known.count(known.age < days),
            "earlier": lambda known: known.count((known.age >= days) & (known.age < 2 * days)),
        }
        return [ActivityColumn(name, field, aggregates, self._trend)]

    def _trend(self, found: Aggregates) -> Expression:
        recent, earlier = found.count("recent"), found.count("earlier")
        return found.ratio(recent - earlier, recent + earlier)


FEATURES: tuple[ActivityFeature, ...] = (Counts(), Breadth(), Recency(), Decay(), Trend(), Values())


def activity_columns(plan: ActivityPlan) -> tuple[ActivityColumn, ...]:
    """Return the columns that a plan computes: of the lead's age, of each kind, of all activities."""
    age = activity_field(LEAD_AGE, "", f"{DAYS_SINCE} the lead came")
    columns = [ActivityColumn(LEAD_AGE, age, {}, lambda found: found.count(LEAD_AGE))]
    if plan.windows:
        kinds = [ActivityKind(number, *kind) for number, kind in enumerate(plan.kinds)]
        columns += [column for kind in kinds for feature in FEATURES for column in feature.of_kind(plan, kind)]
        columns += [column for feature in FEATURES for column in feature.of_all(plan)]
    return tuple(columns)
