"""Leaks that only dated leads can have: what is known today beside a look of long ago.

What enters is a dated case, the same, and a generator; what leaves is the case with one leak, as strong as the tables
make it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import DAY, PLANTED, Case

from leadml.leads.check.field import Field
from leadml.params import FUNNEL


def state_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the state of the lead in today's export: the last outcome, some of them never written."""
    share = random.uniform(0.8, 1.0)
    known = case.past.outcomes[random.random(len(case.past.outcomes)) < share]
    last = known.sort_values("occurred_at", kind="stable").groupby("lead_id")["outcome"].last()
    if not set(last) <= {*FUNNEL, "lost", "rejected", "churned"}:  # a shop knows how often, and how lately
        recent = case.past.today - known.groupby("lead_id")["occurred_at"].max() < 270 * DAY
        last = recent.map({True: "active", False: "lapsed"})
    values = case.frame["lead_id"].map(last).fillna("new").to_numpy(dtype=object)
    return case.with_field(values, "category", f"state of today, {share:.0%} of the outcomes known")


def owner_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant today's owner: a pool, until a colleague takes over most of those that reach the target."""
    share = random.uniform(0.7, 0.95)
    taken = case.frame["lead_id"].isin(case.past.reached["lead_id"]) & (random.random(len(case.frame)) < share)
    taken |= random.random(len(case.frame)) < random.uniform(0.02, 0.1)
    names = np.array([["pool", "pool"], ["ada", "bob"]], dtype=object)
    values = names[taken.to_numpy(dtype=int), random.integers(0, 2, len(taken))]
    return case.with_field(values, "category", f"owner of today, {share:.0%} of the converters taken over")


def last_act_today(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the date of the last activity in today's export, as text, as a number, or as days before today."""
    last = case.frame["lead_id"].map(case.past.acts.groupby("lead_id")["occurred_at"].max()).to_numpy(dtype=float)
    how = int(random.integers(2))
    if how:
        return case.with_field(last / 1_000_000, "number", "last activity of today, seconds")
    dates = pd.to_datetime(pd.Series(last), unit="us").dt.strftime("%Y-%m-%d")
    return case.with_field(dates.to_numpy(dtype=object), "category", "last activity of today, text")


def dated_back(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a kind of activity that is entered after the outcome and dated back to before the look, with its features.

    It says nothing of when it was recorded, so that only its counts can tell.
    """
    share, others = random.uniform(0.5, 0.9), random.uniform(0.0, 0.05)
    happened = random.random(len(case.frame)) < np.where(case.label == 1, share, others)
    ago = np.ceil(random.gamma(2, 5, len(happened)))
    columns = {f"{PLANTED}_{days}d": (happened & (ago <= days)).astype(float) for days in (7, 30, 90)}
    columns |= {f"{PLANTED}_last": np.where(happened, ago, np.nan)}
    columns |= {f"{PLANTED}_decayed": np.where(happened, 0.5 ** (ago / 14), 0.0)}
    fields = tuple(Field(name, "number", "engagement", "activity", PLANTED) for name in columns)
    what = f"dated back for {share:.0%} of the converters, {others:.0%} of others"
    rows = int(happened.sum())
    kinds = pd.DataFrame({"kind": [PLANTED], "rows": [rows], "recorded_before": [0], "after_outcome": [0]})
    held = replace(case, frame=case.frame.assign(**columns), fields=(*case.fields, *fields), what=what)
    return replace(held, evidence=replace(case.evidence, activities=kinds), suspect=PLANTED)


def changed_that_day(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Change a field on the day of the outcome for part of the converters, beside its honest changes."""
    share, past = random.uniform(0.4, 0.9), case.past
    honest = past.changes
    if honest is None or honest.empty:
        stirred = case.frame.iloc[random.integers(0, len(case.frame), len(case.frame))]
        at = stirred["created_at"] + (random.random(len(stirred)) * 300 * DAY).astype(np.int64)
        name = case.fields[int(random.integers(len(case.fields)))].name
        honest = pd.DataFrame({"lead_id": stirred["lead_id"], "field": name, "changed_at": at})
    names = sorted(set(honest["field"]) & {one.name for one in case.fields}) or [case.fields[0].name]
    name = names[int(random.integers(len(names)))]
    crowd = past.reached[random.random(len(past.reached)) < share]
    shifted = crowd["occurred_at"] + (random.normal(0, 0.3, len(crowd)) * DAY).astype(np.int64)
    late = pd.DataFrame({"lead_id": crowd["lead_id"], "field": name, "changed_at": shifted})
    changes = pd.concat([honest, late], ignore_index=True)
    evidence = replace(case.evidence, changes=changes, outcomes=past.reached)
    what = f"{name} changed on the day for {share:.0%} of the converters"
    return replace(case, what=what, evidence=evidence, suspect=name)


def whole_history(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count over the lead's whole history, today's, where it should end at the look."""
    kind = _kind(case, random)
    acts = case.past.acts if kind == "any" else case.past.acts[case.past.acts["kind"] == kind]
    counts = case.frame["lead_id"].map(acts.groupby("lead_id").size()).fillna(0.0).to_numpy(dtype=float)
    return case.with_field(counts, "number", f"activities until today, {kind}", source="activity")


def window_ahead(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count of the 30 days before the look and of the 30 days after it."""
    kind = _kind(case, random)
    acts = case.past.acts if kind == "any" else case.past.acts[case.past.acts["kind"] == kind]
    away = acts["occurred_at"] - acts["lead_id"].map(case.frame.groupby("lead_id")["as_of"].first())
    near = acts[(away >= -30 * DAY) & (away < 30 * DAY)]
    counts = case.frame["lead_id"].map(near.groupby("lead_id").size()).fillna(0.0).to_numpy(dtype=float)
    return case.with_field(counts, "number", f"activities until 30 days past the look, {kind}", source="activity")


def _kind(case: Case, random: np.random.Generator) -> str:
    """Return all kinds together, or one of the commonest."""
    common = case.past.acts["kind"].value_counts().index[:3]
    return str(random.choice(["any", *common]))


HINDSIGHT = (
    state_today, owner_today, last_act_today, dated_back, changed_that_day, whole_history, window_ahead,
)  # fmt: skip
