"""Dated leads to be judged by the gate: customers of a shop, and a simulated CRM.

What enters is a log of purchases, or a seed; what leaves is cases of one look at each lead, with leadml's own features,
and the tables that they were looked at in.
A lead's look is chosen without its outcome: a date is drawn, and the lead is left out where it was not open then.
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
from leadml.jobs.as_of import AsOfSettings, instant, observed_until, open_as_of_view
from leak_cases import DAY, FLAT, ROOT, Case, Past

from leadml.jobs.places import Places
from leadml.leads.asof.labels import reaching
from leadml.leads.asof.population import population_snapshots
from leadml.leads.asof.snapshots import compute_features, scoring_snapshots, snapshot_dates
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, SPLIT_KEY, Contract
from leadml.leads.judge.evidence import LeakEvidence
from leadml.leads.judge.leak_evidence import field_changes
from leadml.params import load_params
from leadml.simulator.write import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.leads.asof.snapshots import AsOfView
    from leadml.leads.check.field import Field

EXAMPLES = ROOT / "examples"
READ_DATED = (
    ROOT / "data" / "raw" / "CDNOW_master.txt.gz",
    *(EXAMPLES / name for name in ("cdnow/make_tables.py", "cdnow/params.yaml", "crm/params.yaml")),
)
NOW = "2026-06-01T00:00:00+00:00"
AUTUMN = "1997-09-30"
LEADS, SHORTEST, LONGEST = 12_000, 18, 24
WAIT = 30  # days from coming to being looked at, on average


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
        return _case("cdnow", Places(Path(name), load_params(EXAMPLES / "cdnow" / "params.yaml"), "purchase"), as_of)


@cache
def simulated(_: Path, seed: int) -> Case:
    """Return leads of a simulated CRM of 18 to 24 months, and whether they become an SQL within 30 days of a look."""
    months = int(np.random.default_rng([seed, 2]).integers(SHORTEST, LONGEST + 1))
    with TemporaryDirectory() as name:
        simulate(Path(name) / "data", leads=LEADS, months=months, seed=seed)
        return _case("simulated", Places(Path(name), load_params(EXAMPLES / "crm" / "params.yaml"), "sql"), None)


def _case(source: str, project: Places, as_of: int | None) -> Case:
    contract, as_of_settings = (
        Contract.from_params(project.params),
        AsOfSettings.from_params(project.params, project.target),
    )
    with open_as_of_view(project, as_of_settings, contract, now=NOW, progress=lambda _: None) as view:
        today = observed_until(project.params, view.history)
        parts = scoring_snapshots(view, as_of) if as_of else _looks(view, project, today)
        frame = pd.concat(parts, ignore_index=True)
        past = _past(view, frame, contract, today)
        frame[LABEL] = frame[LEAD_ID].isin(past.reached[LEAD_ID]).astype(np.int8)
        ahead = _ahead(frame, past.acts, contract.fields)
        return Case(source, "as they are", frame, contract.fields, LeakEvidence(ahead=ahead), past=past)


def _looks(view: AsOfView, project: Places, today: int) -> Iterator[pd.DataFrame]:
    """Yield the features of leads at one date each, soon after they came, where they were open and are mature."""
    tables = view.history
    first, last = int(tables.created_at.min()), today - view.target.maturity
    dates = snapshot_dates(first, last, project.params.snapshots, timezone=project.params.data.timezone)
    waits = np.random.default_rng(0).exponential(WAIT * DAY, len(tables.lead_ids))
    drawn = np.append(dates, -1)[np.searchsorted(dates, tables.known_from + waits)]
    for block in tables.blocks():
        for looked in population_snapshots(view, block, dates, hindsight=True):
            pairs = looked[looked[AS_OF].to_numpy() == drawn[looked["lead"]]]
            lead = pairs["lead"].to_numpy()
            roles = {LEAD_ID: tables.lead_ids, SPLIT_KEY: tables.split_keys, CREATED_AT: tables.created_at}
            frame = compute_features(view, block, pairs).set_index("lead").loc[lead].reset_index(drop=True)
            yield frame.assign(**{name: values[lead] for name, values in roles.items()})


def _past(view: AsOfView, frame: pd.DataFrame, contract: Contract, today: int) -> Past:
    """Return the tables of the leads that were looked at; a conversion counts within the horizon."""
    codes, kinds = pd.Index(list(view.codes)), pd.Index([*(kind for kind, _ in view.plan.kinds), "other"])
    acts, outcomes = (
        pd.concat([getattr(block, name).to_pandas() for block in view.history.blocks()], ignore_index=True)
        for name in ("activities", "outcomes")
    )
    for table in (acts, outcomes):
        table[LEAD_ID] = view.history.lead_ids[table["lead"]]
    acts, outcomes = (table[table[LEAD_ID].isin(frame[LEAD_ID])] for table in (acts, outcomes))
    acts = acts.assign(kind=kinds[acts["kind"]].astype(object))[[LEAD_ID, "occurred_at", "kind"]]
    outcomes = outcomes.assign(outcome=codes[outcomes["outcome"]].astype(object))[[LEAD_ID, "occurred_at", "outcome"]]
    ahead = outcomes["occurred_at"] - outcomes[LEAD_ID].map(frame.set_index(LEAD_ID)[AS_OF])
    reaches = outcomes["outcome"].map(view.codes).isin(reaching(view.target, view.codes))
    within = (ahead >= 0) & (ahead < view.target.horizon * DAY) & reaches
    reached = outcomes[within].groupby(LEAD_ID, as_index=False)["occurred_at"].min()
    return Past(acts, outcomes, field_changes(view.history, contract), reached, today)


def _ahead(frame: pd.DataFrame, acts: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    """Return the counts of each kind over each window, begun at the look where the fields end there."""
    looks = frame.set_index(LEAD_ID)[AS_OF]
    away = acts["occurred_at"] - acts[LEAD_ID].map(looks)
    counts = {AS_OF: looks}
    for field in fields:
        window = re.fullmatch(rf"{re.escape(field.topic)}_(\d+)d", field.name)
        if field.source == "activity" and field.topic and window:
            near = acts[(acts["kind"] == field.topic) & (away >= 0) & (away < int(window[1]) * DAY)]
            counts[field.name] = near.groupby(LEAD_ID).size().reindex(looks.index).fillna(0.0)
    return pd.DataFrame(counts).reset_index()


SOURCES: tuple[Callable[[Path, int], Case], ...] = (*FLAT, cdnow, simulated)
