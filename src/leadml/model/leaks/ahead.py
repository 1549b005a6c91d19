"""LK7: fields that know what a lead did after the look.

What enters is fields as of looks, and the same counts begun at the look; what leaves is a suspicion for each field that
goes together with the later count as nothing of the past does.
Only leads that did not convert are looked at, so that interest that ends in the outcome is no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.schema import AS_OF, LEAD_ID
from leadml.model.leaks.power import SURE
from leadml.model.leaks.suspicion import Suspicion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from leadml.leads.field import Field
    from leadml.model.leaks.outcome import Outcome

    Floats = NDArray[np.float64]

FEWEST = 50
STOPS, WARNS = 0.7, 0.5
SMALLEST = 1e-6


def suspect_ahead(
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
    is the continuation: 1 for a sum of both, and near 0 for what was known at the look, but for habits that last.
    """
    later = frame[[LEAD_ID, AS_OF]].merge(ahead, on=[LEAD_ID, AS_OF], how="left", validate="many_to_one")
    names = [name for name in ahead.columns if name not in {LEAD_ID, AS_OF}]
    rows = (outcome.label == 0) & later[names].notna().all(axis=1).to_numpy()
    groups = outcome.leads(rows)
    numbers = [field for field in fields if field.kind != "category"]
    if groups < FEWEST or not numbers or not names:
        return []
    values = _standard(frame.loc[rows, [field.name for field in numbers]].to_numpy(dtype=np.float64))
    strongest = np.zeros(len(numbers))
    by = np.zeros(len(numbers), dtype=np.intp)
    for at, name in enumerate(names):
        after = later.loc[rows, [name]].to_numpy(dtype=np.float64)
        if (after > 0).sum() < FEWEST:
            continue
        before = frame.loc[rows, [name]].to_numpy(dtype=np.float64) if name in frame else np.zeros_like(after)
        known = np.abs(_partial(values, _standard(after), _standard(before)))
        by = np.where(known > strongest, at, by)
        strongest = np.maximum(strongest, known)
    low = np.tanh(np.arctanh(np.minimum(strongest, 1 - SMALLEST)) - SURE / np.sqrt(groups))
    return [
        _suspicion(field.name, names[by[at]], strongest[at], low[at])
        for at, field in enumerate(numbers)
        if low[at] >= WARNS
    ]


def _suspicion(name: str, count: str, known: float, low: float) -> Suspicion:
    evidence = (
        f"knows what came after the look: among leads that did not convert its correlation with {count} counted from "
        f"the look onwards is {known:.2f}, given the same count before the look"
    )
    return Suspicion("LK7", "stop" if low >= STOPS else "warn", evidence, name)


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
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > SMALLEST)
