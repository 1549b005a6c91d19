"""The outcomes of leads that were scored: the label of each pair of a lead and an instant, once it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import LeadmlError, nearest, quoted
from leadml.leads.asof.features import AS_OF, LEAD
from leadml.leads.asof.history import attribute_name
from leadml.leads.asof.labels import label_snapshots
from leadml.leads.check.contract import LABEL, LEAD_ID, SPLIT_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.contract import Contract
    from leadml.leads.check.field import Field
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


def newest_attributes(history: LeadHistory, contract: Contract, names: Sequence[str]) -> pd.DataFrame:
    """Return ``lead_id`` and some attributes of all leads, as the newest state of each lead has them.

    Raises
    ------
    LeadmlError
        If one is no attribute of leads.
    """
    states, columns = history.states, {LEAD_ID: history.lead_ids}
    last = np.flatnonzero(np.diff(states["lead"].to_numpy(), append=-1))
    position = {field.name: at for at, field in enumerate(contract.lead_fields)}
    for field in attributes_of(contract, names):
        values = states[attribute_name(position[field.name])].take(pa.array(last))
        columns[field.name] = np.array(values.to_pylist(), dtype=object)
    return pd.DataFrame(columns)


def attributes_of(contract: Contract, names: Sequence[str]) -> tuple[Field, ...]:
    """Return the fields of some attributes of leads.

    Raises
    ------
    LeadmlError
        If one is no attribute of leads.
    """
    known = {field.name: field for field in contract.lead_fields}
    if unknown := [name for name in names if name not in known]:
        msg = f"review.slices must name attributes of leads, got {quoted(unknown[0])}{nearest(unknown[0], known)}"
        raise LeadmlError(msg)
    return tuple(known[name] for name in names)
