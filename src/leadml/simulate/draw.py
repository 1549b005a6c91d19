"""Draw categories.

What enters is random numbers in [0, 1) and chances; what leaves is positions.
It refuses nothing: that chances sum to 1 is the caller's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Positions = NDArray[np.intp]


def pick(random: Floats, chances: Floats) -> Positions:
    """Return the category that each random number falls in.

    Parameters
    ----------
    random
        Array of shape (n,), in [0, 1).
    chances
        Shape (categories,) where all draw from one table, (n, categories) where each has its own.

    Examples
    --------
    >>> pick(np.array([0.1, 0.6, 0.99]), np.array([0.5, 0.3, 0.2]))
    array([0, 1, 2])
    """
    edges = np.cumsum(chances, axis=-1)[..., :-1]  # the last edge is 1, whatever rounding says
    if edges.ndim == 1:
        return np.searchsorted(edges, random, side="right")
    return np.asarray((random[:, None] >= edges).sum(axis=1))
