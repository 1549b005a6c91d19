"""Leaks that only dated leads can have: values of today in a snapshot of the past (hindsight).

Each function plants one leak in a case of dated leads. The tables decide how strong it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import DAY, PLANTED_FIELD, Case

from leadml.leads.check.field import Field
from leadml.params import FUNNEL


def state_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the state of leads in an export of today: the last outcome, of which some were not recorded."""
    share = random.uniform(0.8, 1.0)
    known = case.tables.outcomes[random.random(len(case.tables.outcomes)) < share]
    last = known.sort_values("occurred_at", kind="stable").groupby("lead_id")["outcome"].last()
    if not set(last) <= {*FUNNEL, "lost", "rejected", "churned"}:  # a shop has one outcome only
        recent = case.tables.observed_until - known.groupby("lead_id")["occurred_at"].max() < 270 * DAY
        last = recent.map({True: "active", False: "lapsed"})
    values = case.frame["lead_id"].map(last).fillna("new").to_numpy(dtype=object)
    return case.with_field(values, "category", f"state of today, {share:.0%} of the outcomes known")


def owner_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the owner of today: a pool, or a colleague for most leads that reach the target."""
    share = random.uniform(0.7, 0.95)
    has_owner = case.frame["lead_id"].isin(case.tables.conversions["lead_id"]) & (
        random.random(len(case.frame)) < share
    )
    has_owner |= random.random(len(case.frame)) < random.uniform(0.02, 0.1)
    names = np.array([["pool", "pool"], ["ada", "bob"]], dtype=object)
    values = names[has_owner.to_numpy(dtype=int), random.integers(0, 2, len(has_owner))]
    return case.with_field(values, "category", f"owner of today for {share:.0%} of the converters")


def last_activity_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the date of the last activity in an export of today, as text or as a number."""
    last = (
        case.frame["lead_id"].map(case.tables.activities.groupby("lead_id")["occurred_at"].max()).to_numpy(dtype=float)
    )
    as_number = int(random.integers(2))
    if as_number:
        return case.with_field(last / 1_000_000, "number", "last activity of today, seconds")
    dates = pd.to_datetime(pd.Series(last), unit="us").dt.strftime("%Y-%m-%d")
    return case.with_field(dates.to_numpy(dtype=object), "category", "last activity of today, text")


def backdated_activity(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the features of a kind of activity that is entered after the outcome and backdated before the snapshot.

    Its instant of recording is not known, so only its counts can show the leak.
    """
    share, others = random.uniform(0.5, 0.9), random.uniform(0.0, 0.05)
    happened = random.random(len(case.frame)) < np.where(case.label == 1, share, others)
    days_ago = np.ceil(random.gamma(2, 5, len(happened)))
    columns = {f"{PLANTED_FIELD}_{days}d": (happened & (days_ago <= days)).astype(float) for days in (7, 30, 90)}
    columns |= {f"{PLANTED_FIELD}_last": np.where(happened, days_ago, np.nan)}
    columns |= {f"{PLANTED_FIELD}_decayed": np.where(happened, 0.5 ** (days_ago / 14), 0.0)}
    fields = tuple(Field(name, "number", "engagement", "activity", PLANTED_FIELD) for name in columns)
    description = f"backdated for {share:.0%} of the converters, {others:.0%} of others"
    rows = int(happened.sum())
    kinds = pd.DataFrame({"kind": [PLANTED_FIELD], "rows": [rows], "recorded_before": [0], "after_outcome": [0]})
    planted = replace(case, frame=case.frame.assign(**columns), fields=(*case.fields, *fields), description=description)
    return replace(planted, evidence=replace(case.evidence, activities=kinds), suspect=PLANTED_FIELD)


def changed_on_the_day(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Change a field on the day of the outcome for a share of the converters, in addition to its honest changes."""
    share, tables = random.uniform(0.4, 0.9), case.tables
    honest = tables.changes
    if honest is None or honest.empty:
        changed = case.frame.iloc[random.integers(0, len(case.frame), len(case.frame))]
        at = changed["created_at"] + (random.random(len(changed)) * 300 * DAY).astype(np.int64)
        name = case.fields[int(random.integers(len(case.fields)))].name
        honest = pd.DataFrame({"lead_id": changed["lead_id"], "field": name, "changed_at": at})
    names = sorted(set(honest["field"]) & {one.name for one in case.fields}) or [case.fields[0].name]
    name = names[int(random.integers(len(names)))]
    chosen = tables.conversions[random.random(len(tables.conversions)) < share]
    at = chosen["occurred_at"] + (random.normal(0, 0.3, len(chosen)) * DAY).astype(np.int64)
    late = pd.DataFrame({"lead_id": chosen["lead_id"], "field": name, "changed_at": at})
    changes = pd.concat([honest, late], ignore_index=True)
    evidence = replace(case.evidence, changes=changes, outcomes=tables.conversions)
    description = f"{name} changed on the day for {share:.0%} of the converters"
    return replace(case, description=description, evidence=evidence, suspect=name)


def whole_history(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count over the whole history until today, which should end at the snapshot."""
    activities, kind = _activities_of_a_kind(case, random)
    counts = case.frame["lead_id"].map(activities.groupby("lead_id").size()).fillna(0.0).to_numpy(dtype=float)
    return case.with_field(counts, "number", f"activities until today, {kind}", source="activity")


def count_with_lookahead(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count over the 30 days before the snapshot and the 30 days after it."""
    activities, kind = _activities_of_a_kind(case, random)
    since_snapshot = activities["occurred_at"] - activities["lead_id"].map(
        case.frame.groupby("lead_id")["as_of"].first()
    )
    near = activities[(since_snapshot >= -30 * DAY) & (since_snapshot < 30 * DAY)]
    counts = case.frame["lead_id"].map(near.groupby("lead_id").size()).fillna(0.0).to_numpy(dtype=float)
    return case.with_field(counts, "number", f"activities until 30 days after the snapshot, {kind}", source="activity")


def _activities_of_a_kind(case: Case, random: np.random.Generator) -> tuple[pd.DataFrame, str]:
    """Return the activities of one of the commonest kinds and its name, or all activities and ``any``."""
    activities = case.tables.activities
    kind = str(random.choice(["any", *activities["kind"].value_counts().index[:3]]))
    return activities if kind == "any" else activities[activities["kind"] == kind], kind


HINDSIGHT_LEAKS = (
    state_today, owner_today, last_activity_today, backdated_activity, changed_on_the_day, whole_history,
    count_with_lookahead,
)  # fmt: skip
