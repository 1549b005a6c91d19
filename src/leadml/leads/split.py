"""Divide leads into those to learn from and those kept aside.

What enters is ids, or instants where leads have them; what leaves is masks and folds that do not depend on the order
of the rows.
Flat leads: with instants the newest are kept aside and every fold is judged by a model of earlier leads only; without
them a lead's side follows from its id alone, so that a lead kept aside once stays aside when the data grow, and without
ids from its fields, so that rows that say the same are on one side. Snapshots: a part of the accounts or leads is kept
aside, looks at them count from one instant on, and only looks at others whose label was known by then are learned from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import ModelError
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY

if TYPE_CHECKING:
    from leadml.params import SplitParams
    from leadml.types import Floats, Fold, Integers, Mask, Rows


ORIGINS = (0.5, 0.9)
HALF = 0.5
COPIES = 4
KINDS = (0, 1)


@dataclass(frozen=True)
class Holdout:
    """The rule that keeps leads aside.

    Parameters
    ----------
    share
        Share of the leads that are kept aside, between 0 and 1.
    seed
        Of the hash that divides ids.
    since
        Instant, in microseconds, from which leads are kept aside; None where ids decide. Of snapshots both decide.
    """

    share: float
    seed: int
    since: int | None = None

    def mask(self, frame: pd.DataFrame) -> Mask:
        """Return which leads of a checked frame are kept aside, an array of shape (n_leads,)."""
        if AS_OF in frame:
            return self.aside(frame) & (frame[AS_OF].to_numpy() >= self.since)
        if self.since is not None:
            return np.asarray(frame[CREATED_AT].to_numpy() >= self.since)
        return self.aside(frame)

    def learnable(self, frame: pd.DataFrame) -> Mask:
        """Return which leads may be learned from: those not kept aside, of snapshots with labels known in time."""
        if AS_OF in frame:
            return ~self.aside(frame) & (frame[MATURE_AT].to_numpy() <= self.since)
        return ~self.mask(frame)

    def aside(self, frame: pd.DataFrame) -> Mask:
        """Return which rows are of accounts, leads or fields whose hash keeps them aside."""
        return _uniform(frame, f"test {self.seed}") < self.share


def plan_holdout(frame: pd.DataFrame, split: SplitParams) -> Holdout:
    """Return the rule that keeps a share of the leads aside: the newest, where leads have instants."""
    clock = AS_OF if AS_OF in frame else CREATED_AT
    if clock not in frame:
        return Holdout(split.test_share, split.seed)
    return holdout_since(*np.unique(frame[clock].to_numpy(), return_counts=True), split)


def holdout_since(instants: Integers, counts: Integers, split: SplitParams) -> Holdout:
    """Return the rule that keeps the newest share aside.

    Parameters
    ----------
    instants, counts
        Arrays of shape (n_instants,): rising instants in microseconds, and how many rows there are of each.
    split
        Share and seed.

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
    return Holdout(split.test_share, split.seed, int(instants[at]))


def describe_part(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many rows a part has, how many converted, and their oldest and newest instant where they have one."""
    facts = {"leads": len(frame), "conversions": int(frame[LABEL].sum())}
    clock = AS_OF if AS_OF in frame else CREATED_AT
    if clock in frame:
        facts |= {"from": int(frame[clock].min()), "to": int(frame[clock].max())}
    return facts


def make_folds(frame: pd.DataFrame, split: SplitParams) -> list[Fold]:
    """Return pairs of row numbers: to fit on, and to judge by.

    Parameters
    ----------
    frame
        Checked leads; with ``created_at`` each fold is judged by leads that came after those it is fitted on.
    split
        Number of folds and seed.

    Raises
    ------
    ModelError
        Where a fold would be fitted on leads of one kind only, or judged by none.
    """
    if frame.empty:
        msg = "there must be leads to fold, got 0 leads"
        raise ModelError(msg)
    if AS_OF in frame:
        folds = _snapshot_folds(frame, split)
    elif CREATED_AT in frame:
        edges = np.quantile(frame[CREATED_AT].to_numpy(), np.linspace(0, 1, split.folds + 2)[1:-1])
        block = np.searchsorted(edges, frame[CREATED_AT].to_numpy(), side="right")
        folds = [(np.flatnonzero(block < at), np.flatnonzero(block == at)) for at in range(1, split.folds + 1)]
    else:
        block = _parts(frame, split)
        folds = [(np.flatnonzero(block != at), np.flatnonzero(block == at)) for at in range(split.folds)]
    label = frame[LABEL].to_numpy()
    for number, (fit, judge) in enumerate(folds, start=1):
        if len(np.unique(label[fit])) < len(KINDS) or not len(judge):
            msg = (
                f"each fold must be fitted on leads that converted and leads that did not, and judged by some, got "
                f"{int(label[fit].sum()):,} of {len(fit):,} that converted and {len(judge):,} that judge in fold "
                f"{number} of {split.folds}; lower split.folds or bring more leads"
            )
            raise ModelError(msg)
    return folds


def _snapshot_folds(frame: pd.DataFrame, split: SplitParams) -> list[Fold]:
    """Return a fold for each part of the accounts or leads, each with an origin of its own.

    A fold is judged by looks at its part from its origin on, and fitted on looks at the other parts whose labels were
    known at that origin. Origins divide the later half of the looks evenly.
    """
    as_of, mature_at = (frame[name].to_numpy() for name in (AS_OF, MATURE_AT))
    part = _parts(frame, split)
    origins = np.quantile(as_of, np.linspace(*ORIGINS, split.folds), method="higher")
    return [
        (np.flatnonzero((part != at) & (mature_at <= origin)), np.flatnonzero((part == at) & (as_of >= origin)))
        for at, origin in enumerate(origins)
    ]


def halves_of(frame: pd.DataFrame, split: SplitParams, count: int) -> Mask:
    """Return which rows are of some halves of the accounts, leads or copies, by hash, shape (count, n_rows)."""
    names = _names(frame)
    return np.array([_hashes(names, f"half {split.seed} {at}") < HALF for at in range(count)])


def _parts(frame: pd.DataFrame, split: SplitParams) -> Rows:
    """Return the part of each row: rows of one name are in one, and as many names that converted are in each.

    Names are dealt out in the order of their hashes, those without a conversion first.
    """
    _, name = np.unique(_hashes(_names(frame), f"fold {split.seed}"), return_inverse=True)
    converted = np.bincount(name, weights=frame[LABEL].to_numpy()) > 0
    part = np.empty(len(converted), dtype=np.intp)
    part[np.argsort(converted, kind="stable")] = np.arange(len(converted)) % split.folds
    return part[name]


def _names(frame: pd.DataFrame) -> pd.Series:
    """Return by what name rows are folded: account, id or, without ids, what the row says.

    A few rows that say the same are copies and stay together. What many say is no copy: it is divided, or a level that
    many leads share would be judged by models that never saw it.
    """
    if AS_OF in frame or SPLIT_KEY not in frame:
        return frame[SPLIT_KEY if SPLIT_KEY in frame else LEAD_ID]
    ranked = frame[[SPLIT_KEY, LABEL]].reset_index(drop=True).sort_values([SPLIT_KEY, LABEL], kind="stable")
    same = ranked.groupby(SPLIT_KEY, sort=False)[LABEL]
    part = (same.cumcount() % -(-same.transform("size") // COPIES)).sort_index()  # both labels are dealt to all parts
    return pd.Series([f"{name} {at}" for name, at in zip(frame[SPLIT_KEY], part.tolist(), strict=True)])


def _uniform(frame: pd.DataFrame, salt: str) -> Floats:
    return _hashes(frame[SPLIT_KEY] if SPLIT_KEY in frame else frame[LEAD_ID], salt)


def _hashes(names: pd.Series, salt: str) -> Floats:
    """Return a number in [0, 1) for each name, the same for equal names."""
    key = salt.encode()
    codes, unique = pd.factorize(names)
    digests = (hashlib.blake2b(name.encode(), digest_size=8, key=key).digest() for name in unique)
    numbers = np.frombuffer(b"".join(digests), dtype="<u8")
    return np.asarray(numbers / 2.0**64)[codes]
