"""Whether a test of a field holds for each lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.convert import plain_text

if TYPE_CHECKING:
    import pandas as pd

    from leadml.params import FieldTest
    from leadml.types import Mask


def field_test_holds(column: pd.Series, test: FieldTest) -> Mask:
    """Return for which leads a test holds, shape (n_leads,); it never holds for a missing value.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadml.params import FieldTest
    >>> field_test_holds(pd.Series([1.0, 5.0, np.nan]), FieldTest(field="calls", at_least=2)).tolist()
    [False, True, False]
    """
    if test.any_of is not None:
        return np.asarray(column.isin([plain_text(word) for word in test.any_of]), dtype=bool)
    values = column.to_numpy(dtype=np.float64)
    lowest = -np.inf if test.at_least is None else test.at_least
    highest = np.inf if test.at_most is None else test.at_most
    return np.asarray((values >= lowest) & (values <= highest))
