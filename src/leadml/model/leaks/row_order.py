"""LK8: ids and file order that know the outcome.

What enters is leads with labels and their places; what leaves is a suspicion where a lead's place tells what became
of it.
A rate that moves with time is no leak: where leads have instants the order is judged within slices of time, and where
they have none only an order stronger than any drift stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL, LEAD_ID
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import Power, power, step_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.judge.evidence import Clock
    from leadml.types import Floats, Integers, Labels, Rows


SLICES = 20
STEPS = 20
NEIGHBOURS = 5
STOPS, WARNS = 0.85, 0.65
MOST_PREFIXES = 50
REMEDY = (
    "is a suspected leak: ids and files must be in an order that was there before the outcome; bring such a file, or "
    "name {name} in leaks.accept with the reason why it is none"
)


def suspect_order(frame: pd.DataFrame, order: NDArray[np.integer] | None, clock: Clock | None) -> list[Suspicion]:
    """Return what the order of ids, their beginnings and the place in the file tell, the strongest of each.

    Parameters
    ----------
    frame
        Rows with ids and labels.
    order
        Array of shape (n_leads,): the place of each lead in its file; None where it is not known.
    clock
        The instant of each row; None where rows have none.
    """
    first = ~frame[LEAD_ID].duplicated().to_numpy()
    won = frame.groupby(LEAD_ID, sort=False)[LABEL].max().to_numpy(dtype=np.int8)
    frame = frame[first].reset_index(drop=True)
    outcome = Outcome(won, np.arange(len(won)))
    slices, ids = None if clock is None else _slices(clock.instants[first]), frame[LEAD_ID].astype(str)
    sources = [(LEAD_ID, "the order of the ids", list(_order_scores(id_places(ids), outcome, slices)))]
    sources.append((LEAD_ID, "the beginning of the ids", list(_prefix_scores(ids, outcome))))
    if order is not None:
        places = np.argsort(np.argsort(np.asarray(order)[first], kind="stable"), kind="stable")
        sources.append(("order", "the place in the file", list(_order_scores(places, outcome, slices))))
    found: dict[str, Suspicion] = {}
    for name, what, scores in sources:
        suspicion = _suspicion(name, what, [power(outcome, score) for score in scores], timed=slices is not None)
        if suspicion and (name not in found or found[name].severity == "warn"):
            found[name] = suspicion
    return list(found.values())


def id_places(ids: pd.Series) -> Rows:
    """Return the place of each id, as numbers where all of them end in one after the same beginning, else as text.

    Examples
    --------
    >>> id_places(pd.Series(["L10", "L9", "L100"])).tolist()
    [1, 0, 2]
    """
    parts = ids.str.extract(r"^(\D*)(\d{1,15})$")
    if parts[1].notna().all() and (parts[0] == parts[0].iloc[0]).all():
        return np.argsort(np.argsort(parts[1].astype(np.int64).to_numpy(), kind="stable"), kind="stable")
    return np.argsort(np.argsort(ids.to_numpy(dtype=str), kind="stable"), kind="stable")


def _suspicion(name: str, what: str, powers: list[Power], *, timed: bool) -> Suspicion | None:
    strongest = max(powers, key=lambda one: one.low, default=None)
    if strongest is None or strongest.low < WARNS:
        return None
    within = "within slices of time " if timed else ""
    evidence = f"knows the outcome: {what} {within}alone ranks leads with an AUC of {strongest.auc:.3f}"
    if strongest.low >= STOPS:
        return Suspicion("LK8", "stop", evidence, name, REMEDY.format(name=name))
    drift = "" if timed else ", as it does where the rate moves with time; set data.created_at where the data have it"
    return Suspicion("LK8", "warn", f"{evidence}{drift}", name, "see in which order ids were given and rows written")


def _slices(instants: Integers) -> Rows:
    """Return the slice of time of each row, as many rows in each."""
    edges = np.unique(np.quantile(instants, np.linspace(0, 1, SLICES + 1)[1:-1]))
    return np.searchsorted(edges, instants, side="right")


def _order_scores(places: Rows, outcome: Outcome, slices: Rows | None) -> Iterator[Floats]:
    """Yield the rates of equal parts of the order, and of each lead's neighbours, less those of its slice of time."""
    label = outcome.label
    slices = np.zeros(len(label), dtype=np.intp) if slices is None else slices
    ranked = np.lexsort((places, slices))
    within = np.empty(len(label))
    starts = np.searchsorted(slices[ranked], np.arange(slices.max() + 1))
    sizes = np.bincount(slices)
    within[ranked] = (np.arange(len(label)) - starts[slices[ranked]]) / np.maximum(sizes[slices[ranked]], 1)
    yield step_scores((within * STEPS).astype(np.intp), outcome)
    beside = np.empty(len(label))
    beside[ranked] = _neighbours(label[ranked])
    mean = np.bincount(slices, weights=beside) / np.maximum(sizes, 1)
    yield beside - mean[slices]


def _neighbours(label: Labels) -> Floats:
    """Return the rate of the leads on both sides of each, itself left out."""
    window = np.ones(2 * NEIGHBOURS + 1)
    window[NEIGHBOURS] = 0.0
    pad = np.pad(label.astype(np.float64), NEIGHBOURS)
    held = np.pad(np.ones(len(label)), NEIGHBOURS)
    return np.convolve(pad, window, mode="valid") / np.maximum(np.convolve(held, window, mode="valid"), 1.0)


def _prefix_scores(ids: pd.Series, outcome: Outcome) -> Iterator[Floats]:
    """Yield the rates of the letters that ids begin with, where there are several and not one for every lead."""
    codes, prefixes = pd.factorize(ids.str.extract(r"^(\D*)")[0])
    if 1 < len(prefixes) <= MOST_PREFIXES:
        yield step_scores(codes.astype(np.intp), outcome)
