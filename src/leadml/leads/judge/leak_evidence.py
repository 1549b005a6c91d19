"""Evidence for the leak gate from the tables of dated leads.

The tables know more than a training set: when fields changed, when the target was reached, and which activities
followed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.asof.history import attribute_name
from leadml.leads.asof.labels import target_codes
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LEAD_ID

if TYPE_CHECKING:
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.contract import Contract
    from leadml.types import Integers


NEVER = np.iinfo(np.int64).max
# In microseconds; 2^33 seconds end in 2242, and the 30 bits left are 16,384 kinds of the 65,536 leads of a block.
SECOND, SECOND_BITS = 1_000_000, 33


def reached_at(view: AsOfView) -> Integers:
    """Return when each lead first reached the target, microseconds, shape (n_leads,); ``NEVER`` where it did not."""
    first = np.full(len(view.history.lead_ids), NEVER)
    codes = target_codes(view.target, view.codes)
    for block in view.history.blocks():
        is_target = np.isin(block.outcomes["outcome"].to_numpy(), codes)
        lead, occurred = (block.outcomes[name].to_numpy()[is_target] for name in ("lead", "occurred_at"))
        np.minimum.at(first, lead, occurred)
    return first


def conversions(history: LeadHistory, reached: Integers) -> pd.DataFrame:
    """Return ``lead_id`` and ``occurred_at`` of each lead that reached the target, by the instants of `reached_at`."""
    converted = reached != NEVER
    return pd.DataFrame({LEAD_ID: history.lead_ids[converted], "occurred_at": reached[converted]})


def field_changes(history: LeadHistory, contract: Contract) -> pd.DataFrame | None:
    """Return ``lead_id``, ``field``, ``changed_at`` of each change of an attribute; None where none has a history."""
    if contract.valid_from is None or not contract.lead_fields:
        return None
    lead = history.states["lead"].to_numpy()
    later = np.flatnonzero(lead[1:] == lead[:-1]) + 1
    changed_at = history.states["valid_from"].to_numpy()[later]
    tables = []
    for number, field in enumerate(contract.lead_fields):
        column = history.states[attribute_name(number)]
        now, before = (column.take(pa.array(rows)) for rows in (later, later - 1))
        same = pc.fill_null(pc.equal(now, before), fill_value=False)
        both_missing = pc.and_(pc.is_null(now, nan_is_null=True), pc.is_null(before, nan_is_null=True))
        changed = ~pc.or_(same, both_missing).to_numpy(zero_copy_only=False)
        ids = history.lead_ids[lead[later[changed]]]
        tables.append(pd.DataFrame({LEAD_ID: ids, "field": field.name, "changed_at": changed_at[changed]}))
    return pd.concat(tables, ignore_index=True)


def future_counts(view: AsOfView, snapshots: pd.DataFrame, *, observed_until: int) -> pd.DataFrame:
    """Return for each snapshot how many activities of each kind occurred in each window that begins at its instant.

    Parameters
    ----------
    view
        The leads.
    snapshots
        ``lead_id`` and ``as_of``, each pair once.
    observed_until
        The end of what was observed, microseconds; the count of a window that ends later is missing.

    Returns
    -------
    DataFrame
        ``lead_id``, ``as_of``, and columns named as the fields that count the window before the instant, for example
        ``page_visit_30d``. Instants are compared by whole seconds.
    """
    kinds, windows = view.plan.kinds, view.plan.windows
    lead = np.searchsorted(view.history.lead_ids, snapshots[LEAD_ID].to_numpy())
    as_of = snapshots[AS_OF].to_numpy()
    counts = np.full((len(snapshots), len(kinds), len(windows)), np.nan)
    for block in view.history.blocks():
        activities = block.acts_of_people.filter(pc.greater_equal(block.acts_of_people["kind"], 0))
        activity_lead, kind, occurred = (activities[name].to_numpy() for name in ("lead", "kind", "occurred_at"))
        sorted_keys = np.sort(_sort_keys(activity_lead - block.first, kind, occurred, kinds=len(kinds)))
        rows = np.flatnonzero((lead >= block.first) & (lead < block.stop))
        for number in range(len(kinds)):
            start, *ends = (
                np.searchsorted(sorted_keys, _sort_keys(lead[rows] - block.first, number, instant, kinds=len(kinds)))
                for instant in (as_of[rows], *(as_of[rows] + days * DAY for days in windows))
            )
            counts[rows, number] = np.stack([end - start for end in ends], axis=1)
    columns = {
        f"{kind}_{days}d": np.where(as_of + days * DAY <= observed_until, counts[:, number, position], np.nan)
        for number, (kind, _) in enumerate(kinds)
        for position, days in enumerate(windows)
    }
    return snapshots[[LEAD_ID, AS_OF]].assign(**columns)


def _sort_keys(lead: Integers, kind: Integers | int, instant: Integers, *, kinds: int) -> Integers:
    """Return whole numbers in the order of lead, kind and second."""
    return ((lead * kinds + kind) << SECOND_BITS) + instant // SECOND


def repeated_activities(view: AsOfView, reached: Integers) -> pd.DataFrame:
    """Return for each lead with activities its ``rows``, those ``repeated`` and whether it ``converted``.

    An activity is repeated where another of the lead has the same values in all columns. Only the leads of the first
    block are counted, which are many enough.
    """
    table = next(view.history.blocks()).acts_of_people
    columns = [pc.fill_null(table[name], -1).to_numpy() for name in table.schema.names[::-1]]
    order = np.lexsort(columns)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in columns:
        same &= np.diff(column[order]) == 0
    activity_lead = table["lead"].to_numpy()
    lead, rows = np.unique(activity_lead, return_counts=True)
    repeated = np.bincount(np.searchsorted(lead, activity_lead[order[1:][same]]), minlength=len(lead))
    return pd.DataFrame({"rows": rows, "repeated": repeated, "converted": (reached[lead] != NEVER).astype(np.int8)})


def activity_counts(view: AsOfView, reached: Integers) -> pd.DataFrame:
    """Return for each kind its ``rows``, those ``recorded_before`` they occurred, and those ``after_outcome``."""
    counts = np.zeros((len(view.plan.kinds), 3), dtype=np.int64)
    for block in view.history.blocks():
        kind = block.acts_of_people["kind"].to_numpy()
        known = kind >= 0
        occurred, recorded, lead = (
            block.acts_of_people[name].to_numpy()[known] for name in ("occurred_at", "recorded_at", "lead")
        )
        masks = (np.ones(len(lead), dtype=bool), recorded < occurred, occurred > reached[lead])
        for position, mask in enumerate(masks):
            counts[:, position] += np.bincount(kind[known][mask], minlength=len(counts))
    table = pd.DataFrame(counts, columns=["rows", "recorded_before", "after_outcome"])
    table.insert(0, "kind", [kind for kind, _ in view.plan.kinds])
    return table
