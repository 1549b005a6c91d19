"""Sums and means of a column of numbers of activities, such as the amount of an order.

The columns are those of ``sources.activities.values``. An activity without a number adds nothing to the sum and is left
out of the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from leadml.leads.check.activity_feature import ActivityColumn, ActivityFeature, ActivityKind, activity_field
from leadml.leads.check.activity_plan import VALUE_ONE

if TYPE_CHECKING:
    from leadml.leads.check.activity_feature import Expression, KnownActivities
    from leadml.leads.check.activity_plan import ActivityPlan
    from leadml.leads.check.field import Field


class Values(ActivityFeature):
    """The sum and the mean of each column of numbers, of each kind of activity and in each window."""

    def of_kind(self, plan: ActivityPlan, kind: ActivityKind) -> list[ActivityColumn]:
        """Return two columns for each column of numbers and each window."""
        windows = [
            _Window(kind, number, name, days) for number, name in enumerate(plan.values) for days in plan.windows
        ]
        return [column for window in windows for column in (window.sum_column(), window.mean_column())]


class _Window(NamedTuple):
    """A column of numbers of one kind of activity in one window."""

    kind: ActivityKind
    number: int
    name: str
    days: int

    def sum_column(self) -> ActivityColumn:
        """Return the sum, 0 where there is no such activity."""
        name = self._inner("sum")
        return ActivityColumn(
            name, self._field("sum", "total"), {name: self.total}, lambda found: found.scaled(name, VALUE_ONE)
        )

    def mean_column(self) -> ActivityColumn:
        """Return the mean, which is missing where no such activity has a number."""
        total, number = self._inner("sum"), self._inner("number")
        if_missing = f"no {self.kind.words} with {self.name} in the last {self.days} days"
        return ActivityColumn(
            self._inner("mean"),
            self._field("mean", "mean", if_missing),
            {total: self.total, number: lambda known: known.count(self._is_in(known) & ~self._value(known).is_null())},
            lambda found: found.ratio(found.count(total), found.count(number) * VALUE_ONE),
        )

    def total(self, known: KnownActivities) -> Expression:
        """Return the sum in units of 1/10,000."""
        return known.total(self._value(known), self._is_in(known))

    def _is_in(self, known: KnownActivities) -> Expression:
        return known.of_kind(self.kind.number) & (known.age < self.days)

    def _value(self, known: KnownActivities) -> Expression:
        return known.value(self.number)

    def _inner(self, measure: str) -> str:
        return f"k{self.kind.number}_v{self.number}_{measure}_{self.days}d"

    def _field(self, measure: str, word: str, if_missing: str = "") -> Field:
        name = f"{self.kind.name}_{self.name}_{measure}_{self.days}d"
        words = f"{self.kind.words}: {{}} {word} {self.name} in the last {self.days} days"
        return activity_field(name, self.kind.name, words, if_missing)
