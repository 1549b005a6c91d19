"""Divide the rows of a training set: a holdout for the evaluation, folds and halves of the rest.

A row is a lead at an instant, and rows of one group (a person, a company or an account) are never divided. Which rows
may be compared with which depends on what the leads have: nothing but ids, instants, or many snapshots of each lead.
Three splits answer that, and the source of the leads chooses one. Hashes decide, so that the order of the rows and
leads that come later change no side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from leadml.errors import ModelError
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.params import SplitParams
    from leadml.types import Floats, Fold, Integers, Mask, Rows


ORIGINS = (0.5, 0.9)
HALF = 0.5
COPIES = 4
OUTCOMES = (0, 1)


@dataclass(frozen=True)
class Holdout:
    """The rule that holds rows out for the evaluation.

    Parameters
    ----------
    share
        Share of the groups, or of the newest rows, that is held out, between 0 and 1.
    seed
        Seed of the hash that draws groups.
    since
        Instant in microseconds from which rows are held out; None where groups alone decide.
    by_group
        Whether the hash of a row's group must hold it out too.
    """

    share: float
    seed: int
    since: int | None = None
    by_group: bool = True

    def mask(self, frame: pd.DataFrame) -> Mask:
        """Return which rows are held out, shape (n_rows,).

        Parameters
        ----------
        frame
            Rows with ``split_key`` where groups decide and ``as_of`` where an instant does.
        """
        drawn = self.draws(frame) if self.by_group else np.ones(len(frame), dtype=bool)
        return drawn if self.since is None else drawn & (frame[AS_OF].to_numpy() >= self.since)

    def learnable(self, frame: pd.DataFrame) -> Mask:
        """Return which rows may be fitted on, shape (n_rows,): of no group that is drawn, and mature by the instant."""
        free = ~self.draws(frame) if self.by_group else np.ones(len(frame), dtype=bool)
        return free if self.since is None else free & (frame[MATURE_AT].to_numpy() <= self.since)

    def draws(self, frame: pd.DataFrame) -> Mask:
        """Return which rows are of groups that the hash draws, shape (n_rows,)."""
        return _hashes(frame[SPLIT_KEY], f"test {self.seed}") < self.share


def holdout_since(instants: Integers, counts: Integers, split: SplitParams, *, by_group: bool) -> Holdout:
    """Return the rule that holds the newest share out.

    Parameters
    ----------
    instants, counts
        Arrays of shape (n_instants,): rising instants in microseconds, and how many rows there are of each.
    split
        Share and seed.
    by_group
        Whether groups are drawn too.

    Raises
    ------
    ModelError
        Where the share would hold the oldest rows too.
    """
    rows = int(counts.sum())
    place = int(rows * (1 - split.test_share))
    at = int(np.searchsorted(np.cumsum(counts), place, side="right"))
    if at == 0:
        msg = (
            f"the newest {split.test_share:.0%} of the leads must be newer than others, got {rows:,} leads of "
            f"which {int(counts[0]):,} have the same instant; bring more dates"
        )
        raise ModelError(msg)
    return Holdout(split.test_share, split.seed, int(instants[at]), by_group)


class Split(Protocol):
    """How the rows of a training set are divided."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def evidence(self) -> str:
        """What is said of the dates of the leads."""

    @property
    def remedy(self) -> str:
        """What to do about them; empty where nothing is to be done."""

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which rows are sorted before a fit, so that their order changes nothing."""

    @property
    def clock(self) -> str | None:
        """The column of the instant of each row, microseconds; None where rows have none."""

    @property
    def cluster(self) -> str | None:
        """The column of the group of each row where groups have many rows; None where rows are independent."""

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return the rows that each fold is fitted on and evaluated on; refuse as `checked_folds` does."""

    def halves(self, frame: pd.DataFrame, count: int) -> Mask:
        """Return which rows are of some random halves of the groups, shape (count, n_rows)."""


@dataclass(frozen=True)
class RandomSplit:
    """Rows without instants: groups are drawn by hash.

    Parameters
    ----------
    choices
        Share, number of folds and seed.
    copies
        Whether rows have no id, so that a group is rows with the same values. Many rows of one group are then divided
        among folds, because a level that many leads share would be judged by models that never saw it.
    """

    choices: SplitParams
    copies: bool = False
    name: ClassVar[str] = "random"
    evidence: ClassVar[str] = "no date is declared, so the holdout is drawn at random"
    remedy: ClassVar[str] = "set data.created_at where the data have it: a random split cannot see that the world moves"
    clock: ClassVar[str | None] = None
    cluster: ClassVar[str | None] = None

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which rows are sorted before a fit."""
        return (SPLIT_KEY, LABEL) if self.copies else (LEAD_ID,)

    def holdout(self) -> Holdout:
        """Return the rule that holds a share of the groups out."""
        return Holdout(self.choices.test_share, self.choices.seed)

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return folds that divide the groups."""
        part = _parts(frame, _names(frame, copies=self.copies), self.choices)
        numbers = range(self.choices.folds)
        return checked_folds(frame, [(np.flatnonzero(part != at), np.flatnonzero(part == at)) for at in numbers])

    def halves(self, frame: pd.DataFrame, count: int) -> Mask:
        """Return random halves of the groups."""
        return _halves(_names(frame, copies=self.copies), self.choices, count)


@dataclass(frozen=True)
class TimeSplit:
    """One row a lead, with an instant: newer rows judge models of older ones.

    Parameters
    ----------
    choices
        Share, number of folds and seed.
    copies
        As for `RandomSplit`.
    """

    choices: SplitParams
    copies: bool = False
    name: ClassVar[str] = "newest held out"
    evidence: ClassVar[str] = "leads have dates, so the newest are held out"
    remedy: ClassVar[str] = ""
    clock: ClassVar[str | None] = AS_OF
    cluster: ClassVar[str | None] = None

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which rows are sorted before a fit."""
        return (SPLIT_KEY, LABEL, AS_OF) if self.copies else (LEAD_ID, AS_OF)

    def holdout(self, frame: pd.DataFrame) -> Holdout:
        """Return the rule that holds the newest share of the rows out."""
        instants, counts = np.unique(frame[AS_OF].to_numpy(), return_counts=True)
        return holdout_since(instants, counts, self.choices, by_group=False)

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return folds of which each is evaluated on rows that came after those it is fitted on."""
        instants = frame[AS_OF].to_numpy()
        edges = np.quantile(instants, np.linspace(0, 1, self.choices.folds + 2)[1:-1]) if len(instants) else []
        block = np.searchsorted(edges, instants, side="right")
        numbers = range(1, self.choices.folds + 1)
        return checked_folds(frame, [(np.flatnonzero(block < at), np.flatnonzero(block == at)) for at in numbers])

    def halves(self, frame: pd.DataFrame, count: int) -> Mask:
        """Return random halves of the groups."""
        return _halves(_names(frame, copies=self.copies), self.choices, count)


@dataclass(frozen=True)
class GroupTimeSplit:
    """Many snapshots of each lead: other groups at later instants judge, of models whose labels were known by then.

    Parameters
    ----------
    choices
        Share, number of folds and seed.
    """

    choices: SplitParams
    name: ClassVar[str] = "other accounts, later"
    evidence: ClassVar[str] = "leads are dated, so other leads at later dates are held out"
    remedy: ClassVar[str] = ""
    order: ClassVar[tuple[str, ...]] = (LEAD_ID, AS_OF)
    clock: ClassVar[str | None] = AS_OF
    cluster: ClassVar[str | None] = SPLIT_KEY

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return a fold for each part of the groups, each with an origin of its own.

        A fold is evaluated on snapshots of its part from its origin on, and fitted on those of the other parts whose
        labels were known at that origin. Origins divide the later half of the snapshots evenly.
        """
        as_of, mature_at = (frame[name].to_numpy() for name in (AS_OF, MATURE_AT))
        part = _parts(frame, frame[SPLIT_KEY], self.choices)
        origins = np.quantile(as_of, np.linspace(*ORIGINS, self.choices.folds), method="higher") if len(as_of) else []
        folds = [
            (np.flatnonzero((part != at) & (mature_at <= origin)), np.flatnonzero((part == at) & (as_of >= origin)))
            for at, origin in enumerate(origins)
        ]
        return checked_folds(frame, folds)

    def halves(self, frame: pd.DataFrame, count: int) -> Mask:
        """Return random halves of the groups."""
        return _halves(frame[SPLIT_KEY], self.choices, count)


def column_of(frame: pd.DataFrame, name: str | None) -> NDArray[Any] | None:
    """Return the values of a column, shape (n_rows,), or None where there is no name."""
    return None if name is None else frame[name].to_numpy()


def checked_folds(frame: pd.DataFrame, folds: list[Fold]) -> list[Fold]:
    """Return folds as they are.

    Raises
    ------
    ModelError
        Where a fold would be fitted on leads of one outcome only, or evaluated on none.
    """
    if frame.empty:
        msg = "there must be leads to fold, got 0 leads"
        raise ModelError(msg)
    label = frame[LABEL].to_numpy()
    for number, (fit, judge) in enumerate(folds, start=1):
        if len(np.unique(label[fit])) < len(OUTCOMES) or not len(judge):
            msg = (
                f"each fold must be fitted on leads that converted and leads that did not, and judged by some, got "
                f"{int(label[fit].sum()):,} of {len(fit):,} that converted and {len(judge):,} that judge in fold "
                f"{number} of {len(folds)}; lower split.folds or bring more leads"
            )
            raise ModelError(msg)
    return folds


@dataclass(frozen=True)
class PartSize:
    """How large a part of a training set is, and when.

    Parameters
    ----------
    rows, conversions
        Counts.
    first, last
        Oldest and newest instant, microseconds; None where rows have none.
    """

    rows: int
    conversions: int
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, label: NDArray[Any], clock: Integers | None) -> PartSize:
        """Return the size of some rows by their labels and instants."""
        ends = (None, None) if clock is None else (int(clock.min()), int(clock.max()))
        return cls(len(label), int(label.sum()), *ends)


@dataclass(frozen=True)
class FoldSize:
    """How large a fold is: the part it is fitted on, and the part it is evaluated on."""

    fitted: PartSize
    evaluated: PartSize


def _halves(names: pd.Series, choices: SplitParams, count: int) -> Mask:
    return np.array([_hashes(names, f"half {choices.seed} {at}") < HALF for at in range(count)])


def _parts(frame: pd.DataFrame, names: pd.Series, choices: SplitParams) -> Rows:
    """Return the part of each row: rows of one name are in one, and as many names that converted are in each.

    Names are dealt out in the order of their hashes, those without a conversion first.
    """
    _, name = np.unique(_hashes(names, f"fold {choices.seed}"), return_inverse=True)
    converted = np.bincount(name, weights=frame[LABEL].to_numpy()) > 0
    part = np.empty(len(converted), dtype=np.intp)
    part[np.argsort(converted, kind="stable")] = np.arange(len(converted)) % choices.folds
    return part[name]


def _names(frame: pd.DataFrame, *, copies: bool) -> pd.Series:
    """Return the name by which rows are divided: their group, or of copies at most `COPIES` rows of one group."""
    if not copies:
        return frame[SPLIT_KEY]
    ranked = frame[[SPLIT_KEY, LABEL]].reset_index(drop=True).sort_values([SPLIT_KEY, LABEL], kind="stable")
    same = ranked.groupby(SPLIT_KEY, sort=False)[LABEL]
    part = (same.cumcount() % -(-same.transform("size") // COPIES)).sort_index()  # both labels are dealt to all parts
    return pd.Series([f"{name} {at}" for name, at in zip(frame[SPLIT_KEY], part.tolist(), strict=True)])


def _hashes(names: pd.Series, salt: str) -> Floats:
    """Return a number in [0, 1) for each name, the same for equal names."""
    key = salt.encode()
    codes, unique = pd.factorize(names)
    digests = (hashlib.blake2b(name.encode(), digest_size=8, key=key).digest() for name in unique)
    numbers = np.frombuffer(b"".join(digests), dtype="<u8")
    return np.asarray(numbers / 2.0**64)[codes]
