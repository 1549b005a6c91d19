"""Draw leads that sales work although the model advises against it, so that what it misses can be known.

A lead is drawn once and for all, by a hash of its id: drawing each night would mark every lead in the end.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.stages.ladder import STAGES, ranks_of

if TYPE_CHECKING:
    from leadml.types import Floats, Mask, Objects, Rows

FIRST_WORKED = STAGES.index("MQL")  # leads of this stage and higher ones are handed over to sales


@dataclass(frozen=True, eq=False)
class Marks:
    """Which leads of a chunk are explored.

    Parameters
    ----------
    propensity
        The chance with which each was to be marked; None for leads that are worked anyway, shape (n_leads,).
    explored
        Whether each is marked, 0 or 1; None for leads that are worked anyway, shape (n_leads,).
    """

    propensity: Objects
    explored: Objects

    @property
    def is_marked(self) -> Mask:
        """Whether each lead is to be worked although it is below the cut, shape (n_leads,)."""
        return np.asarray(self.explored == 1, dtype=bool)


def draw_marks(names: Objects, advised: Objects, *, share: float, seed: int) -> Marks:
    """Return which leads are explored.

    Parameters
    ----------
    names
        What is drawn: the account of each lead, or its id, shape (n_leads,).
    advised
        The stage that the model advises, shape (n_leads,).
    share
        Of the leads below MQL, in (0, 1).
    seed
        Another one draws others.

    Examples
    --------
    >>> names = np.array([f"lead {number}" for number in range(1000)], dtype=object)
    >>> marks = draw_marks(names, np.repeat(np.array(["IQL", "SQL"], dtype=object), 500), share=0.1, seed=0)
    >>> bool(30 < marks.is_marked[:500].sum() < 70), marks.is_marked[500:].any().item()
    (True, False)
    >>> marks.propensity[[0, 999]].tolist()
    [0.1, None]
    """
    codes, unique = pd.factorize(names)
    drawn = np.array([_number(f"{seed} {name}") < share for name in unique], dtype=bool)[codes]
    is_below = ranks_of(advised) < FIRST_WORKED
    propensity, explored = np.full(len(names), None, dtype=object), np.full(len(names), None, dtype=object)
    propensity[is_below], explored[is_below] = share, drawn[is_below].astype(int)
    return Marks(propensity, explored)


def times_counted(names: Objects, propensity: Floats, explored: Floats) -> Rows:
    """Return how often each lead counts, if the marked ones stand for all that were drawn from, shape (n_leads,).

    A marked lead counts 1 / propensity times: a whole number, whose mean over leads is that. One that was not marked
    counts never, and one that was not drawn from counts once.

    Parameters
    ----------
    names
        Ids of the leads, shape (n_leads,).
    propensity
        The chance with which each was to be marked; NaN for leads that were not drawn from, shape (n_leads,).
    explored
        Whether each is marked, 0 or 1; NaN for leads that were not drawn from, shape (n_leads,).

    Notes
    -----
    Horvitz and Thompson, "A generalization of sampling without replacement from a finite universe", Journal of the
    American Statistical Association 47 (1952).

    Examples
    --------
    >>> names = np.array(["one", "two", "three"], dtype=object)
    >>> times_counted(names, np.array([0.25, 0.25, np.nan]), np.array([1.0, 0.0, np.nan])).tolist()
    [4, 0, 1]
    """
    times = np.ones(len(names), dtype=np.intp)
    drawn = np.flatnonzero(~np.isnan(propensity))
    part = np.array([_number(f"times {name}") for name in names[drawn]])
    times[drawn] = np.where(explored[drawn] == 1, np.floor(1.0 / propensity[drawn] + part), 0.0)
    return times


def _number(text: str) -> float:
    """Return a number in [0, 1) that depends on a text."""
    return float(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2.0**64)
