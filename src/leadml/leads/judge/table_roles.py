"""Propose which of several tables holds leads, activities and outcomes, and how they are joined.

Joins are tried and counted: the table of leads is the one whose ids the others have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import DataError, Fault
from leadml.leads.judge.column_roles import COMPANIES, DATES, IDS, find_created_at, is_time
from leadml.leads.judge.name_words import name_words
from leadml.leads.judge.outcome_words import meaning_of
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.judge.column_content import ColumnContent

LEAST_JOINED = 0.5  # of the rows of a table: fewer with the id of a lead are of another system
MOST_OF_ONE_INSTANT = 0.5  # of the rows of a table
MOST_KINDS = 60  # kinds of activities or outcomes; a column with more holds names or texts
KIND_WORDS = frozenset(("action", "activity", "event", "kind", "outcome", "stage", "status", "step", "type"))
OUTCOME_TABLES = frozenset(
    (
        "conversion",
        "conversions",
        "customers",
        "deals",
        "opportunities",
        "orders",
        "outcome",
        "outcomes",
        "sales",
        "won",
    )
)
RECORDED_WORDS = frozenset(("imported", "inserted", "loaded", "logged", "recorded", "synced"))
VALID_WORDS = frozenset(("effective", "gultig", "valid"))  # of the time from which a row of a history holds
END_WORDS = frozenset(("bis", "end", "till", "to", "until"))
OCCURRED_WORDS = DATES | {"occurred", "happened", "when"}
FUNNEL_WORDS = {  # of names of stages, after those that are outcomes of leadml themselves
    ("marketing", "qualified", "lead"): "mql", ("sales", "accepted", "lead"): "sal", ("opportunity",): "opportunity",
    ("sales", "qualified", "lead"): "sql", ("deal", "created"): "opportunity", ("churn",): "churned",
}  # fmt: skip


@dataclass(frozen=True)
class NamedTable:
    """A table of unknown role.

    Parameters
    ----------
    name
        Name of its file.
    contents
        What each column holds.
    """

    name: str
    contents: Mapping[str, ColumnContent]


@dataclass(frozen=True)
class Join:
    """How a table is joined to that of the leads.

    Parameters
    ----------
    column
        The column of the lead's id.
    share
        Share of the rows that have the id of a lead.
    """

    column: str
    share: float


def find_leads(tables: Sequence[NamedTable]) -> tuple[int, str, dict[int, Join]]:
    """Return the position of the table of leads, its column of ids, and the join of each other table by its position.

    Raises
    ------
    DataError
        Where no table has ids that all others have.
    """
    found = []
    for at, table in enumerate(tables):
        created_at = find_created_at(table.contents)
        is_leads = created_at is not None and not created_at.guessed
        has_states = find_valid_from(table) is not None
        for column, content in table.contents.items():
            if not (content.is_distinct or has_states) or content.kind in {"time", "text"}:
                continue
            joins = {other: _best_join(content, tables[other].contents) for other in range(len(tables)) if other != at}
            least = min(join.share for join in joins.values())
            if least >= LEAST_JOINED:
                found.append((least, is_leads, -at, at, column, joins))
    if not found:
        names = ", ".join(table.name for table in tables)
        message = "one table must have a column that identifies leads, whose values the other tables have, got none"
        raise DataError([Fault(names, message)])
    *_, at, column, joins = max(found, key=lambda each: each[:3])
    return at, column, joins


def find_account(contents: Mapping[str, ColumnContent]) -> str | None:
    """Return the column with the id of the company or account that several leads have, or None."""
    for name, content in contents.items():
        words = set(name_words(name))
        if words & COMPANIES and words & IDS and content.filled > content.distinct > 1 and content.kind != "time":
            return name
    return None


def find_valid_from(table: NamedTable) -> str | None:
    """Return the column of the time from which a row holds, in a table with a row for each state of a lead, or None."""
    return next((name for name in _full_times(table) if _says(name, VALID_WORDS) and not _says(name, END_WORDS)), None)


def find_recorded(table: NamedTable) -> str | None:
    """Return the column of the time at which a row was recorded, or None.

    Where most rows share one instant, it is that of a migration, which says nothing of when a row became known.
    """
    for name in _full_times(table):
        levels = table.contents[name].levels
        if _says(name, RECORDED_WORDS) and max(levels.values()) < MOST_OF_ONE_INSTANT * table.contents[name].rows:
            return name
    return None


def _full_times(table: NamedTable) -> list[str]:
    """Return the columns with a time on every row."""
    return [name for name, each in table.contents.items() if is_time(name, each) and each.filled == each.rows]


def _says(name: str, words: frozenset[str]) -> bool:
    return bool(set(name_words(name)) & words)


def _best_join(ids: ColumnContent, contents: Mapping[str, ColumnContent]) -> Join:
    """Return the column most of whose values are ids of leads."""
    joins = [Join("", 0.0)]
    for name, content in contents.items():
        if content.filled and content.kind not in {"time", "text", "empty"}:
            known = sum(number for level, number in content.levels.items() if level and level in ids.levels)
            joins.append(Join(name, known / content.rows))
    return max(joins, key=lambda join: join.share)


def find_kind(table: NamedTable, join: Join) -> str | None:
    """Return the column that says what happened, or None where a table has none."""
    found = [
        (not set(name_words(name)) & KIND_WORDS, at, name)
        for at, (name, content) in enumerate(table.contents.items())
        if name != join.column and content.kind == "category" and content.distinct <= MOST_KINDS
        and content.filled == content.rows
    ]  # fmt: skip
    return min(found)[2] if found else None


def find_times(table: NamedTable) -> tuple[str, str | None]:
    """Return the column of the time at which something happened, and of that at which it was recorded, or None.

    Raises
    ------
    DataError
        Where no column holds a time on every row.
    """
    recorded = find_recorded(table)
    others = [name for name in _full_times(table) if name != recorded]
    others.sort(key=lambda name: (not _says(name, OCCURRED_WORDS), _says(name, RECORDED_WORDS)))
    if not others:
        raise DataError([Fault(table.name, "must have a column with the time of each row, got none")])
    return others[0], recorded


def outcome_likeness(table: NamedTable, kind: str | None) -> float:
    """Return how much a table looks like one of outcomes, from 0 to 2: by its name, and by what it says happened."""
    by_name = float(bool(set(name_words(table.name)) & OUTCOME_TABLES))
    levels = [level for level in table.contents[kind].levels if level] if kind is not None else []
    told = sum(outcome_of(level) is not None for level in levels)
    return by_name + (told / len(levels) if levels else 0.0)


def outcome_of(word: str) -> str | None:
    """Return the outcome of leadml that a word of a table means, or None.

    Examples
    --------
    >>> [outcome_of(word) for word in ("MQL", "Closed Won", "Marketing Qualified Lead", "Disqualified", "page view")]
    ['mql', 'customer', 'mql', 'lost', None]
    """
    words = name_words(word)
    if "_".join(words) in OUTCOMES:
        return "_".join(words)
    if words in FUNNEL_WORDS:
        return FUNNEL_WORDS[words]
    return {"won": "customer", "lost": "lost"}.get(meaning_of(word) or "")
