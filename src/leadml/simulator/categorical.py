"""Sample from categorical distributions.

The caller gives the uniform random numbers, so that it decides how many are drawn and in which order.
The module does not check that probabilities sum to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Positions = NDArray[np.intp]


def sample_categories(uniform: Floats, probabilities: Floats) -> Positions:
    """Return the position of the category that each uniform random number falls in.

    Parameters
    ----------
    uniform
        Shape (n,), in [0, 1).
    probabilities
        Shape (categories,) for one distribution, (n, categories) for one distribution per random number.

    Notes
    -----
    Inverse transform sampling: the first category whose cumulative probability exceeds the random number.

    Examples
    --------
    >>> sample_categories(np.array([0.1, 0.6, 0.99]), np.array([0.5, 0.3, 0.2]))
    array([0, 1, 2])
    """
    edges = np.cumsum(probabilities, axis=-1)[..., :-1]  # without the last edge: rounding may put it below 1
    if edges.ndim == 1:
        return np.searchsorted(edges, uniform, side="right")
    return np.asarray((uniform[:, None] >= edges).sum(axis=1))
