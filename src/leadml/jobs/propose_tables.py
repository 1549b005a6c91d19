"""Propose a ``params.yaml`` for tables of leads, activities and outcomes.

The tables are told apart by what they hold; joins are tried and counted. A column of the leads that says what became of
them is left out: in dated leads only the table of outcomes says so, with its dates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leadml.arguments import file_path
from leadml.errors import DataError, Fault, ModelError, inert
from leadml.jobs.answers import Answers
from leadml.jobs.assess import assess
from leadml.jobs.params_tables_text import TableChoices, TableColumns
from leadml.jobs.places import Places
from leadml.jobs.propose import ProposedParams, date_order, excluded, read_sample, silent, with_marks, without_stops
from leadml.leads.check.convert import texts, times
from leadml.leads.check.time_zones import MICROSECONDS_PER_DAY
from leadml.leads.judge.column_content import describe_column
from leadml.leads.judge.column_roles import Proposal, find_created_at, propose_field
from leadml.leads.judge.label_candidates import find_candidates
from leadml.leads.judge.name_words import name_words
from leadml.leads.judge.table_roles import (
    NamedTable,
    find_account,
    find_kind,
    find_leads,
    find_recorded,
    find_times,
    find_valid_from,
    outcome_likeness,
    outcome_of,
)
from leadml.leads.read.detect import detect_dialect
from leadml.leads.read.file_names import TEXT
from leadml.leads.read.files import Dialect, column_names, source_files
from leadml.leads.read.text_file import format_of
from leadml.leads.sources.source import training_source
from leadml.params import FUNNEL, parse_params

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from leadml.leads.judge.column_content import ColumnContent
    from leadml.leads.judge.table_roles import Join
    from leadml.params import DateOrder

USUAL_SHARE = 0.95  # of the leads that reach an outcome reach it within the horizon
SHORTEST = 7  # days: snapshots are weekly
MOST_OF_HISTORY = 0.25  # the horizon passes before the holdout begins, and once more within it
HALVINGS = 6  # from a year to less than a week
CONSTANT = "customer"  # what a table of outcomes without kinds holds: sales


@dataclass(frozen=True)
class _Table:
    """A table with its rows, how it is written, and what its columns hold."""

    path: str
    rows: pa.Table
    dialect: Dialect
    is_text: bool
    named: NamedTable

    @property
    def contents(self) -> Mapping[str, ColumnContent]:
        return self.named.contents


@dataclass(frozen=True)
class _Events:
    """A table of events: how it is joined to the leads, and its columns of kind and times."""

    table: _Table
    join: Join
    kind: str | None
    occurred_at: str
    recorded_at: str | None

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """The columns of each role but the kind, with the reasons."""
        roles = {
            "lead_id": (self.join.column, f"{self.join.share:.0%} of the rows have the id of a lead"),
            "occurred_at": (self.occurred_at, "a time on every row"),
        }
        if self.recorded_at is not None:
            roles["recorded_at"] = (self.recorded_at, "a time on every row, named like that of a record")
        return roles

    @property
    def words(self) -> list[str]:
        """The kinds that occur."""
        return sorted(level for level in self.table.contents[self.kind].levels if level) if self.kind else []

    @property
    def note(self) -> str:
        """How it is joined, in words."""
        column = inert(self.join.column)
        return f"{self.table.named.name}: {self.join.share:.0%} of the rows have the id of a lead ({column})"


def propose_tables(
    files: Sequence[str | Path], *, root: Path, written_as: Sequence[str], now: str, answers: Answers | None = None
) -> ProposedParams:
    """Return a proposed ``params.yaml`` for the tables of dated leads, in any order.

    Parameters
    ----------
    files
        Two or three files or folders: leads, outcomes, and perhaps activities.
    root
        The folder of the ``params.yaml``.
    written_as
        The path of each, relative to that folder.
    now
        The instant of the job in ISO 8601.
    answers
        What a person has settled; of dated leads target, encoding, sheet and order of dates.

    Raises
    ------
    DataError
        If a table cannot be read, the tables are not written alike, or they have no ids in common.
    UndecidedError
        If it remains open how dates are written.
    """
    answers = answers or Answers()
    tables = [_read(file_path(file, "file"), path, answers) for file, path in zip(files, written_as, strict=True)]
    dialect = _dialect(tables)
    at, lead_id, joins = find_leads([table.named for table in tables])
    leads, events = tables[at], _events(tables, joins)
    lead_roles = _states(leads.named, lead_id)
    created_at = find_created_at(leads.contents, [each.column for each in lead_roles])
    if created_at is None:
        raise DataError([Fault(leads.named.name, "must have a column with the time at which each lead came, got none")])
    meanings = {word: outcome_of(word) or _own_outcome(word) for word in events[0].words} or {CONSTANT: CONSTANT}
    outcome = next((each for each in reversed(FUNNEL[:5]) if each in meanings.values()), next(iter(meanings.values())))
    orders = _orders([(leads, created_at.column), *((each.table, each.occurred_at) for each in events)], answers)
    lead_roles.append(created_at)
    account = find_account(leads.contents)
    if account is not None:
        lead_roles.append(Proposal(account, "account", None, "several leads have one"))
    usual, horizon = _days(leads, (lead_id, created_at.column), events[0], _words_of(outcome, meanings), orders)
    choices = TableChoices(
        dialect=dialect,
        leads=TableColumns(leads.path, {each.role: (each.column, each.reason) for each in lead_roles}),
        activities=_activities(events[1]) if len(events) > 1 else None,
        outcomes=TableColumns(
            events[0].table.path,
            {
                **events[0].columns,
                "outcome": (events[0].kind or CONSTANT, "says which" if events[0].kind else "every row"),
            },
        ),
        meanings={word: meaning for word, meaning in meanings.items() if word != meaning},
        target=answers.target or outcome,
        outcome=outcome,
        horizon=horizon,
        oldest=None if {"lost", "rejected"} & set(meanings.values()) else usual,
        roles=_roles(leads, {each.column for each in lead_roles}),
        kinds=events[1].words if len(events) > 1 else [],
        date_format=orders,
    )
    choices = _judged(choices, root, now)
    return ProposedParams(choices.text(), (*lead_roles, *choices.roles), tuple(each.note for each in events))


def _read(file: Path, path: str, answers: Answers) -> _Table:
    """Return a table, of which the first rows of each file are described."""
    dialect = detect_dialect(file, encoding=answers.encoding, sheet=answers.sheet)
    names = [name for name in column_names(file, dialect) if name]
    rows, _ = read_sample(file, dialect, names, what="rows")
    is_text = format_of(source_files(file)[0]) in TEXT
    contents = {name: describe_column(rows[name], dialect) for name in names}
    return _Table(path, rows, dialect, is_text, NamedTable(file.name, contents))


def _states(leads: NamedTable, lead_id: str) -> list[Proposal]:
    """Return the id of the leads and, where they have a row for each state, the columns that say of when it is."""
    valid_from, recorded = find_valid_from(leads), find_recorded(leads)
    if valid_from is None:
        return [Proposal(lead_id, "lead_id", None, "differs on every row")]
    roles = [
        Proposal(lead_id, "lead_id", None, "the id of a lead, which has a row for each state"),
        Proposal(valid_from, "valid_from", None, "named like the time from which a row holds"),
    ]
    if recorded is not None:
        roles.append(Proposal(recorded, "recorded_at", None, "a time on every row, named like that of a record"))
    return roles


def _dialect(tables: Sequence[_Table]) -> Dialect:
    """Return how all tables are written.

    Raises
    ------
    DataError
        Where they are not written alike.
    """
    text = [table.dialect for table in tables if table.is_text] or [tables[0].dialect]
    if len(set(text)) > 1:
        names = ", ".join(table.named.name for table in tables)
        message = "all tables must have one delimiter and encoding, got several; export them in the same way"
        raise DataError([Fault(names, message)])
    contents = {(at, name): each for at, table in enumerate(tables) for name, each in table.contents.items()}
    return with_marks(text[0], contents.values())


def _events(tables: Sequence[_Table], joins: Mapping[int, Join]) -> list[_Events]:
    """Return the tables of events, that of the outcomes first."""
    found = []
    for other, join in joins.items():
        named = tables[other].named
        found.append(_Events(tables[other], join, find_kind(named, join), *find_times(named)))
    return sorted(found, key=lambda each: -outcome_likeness(each.table.named, each.kind))


def _activities(events: _Events) -> TableColumns:
    if events.kind is None:
        message = "must have a column with the kind of each activity, got none"
        raise DataError([Fault(events.table.named.name, message)])
    return TableColumns(events.table.path, {**events.columns, "kind": (events.kind, "says what happened")})


def _own_outcome(word: str) -> str:
    """Return the name of an outcome that is none of leadml's: the words of the table."""
    return "_".join(name_words(word))[:40] or "other"


def _words_of(outcome: str, meanings: Mapping[str, str]) -> list[str]:
    """Return the words of the table by which an outcome, or one further down the funnel, is reached."""
    reached = FUNNEL[FUNNEL.index(outcome) :] if outcome in FUNNEL else (outcome,)
    return [word for word, meaning in meanings.items() if meaning in reached]


def _orders(columns: Sequence[tuple[_Table, str]], answers: Answers) -> dict[str, DateOrder]:
    """Return the order of day and month of each column of times that has one."""
    orders = {name: date_order(name, table.contents[name], answers) for table, name in columns}
    return {name: order for name, order in orders.items() if order is not None}


def _days(
    leads: _Table, columns: tuple[str, str], outcomes: _Events, words: Sequence[str], orders: Mapping[str, DateOrder]
) -> tuple[int, int]:
    """Return in how many days after they came most leads reached the outcome that reach it, and a horizon for it."""
    ids, created = columns
    came, _ = times(leads.rows[created], timezone="UTC", order=orders.get(created))
    first = dict(zip(texts(leads.rows[ids], leads.dialect)[0].tolist(), came.tolist(), strict=True))
    rows, dialect = outcomes.table.rows, outcomes.table.dialect
    at, _ = times(rows[outcomes.occurred_at], timezone="UTC", order=orders.get(outcomes.occurred_at))
    kinds = texts(rows[outcomes.kind], dialect)[0].tolist() if outcomes.kind else [CONSTANT] * len(at)
    of = texts(rows[outcomes.join.column], dialect)[0].tolist()
    days = [
        (when - first[lead]) / MICROSECONDS_PER_DAY
        for lead, kind, when in zip(of, kinds, at.tolist(), strict=True)
        if kind in words and lead in first
    ]
    usual = max(SHORTEST, int(np.ceil(np.quantile(days, USUAL_SHARE)))) if days else SHORTEST
    history = (came.max() - came.min()) / MICROSECONDS_PER_DAY
    return usual, max(SHORTEST, min(usual, int(history * MOST_OF_HISTORY)))


def _roles(leads: _Table, taken: set[str | None]) -> list[Proposal]:
    """Return the role of each column of the leads; one that says what became of them is left out."""
    told = find_candidates({name: content.levels for name, content in leads.contents.items()})
    reason = "says what became of the lead, which the outcomes say with their dates"
    fields = [propose_field(name, content) for name, content in leads.contents.items() if name not in taken]
    return excluded(fields, dict.fromkeys((candidate.column for candidate in told), reason))


def _judged(choices: TableChoices, root: Path, now: str) -> TableChoices:
    """Return the choices without the columns of the leads that a training would stop at, each with the reason.

    Where the history is too short for the horizon, it is halved.
    """
    for _ in range(HALVINGS + len(choices.roles)):
        params = parse_params(choices.text())
        shorter = replace(choices, horizon=max(SHORTEST, choices.horizon // 2))
        try:
            training = training_source(Places(root, params, choices.target), choices.target, now=now).training(
                progress=silent
            )
            findings = assess(training, params, progress=silent)
        except DataError:
            return choices  # leadml check shows it
        except ModelError:
            findings, is_short = [], True
        else:
            is_short = any(finding.code == "RD9" and finding.severity == "stop" for finding in findings)
        changed = replace(shorter if is_short else choices, roles=without_stops(choices.roles, findings))
        if changed == choices:
            return choices
        choices = changed
    return choices
