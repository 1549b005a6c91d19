"""LK7: fields that know what a lead did after the look.

What enters is fields as of looks, and the same counts begun at the look; what leaves is a suspicion for each field that
goes together with the later count as nothing of the past does.
Converters and other leads are judged apart, so that the outcome itself, and what leads to it, is no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.contract import AS_OF, LEAD_ID
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import SURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.outcome import Outcome
    from leadml.types import Floats


FEWEST = 50
STOPS, WARNS = 0.71, 0.5  # see the notes: no habit reaches the square root of a half
SMALLEST = 1e-6


def suspect_lookahead(
    frame: pd.DataFrame, fields: Sequence[Field], outcome: Outcome, ahead: pd.DataFrame
) -> list[Suspicion]:
    """Return the fields that say how active leads were after the look.

    Parameters
    ----------
    frame
        Leads with labels and ``as_of``.
    fields
        The fields of the model; numbers are judged.
    outcome
        What became of the leads.
    ahead
        As `leadml.model.leaks.Evidence` has it.

    Notes
    -----
    A field is held against each later count by their partial correlation, given the count before the look of which it
    is the continuation: 1 for a sum of both, and near 0 for what was known at the look, but for habits that last. A
    habit that is known exactly leaves of both counts the same chance, so that its partial correlation is at most the
    square root of a half.
    """
    later = frame[[LEAD_ID, AS_OF]].merge(ahead, on=[LEAD_ID, AS_OF], how="left", validate="many_to_one")
    names = [name for name in ahead.columns if name not in {LEAD_ID, AS_OF}]
    numbers = [field for field in fields if field.kind != "category"]
    if not numbers:
        return []
    known = later[names].notna().all(axis=1).to_numpy()
    found: dict[str, Suspicion] = {}
    for converted, whose in enumerate(("did not convert", "converted")):
        rows = known & (outcome.label == converted)
        leads = outcome.leads(rows)
        if leads < FEWEST:
            continue
        for suspicion in _among(frame[rows], later[rows], numbers, names, (leads, whose)):
            stronger = suspicion.field not in found or suspicion.severity == "stop"
            found |= {suspicion.field: suspicion} if stronger else {}
    return list(found.values())


def _among(
    frame: pd.DataFrame, later: pd.DataFrame, numbers: Sequence[Field], names: Sequence[str], who: tuple[int, str]
) -> Iterator[Suspicion]:
    """Yield the suspicions among leads of one kind, of whom there are so many."""
    leads, whose = who
    values = _standard(frame[[field.name for field in numbers]].to_numpy(dtype=np.float64))
    strongest, by = np.zeros(len(numbers)), np.zeros(len(numbers), dtype=np.intp)
    for place, name in enumerate(names):
        after = later[[name]].to_numpy(dtype=np.float64)
        if (after > 0).sum() < FEWEST:
            continue
        before = frame[[name]].to_numpy(dtype=np.float64) if name in frame else np.zeros_like(after)
        knows = np.abs(_partial(values, _standard(after), _standard(before)))
        by = np.where(knows > strongest, place, by)
        strongest = np.maximum(strongest, knows)
    low = np.tanh(np.arctanh(np.minimum(strongest, 1 - SMALLEST)) - SURE / np.sqrt(leads))
    for at in np.flatnonzero(low >= WARNS).tolist():
        evidence = (
            f"knows what came after the look: among leads that {whose} its correlation with {names[by[at]]} counted "
            f"from the look onwards is {strongest[at]:.2f}, given the same count before the look"
        )
        yield Suspicion("LK7", "stop" if low[at] >= STOPS else "warn", evidence, numbers[at].name)


def _partial(values: Floats, after: Floats, before: Floats) -> Floats:
    """Return the correlation of each column with the later count, given the earlier one, 0 where nothing is left."""
    rows = len(after)
    one, other = values.T @ after[:, 0] / rows, values.T @ before[:, 0] / rows
    both = float(after[:, 0] @ before[:, 0] / rows)
    left = (1 - other**2) * (1 - both**2)
    return np.where(left > SMALLEST, (one - other * both) / np.sqrt(np.maximum(left, SMALLEST)), 0.0)


def _standard(columns: Floats) -> Floats:
    """Return the logarithms of columns with mean 0 and variance 1; what is missing is the mean."""
    scaled = np.sign(columns) * np.log1p(np.abs(columns))
    held = ~np.isnan(scaled)
    size = np.maximum(held.sum(axis=0), 1)
    filled = np.where(held, scaled, np.nansum(scaled, axis=0) / size)
    spread = filled.std(axis=0)
    centred = filled - filled.mean(axis=0)
    standard: Floats = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > SMALLEST)
    return standard
