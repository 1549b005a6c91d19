"""Cases of dated leads for the benchmark of the leak gate: customers of a shop, and a simulated CRM.

A case has one snapshot of each lead, with leadml's features, and the tables behind it. The instant of a snapshot does
not depend on the outcome: a date is drawn, and the lead is left out where it was not open then.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from leak_cases import DAY, FLAT_SOURCES, ROOT, Case, DatedTables

from leadml.leads.asof.labels import target_codes
from leadml.leads.asof.population import population_snapshots
from leadml.leads.asof.snapshots import compute_features, scoring_snapshots, snapshot_dates
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, SPLIT_KEY, Contract
from leadml.leads.check.instants import instant
from leadml.leads.judge.evidence import LeakEvidence
from leadml.leads.judge.leak_evidence import field_changes
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.settings import AsOfSettings
from leadml.params import load_params
from leadml.simulator.write import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.leads.asof.view import AsOfView
    from leadml.leads.check.field import Field
    from leadml.params import Params

EXAMPLES = ROOT / "examples"
READ_DATED = (
    ROOT / "data" / "raw" / "CDNOW_master.txt.gz",
    *(EXAMPLES / name for name in ("cdnow/make_tables.py", "cdnow/params.yaml", "crm/params.yaml")),
)
NOW = "2026-06-01T00:00:00+00:00"
AUTUMN = "1997-09-30"
LEADS, MIN_MONTHS, MAX_MONTHS = 12_000, 18, 24
MEAN_WAIT = 30  # days from the creation of a lead to its snapshot


def cdnow(_: Path, __: int) -> Case:
    """Return customers of a shop in autumn 1997, and whether they buy again within 90 days."""
    return _cdnow()


@cache
def _cdnow() -> Case:
    sys.path.append(str(EXAMPLES / "cdnow"))
    from make_tables import main as make_tables  # a script of the example

    with TemporaryDirectory() as name:
        with redirect_stdout(StringIO()):
            make_tables(Path(name) / "data")
        as_of = instant(AUTUMN, timezone="America/New_York")
        params = load_params(EXAMPLES / "cdnow" / "params.yaml")
        return _case("cdnow", _dated_leads(Path(name), params, "purchase"), as_of)


@cache
def simulated(_: Path, seed: int) -> Case:
    """Return leads of a simulated CRM of 18 to 24 months, and whether they become an SQL in 30 days of a snapshot."""
    months = int(np.random.default_rng([seed, 2]).integers(MIN_MONTHS, MAX_MONTHS + 1))
    with TemporaryDirectory() as name:
        simulate(Path(name) / "data", leads=LEADS, months=months, seed=seed)
        params = load_params(EXAMPLES / "crm" / "params.yaml")
        return _case("simulated", _dated_leads(Path(name), params, "sql"), None)


def _dated_leads(folder: Path, params: Params, target: str) -> DatedLeads:
    return DatedLeads(folder, params, Contract.from_params(params), AsOfSettings.from_params(params, target), NOW)


def _case(source: str, leads: DatedLeads, as_of: int | None) -> Case:
    """Return a case of snapshots at one instant, or at a drawn instant for each lead."""
    fields = leads.contract.fields
    with leads.view(lambda _: None) as view:
        observed_until = leads.observed_until(view.history)
        parts = scoring_snapshots(view, as_of) if as_of else _drawn_snapshots(view, leads.params, observed_until)
        frame = pd.concat(parts, ignore_index=True)
        tables = _tables(view, frame, leads.contract, observed_until)
        frame[LABEL] = frame[LEAD_ID].isin(tables.conversions[LEAD_ID]).astype(np.int8)
        evidence = LeakEvidence(future_counts=_future_counts(frame, tables.activities, fields))
        return Case(source, "unchanged", frame, fields, evidence, tables=tables)


def _drawn_snapshots(view: AsOfView, params: Params, observed_until: int) -> Iterator[pd.DataFrame]:
    """Yield one mature snapshot of each lead, soon after its creation, where the lead was open then."""
    history = view.history
    first, last = int(history.created_at.min()), observed_until - view.target.maturity
    dates = snapshot_dates(first, last, params.snapshots, timezone=params.data.timezone)
    waits = np.random.default_rng(0).exponential(MEAN_WAIT * DAY, len(history.lead_ids))
    drawn = np.append(dates, -1)[np.searchsorted(dates, history.known_since + waits)]
    for block in history.blocks():
        for snapshots in population_snapshots(view, block, dates, for_training=True):
            pairs = snapshots[snapshots[AS_OF].to_numpy() == drawn[snapshots["lead"]]]
            lead = pairs["lead"].to_numpy()
            roles = {LEAD_ID: history.lead_ids, SPLIT_KEY: history.split_keys, CREATED_AT: history.created_at}
            frame = compute_features(view, block, pairs).set_index("lead").loc[lead].reset_index(drop=True)
            yield frame.assign(**{name: values[lead] for name, values in roles.items()})


def _tables(view: AsOfView, frame: pd.DataFrame, contract: Contract, observed_until: int) -> DatedTables:
    """Return the tables of the leads of a frame; a conversion counts within the horizon."""
    codes, kinds = pd.Index(list(view.codes)), pd.Index([*(kind for kind, _ in view.plan.kinds), "other"])
    activities, outcomes = (
        pd.concat([getattr(block, name).to_pandas() for block in view.history.blocks()], ignore_index=True)
        for name in ("activities", "outcomes")
    )
    for table in (activities, outcomes):
        table[LEAD_ID] = view.history.lead_ids[table["lead"]]
    activities, outcomes = (table[table[LEAD_ID].isin(frame[LEAD_ID])] for table in (activities, outcomes))
    activities = activities.assign(kind=kinds[activities["kind"]].astype(object))[[LEAD_ID, "occurred_at", "kind"]]
    outcomes = outcomes.assign(outcome=codes[outcomes["outcome"]].astype(object))[[LEAD_ID, "occurred_at", "outcome"]]
    since_snapshot = outcomes["occurred_at"] - outcomes[LEAD_ID].map(frame.set_index(LEAD_ID)[AS_OF])
    reaches = outcomes["outcome"].map(view.codes).isin(target_codes(view.target, view.codes))
    within = (since_snapshot >= 0) & (since_snapshot < view.target.horizon * DAY) & reaches
    conversions = outcomes[within].groupby(LEAD_ID, as_index=False)["occurred_at"].min()
    return DatedTables(activities, outcomes, field_changes(view.history, contract), conversions, observed_until)


def _future_counts(frame: pd.DataFrame, activities: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    """Return the counts of each kind over each window after the snapshot, named as the fields of the window before."""
    as_of = frame.set_index(LEAD_ID)[AS_OF]
    since_snapshot = activities["occurred_at"] - activities[LEAD_ID].map(as_of)
    counts = {AS_OF: as_of}
    for field in fields:
        window = re.fullmatch(rf"{re.escape(field.topic)}_(\d+)d", field.name)
        if field.source == "activity" and field.topic and window:
            within = (since_snapshot >= 0) & (since_snapshot < int(window[1]) * DAY)
            counted = activities[(activities["kind"] == field.topic) & within]
            counts[field.name] = counted.groupby(LEAD_ID).size().reindex(as_of.index).fillna(0.0)
    return pd.DataFrame(counts).reset_index()


SOURCES: tuple[Callable[[Path, int], Case], ...] = (*FLAT_SOURCES, cdnow, simulated)
