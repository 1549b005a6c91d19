"""Types that many modules share, so that each is spelled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""Numbers: log-odds, probabilities, points, weights."""
Labels: TypeAlias = NDArray[np.int8]
"""Outcomes, 0 or 1."""
Integers: TypeAlias = NDArray[np.int64]
"""Counts, and instants in microseconds since 1970 in UTC."""
Mask: TypeAlias = NDArray[np.bool_]
"""Whether each row is meant."""
Rows: TypeAlias = NDArray[np.intp]
"""Positions of rows, from 0, or the number of the group that each row belongs to."""
Hashes: TypeAlias = NDArray[np.uint64]
"""64-bit hashes."""
Objects: TypeAlias = NDArray[np.object_]
"""Texts, with None where one is missing."""
Fold: TypeAlias = tuple[Rows, Rows]
"""The rows that a fold is fitted on, and those that it is evaluated on."""
Progress: TypeAlias = Callable[[str], None]
"""Is called with the name of each step as it begins."""
