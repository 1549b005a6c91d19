"""How many leads would be in another stage if the model had learnt from other leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit, ndtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats


def stage_changes(probability: Floats, cuts: Sequence[float], deviation: float) -> float:
    """Return the share of leads that another training would bring into another stage, 0 to 1.

    Both trainings, this one and one on as many other leads, vary around the same log-odds; the cuts stay.

    Parameters
    ----------
    probability
        Of the leads, in (0, 1), shape (n_leads,).
    cuts
        Probabilities at which stages begin, in (0, 1).
    deviation
        Standard deviation of a lead's log-odds over trainings, 0 or more.

    Examples
    --------
    >>> stage_changes(np.array([0.5]), [0.5], 0.1), round(stage_changes(np.array([0.5]), [0.9], 0.1), 3)
    (0.5, 0.0)
    """
    edges = np.concatenate([[-np.inf], np.sort(logit(np.array(cuts, dtype=np.float64))), [np.inf]])
    place = logit(probability)
    stage = np.searchsorted(edges[1:-1], place, side="right")
    if not deviation:
        return 0.0
    spread = np.sqrt(2.0) * deviation
    stays = ndtr((edges[stage + 1] - place) / spread) - ndtr((edges[stage] - place) / spread)
    return float(1.0 - stays.mean())
