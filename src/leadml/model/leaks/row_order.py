"""LK8: ids and rows whose order predicts the outcome.

A conversion rate that changes over time is no leak. Where rows have instants, the order is therefore judged within
periods of time; where they have none, only an order that predicts better than a drift can stops the training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL, LEAD_ID
from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import AucEstimate, estimate_auc, out_of_fold_rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadml.leads.judge.evidence import Clock
    from leadml.model.leaks.check import JudgedRows
    from leadml.types import Floats, Integers, Labels, Rows


PERIODS = 20  # of time: a conversion rate that changes within one is a drift, with weeks in a file of months
PARTS = 20  # of an order: a file of converters first, then others, has an AUC of 0.97 or more at any base rate
NEIGHBOURS = 5  # on each side: as many as form a run in files that were merged from several lists
# a rate that falls from 30% to 10% over a file gives an AUC of 0.60, one that falls from 50% to 0 gives 0.72
STOP_AUC, WARN_AUC = 0.85, 0.65
MAX_PREFIXES = 50  # more are not prefixes but names: each has too few leads for a rate
STOP_REMEDY = (
    "it is a suspected leak: ids and rows must be in an order that existed before the outcome; bring such a file, or "
    "name {name} in leaks.accept with the reason why it is no leak"
)
WARN_REMEDY = "check in which order ids were given and rows were written"


def suspect_row_order(
    frame: pd.DataFrame, order: NDArray[np.integer] | None, clock: Clock | None, *, draw: int = 0
) -> list[Suspicion]:
    """Return a suspicion of the ids and one of the order in the file, each where it predicts the outcome.

    Parameters
    ----------
    frame
        Rows with ``lead_id`` and labels.
    order
        Array of shape (n_rows,): the position of each row in its file; None where it is not known.
    clock
        The instant of each row; None where rows have none.
    draw
        The draw of halves.
    """
    first = ~frame[LEAD_ID].duplicated().to_numpy()
    labels = frame.groupby(LEAD_ID, sort=False)[LABEL].max().to_numpy(dtype=np.int8)
    frame = frame[first].reset_index(drop=True)
    outcome = Outcome(labels, np.arange(len(labels)), draw)
    periods, ids = None if clock is None else _periods(clock.instants[first]), frame[LEAD_ID].astype(str)
    orders = [(LEAD_ID, "the order of the ids", list(_order_scores(id_ranks(ids), outcome, periods)))]
    orders.append((LEAD_ID, "the prefix of the ids", list(_prefix_scores(ids, outcome))))
    if order is not None:
        positions = _ranks(np.asarray(order)[first])
        orders.append(("order", "the position in the file", list(_order_scores(positions, outcome, periods))))
    found: dict[str, Suspicion] = {}
    for name, what, scores in orders:
        aucs = [estimate_auc(outcome, score) for score in scores]
        suspicion = _suspect_strongest(name, what, aucs, has_instants=periods is not None)
        if suspicion and (name not in found or found[name].severity == "warn"):
            found[name] = suspicion
    return list(found.values())


def id_ranks(ids: pd.Series) -> Rows:
    """Return the rank of each id: as numbers where all ids are one prefix and a number, else as text.

    Examples
    --------
    >>> id_ranks(pd.Series(["L10", "L9", "L100"])).tolist()
    [1, 0, 2]
    """
    parts = ids.str.extract(r"^(\D*)(\d{1,15})$")
    if parts[1].notna().all() and (parts[0] == parts[0].iloc[0]).all():
        return _ranks(parts[1].astype(np.int64).to_numpy())
    return _ranks(ids.to_numpy(dtype=str))


def _ranks(values: NDArray[Any]) -> Rows:
    """Return the rank of each value; equal values keep their order."""
    ranks = np.empty(len(values), dtype=np.intp)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


def _suspect_strongest(name: str, what: str, aucs: list[AucEstimate], *, has_instants: bool) -> Suspicion | None:
    strongest = max(aucs, key=lambda estimate: estimate.lower_bound, default=None)
    if strongest is None or strongest.lower_bound < WARN_AUC:
        return None
    within = " among leads of the same time" if has_instants else ""
    evidence = f"predicts the outcome: {what} has an AUC of {strongest.value:.3f} by itself{within}"
    if strongest.lower_bound >= STOP_AUC:
        return Suspicion("LK8", "stop", evidence, name, STOP_REMEDY.format(name=name))
    drift = "; a conversion rate that changes over time can do that, so set data.created_at where leads have dates"
    return Suspicion("LK8", "warn", evidence if has_instants else f"{evidence}{drift}", name, WARN_REMEDY)


def _periods(instants: Integers) -> Rows:
    """Return the number of each row's period of time; all periods have about the same number of rows."""
    edges = np.unique(np.quantile(instants, np.linspace(0, 1, PERIODS + 1)[1:-1]))
    return np.searchsorted(edges, instants, side="right")


def _order_scores(ranks: Rows, outcome: Outcome, periods: Rows | None) -> Iterator[Floats]:
    """Yield the rates of equal parts of the order, and the rate of each row's neighbours less that of its period."""
    labels = outcome.labels
    periods = np.zeros(len(labels), dtype=np.intp) if periods is None else periods
    ordered = np.lexsort((ranks, periods))
    position = np.empty(len(labels))
    starts = np.searchsorted(periods[ordered], np.arange(periods.max() + 1))
    sizes = np.bincount(periods)
    position[ordered] = (np.arange(len(labels)) - starts[periods[ordered]]) / np.maximum(sizes[periods[ordered]], 1)
    yield out_of_fold_rates((position * PARTS).astype(np.intp), outcome)
    rates = np.empty(len(labels))
    rates[ordered] = _neighbour_rates(labels[ordered])
    mean = np.bincount(periods, weights=rates) / np.maximum(sizes, 1)
    yield rates - mean[periods]


def _neighbour_rates(labels: Labels) -> Floats:
    """Return the conversion rate of the rows on both sides of each row, without the row itself."""
    window = np.ones(2 * NEIGHBOURS + 1)
    window[NEIGHBOURS] = 0.0
    converted = np.pad(labels.astype(np.float64), NEIGHBOURS)
    rows = np.pad(np.ones(len(labels)), NEIGHBOURS)
    return np.convolve(converted, window, mode="valid") / np.maximum(np.convolve(rows, window, mode="valid"), 1.0)


def _prefix_scores(ids: pd.Series, outcome: Outcome) -> Iterator[Floats]:
    """Yield the rates of the letters before the digits of an id, where there are several prefixes but not too many."""
    codes, prefixes = pd.factorize(ids.str.extract(r"^(\D*)")[0])
    if 1 < len(prefixes) <= MAX_PREFIXES:
        yield out_of_fold_rates(codes.astype(np.intp), outcome)


def _find(rows: JudgedRows) -> list[Suspicion]:
    return suspect_row_order(rows.sample, rows.evidence.order, rows.evidence.clock, draw=rows.outcome.draw)


CHECK = LeakCheck(
    {
        "LK8": FindingKind(
            "leaks",
            "The order of ids or rows knows the outcome",
            "Bring the file in an order that was there before the outcome, and ids that were given before it.",
        )
    },
    _find,
    by_halves=True,
)
