"""Levels, special values and blanks that imply the outcome.

What enters is one field of leads with labels; what leaves is the value that tells, with its counts.
A strong value is none: it must leave hardly a doubt, far from the base rate and from what the other values say.
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


FEW = 20
SURE = 2.6
ALMOST_ALL = 0.85
ODDS_TO_BASE = 20.0
ODDS_TO_OTHERS = 5.0
COVERED = {1: 0.05, 0: 0.25}
WORTH_A_WORD = {1: 0.02, 0: 0.10}
MOST_VALUES = 60
COMMONEST = 3


@dataclass(frozen=True)
class Telling:
    """A value that implies the outcome.

    Parameters
    ----------
    what
        The value, for a person to read.
    leads, converted
        How many leads have it, and how many of them converted.
    kind
        1 where (almost) all of them converted, 0 where (almost) none did.
    covered
        Share of all leads of that kind that have it.
    base
        Share of all leads that converted.
    """

    what: str
    leads: int
    converted: int
    kind: int
    covered: float
    base: float

    @property
    def sure(self) -> bool:
        """Whether it tells of enough leads to matter."""
        return self.covered >= COVERED[self.kind]

    def __str__(self) -> str:
        """Return the value and its counts."""
        whose, rate = "converters" if self.kind else "other leads", f"{self.base:.1%}"
        return (
            f"{self.what} is there for {self.leads:,} leads, of whom {self.converted:,} converted where {rate} "
            f"of all do, and covers {self.covered:.0%} of the {whose}"
        )


def telling_value(column: pd.Series, field: Field, outcome: Outcome) -> Telling | None:
    """Return the value of a field that implies the outcome of most leads, or None.

    Parameters
    ----------
    column
        The field, of shape (n_leads,); blanks are not judged here.
    field
        Its name and kind.
    outcome
        What became of the leads.
    """
    groups = _numbers(column, outcome.label) if field.kind == "number" else _levels(column, outcome.label)
    return _most_telling(groups, outcome)


def telling_blank(filled: Mask, outcome: Outcome) -> Telling | None:
    """Return whether being filled, or being blank, implies the outcome."""
    sides = (("a value", filled), ("a blank", ~filled))
    return _most_telling((Group(what, mask, (_rate(outcome.label, ~mask),)) for what, mask in sides), outcome)


@dataclass(frozen=True)
class Group:
    """Leads that share a value, and the rates of conversion of the leads that they are held against.

    One rival that is far is enough where they are neighbours; ``every`` asks it of all rivals that are not as strong.
    """

    what: str
    mask: Mask
    rivals: tuple[float, ...]
    every: bool = False

    def stands_out(self, low: float, kind: int) -> bool:
        """Return whether a rate of at least so much is far from what the rivals say."""
        rates = [rate if kind else 1 - rate for rate in self.rivals]
        others = [rate for rate in rates if rate < low] if self.every else rates
        if not others:
            return False
        return _odds(low) >= ODDS_TO_OTHERS * _odds(max(others) if self.every else min(others))


def _most_telling(groups: Iterable[Group], outcome: Outcome) -> Telling | None:
    found = [telling for group in groups if (telling := _telling(group, outcome))]
    return max(found, key=lambda telling: (telling.sure, telling.covered), default=None)


def _telling(group: Group, outcome: Outcome) -> Telling | None:
    label, base = outcome.label, outcome.rate
    leads, converted = int(group.mask.sum()), int(label[group.mask].sum())
    if leads < FEW:
        return None
    weight = outcome.leads(group.mask) / leads  # rows of one lead are one witness
    for kind in (1, 0):
        hits, share = (converted, base) if kind else (leads - converted, 1 - base)
        low = float(rate_bound(np.array([weight * hits]), np.array([weight * leads]), z=SURE)[0])
        covered = hits / max(share * len(label), 1.0)
        sure = low >= ALMOST_ALL and _odds(low) >= ODDS_TO_BASE * _odds(share)
        if sure and covered >= WORTH_A_WORD[kind] and group.stands_out(low, kind):
            return Telling(group.what, leads, converted, kind, covered, base)
    return None


def _levels(column: pd.Series, label: Labels) -> Iterator[Group]:
    """Yield levels, each against every other level and against all of them together."""
    known = column.notna().to_numpy()
    common = [level for level, leads in column.value_counts().head(MOST_VALUES).items() if leads >= FEW]
    masks = [(column == level).to_numpy() for level in common]
    rates = [_rate(label, mask) for mask in masks]
    for at, (level, mask) in enumerate(zip(common, masks, strict=True)):
        rest = known & ~mask
        if rest.any():
            yield Group(
                f"the level {quoted(level)}", mask, (*rates[:at], *rates[at + 1 :], _rate(label, rest)), every=True
            )


def _numbers(column: pd.Series, label: Labels) -> Iterator[Group]:
    """Yield numbers that many leads have, each against its neighbours, and what is left beside the commonest."""
    values = column.to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    distinct, sizes = np.unique(values[known], return_counts=True)
    for at, place in enumerate(np.argsort(-sizes, kind="stable")[:MOST_VALUES]):
        if sizes[place] < FEW:
            break
        value = float(distinct[place])
        sides = (_nearest(values, values < value, below=True), _nearest(values, values > value, below=False))
        mask = values == value
        yield Group(f"the number {value:g}", mask, tuple(_rate(label, side) for side in sides if side.sum() >= FEW))
        if at < COMMONEST:
            yield Group(f"a number other than {value:g}", known & ~mask, (_rate(label, mask),))


def _nearest(values: Floats, side: Mask, *, below: bool) -> Mask:
    """Return the leads nearest to a value on one side of it, a few where there are so many."""
    if side.sum() <= FEW:
        return side
    edge = np.sort(values[side])[-FEW if below else FEW - 1]
    near: Mask = side & (values >= edge if below else values <= edge)
    return near


def _rate(label: Labels, mask: Mask) -> float:
    """Return the rate of conversion of some leads, drawn to that of all by the weight of one lead."""
    return float((label[mask].sum() + label.mean()) / (mask.sum() + 1))


def _odds(rate: float) -> float:
    return rate / max(1.0 - rate, 1e-12)
