"""What a feature of activities is: the fields that it adds, and how each is computed from the activities of a lead.

A feature names what it needs of the known activities and states arithmetic on it; it knows no engine. All sums are of
whole numbers, so that every engine, order of rows and number of threads gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from leadml.leads.check.field import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import narwhals as nw

    from leadml.leads.check.activity_plan import ActivityPlan

    Expression = nw.Expr


class KnownActivities(Protocol):
    """The activities of a lead that are known at a snapshot, as columns of whole numbers, and sums over them.

    A mask is a comparison of columns, such as ``known.of_kind(0) & (known.age < 30)``.
    """

    @property
    def age(self) -> Expression:
        """Whole days between the activity and the snapshot; 0 is the last 24 hours."""

    @property
    def weight(self) -> Expression:
        """Weight by age, in units of ``WEIGHT_ONE``; see `decay_weights`."""

    @property
    def channel(self) -> Expression:
        """Number of the channel; null where there is none."""

    def of_kind(self, number: int) -> Expression:
        """Return the mask of the activities of a kind, by its number in the plan."""

    def value(self, number: int) -> Expression:
        """Return a column of ``sources.activities.values`` by its number, in units of 1/10,000; null if missing."""

    def count(self, mask: Expression) -> Expression:
        """Return how many activities the mask has."""

    def total(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return the sum of a column over the mask, or over all activities; a null counts as 0."""

    def smallest(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return the smallest number of a column, null where the mask has none."""

    def largest(self, column: Expression, mask: Expression | None = None) -> Expression:
        """Return the largest number of a column, null where the mask has none."""

    def distinct(self, column: Expression, mask: Expression) -> Expression:
        """Return how many distinct numbers a column has; the mask must leave out nulls."""


class Aggregates(Protocol):
    """The aggregates of a snapshot, by name, as whole numbers."""

    def number(self, name: str) -> Expression:
        """Return an aggregate, null where there is none."""

    def count(self, name: str) -> Expression:
        """Return an aggregate, 0 where there is none."""

    def scaled(self, name: str, unit: int) -> Expression:
        """Return an aggregate divided by a unit, 0 where there is none."""

    def ratio(self, numerator: Expression, denominator: Expression) -> Expression:
        """Return a quotient, null where the denominator is 0."""


@dataclass(frozen=True)
class ActivityColumn:
    """One field that is computed from activities.

    Parameters
    ----------
    inner
        Name of the column inside the engine: ASCII letters, digits and underscores, because names of kinds come from
        strangers. It must differ from all other columns.
    field
        The field, with its words.
    aggregates
        What is computed of the known activities, by name. An aggregate that several columns name is computed once.
    value
        Returns the field's value from the aggregates.
    """

    inner: str
    field: Field
    aggregates: Mapping[str, Callable[[KnownActivities], Expression]]
    value: Callable[[Aggregates], Expression]

    @classmethod
    def of_count(cls, inner: str, field: Field, count: Callable[[KnownActivities], Expression]) -> ActivityColumn:
        """Return a column of one aggregate that is 0 where a lead has no activities."""
        return cls(inner, field, {inner: count}, lambda found: found.count(inner))

    @classmethod
    def of_number(cls, inner: str, field: Field, number: Callable[[KnownActivities], Expression]) -> ActivityColumn:
        """Return a column of one aggregate that is missing where a lead has no such activities."""
        return cls(inner, field, {inner: number}, lambda found: found.number(inner))


class ActivityKind(NamedTuple):
    """A kind of activity: its number in the plan, its name in the source, and its plural in explanations."""

    number: int
    name: str
    words: str


class ActivityFeature:
    """A feature of activities: some columns for each kind, some for all activities together.

    A feature is an object of a class below this one and an entry in ``FEATURES`` of the module activity_features;
    docs/extending.md has an example.
    """

    def of_kind(self, plan: ActivityPlan, kind: ActivityKind) -> Iterable[ActivityColumn]:  # noqa: ARG002 - for those below
        """Return the columns of one kind of activity."""
        return ()

    def of_all(self, plan: ActivityPlan) -> Iterable[ActivityColumn]:  # noqa: ARG002 - for those below
        """Return the columns of all activities together."""
        return ()


def activity_field(name: str, topic: str, words: str, words_if_missing: str = "") -> Field:
    """Return the field of a number that is computed from activities.

    Parameters
    ----------
    name
        Name of the field.
    topic
        The kind of activity, or ``activity`` for all together.
    words
        Text for explanations, with ``{}`` for the value.
    words_if_missing
        Text for explanations where the value is missing; empty for a field that is never missing.
    """
    return Field(name, "number", "engagement", "activity", topic, words, words_if_missing)
