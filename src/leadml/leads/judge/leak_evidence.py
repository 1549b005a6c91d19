"""What the tables of dated leads tell of leaks: when fields changed, when outcomes came, and which acts follow them.

What enters is a view of dated leads; what leaves is tables that the gate against leaks reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadml.leads.asof.history import BLOCK_LEADS, attribute_name
from leadml.leads.asof.labels import reaching
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LEAD_ID

if TYPE_CHECKING:
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.contract import Contract
    from leadml.types import Integers


NEVER = np.iinfo(np.int64).max
SECOND, SECOND_BITS = 1_000_000, 33


def reached_at(view: AsOfView) -> Integers:
    """Return when each lead first reached the target, microseconds, shape (n_leads,); ``NEVER`` where it did not."""
    first = np.full(len(view.history.lead_ids), NEVER)
    codes = reaching(view.target, view.codes)
    for block in view.history.blocks():
        hit = np.isin(block.outcomes["outcome"].to_numpy(), codes)
        np.minimum.at(first, block.outcomes["lead"].to_numpy()[hit], block.outcomes["occurred_at"].to_numpy()[hit])
    return first


def conversions(tables: LeadHistory, reached: Integers) -> pd.DataFrame:
    """Return ``lead_id`` and ``occurred_at`` of each lead that reached the target."""
    won = reached != NEVER
    return pd.DataFrame({LEAD_ID: tables.lead_ids[won], "occurred_at": reached[won]})


def field_changes(tables: LeadHistory, contract: Contract) -> pd.DataFrame | None:
    """Return ``lead_id``, ``field``, ``changed_at`` of each change of an attribute; None where none has a history."""
    if contract.valid_from is None or not contract.lead_fields:
        return None
    lead = tables.states["lead"].to_numpy()
    later = np.flatnonzero(lead[1:] == lead[:-1]) + 1
    changed_at = tables.states["valid_from"].to_numpy()[later]
    found = []
    for at, field in enumerate(contract.lead_fields):
        column = tables.states[attribute_name(at)]
        now, before = (column.take(pa.array(rows)) for rows in (later, later - 1))
        same = pc.fill_null(pc.equal(now, before), fill_value=False)
        both_missing = pc.and_(pc.is_null(now, nan_is_null=True), pc.is_null(before, nan_is_null=True))
        moved = ~pc.or_(same, both_missing).to_numpy(zero_copy_only=False)
        ids = tables.lead_ids[lead[later[moved]]]
        found.append(pd.DataFrame({LEAD_ID: ids, "field": field.name, "changed_at": changed_at[moved]}))
    return pd.concat(found, ignore_index=True)


def future_counts(view: AsOfView, looks: pd.DataFrame, *, observed_until: int) -> pd.DataFrame:
    """Return for each look how often each kind occurred over each window that begins at the look, to the second.

    Parameters
    ----------
    view
        The leads.
    looks
        ``lead_id`` and ``as_of``, each pair once.
    observed_until
        The end of what was observed, microseconds; a window that ends later is missing.

    Returns
    -------
    DataFrame
        ``lead_id``, ``as_of``, and columns named like the fields that end where these begin: ``page_visit_30d``.
    """
    kinds, windows = view.plan.kinds, view.plan.windows
    lead = np.searchsorted(view.history.lead_ids, looks[LEAD_ID].to_numpy())
    as_of = looks[AS_OF].to_numpy()
    counts = np.full((len(looks), len(kinds), len(windows)), np.nan)
    for block in view.history.blocks():
        acts = block.activities.filter(pc.greater_equal(block.activities["kind"], 0))
        whose, kind, occurred = (acts[name].to_numpy() for name in ("lead", "kind", "occurred_at"))
        moments = np.sort(_moments(whose - block.first, kind, occurred, kinds=len(kinds)))
        here = np.flatnonzero((lead >= block.first) & (lead < block.first + BLOCK_LEADS))
        for number in range(len(kinds)):
            start, *ends = (
                np.searchsorted(moments, _moments(lead[here] - block.first, number, at, kinds=len(kinds)))
                for at in (as_of[here], *(as_of[here] + days * DAY for days in windows))
            )
            counts[here, number] = np.stack([end - start for end in ends], axis=1)
    columns = {
        f"{kind}_{days}d": np.where(as_of + days * DAY <= observed_until, counts[:, number, at], np.nan)
        for number, (kind, _) in enumerate(kinds)
        for at, days in enumerate(windows)
    }
    return looks[[LEAD_ID, AS_OF]].assign(**columns)


def _moments(lead: Integers, kind: Integers | int, instant: Integers, *, kinds: int) -> Integers:
    """Return whole numbers in the order of lead, kind and second."""
    return ((lead * kinds + kind) << SECOND_BITS) + instant // SECOND


def repeated_activities(view: AsOfView, reached: Integers) -> pd.DataFrame:
    """Return for each lead with activities its ``rows``, those ``repeated`` and whether it ``converted``.

    An activity is repeated where another of the lead says the same to the letter. Leads of one block tell enough.
    """
    block = next(view.history.blocks())
    table = block.activities
    columns = [pc.fill_null(table[name], -1).to_numpy() for name in table.schema.names[::-1]]
    order = np.lexsort(columns)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in columns:
        same &= np.diff(column[order]) == 0
    lead = table["lead"].to_numpy()
    whose, rows = np.unique(lead, return_counts=True)
    repeated = np.bincount(np.searchsorted(whose, lead[order[1:][same]]), minlength=len(whose))
    return pd.DataFrame({"rows": rows, "repeated": repeated, "converted": (reached[whose] != NEVER).astype(np.int8)})


def activity_counts(view: AsOfView, reached: Integers) -> pd.DataFrame:
    """Return for each kind its ``rows``, those ``recorded_before`` they occurred, and those ``after_outcome``."""
    counts = np.zeros((len(view.plan.kinds), 3), dtype=np.int64)
    for block in view.history.blocks():
        kind = block.activities["kind"].to_numpy()
        known = kind >= 0
        occurred, recorded, lead = (
            block.activities[name].to_numpy()[known] for name in ("occurred_at", "recorded_at", "lead")
        )
        for at, mask in enumerate((np.ones(len(lead), dtype=bool), recorded < occurred, occurred > reached[lead])):
            counts[:, at] += np.bincount(kind[known][mask], minlength=len(counts))
    table = pd.DataFrame(counts, columns=["rows", "recorded_before", "after_outcome"])
    table.insert(0, "kind", [kind for kind, _ in view.plan.kinds])
    return table
