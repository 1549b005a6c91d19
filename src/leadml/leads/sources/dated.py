"""Dated leads: three tables (leads, activities, outcomes), from which snapshots are taken as of instants.

A training set has a snapshot of each open lead at every date of a calendar, with the label of the horizon after it.
Scoring takes one snapshot of each lead. A snapshot contains nothing that happened at its instant or later, or that was
recorded after it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, LeadmlError, quoted
from leadml.leads.asof.arrival import day_before
from leadml.leads.asof.engine import open_engine
from leadml.leads.asof.event_blocks import add_events
from leadml.leads.asof.events import OUTCOME_SCHEMA, EventReader, activity_schema, latest_instant
from leadml.leads.asof.history import BLOCK_LEADS, read_lead_history
from leadml.leads.asof.known_labels import known_labels, newest_attributes
from leadml.leads.asof.labels import outcome_codes
from leadml.leads.asof.outcomes import known_outcomes
from leadml.leads.asof.snapshots import later_snapshots, scoring_snapshots, snapshot_dates, training_snapshots
from leadml.leads.asof.view import AsOfView
from leadml.leads.check.contract import AS_OF, LEAD_ID, MATURE_AT
from leadml.leads.check.convert import plain_text
from leadml.leads.check.instants import instant, shown_instant
from leadml.leads.check.load import CHUNK_ROWS
from leadml.leads.check.same_person import join_groups
from leadml.leads.judge.consistency import check_scoring_tables, judge_consistency, rows_by_kind
from leadml.leads.judge.eligibility import why_not_eligible
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.leads.judge.leak_evidence import (
    activity_counts,
    conversions,
    field_changes,
    future_counts,
    reached_at,
    repeated_activities,
)
from leadml.leads.judge.maturity import Maturity, conversions_by_age, judge_dates
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import open_table_sources
from leadml.leads.sources.leads_as_of import ContentHash, LeadsAsOf
from leadml.leads.sources.people import read_people
from leadml.leads.sources.settings import AsOfSettings, dated_sources
from leadml.leads.sources.spool import LeadChunk, Spool
from leadml.leads.sources.suppression import read_suppressed, without_suppressed
from leadml.leads.sources.temporary import temporary_folder
from leadml.leads.sources.training_set import DataFacts, TrainingSet
from leadml.leads.split import GroupTimeSplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.snapshots import TrainingSnapshots
    from leadml.leads.check.contract import Contract
    from leadml.leads.sources.scored_pairs import ScoredPairs
    from leadml.params import Params
    from leadml.types import Integers, Progress


@dataclass(frozen=True)
class DatedLeads:
    """The source of dated leads: three tables, each from files or a database.

    Parameters
    ----------
    root
        The folder that paths in params are relative to.
    params
        The choices of the project.
    contract
        Columns and fields of leads.
    settings
        How snapshots are taken; the settings of the model if there is one.
    now
        The instant of the job in ISO 8601; a row recorded more than a day later is refused.
    rows_by_kind
        Number of activities of each kind when the model was trained; empty without a model.
    missing
        The words that meant a missing value when the model was trained; None without a model, for those of params.
    block_leads
        Leads that are computed at a time; no result depends on it.
    """

    root: Path
    params: Params
    contract: Contract
    settings: AsOfSettings
    now: str
    rows_by_kind: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    block_leads: int = BLOCK_LEADS

    def training(self, *, progress: Progress) -> TrainingSet:
        """Return the mature snapshots with labels; see `LeadSource.training`."""
        with self.view(progress, with_people=True) as view:
            if view.history.faults:
                raise DataError(view.history.faults)
            until = self.observed_until(view.history)
            progress("taking snapshots")
            snapshots = training_snapshots(
                view,
                self._dates(view.history, until),
                observed_until=until,
                most=self.params.snapshots.most,
                split=self.params.split,
            )
            reached = reached_at(view)
            findings = [
                *judge_dates(view, snapshots.counts, self.contract),
                *judge_consistency(view, observed_until=until),
            ]
            return TrainingSet(
                frame=snapshots.frame,
                contract=self.contract,
                settings=self.settings,
                split=GroupTimeSplit(self.params.split),
                holdout=snapshots.holdout,
                evidence=self._evidence(view, snapshots, reached, until),
                findings=tuple(findings),
                facts=self._facts(view, snapshots, reached, until),
            )

    def later(self, since: int, *, progress: Progress) -> pd.DataFrame:
        """Return the leads whose outcomes became known after an instant; see `LeadSource.later`."""
        with self.view(progress, with_people=True) as view:
            if view.history.faults:
                raise DataError(view.history.faults)
            until = self.observed_until(view.history)
            progress("taking snapshots")
            dates, most = self._dates(view.history, until), self.params.snapshots.most
            return later_snapshots(view, dates, since=since, observed_until=until, most=most)

    @contextmanager
    def at(self, as_of: str | None, *, progress: Progress, rows: int = CHUNK_ROWS) -> Iterator[LeadsAsOf]:
        """Give the leads of the population at an instant; see `LeadSource.at`."""
        instant_ = self._instant(as_of)
        with self.view(progress) as view:
            progress("taking snapshots")
            history, content, spool = view.history, ContentHash(), Spool(view.history.folder)
            faulty, eligible = {fault.lead_id for fault in history.faults}, 0
            for snapshots in scoring_snapshots(view, instant_):
                frame = snapshots[~snapshots[LEAD_ID].isin(faulty)].reset_index(drop=True)
                content.add(frame, history.faults if not eligible else ())
                for first in range(0, len(frame), rows):
                    part = frame.iloc[first : first + rows].reset_index(drop=True)
                    spool.add(LeadChunk(part, faults=() if spool.chunks else history.faults))
                eligible += len(frame)
            rows_read = len(history.lead_ids) + len({fault.location for fault in history.faults})
            if not eligible:
                population, came = self._population(instant_)
                msg = f"there must be leads to score, got none of {rows_read:,} {population}{came and ' that'}{came}"
                raise LeadmlError(msg)
            for outcomes in known_outcomes(view, instant_):
                content.add(outcomes)
            yield LeadsAsOf(
                content_hash=content.hexdigest(),
                rows_read=rows_read,
                merged=0,
                left_out=len(history.lead_ids) - eligible,
                reason_left_out="not " + ", or not".join(filter(None, self._population(instant_))),
                chunks=lambda: iter(spool),
                stamp=self.stamp(as_of),
                doubts=tuple(check_scoring_tables(view, self.rows_by_kind, as_of=instant_)),
                outcomes=lambda: known_outcomes(view, instant_),
            )

    def find(self, lead_id: str, as_of: str | None, *, progress: Progress) -> pd.DataFrame:
        """Return the snapshot of one lead; see `LeadSource.find`."""
        instant_ = self._instant(as_of)
        with self.view(progress) as view:
            if faults := [fault for fault in view.history.faults if fault.lead_id == lead_id]:
                raise DataError(faults)
            for frame in scoring_snapshots(view, instant_):
                snapshot = frame[frame[LEAD_ID] == lead_id].reset_index(drop=True)
                if len(snapshot):
                    return snapshot
            got = "no such id"
            positions = np.flatnonzero(view.history.lead_ids == lead_id)
            if len(positions):
                reason = why_not_eligible(view, int(positions[0]), instant_)
                got = f"one that was not in the population at {shown_instant(instant_)}: {reason}"
        message = f"must contain the lead {quoted(lead_id)}, got {got}; choose another date or id"
        raise DataError([Fault("leads", message)])

    def labels(self, scores: ScoredPairs, *, progress: Progress) -> pd.DataFrame:
        """Return what became of scored leads; see `LeadSource.labels`."""
        with self.view(progress, with_people=True, with_activities=False) as view:
            until = min(scores.until, self.observed_until(view.history))
            found = known_labels(view, scores.lead_ids, scores.as_of, observed_until=until)
            newest = newest_attributes(view.history, self.contract, scores.attributes).rename(columns=scores.columns)
        found = found.merge(newest, on=LEAD_ID, how="left")
        due = found.assign(**{MATURE_AT: found[AS_OF] + self.settings.target.maturity})
        return found.assign(fitted=scores.holdout.learnable(due))

    def stamp(self, as_of: str | None) -> dict[str, str]:
        """Return the column ``as_of`` with the instant; see `LeadSource.stamp`."""
        return {AS_OF: shown_instant(self._instant(as_of))}

    @contextmanager
    def view(
        self, progress: Progress, *, with_people: bool = False, with_activities: bool = True
    ) -> Iterator[AsOfView]:
        """Give a view of the three tables until the block ends; a temporary folder contains their blocks.

        Parameters
        ----------
        progress
            Called with the name of each step as it begins.
        with_people
            Whether leads that are one person are found and put into one group, which scoring does not need.
        with_activities
            Whether activities are read, which labels do not need.

        Raises
        ------
        LeadmlError
            If sources are declared differently than the settings say.
        DataError
            If a column is missing, or a row does not fit its declaration.
        """
        self.settings.check(self.params)
        params, sources = self.params, dated_sources(self.params)
        tables = {"leads": sources.leads, "outcomes": sources.outcomes}
        tables |= {"activities": sources.activities} if sources.activities is not None else {}
        codes = outcome_codes(tuple(sources.outcomes.names.values()))
        latest = latest_instant(instant(self.now, timezone=None))
        dialect = Dialect.from_params(params.data)
        dialect = dialect if self.missing is None else replace(dialect, missing=self.missing)
        with temporary_folder() as folder, open_engine(params.compute, threads=params.model.threads) as engine:
            suppressed = read_suppressed(self.root, params)
            with open_table_sources(tables, self.root, dialect) as every_row:
                opened = {
                    name: without_suppressed(every_row[name], choice.lead_id, suppressed)
                    for name, choice in tables.items()
                }
                progress("reading leads")
                history = read_lead_history(opened["leads"], self.contract, folder, latest=latest)
                history = replace(history, block_leads=self.block_leads)
                if with_people and params.split.same_person.columns:
                    people = read_people(opened["leads"], self.contract.lead_id, params.split.same_person)
                    groups = join_groups(history.split_keys, history.lead_ids, people)
                    history = replace(history, split_keys=groups, people=people)
                ids = pa.array(history.lead_ids, pa.string())
                readers = {name: EventReader(table, ids, self.contract, latest) for name, table in opened.items()}
                progress("reading activities")
                kinds = {plain_text(kind): at for at, (kind, _) in enumerate(self.settings.plan.kinds)}
                roles = sources.activities if with_activities else None
                machines, values = self.settings.plan.machines, len(self.settings.plan.values)
                activities = readers["activities"].activities(roles, kinds, machines) if roles is not None else iter(())
                schema = activity_schema(values, machines=machines is not None)
                history = add_events(replace(history, machines=machines), "activities", activities, schema)
                progress("reading outcomes")
                outcomes = readers["outcomes"].outcomes(sources.outcomes, codes)
                history = add_events(history, "outcomes", outcomes, OUTCOME_SCHEMA)
            target, plan, timezone = self.settings.target, self.settings.plan, self.settings.timezone
            yield AsOfView(history, target, codes, plan, self.contract.fields, engine, timezone)

    def observed_until(self, history: LeadHistory) -> int:
        """Return the end of the observation in microseconds: from params, or the end of the outcomes' coverage."""
        declared = dated_sources(self.params).observed_until
        if declared is not None:
            return instant(declared, timezone=self.params.data.timezone or "UTC", name="sources.observed_until")
        coverage = history.coverage.get("outcomes") or history.coverage["leads"]
        return coverage.end

    def _dates(self, history: LeadHistory, until: int) -> Integers:
        """Return the instants of the snapshots of a training set."""
        choices, timezone = self.params.snapshots, self.params.data.timezone
        first = since = int(history.created_at.min())
        if choices.since is not None:
            since = instant(choices.since, timezone=timezone or "UTC")
        dates = snapshot_dates(since, until, choices, timezone=timezone)
        return dates[dates >= first]

    def _population(self, as_of: int) -> tuple[str, str]:
        """Return in words which leads are scored, and since when they came, which may be empty."""
        came = ""
        if self.settings.target.once:
            begin = int(day_before(np.array([as_of]), self.settings.timezone)[0])
            came = f" come since {shown_instant(begin)} (snapshots.every: once)"
        return f"in the population at {shown_instant(as_of)}", came

    def _instant(self, as_of: str | None) -> int:
        """Return the instant as of which leads are scored."""
        if as_of is None:
            msg = "as_of (--as-of) must give the date of the scoring of dated leads, got nothing; write 2026-01-31"
            raise LeadmlError(msg)
        instant_ = instant(as_of, timezone=self.params.data.timezone or "UTC", name="as_of (--as-of)")
        if instant_ > latest_instant(instant(self.now, timezone=None)):
            msg = f"as_of (--as-of) must not lie in the future, got {shown_instant(instant_)}; give a date up to today"
            raise LeadmlError(msg)
        return instant_

    def _evidence(self, view: AsOfView, snapshots: TrainingSnapshots, reached: Integers, until: int) -> LeakEvidence:
        history, frame = view.history, snapshots.frame
        rows = np.searchsorted(history.lead_ids, frame[LEAD_ID].to_numpy())
        return LeakEvidence(
            order=history.row_numbers[rows],
            clock=Clock(frame[AS_OF].to_numpy(), AS_OF, is_limit=True),
            changes=field_changes(history, self.contract),
            outcomes=conversions(history, reached),
            activities=activity_counts(view, reached),
            repeated_activities=repeated_activities(view, reached),
            future_counts=future_counts(view, frame, observed_until=until) if self.settings.plan.kinds else None,
            people=history.people,
        )

    def _facts(self, view: AsOfView, snapshots: TrainingSnapshots, reached: Integers, until: int) -> DataFacts:
        counts, target = dict(view.history.counts), self.settings.target
        rows, merged = counts.pop("rows"), counts.pop("merged")
        maturity = Maturity(
            observed_until=shown_instant(until),
            horizon=target.horizon,
            settling=target.settling,
            **snapshots.counts,
            leads=int(snapshots.frame[LEAD_ID].nunique()),
            by_age=conversions_by_age(view, reached, until),
        )
        names = " + ".join(self._names())
        return DataFacts(names, rows, merged, counts, rows_by_kind(view), maturity)

    def _names(self) -> list[str]:
        sources = dated_sources(self.params)
        tables = (sources.leads, sources.activities, sources.outcomes)
        return [table.path or table.table or "a query" for table in tables if table is not None]
