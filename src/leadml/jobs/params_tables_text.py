"""Write a proposed ``params.yaml`` for dated leads: tables of leads, activities and outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.jobs.params_text import HEAD, STAGES, dialect_lines, feature_lines, yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.judge.column_roles import Proposal
    from leadml.leads.read.files import Dialect
    from leadml.params import DateOrder


@dataclass(frozen=True)
class TableColumns:
    """Where a table is, and which of its columns have a role.

    Parameters
    ----------
    path
        The path as params have it.
    roles
        The column, or the word, of each key of ``sources``, each with the reason.
    """

    path: str
    roles: Mapping[str, tuple[str, str]]

    def lines(self, name: str) -> list[str]:
        """Return the table as a part of ``sources``."""
        roles = [f"    {key}: {yaml_text(column)}  # {reason}" for key, (column, reason) in self.roles.items()]
        return [f"  {name}:", f"    path: {yaml_text(self.path)}", *roles]


@dataclass(frozen=True)
class TableChoices:
    """What a proposed ``params.yaml`` of dated leads says.

    Parameters
    ----------
    dialect
        How all files are written.
    leads, activities, outcomes
        The tables; activities may be None.
    meanings
        Outcomes of leadml for the words of the table that are none.
    target, outcome, horizon
        Name of what is predicted, the outcome that is, and in how many days.
    oldest
        Days after which leads get no snapshots any more, or None for no limit.
    roles
        The role of each column of the leads.
    kinds
        Kinds of activities.
    date_format
        The order of day and month of columns that have one.
    """

    dialect: Dialect
    leads: TableColumns
    activities: TableColumns | None
    outcomes: TableColumns
    meanings: Mapping[str, str]
    target: str
    outcome: str
    horizon: int
    oldest: int | None
    roles: Sequence[Proposal]
    kinds: Sequence[str]
    date_format: Mapping[str, DateOrder]

    def text(self) -> str:
        """Return the text of ``params.yaml``."""
        lines = [HEAD, "", "data:", *dialect_lines(self.dialect, self.date_format)]
        lines.append("  timezone: UTC                # of times without a zone")
        lines += ["", "sources:", *self.leads.lines("leads")]
        if self.activities is not None:
            lines += self.activities.lines("activities")
        lines += self.outcomes.lines("outcomes")
        if self.meanings:
            names = [f"      {yaml_text(word)}: {meaning}" for word, meaning in self.meanings.items()]
            lines += ["    names:  # words of the table, each with the outcome that it means", *names]
        lines += [
            "",
            "targets:",
            f"  {self.target}:",
            f"    outcome: {self.outcome}",
            "    # days after a snapshot: those in which 95% of the leads that reach it did, or fewer",
            f"    horizon: {self.horizon}",
            "",
            *self._snapshots(),
            *feature_lines(self.roles),
        ]
        if self.kinds:
            kinds = [f"      {yaml_text(kind)}: {yaml_text(kind)}" for kind in self.kinds]
            lines += ["  activities:", "    kinds:  # each with its plural for reasons", *kinds]
        return "\n".join(lines) + STAGES

    def _snapshots(self) -> list[str]:
        """Return the section of the snapshots; nothing where leads get them until they are won or lost."""
        if self.oldest is None:
            return []
        why = "days; no outcome says that a lead is lost, and after these few are won"
        return ["snapshots:", f"  oldest: {self.oldest}  # {why}", ""]
