"""The eight stages of a lead in their order, as names and as ranks.

A rank is the position of a stage in `STAGES`; an array of ranks is compared where names are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Objects

STAGES = ("LEAD", "IQL", "MQL", "SAL", "SQL", "OPPORTUNITY", "CUSTOMER", "EVANGELIST")
ADVISED = ("IQL", "MQL", "SQL")
LEAD = STAGES[0]
NURTURE = STAGES.index("IQL")  # of a lead that was rejected
NONE = -1  # no stage

Ranks: TypeAlias = NDArray[np.int8]
"""Positions in `STAGES`; `NONE` for no stage."""


def ranks_of(stages: Sequence[str] | Objects) -> Ranks:
    """Return the ranks of some stages, shape (n,).

    Examples
    --------
    >>> ranks_of(["SQL", "", "LEAD"]).tolist()
    [4, -1, 0]
    """
    return np.asarray(pd.Index(STAGES).get_indexer(pd.Index(stages, dtype=object)), dtype=np.int8)


def stages_of(ranks: Ranks) -> Objects:
    """Return the names of some ranks, shape (n,); empty text for `NONE`.

    Examples
    --------
    >>> stages_of(np.array([4, -1], dtype=np.int8)).tolist()
    ['SQL', '']
    """
    return np.array([*STAGES, ""], dtype=object)[ranks]
