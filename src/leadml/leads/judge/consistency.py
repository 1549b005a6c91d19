"""Whether the tables of dated leads fit together: the same leads, the same end, and known outcomes and kinds.

Tables that do not fit together give wrong labels and features without any error, so it is checked before training and
before scoring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import quoted
from leadml.leads.asof.labels import target_codes
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.machines import judge_machines
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leadml.leads.asof.coverage import Coverage
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.view import AsOfView
    from leadml.leads.judge.findings import Severity

EVENT_TABLES = ("activities", "outcomes")
OF_UNKNOWN_LEADS = "are of leads that the table of leads does not have"
# Decides a warning only. Tables exported minutes apart miss a few leads; ids spelled otherwise miss most or all.
MAX_UNKNOWN_SHARE = 0.01
MAX_UNNAMED_SHARE = 0.5  # above it, most activities have no features of their own; a warning only
# Decides a doubt only: a kind as common as in the training is absent by chance once in a hundred batches, or somewhat
# more often, since activities of a lead come together.
MAX_CHANCE_OF_ABSENCE = 0.01


def judge_consistency(view: AsOfView, *, observed_until: int) -> list[Finding]:
    """Return whether the tables fit together.

    Parameters
    ----------
    view
        The leads.
    observed_until
        The end of what was observed, microseconds.

    Notes
    -----
    DT4 rows of unknown leads, DT5 the ends of the tables, DT6 outcomes, DT7 kinds of activities, DT8 acts of machines.
    """
    history = view.history
    findings = [_judge_lead_ids(history, name) for name in EVENT_TABLES if history.counts[name]]
    findings.append(_judge_ends(history, observed_until))
    findings.append(_judge_outcomes(view))
    if history.rows_by_code["activities"] and view.plan.kinds:
        findings.append(_judge_kinds(view))
    if history.rows_by_code["activities"]:
        findings.append(judge_machines(view))
    return findings


def describe_gap(coverage: Coverage | None, until: int) -> str:
    """Return in words that a table ends long before an instant, or an empty text where it does not.

    Long before is `Coverage.is_stale`: two weeks or more, in which 20 rows or more would usually be recorded.
    """
    if coverage is None or not coverage.is_stale(until):
        return ""
    days = (until - coverage.end) // DAY
    return (
        f"end on {shown_day(coverage.end)}, {days:,} days before {shown_day(until)}, though "
        f"{coverage.rows_per_week:,.0f} a week are usual"
    )


def check_scoring_tables(view: AsOfView, trained_rows: Mapping[str, int], *, as_of: int) -> list[str]:
    """Return in words the reasons to doubt scores of these tables.

    Parameters
    ----------
    view
        The leads to score.
    trained_rows
        Activities of each kind when the model was trained, of `rows_by_kind`.
    as_of
        The instant of the snapshots, microseconds.
    """
    doubts, history = [], view.history
    for name in EVENT_TABLES:
        rows, unknown = history.counts[name], history.counts[f"{name}_of_unknown_leads"]
        if rows and unknown == rows:
            doubts.append(f"all {rows:,} {name} {_of_unknown_leads(history, name)}")
    gap = describe_gap(history.coverage.get("activities"), as_of)
    if gap:
        doubts.append(f"activities {gap}, so active leads may look inactive")
    now, scored = rows_by_kind(view), sum(history.rows_by_code["activities"].values())
    total = sum(trained_rows.values())
    chance = {kind: (1 - rows / total) ** scored for kind, rows in trained_rows.items() if rows}
    missing = [kind for kind, share in chance.items() if share <= MAX_CHANCE_OF_ABSENCE and not now[kind]]
    if missing:
        doubts.append(f"there are no activities of kinds that the model was trained on: {_listed(missing)}")
    return doubts


def rows_by_kind(view: AsOfView) -> dict[str, int]:
    """Return how many activities of known leads there are of each kind that the plan names."""
    return {kind: view.history.rows_by_code["activities"][code] for code, (kind, _) in enumerate(view.plan.kinds)}


def _of_unknown_leads(history: LeadHistory, name: str) -> str:
    """Return in words that activities or outcomes are of unknown leads, with an id of both tables."""
    unknown_id, known_id = quoted(history.unknown_ids[name]), quoted(history.lead_ids[0])
    return f"{OF_UNKNOWN_LEADS}, such as {unknown_id}, while it has ids such as {known_id}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(quoted, words))


def _judge_lead_ids(history: LeadHistory, name: str) -> Finding:
    rows, unknown = history.counts[name], history.counts[f"{name}_of_unknown_leads"]
    counts = f"{unknown:,} of {rows:,} {name}"
    if unknown <= MAX_UNKNOWN_SHARE * rows:
        return Finding("DT4", "passed", f"{counts} {OF_UNKNOWN_LEADS}")
    remedy = "see that ids are spelled alike and that the tables were exported together"
    severity: Severity = "stop" if unknown == rows else "warn"
    return Finding("DT4", severity, f"{counts} {_of_unknown_leads(history, name)}", remedy)


def _judge_ends(history: LeadHistory, until: int) -> Finding:
    coverage = history.coverage
    ends = [f"{name} end on {shown_day(coverage[name].end)}" for name in EVENT_TABLES if name in coverage]
    shown_ends = " and ".join(ends) or "there are no activities and no outcomes"
    evidence = f"labels are taken as known until {shown_day(until)}; {shown_ends}"
    rows_after_end = {name: table.rows_after_end for name, table in coverage.items() if table.rows_after_end}
    if rows_after_end:
        counts = ", ".join(f"{number:,} of {name}" for name, number in rows_after_end.items())
        evidence += f"; a few rows follow after a long gap: {counts}"
    gap = describe_gap(coverage.get("outcomes"), until)
    if gap:
        end = shown_day(coverage["outcomes"].end)
        remedy = f"bring the outcomes since, or set sources.observed_until to {end}, where they end"
        return Finding("DT5", "stop", f"{evidence}; outcomes {gap}, so labels would be wrong", remedy)
    activities = coverage.get("activities")
    if activities is not None and describe_gap(coverage.get("outcomes"), activities.end):
        return Finding("DT5", "warn", evidence, "bring the outcomes since; labels are known no longer than they")
    gap = describe_gap(activities, until)
    if gap:
        remedy = "bring the activities since; without them leads look inactive"
        return Finding("DT5", "warn", f"{evidence}; activities {gap}", remedy)
    if rows_after_end:
        return Finding("DT5", "warn", evidence, "see whether the dates of these rows are right")
    return Finding("DT5", "passed", evidence)


def _judge_outcomes(view: AsOfView) -> Finding:
    rows = view.history.rows_by_code["outcomes"]
    counts = {name: rows[code] for name, code in view.codes.items() if rows[code]}
    evidence = "outcomes are " + (", ".join(f"{name} {number:,}" for name, number in counts.items()) or "none")
    target = view.target
    if not any(rows[code] for code in target_codes(target, view.codes)):
        remedy = "see that sources.outcomes.names gives each word of the table its meaning"
        return Finding("DT6", "stop", f"{evidence}; none is {target.outcome}, which {target.name} predicts", remedy)
    own = [name for name in counts if name not in OUTCOMES and name != target.outcome]
    if own:
        evidence += f"; {_listed(own)} are outcomes of your own, which close no lead"
        return Finding("DT6", "warn", evidence, "see that none of them means lost, rejected or another known outcome")
    return Finding("DT6", "passed", evidence)


def _judge_kinds(view: AsOfView) -> Finding:
    rows, named = sum(view.history.rows_by_code["activities"].values()), rows_by_kind(view)
    absent = [kind for kind, number in named.items() if not number]
    unnamed = 1 - sum(named.values()) / rows
    evidence = f"{unnamed:.0%} of the activities are of kinds that features.activities.kinds does not name"
    if absent:
        evidence += f"; it names kinds that never occur: {_listed(absent)}"
        return Finding("DT7", "warn", evidence, "see how the table spells them")
    if unnamed > MAX_UNNAMED_SHARE:
        return Finding("DT7", "warn", evidence, "name those that show interest; others have no features of their own")
    return Finding("DT7", "passed", evidence)
