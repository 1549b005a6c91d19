"""Bring the tables of dated leads into view: read them, check them, keep them for the length of a job.

What enters is a project and what is predicted; what leaves is a view of all leads that training, scoring and
explaining share.
The blocks lie in a temporary folder that is removed when the job ends (see `scratch`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from leadml.errors import LeadmlError, quoted
from leadml.jobs.temporary import temporary_folder
from leadml.leads.asof.engine import open_engine
from leadml.leads.asof.events import ACTIVITY_SCHEMA, OUTCOME_SCHEMA, EventReader, latest_instant
from leadml.leads.asof.history import add_events, read_lead_history
from leadml.leads.asof.labels import outcome_codes
from leadml.leads.asof.snapshots import AsOfView
from leadml.leads.check.activity_plan import ActivityPlan, Target
from leadml.leads.check.convert import nonexistent_times, plain_text, times
from leadml.leads.check.rows import SKIPPED_HOUR
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import open_table_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.jobs.project import Progress, Project
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.check.contract import Contract
    from leadml.params import Params, SourcesParams


@dataclass(frozen=True)
class AsOfSettings:
    """What is predicted of dated leads and from what: stored with the model.

    Parameters
    ----------
    target
        What is predicted.
    plan
        What is computed from activities.
    roles
        The sources and columns that were declared and need not be: ``activities.channel``, ``leads.valid_from``.
    timezone
        Zone of times that have none, or None.
    """

    target: Target
    plan: ActivityPlan
    roles: tuple[str, ...]
    timezone: str | None

    @classmethod
    def from_params(cls, params: Params, target: str) -> AsOfSettings:
        """Return the outlook of one of the targets that ``params.yaml`` declares."""
        plan = ActivityPlan.from_params(params)
        return cls(Target.from_params(params, target), plan, _roles(_sources(params)), params.data.timezone)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> AsOfSettings:
        """Return the outlook that `to_json` wrote."""
        plan = ActivityPlan.from_json(stored["plan"])
        return cls(Target(**stored["target"]), plan, tuple(stored["roles"]), stored["timezone"])

    def to_json(self) -> dict[str, Any]:
        """Return the outlook as plain data."""
        target, plan = self.target.to_json(), self.plan.to_json()
        return {"target": target, "plan": plan, "roles": list(self.roles), "timezone": self.timezone}

    def check(self, params: Params) -> None:
        """Refuse sources that are not declared as they were when the model was trained: the same rows would say other.

        Raises
        ------
        LeadmlError
            Where a source or a column was declared and is not, or the other way round, or the zone is another.
        """
        now = _roles(_sources(params))
        moved = sorted({*now} ^ {*self.roles})
        if moved:
            then = "was declared, and is not now" if moved[0] in self.roles else "was not declared, and is now"
            msg = f"sources must be as they were when the model was trained: {moved[0]} {then}; train again, or mend it"
            raise LeadmlError(msg)
        if params.data.timezone != self.timezone:
            got = f"{self.timezone}, and is {params.data.timezone} now"
            msg = f"data.timezone must be as it was when the model was trained: it was {got}; train again, or mend it"
            raise LeadmlError(msg)


@contextmanager
def open_as_of_view(
    project: Project, as_of_settings: AsOfSettings, contract: Contract, *, now: str, progress: Progress
) -> Iterator[AsOfView]:
    """Give a view of a project's dated leads until the block ends.

    Parameters
    ----------
    project
        Where the tables are.
    outlook
        What is predicted and from what.
    contract
        The columns and fields of leads.
    now
        The instant of the job in ISO 8601; a row recorded more than a day later is refused.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where a table lacks a column or a row is not what was declared.
    """
    params = project.params
    sources = _sources(params)
    tables = {"leads": sources.leads, "outcomes": sources.outcomes}
    tables |= {"activities": sources.activities} if sources.activities is not None else {}
    codes = outcome_codes(tuple(sources.outcomes.names.values()))
    latest = latest_instant(instant(now, timezone=None))
    with (
        temporary_folder() as folder,
        open_engine(params.compute, threads=params.model.threads) as engine,
    ):
        with open_table_sources(tables, project.root, Dialect.from_params(params.data)) as opened:
            progress("reading leads")
            kept = read_lead_history(opened["leads"], contract, folder, latest=latest)
            ids = pa.array(kept.lead_ids, pa.string())
            readers = {name: EventReader(source, ids, params.data.timezone, latest) for name, source in opened.items()}
            progress("reading activities")
            kinds = {plain_text(kind): number for number, (kind, _) in enumerate(as_of_settings.plan.kinds)}
            roles = sources.activities
            activities = readers["activities"].activities(roles, kinds) if roles is not None else iter(())
            kept = add_events(kept, "activities", activities, ACTIVITY_SCHEMA)
            progress("reading outcomes")
            kept = add_events(kept, "outcomes", readers["outcomes"].outcomes(sources.outcomes, codes), OUTCOME_SCHEMA)
        yield AsOfView(kept, as_of_settings.target, codes, as_of_settings.plan, contract.fields, engine)


def observed_until(params: Params, tables: LeadHistory) -> int:
    """Return the end of what was observed, microseconds: from params, or the end of the outcomes."""
    chosen = _sources(params).observed_until
    if chosen is not None:
        return instant(chosen, timezone=params.data.timezone or "UTC", name="sources.observed_until")
    known = tables.coverage.get("outcomes") or tables.coverage["leads"]
    return known.end


def instant(text: str, *, timezone: str | None, name: str = "a date") -> int:
    """Return a time in ISO 8601 as microseconds since 1970, UTC.

    Parameters
    ----------
    text
        What was written.
    timezone
        Zone of a time that has none, or None.
    name
        The option or key that it was written for, for messages.

    Raises
    ------
    LeadmlError
        Where it is no such time, or has no zone and none is given.
    """
    column = pa.chunked_array([[text]], pa.string())
    micros, bad = times(column, timezone=timezone)
    if nonexistent_times(column, timezone=timezone)[0]:
        msg = f"{name} must be a time of {timezone}, {SKIPPED_HOUR}, got {quoted(text)}"
        raise LeadmlError(msg)
    if bad[0]:
        msg = f"{name} must be a date or a time in ISO 8601, got {quoted(text)}; write 2026-01-31 for example"
        raise LeadmlError(msg)
    return int(micros[0])


def shown_instant(micros: int) -> str:
    """Return an instant in ISO 8601."""
    return pd.Timestamp(micros, unit="us", tz="UTC").isoformat()


def _roles(sources: SourcesParams) -> tuple[str, ...]:
    """Return the sources and columns that are declared and need not be."""
    tables = {"leads": sources.leads, "activities": sources.activities, "outcomes": sources.outcomes}
    optional = ("recorded_at", "valid_from", "channel")
    found = ["activities"] if sources.activities is not None else []
    found += [f"{name}.{role}" for name, table in tables.items() for role in optional if getattr(table, role, None)]
    return tuple(sorted(found))


def _sources(params: Params) -> SourcesParams:
    if params.sources is None:
        msg = "leads must be dated for this, got flat ones; declare sources and targets"
        raise LeadmlError(msg)
    return params.sources
