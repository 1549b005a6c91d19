"""The outcomes of dated leads that are known at an instant, of all leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.asof.features import LEAD
from leadml.leads.check.contract import LEAD_ID, RECORDED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.leads.asof.view import AsOfView

OCCURRED_AT, OUTCOME = "occurred_at", "outcome"


def known_outcomes(view: AsOfView, as_of: int) -> Iterator[pd.DataFrame]:
    """Yield the outcomes that occurred before an instant and were recorded by it, block by block.

    Parameters
    ----------
    view
        The leads, in the population or not.
    as_of
        The instant, microseconds.

    Yields
    ------
    DataFrame
        ``lead_id, occurred_at, recorded_at`` (microseconds) and ``outcome`` (its name).
    """
    names = np.array(sorted(view.codes, key=view.codes.__getitem__), dtype=object)
    for block in view.history.blocks():
        lead, occurred, recorded, code = (
            block.outcomes[name].to_numpy() for name in (LEAD, OCCURRED_AT, RECORDED_AT, OUTCOME)
        )
        known = (occurred < as_of) & (recorded <= as_of)
        yield pd.DataFrame(
            {
                LEAD_ID: view.history.lead_ids[lead[known]],
                OCCURRED_AT: occurred[known],
                RECORDED_AT: recorded[known],
                OUTCOME: names[code[known]],
            }
        )
