"""Divide the rows of a training set: a holdout for the evaluation, and folds of the other rows.

A row is a lead at an instant. Rows of one group (a person, a company or an account) stay together. There are three
splits, for leads without instants, leads with one instant each, and leads with many snapshots; the source of the leads
chooses. Groups are drawn by a hash, so that the order of the rows and leads that are added later change nothing.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from leadml.errors import ModelError
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from leadml.params import SplitParams
    from leadml.types import Floats, Fold, Integers, Mask, Rows


# Decision 11: half of the snapshots or more lie before each origin, and a tenth or more after it.
ORIGIN_QUANTILES = (0.5, 0.9)
MAX_COPIES = 4  # decision 4: more equal rows are a common kind of lead, which each model has to be fitted on
LEAST_FOLDS = 2  # one alone does not tell how much periods differ
CLASSES = 2  # converted or not


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
        Whether only rows of groups that the hash draws are held out.
    same_person
        The columns by which leads that are one person are one group, by role; None where no group depends on them.
    """

    share: float
    seed: int
    since: int | None = None
    by_group: bool = True
    same_person: Mapping[str, str | None] | None = None

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
        """Return which rows may be fitted on, shape (n_rows,): of no drawn group, with a label known by the instant."""
        not_drawn = ~self.draws(frame) if self.by_group else np.ones(len(frame), dtype=bool)
        return not_drawn if self.since is None else not_drawn & (frame[MATURE_AT].to_numpy() <= self.since)

    def draws(self, frame: pd.DataFrame) -> Mask:
        """Return which rows are of groups that the hash draws, shape (n_rows,)."""
        return _hashes(frame[SPLIT_KEY], f"test {self.seed}") < self.share


def holdout_since(instants: Integers, counts: Integers, split: SplitParams, *, by_group: bool) -> Holdout:
    """Return the rule that holds the newest share out.

    Parameters
    ----------
    instants, counts
        Arrays of shape (n_instants,): rising instants in microseconds, and the number of rows at each.
    split
        Share and seed.
    by_group
        Whether groups are drawn too.

    Raises
    ------
    ModelError
        Where the share would include the oldest rows.
    """
    rows = int(counts.sum())
    first = int(np.searchsorted(np.cumsum(counts), int(rows * (1 - split.test_share)), side="right"))
    if first == 0:
        msg = (
            f"the newest {split.test_share:.0%} of the leads must be newer than others, got {rows:,} leads of "
            f"which {int(counts[0]):,} have the same instant; bring more dates"
        )
        raise ModelError(msg)
    return Holdout(split.test_share, split.seed, int(instants[first]), by_group)


@dataclass(frozen=True)
class Split(ABC):
    """How the rows of a training set are divided.

    Parameters
    ----------
    choices
        Share of the holdout, number of folds and seed.
    copies
        Whether leads have no id, so that a group is the rows with the same values. A large group is then divided among
        folds; otherwise a value that many leads share would be evaluated only by models that never had it.
    is_weighed
        Whether leads count more often than once, so that one lead has several rows.

    Attributes
    ----------
    name
        What reports call the split.
    evidence
        What is said about the dates of the leads.
    remedy
        What to do about these dates; empty where there is nothing to do.
    clock
        The column of the instant of each row, microseconds; None where rows have none.
    """

    choices: SplitParams
    copies: bool = False
    is_weighed: bool = False
    name: ClassVar[str]
    evidence: ClassVar[str]
    remedy: ClassVar[str] = ""
    clock: ClassVar[str | None] = AS_OF

    @property
    def cluster(self) -> str | None:
        """The column of the group of each row where groups have many rows; None where rows are independent."""
        return SPLIT_KEY if self.is_weighed else None

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which rows are sorted before a fit, so that their order changes nothing."""
        key = (SPLIT_KEY, LABEL) if self.copies else (LEAD_ID,)
        return key if self.clock is None else (*key, self.clock)

    def folds(self, frame: pd.DataFrame) -> list[Fold]:
        """Return the rows that each fold is fitted on and evaluated on.

        Where rows have instants, the first folds are left out if all leads before them have one outcome, as long as
        two are left.

        Raises
        ------
        ModelError
            Where there are no rows, or a fold would be fitted on leads of one outcome only or evaluated on none.
        """
        if frame.empty:
            msg = "there must be leads to divide into folds, got 0 leads"
            raise ModelError(msg)
        label = frame[LABEL].to_numpy()
        folds = list(self._folds(frame))
        first = next(
            (at for at, (fitted, _) in enumerate(folds) if len(np.unique(label[fitted])) == CLASSES), len(folds)
        )
        if self.clock is not None and len(folds) - first >= LEAST_FOLDS:
            folds = folds[first:]
        for number, (fitted, evaluated) in enumerate(folds, start=1):
            if len(np.unique(label[fitted])) < CLASSES or not len(evaluated):
                msg = (
                    "each fold must be fitted on leads of both outcomes and evaluated on other leads, got fold "
                    f"{number} of {len(folds)} fitted on {len(fitted):,} leads, of which {int(label[fitted].sum()):,} "
                    f"converted, and evaluated on {len(evaluated):,}; {self._remedy_of_folds(len(evaluated))}"
                )
                raise ModelError(msg)
        return folds

    def _remedy_of_folds(self, evaluated: int) -> str:
        """Return what to do where a fold is evaluated on no leads, or else is fitted on leads of one outcome."""
        if not evaluated:
            return "lower split.folds or bring more leads"
        if self.clock is None:
            return "bring more leads of the rarer outcome"
        return "raise split.folds or bring older leads of both outcomes"  # later folds are fitted on more leads

    @abstractmethod
    def _folds(self, frame: pd.DataFrame) -> Iterator[Fold]:
        """Yield the folds of a frame that has rows."""

    def _names(self, frame: pd.DataFrame) -> pd.Series:
        """Return the names by which rows are divided: their groups; of copies, parts of at most `MAX_COPIES` rows."""
        if not self.copies:
            return frame[SPLIT_KEY]
        ranked = frame[[SPLIT_KEY, LABEL]].reset_index(drop=True).sort_values([SPLIT_KEY, LABEL], kind="stable")
        group = ranked.groupby(SPLIT_KEY, sort=False)[LABEL]
        part = group.cumcount() % -(-group.transform("size") // MAX_COPIES)  # deals both labels to all parts
        names = zip(frame[SPLIT_KEY], part.sort_index().tolist(), strict=True)
        return pd.Series([f"{name} {number}" for name, number in names])

    def _parts(self, frame: pd.DataFrame) -> Rows:
        """Return the part of each row, one part for each fold.

        Rows of one name are in one part. Names are dealt out in the order of their hashes, those without a conversion
        first, so that parts differ by one name, and by one name that converted, at most.
        """
        _, name = np.unique(_hashes(self._names(frame), f"fold {self.choices.seed}"), return_inverse=True)
        converted = np.bincount(name, weights=frame[LABEL].to_numpy()) > 0
        part = np.empty(len(converted), dtype=np.intp)
        part[np.argsort(converted, kind="stable")] = np.arange(len(converted)) % self.choices.folds
        return part[name]


class RandomSplit(Split):
    """Rows without instants: groups are drawn by hash."""

    name = "random"
    evidence = "no date is declared, so the holdout is drawn at random"
    remedy = "set data.created_at where leads have a date: a random holdout does not show how newer leads would score"
    clock = None

    def holdout(self) -> Holdout:
        """Return the rule that holds a share of the groups out."""
        people = self.choices.same_person
        return Holdout(
            self.choices.test_share, self.choices.seed, same_person=people.model_dump() if people.columns else None
        )

    def _folds(self, frame: pd.DataFrame) -> Iterator[Fold]:
        """Yield folds that are evaluated on one part of the groups and fitted on the others."""
        part = self._parts(frame)
        for number in range(self.choices.folds):
            yield np.flatnonzero(part != number), np.flatnonzero(part == number)


class TimeSplit(Split):
    """One row for each lead, with an instant: models of older rows are evaluated on newer ones."""

    name = "newest held out"
    evidence = "leads have dates, so the newest are held out"

    def holdout(self, frame: pd.DataFrame) -> Holdout:
        """Return the rule that holds the newest share of the rows out."""
        instants, counts = np.unique(frame[AS_OF].to_numpy(), return_counts=True)
        return holdout_since(instants, counts, self.choices, by_group=False)

    def _folds(self, frame: pd.DataFrame) -> Iterator[Fold]:
        """Yield folds that are fitted on all rows before those that they are evaluated on."""
        instants = frame[AS_OF].to_numpy()
        edges = np.quantile(instants, np.linspace(0, 1, self.choices.folds + 2)[1:-1])
        block = np.searchsorted(edges, instants, side="right")
        group, _ = pd.factorize(frame[SPLIT_KEY])
        for number in range(1, self.choices.folds + 1):
            fitted, evaluated = block < number, block == number
            if not self.copies:
                fitted &= ~np.isin(group, group[evaluated])
            yield np.flatnonzero(fitted), np.flatnonzero(evaluated)


class GroupTimeSplit(Split):
    """Many snapshots of each lead: models are evaluated on other groups at later instants.

    A model is fitted only on snapshots whose labels were known at the instant from which it is evaluated.
    """

    name = "other accounts, later"
    evidence = "leads are dated, so other leads at later dates are held out"

    @property
    def cluster(self) -> str:
        """The column of the group of each row: a lead has many snapshots."""
        return SPLIT_KEY

    def _folds(self, frame: pd.DataFrame) -> Iterator[Fold]:
        """Yield a fold for each part of the groups, each with an origin of its own.

        A fold is evaluated on the snapshots of its part from the origin on, and fitted on those of the other parts
        whose labels were known at the origin. The origins divide the later half of the snapshots evenly.
        """
        as_of, mature_at = (frame[name].to_numpy() for name in (AS_OF, MATURE_AT))
        part = self._parts(frame)
        origins = np.quantile(as_of, np.linspace(*ORIGIN_QUANTILES, self.choices.folds), method="higher")
        for number, origin in enumerate(origins):
            fitted, evaluated = (part != number) & (mature_at <= origin), (part == number) & (as_of >= origin)
            yield np.flatnonzero(fitted), np.flatnonzero(evaluated)


def column_of(frame: pd.DataFrame, name: str | None) -> NDArray[Any] | None:
    """Return the values of a column, shape (n_rows,), or None where there is no name."""
    return None if name is None else frame[name].to_numpy()


@dataclass(frozen=True)
class PartSize:
    """How many rows a part of a training set has, and from when they are.

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


def _hashes(names: pd.Series, salt: str) -> Floats:
    """Return a number in [0, 1) for each name, the same for equal names."""
    key = salt.encode()
    codes, unique = pd.factorize(names)
    digests = (hashlib.blake2b(name.encode(), digest_size=8, key=key).digest() for name in unique)
    numbers = np.frombuffer(b"".join(digests), dtype="<u8")
    return np.asarray(numbers / 2.0**64)[codes]
