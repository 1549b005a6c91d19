"""Bring what a model learns from: flat leads with labels, or mature snapshots of dated ones.

What enters is a project; what leaves is one frame with labels, and what was found on the way to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import DataError
from leadml.jobs.as_of import AsOfSettings, instant, observed_until, open_as_of_view, shown_instant
from leadml.leads.asof.snapshots import snapshot_dates, training_snapshots
from leadml.leads.check.contract import LEAD_ID, Contract
from leadml.leads.check.load import LoadedLeads, load_leads
from leadml.leads.judge.consistency import judge_consistency, rows_by_kind
from leadml.leads.judge.leak_evidence import (
    conversions,
    field_changes,
    future_counts,
    kind_counts,
    reached_at,
    repeated_activities,
)
from leadml.leads.judge.maturity import conversions_by_age, judge_dates
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.leads.split import plan_holdout
from leadml.model.leaks import LeakEvidence

if TYPE_CHECKING:
    import pandas as pd

    from leadml.jobs.project import Progress, Project
    from leadml.leads.judge.findings import Finding
    from leadml.leads.split import Holdout


@dataclass(frozen=True)
class TrainingSet:
    """What a model learns from.

    Parameters
    ----------
    loaded
        Checked leads or snapshots with labels.
    contract
        Their columns and fields.
    holdout
        The rule that keeps some aside.
    findings
        What the dates told.
    facts
        Counts for the record.
    evidence
        What the tables tell of leaks, beside the frame.
    outlook
        What is predicted of dated leads; None of flat ones.
    """

    loaded: LoadedLeads
    contract: Contract
    holdout: Holdout
    findings: tuple[Finding, ...]
    facts: dict[str, Any]
    evidence: LeakEvidence
    as_of_settings: AsOfSettings | None

    def sides(self) -> tuple[pd.DataFrame, pd.DataFrame, LeakEvidence]:
        """Return the rows to learn from, those to judge by, and what the gate against leaks is given."""
        frame = self.loaded.frame
        learnable, aside = self.holdout.learnable(frame), self.holdout.mask(frame)
        learn, judge = (frame[rows].reset_index(drop=True) for rows in (learnable, aside))
        return learn, judge, replace(self.evidence, order=self.loaded.places[learnable], aside=judge)


def gather_training_set(project: Project, *, now: str, progress: Progress) -> TrainingSet:
    """Return what a project's model learns from.

    Parameters
    ----------
    project
        The choices and places.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where the data are not what was declared.
    """
    params = project.params
    contract = Contract.from_params(params)
    if project.data is not None:
        progress("reading leads")
        loaded = load_leads(FileSource(project.data, Dialect.from_params(params.data)), contract)
        facts = {"rows": loaded.rows, "merged": loaded.merged, "file": project.data.name}
        return TrainingSet(loaded, contract, plan_holdout(loaded.frame, params.split), (), facts, LeakEvidence(), None)
    as_of_settings = AsOfSettings.from_params(params, project.target)
    with open_as_of_view(project, as_of_settings, contract, now=now, progress=progress) as view:
        if view.history.faults:
            raise DataError(view.history.faults)
        until = observed_until(params, view.history)
        progress("looking at leads")
        since = first = int(view.history.created_at.min())
        if params.snapshots.since is not None:
            since = instant(params.snapshots.since, timezone=params.data.timezone or "UTC")
        dates = snapshot_dates(since, until, params.snapshots, timezone=params.data.timezone)
        dates = dates[dates >= first]
        most = params.snapshots.most
        looked = training_snapshots(view, dates, observed_until=until, most=most, split=params.split)
        reached = reached_at(view)
        ages = conversions_by_age(view, reached, until)
        evidence = LeakEvidence(
            changes=field_changes(view.history, contract),
            outcomes=conversions(view.history, reached),
            activities=kind_counts(view, reached),
            repeated_activities=repeated_activities(view, reached),
            ahead=future_counts(view, looked.frame, observed_until=until) if as_of_settings.plan.kinds else None,
        )
        rows = np.searchsorted(view.history.lead_ids, looked.frame[LEAD_ID].to_numpy())
        places = view.history.places[rows]
        findings = judge_dates(view, looked.counts, contract)
        findings += judge_consistency(view, observed_until=until)
        kinds = rows_by_kind(view)
    counts = view.history.counts
    facts = {**counts, **looked.counts, "leads_looked_at": int(looked.frame[LEAD_ID].nunique())}
    facts |= {"observed_until": shown_instant(until), "conversions_by_age": ages}
    facts |= {
        "file": " + ".join(_names(project)),
        "horizon": as_of_settings.target.horizon,
        "settling": as_of_settings.target.settling,
        "rows_by_kind": kinds,
    }
    loaded = LoadedLeads(looked.frame, counts["rows"], counts["merged"], places)
    return TrainingSet(loaded, contract, looked.holdout, tuple(findings), facts, evidence, as_of_settings)


def _names(project: Project) -> list[str]:
    sources = project.params.sources
    tables = (sources.leads, sources.activities, sources.outcomes) if sources else ()
    return [table.path or table.table or "a query" for table in tables if table is not None]
