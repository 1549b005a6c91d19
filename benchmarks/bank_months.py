"""The months of the bank's campaigns, whose file has their names in the order of time and no year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def month_names(month: pd.Series) -> np.ndarray:
    """Return year and month of leads in the order of time, from May 2008; an earlier month begins a new year."""
    number = month.map({name: at + 1 for at, name in enumerate(MONTHS)}).to_numpy()
    year = 2008 + np.cumsum(np.append(0, np.diff(number) < 0))
    return np.array([f"{y}-{m:02}" for y, m in zip(year, number, strict=True)])
