"""Whether the tables of dated leads fit together: the same leads, the same end, words that mean something.

What enters is a view of dated leads; what leaves is findings.
Rows that name no lead and labels beyond the end of the records make numbers without an error, so they are said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import quoted
from leadml.leads.asof.labels import reaching
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_day
from leadml.leads.judge.findings import Finding
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadml.leads.asof.coverage import Coverage
    from leadml.leads.asof.history import LeadHistory
    from leadml.leads.asof.view import AsOfView

EVENTS = ("activities", "outcomes")
MANY_UNKNOWN = 0.01
FEWEST_ROWS = 20
MANY_UNNAMED = 0.5
USUAL = 0.05


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
    DT4 rows of unknown leads, DT5 the ends of the tables, DT6 outcomes, DT7 kinds of activities.
    """
    tables = view.history
    found = [_strangers(tables, name) for name in EVENTS if tables.counts[name]]
    found.append(_ends(tables, observed_until))
    found.append(_outcomes(view))
    if tables.tallies["activities"] and view.plan.kinds:
        found.append(_kinds(view))
    return found


def silence(records: Coverage | None, until: int) -> str:
    """Return in words that a table ends long before an instant, or nothing where it does not.

    A table ends long before where two weeks or more have passed since, and usual ones would have brought 20 rows.
    """
    if records is None or not records.is_silent(until):
        return ""
    days = (until - records.end) // DAY
    return f"end on {shown_day(records.end)}, {days:,} days before, where {records.usual:,.0f} a week are usual"


def check_scoring_tables(view: AsOfView, learned: Mapping[str, int], *, as_of: int) -> list[str]:
    """Return in words what speaks against scores of these tables.

    Parameters
    ----------
    view
        The leads to score.
    learned
        Rows of each kind of activity when the model was trained, of `rows_by_kind`.
    as_of
        The instant of the look, microseconds.
    """
    said, tables = [], view.history
    for name in EVENTS:
        rows, unknown = tables.counts[name], tables.counts[f"{name}_of_unknown_leads"]
        if rows and unknown == rows:
            said.append(
                f"none of {rows:,} {name} is of a lead in the table of leads: they name "
                f"{quoted(tables.strangers[name])}, where it has {quoted(tables.lead_ids[0])}"
            )
    quiet = silence(tables.coverage.get("activities"), as_of)
    if quiet:
        said.append(f"activities {quiet}, so that leads look idle")
    now, total = rows_by_kind(view), max(sum(learned.values()), 1)
    gone = [kind for kind, rows in learned.items() if rows >= USUAL * total and not now[kind]]
    if gone and sum(tables.tallies["activities"].values()) >= FEWEST_ROWS:
        said.append(f"no activity is of a kind that the model learned from: {', '.join(map(quoted, gone))}")
    return said


def rows_by_kind(view: AsOfView) -> dict[str, int]:
    """Return how many activities of known leads there are of each kind that the plan names."""
    return {kind: view.history.tallies["activities"][at] for at, (kind, _) in enumerate(view.plan.kinds)}


def _strangers(tables: LeadHistory, name: str) -> Finding:
    rows, unknown = tables.counts[name], tables.counts[f"{name}_of_unknown_leads"]
    evidence = f"{unknown:,} of {rows:,} {name} are of leads that the table of leads does not have"
    if unknown <= MANY_UNKNOWN * rows:
        return Finding("DT4", "passed", evidence)
    evidence += f": {quoted(tables.strangers[name])}, where it has {quoted(tables.lead_ids[0])}"
    remedy = "see that ids are spelled alike and the tables were exported together"
    return Finding("DT4", "stop" if unknown == rows else "warn", evidence, remedy)


def _ends(tables: LeadHistory, until: int) -> Finding:
    ends = [f"{name} to {shown_day(tables.coverage[name].end)}" for name in EVENTS if name in tables.coverage]
    evidence = f"labels are taken as known until {shown_day(until)}; records go on, {' and '.join(ends) or 'none'}"
    alone = {name: records.alone for name, records in tables.coverage.items() if records.alone}
    if alone:
        told = ", ".join(f"{number:,} of {name}" for name, number in alone.items())
        evidence += f"; rows that stand alone after a long silence: {told}"
    quiet = silence(tables.coverage.get("outcomes"), until)
    if quiet:
        remedy = "set sources.observed_until to the day of the export, or bring the outcomes since"
        return Finding("DT5", "stop", f"{evidence}; outcomes {quiet}, so that labels would be false", remedy)
    late = tables.coverage.get("activities")
    if late is not None and silence(tables.coverage.get("outcomes"), late.end):
        return Finding("DT5", "warn", evidence, "bring the outcomes since, or set sources.observed_until")
    quiet = silence(late, until)
    if quiet:
        return Finding("DT5", "warn", f"{evidence}; activities {quiet}", "bring the activities since: leads look idle")
    return Finding("DT5", "warn" if alone else "passed", evidence, "see whether their dates are right" if alone else "")


def _outcomes(view: AsOfView) -> Finding:
    tally = view.history.tallies["outcomes"]
    named = {name: tally[code] for name, code in view.codes.items() if tally[code]}
    evidence = "outcomes are " + (", ".join(f"{name} {number:,}" for name, number in named.items()) or "none")
    target = view.target
    if not any(tally[code] for code in reaching(target, view.codes)):
        remedy = "see that sources.outcomes.names gives each word of the table its meaning"
        return Finding("DT6", "stop", f"{evidence}; none is {target.outcome}, which {target.name} predicts", remedy)
    own = [name for name in named if name not in OUTCOMES and name != target.outcome]
    if own:
        evidence += f"; {', '.join(map(quoted, own))} are words of your own, after which a lead stays where it was"
        return Finding("DT6", "warn", evidence, "see that none of them means lost, rejected or another of leadml's")
    return Finding("DT6", "passed", evidence)


def _kinds(view: AsOfView) -> Finding:
    rows, named = sum(view.history.tallies["activities"].values()), rows_by_kind(view)
    none = [kind for kind, number in named.items() if not number]
    unnamed = 1 - sum(named.values()) / rows
    evidence = f"{unnamed:.0%} of the activities are of kinds that features.activities.kinds does not name"
    if none:
        evidence += f"; it names kinds that never occur: {', '.join(map(quoted, none))}"
        return Finding("DT7", "warn", evidence, "see how the table spells them")
    if unnamed > MANY_UNNAMED:
        return Finding("DT7", "warn", evidence, "name those that tell interest: of others only totals are learned")
    return Finding("DT7", "passed", evidence)
