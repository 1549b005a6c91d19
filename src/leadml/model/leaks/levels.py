"""LK4 and LK5: levels, special numbers and missing values that imply the outcome.

A value is reported only where its conversion rate is nearly 0 or 1, far from the base rate and far from the rates of
the other values. A value with a high conversion rate alone is no leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import quoted
from leadml.model.metrics import rate_bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats, Labels, Mask


MIN_LEADS_OF_VALUE = (
    20  # 20 of 20 give a lower bound of 75% at VALUE_Z, below MIN_RATE: the first number that is near enough to look
)
VALUE_Z = (
    2.6  # errors: one-sided 0.5%, so that of the 60 values that are tried one passes by chance in 25% of fields at most
)
MIN_RATE = 0.85  # "implies the outcome": six of seven leads at least; see leak_limits.py
MIN_ODDS_RATIO_TO_BASE = 20.0  # asks more than MIN_RATE where over 22% convert, as high rates are common there
MIN_ODDS_RATIO_TO_OTHERS = 5.0  # to the next value: causes rise in steps, an entry jumps; see leak_limits.py
# by label: of the converters 5%, of the others 25%, because a level of leads that rarely convert is usual
STOP_COVERAGE = {1: 0.05, 0: 0.25}
WARN_COVERAGE = {1: 0.02, 0: 0.10}  # by label, two fifths of what stops; see leak_limits.py
MAX_VALUES = 60  # the commonest, for time: rarer values are those of few leads
COMMONEST_NUMBERS = 3  # 0, -1 and 999 are what systems write for "nothing"; a field has seldom more such numbers


@dataclass(frozen=True)
class ImplyingValue:
    """A value that implies the outcome.

    Parameters
    ----------
    description
        The value, for people to read.
    leads, converted
        Number of leads that have it, and of those that converted.
    label
        1 where almost all of these leads converted, 0 where almost none did.
    coverage
        Share of all leads with this label that have the value.
    base_rate
        Share of all leads that converted.
    """

    description: str
    leads: int
    converted: int
    label: int
    coverage: float
    base_rate: float

    @property
    def is_common(self) -> bool:
        """Whether enough leads with this label have the value to stop the training."""
        return self.coverage >= STOP_COVERAGE[self.label]

    def __str__(self) -> str:
        """Return the value and its counts."""
        whose = "of all leads that converted" if self.label else "of all leads that did not convert"
        return (
            f"{self.description} occurs in {self.leads:,} leads, of which {self.converted:,} converted, where the base "
            f"rate is {self.base_rate:.1%}; it covers {self.coverage:.0%} {whose}"
        )


def find_implying_value(column: pd.Series, field: Field, outcome: Outcome) -> ImplyingValue | None:
    """Return the value of a field that implies the outcome and covers most leads, or None.

    Parameters
    ----------
    column
        Values of the field, shape (n_rows,); missing values are not judged here.
    field
        Name and kind.
    outcome
        Labels and groups of the rows.
    """
    by_number = field.kind == "number"
    candidates = _numbers(column, outcome.labels) if by_number else _levels(column, outcome.labels)
    return _most_covering(candidates, outcome)


def find_implying_blank(filled: Mask, outcome: Outcome) -> ImplyingValue | None:
    """Return whether having a value, or having none, implies the outcome, or None."""
    candidates = (
        Candidate(description, rows, (_rate(outcome.labels, ~rows),))
        for description, rows in (("a value", filled), ("a blank", ~filled))
    )
    return _most_covering(candidates, outcome)


@dataclass(frozen=True)
class Candidate:
    """The leads that have a value, and the conversion rates of the leads that they are compared with.

    Parameters
    ----------
    description
        The value, for people to read.
    rows
        Which rows have it, shape (n_rows,).
    other_rates
        Conversion rates of the other leads: those with each other level, or those with the nearest numbers.
    differs_from_all
        Whether the rate must be far from all rates that are less extreme; else far from one of the rates.
    """

    description: str
    rows: Mask
    other_rates: tuple[float, ...]
    differs_from_all: bool = False

    def differs(self, lower_bound: float, label: int) -> bool:
        """Return whether a rate of a label, of at least this bound, is far from the rates of other leads."""
        rates = [rate if label else 1 - rate for rate in self.other_rates]
        others = [rate for rate in rates if rate < lower_bound] if self.differs_from_all else rates
        if not others:
            return False
        nearest = max(others) if self.differs_from_all else min(others)
        return _odds(lower_bound) >= MIN_ODDS_RATIO_TO_OTHERS * _odds(nearest)


def _most_covering(candidates: Iterable[Candidate], outcome: Outcome) -> ImplyingValue | None:
    found = [value for candidate in candidates if (value := _implying_value(candidate, outcome))]
    return max(found, key=lambda value: (value.is_common, value.coverage), default=None)


def _implying_value(candidate: Candidate, outcome: Outcome) -> ImplyingValue | None:
    labels, base_rate = outcome.labels, outcome.base_rate
    leads, converted = int(candidate.rows.sum()), int(labels[candidate.rows].sum())
    if leads < MIN_LEADS_OF_VALUE:
        return None
    weight = outcome.count_groups(candidate.rows) / leads  # rows of one group count as one observation
    for label in (1, 0):
        hits, share = (converted, base_rate) if label else (leads - converted, 1 - base_rate)
        lower_bound = float(rate_bound(np.array([weight * hits]), np.array([weight * leads]), z=VALUE_Z)[0])
        coverage = hits / max(int((labels == label).sum()), 1)
        extreme = lower_bound >= MIN_RATE and _odds(lower_bound) >= MIN_ODDS_RATIO_TO_BASE * _odds(share)
        if extreme and coverage >= WARN_COVERAGE[label] and candidate.differs(lower_bound, label):
            return ImplyingValue(candidate.description, leads, converted, label, coverage, base_rate)
    return None


def _levels(column: pd.Series, labels: Labels) -> Iterator[Candidate]:
    """Yield the common levels, each with the rate of every other level and the rate of all other levels together."""
    known = column.notna().to_numpy()
    common = [level for level, leads in column.value_counts().head(MAX_VALUES).items() if leads >= MIN_LEADS_OF_VALUE]
    rows_of_levels = [(column == level).to_numpy() for level in common]
    rates = [_rate(labels, rows) for rows in rows_of_levels]
    for at, (level, rows) in enumerate(zip(common, rows_of_levels, strict=True)):
        rest = known & ~rows
        if rest.any():
            other_rates = (*rates[:at], *rates[at + 1 :], _rate(labels, rest))
            yield Candidate(f"the level {quoted(level)}", rows, other_rates, differs_from_all=True)


def _numbers(column: pd.Series, labels: Labels) -> Iterator[Candidate]:
    """Yield the common numbers, each with the rates of the nearest numbers, and all numbers but a very common one."""
    values = column.to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    distinct, sizes = np.unique(values[known], return_counts=True)
    for at, position in enumerate(np.argsort(-sizes, kind="stable")[:MAX_VALUES]):
        if sizes[position] < MIN_LEADS_OF_VALUE:
            break
        value = float(distinct[position])
        neighbours = (_nearest(values, values < value, below=True), _nearest(values, values > value, below=False))
        rows = values == value
        other_rates = tuple(_rate(labels, near) for near in neighbours if near.sum() >= MIN_LEADS_OF_VALUE)
        yield Candidate(f"the number {value:g}", rows, other_rates)
        if at < COMMONEST_NUMBERS:
            yield Candidate(f"a number other than {value:g}", known & ~rows, (_rate(labels, rows),))


def _nearest(values: Floats, side: Mask, *, below: bool) -> Mask:
    """Return the rows nearest to a value on one side of it: at least 20 where there are so many."""
    if side.sum() <= MIN_LEADS_OF_VALUE:
        return side
    edge = np.sort(values[side])[-MIN_LEADS_OF_VALUE if below else MIN_LEADS_OF_VALUE - 1]
    near: Mask = side & (values >= edge if below else values <= edge)
    return near


def _rate(labels: Labels, rows: Mask) -> float:
    """Return the conversion rate of some rows, shrunk to the base rate by the weight of one row."""
    return float((labels[rows].sum() + labels.mean()) / (rows.sum() + 1))


def _odds(rate: float) -> float:
    return rate / max(1.0 - rate, 1e-12)
