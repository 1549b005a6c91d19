"""The outcomes of leads that were scored: the label of each pair of a lead and an instant, once it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.leads.asof.features import AS_OF, LEAD
from leadml.leads.asof.labels import label_snapshots
from leadml.leads.check.contract import LABEL, LEAD_ID, SPLIT_KEY

if TYPE_CHECKING:
    from leadml.leads.asof.view import AsOfView
    from leadml.types import Integers, Objects


def known_labels(view: AsOfView, lead_ids: Objects, as_of: Integers, *, observed_until: int) -> pd.DataFrame:
    """Return the labels of scored leads whose horizon and settling are over.

    An outcome counts as it does for training: a lead that had reached the target before it was scored, though nobody
    had recorded it yet, has no label.

    Parameters
    ----------
    view
        The leads and the target.
    lead_ids, as_of
        Id and instant (microseconds) of each score, shape (n_scores,).
    observed_until
        The end of what was observed, microseconds.

    Returns
    -------
    frame
        ``lead_id, as_of, split_key, converted``, one row for each pair with a label.
    """
    ids = view.history.lead_ids
    lead = np.minimum(np.searchsorted(ids, lead_ids), len(ids) - 1)
    is_due = (ids[lead] == lead_ids) & (as_of + view.target.maturity <= observed_until)
    pairs = pd.DataFrame({LEAD: lead[is_due].astype(np.int64), AS_OF: as_of[is_due]}).drop_duplicates()
    found = [pd.DataFrame({LEAD: np.empty(0, np.int64), AS_OF: np.empty(0, np.int64), LABEL: np.empty(0, np.int64)})]
    for block in view.history.blocks():
        inside = pairs[(pairs[LEAD] >= block.first) & (pairs[LEAD] < block.stop)]
        if len(inside):
            table = pa.table({name: inside[name].to_numpy() for name in (LEAD, AS_OF)})
            lazy = (view.engine.lazy(each) for each in (table, block.outcomes))
            labelled = label_snapshots(*lazy, target=view.target, codes=view.codes).sort(LEAD, AS_OF)
            frame: pd.DataFrame = labelled.collect("pyarrow").to_native().to_pandas()
            found.append(frame.loc[view.target.again | (frame["reached"] == 0), [LEAD, AS_OF, "converted"]])
    labels = pd.concat(found, ignore_index=True)
    numbers = labels[LEAD].to_numpy()
    columns = {LEAD_ID: ids[numbers], AS_OF: labels[AS_OF], SPLIT_KEY: view.history.split_keys[numbers]}
    return pd.DataFrame({**columns, LABEL: labels["converted"].astype(np.int8)})
