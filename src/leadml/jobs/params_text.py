"""Write a proposed ``params.yaml``, with the reason for each choice beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.leads.judge.name_words import name_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.judge.column_roles import Proposal
    from leadml.leads.judge.label_candidates import Candidate
    from leadml.leads.read.files import Dialect
    from leadml.params import DateOrder

NO_ID, NO_DATE = "none found: the row number is used", "none found: the holdout is random"
HEAD = "# What leadml does with these leads. Proposed by leadml init: read it, correct it, then run leadml train."
GUESSED = "GUESSED, look at it: "


@dataclass(frozen=True)
class Choices:
    """What a proposed ``params.yaml`` says.

    Parameters
    ----------
    path
        The path of the file as params have it.
    dialect
        How the file is written.
    label
        The column that says what became of leads.
    roles
        The role of each column, in the order of the file.
    wait_days
        Days that a lead has to convert, or None.
    date_format
        The order of day and month of columns that have one.
    target
        Name of what is predicted; None for one that follows from the label.
    """

    path: str
    dialect: Dialect
    label: Candidate
    roles: Sequence[Proposal]
    wait_days: int | None
    date_format: Mapping[str, DateOrder]
    target: str | None

    @property
    def target_name(self) -> str:
        """The name of what is predicted: that of the label in small letters, or ``converted``."""
        if self.target is not None:
            return self.target
        name = "_".join(name_words(self.label.column))
        plain = "".join(c for c in name if c == "_" or (c.isascii() and c.isalnum())).strip("_")[:40]
        return plain if len(plain) > 1 and plain[0].isalpha() else "converted"

    def text(self) -> str:
        """Return the text of ``params.yaml``."""
        return "\n".join([HEAD, "", *self._data(), "", *self._target(), "", *feature_lines(self.roles)]) + STAGES

    def _data(self) -> list[str]:
        by_role = {proposal.role: proposal for proposal in self.roles}
        lead_id, created_at = by_role.get("lead_id"), by_role.get("created_at")
        return [
            "data:",
            f"  path: {yaml_text(self.path)}",
            *dialect_lines(self.dialect, self.date_format),
            f"  lead_id: {_column(lead_id)}  # {_reason(lead_id, NO_ID)}",
            f"  created_at: {_column(created_at)}  # {_reason(created_at, NO_DATE)}",
            f"  timezone: {'UTC' if created_at else 'null'}             # of times without a zone",
        ]

    def _target(self) -> list[str]:
        label = self.label
        lines = [
            "target:",
            f"  name: {self.target_name}",
            f"  column: {yaml_text(label.column)}  # {label.reason}",
            f"  positive: [{listed(label.positive)}]",
            f"  negative: [{listed(label.negative)}]{_guess(label.negative, label.guessed)}",
        ]
        if label.open:
            lines.append(f"  open: [{listed(label.open)}]{_guess(label.open, label.guessed)}  # not yet known")
        if self.wait_days is not None:
            why = "in which 95% of the conversions came; younger leads are open"
            lines.append(f"  wait_days: {self.wait_days}  # {why}")
        return lines


STAGES = """

stages:                        # the rule that sets the cut of each stage
  # rules: {rule: share, top}, {rule: precision, at_least, confidence}, {rule: recall, at_least, confidence},
  #        {rule: capacity, leads_per_week, incoming_per_week}, {rule: value, contact_cost, won_value},
  #        {rule: fixed, probability}
  iql: {rule: share, top: 0.5}
  mql: {rule: share, top: 0.2}
  sql: {rule: share, top: 0.05}

split:
  test_share: 0.25             # share of the leads that are held out for the evaluation
  folds: 5                     # parts of the other leads; each is evaluated by models fitted on the rest
  seed: 0

limits:
  min_leads: 1000              # training refuses fewer
  min_conversions: 120         # training refuses fewer conversions, or fewer leads without one
  allow_small: false           # true: train anyway, with a warning in the report
"""


def dialect_lines(dialect: Dialect, date_format: Mapping[str, DateOrder]) -> list[str]:
    """Return the keys of ``data`` that say how files are written."""
    lines = [
        f"  delimiter: {yaml_text(dialect.delimiter)}",
        f"  encoding: {yaml_text(dialect.encoding)}",
        f"  decimal: {yaml_text(dialect.decimal)}",
        f"  missing: [{listed(dialect.missing)}]  # texts that mean 'not known', beside the empty one",
    ]
    if dialect.sheet is not None:
        lines.append(f"  sheet: {yaml_text(dialect.sheet)}")
    if date_format:
        orders = ", ".join(f"{yaml_text(name)}: {order}" for name, order in date_format.items())
        lines.append(f"  date_format: {{{orders}}}  # whether the day or the month is written first")
    return lines


def feature_lines(roles: Sequence[Proposal]) -> list[str]:
    """Return the section of the features: the columns of each group, and those that are not used."""
    lines = ["features:", "  # kinds: number, category, boolean"]
    for group, meaning in (("fit", "what the lead is"), ("engagement", "what the lead does, or sales did with it")):
        members = [proposal for proposal in roles if proposal.role == group]
        lines.append(f"  {group}:{'' if members else ' {}'}  # {meaning}")
        lines += [f"    {yaml_text(each.column)}: {each.kind}  # {_reason(each)}" for each in members]
    excluded = [proposal for proposal in roles if proposal.role == "excluded"]
    lines.append(f"  excluded:{'' if excluded else ' {}'}  # fields that are not used, with the reason")
    return lines + [f"    {yaml_text(each.column)}: {yaml_text(_reason(each))}" for each in excluded]


def yaml_text(value: str | None) -> str:
    """Return a text as YAML in double quotes.

    Examples
    --------
    >>> print(yaml_text("name: # here"), yaml_text(None))
    "name: # here" null
    """
    if value is None:
        return "null"
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def listed(words: Sequence[str]) -> str:
    """Return texts as the inside of a YAML list."""
    return ", ".join(yaml_text(word) for word in words)


def _column(proposal: Proposal | None) -> str:
    return yaml_text(proposal.column if proposal else None)


def _reason(proposal: Proposal | None, otherwise: str = "") -> str:
    if proposal is None:
        return otherwise
    return f"{GUESSED}{proposal.reason}" if proposal.guessed else proposal.reason


def _guess(words: Sequence[str], guessed: Sequence[str]) -> str:
    """Return a comment for values whose meaning was guessed."""
    some = [word for word in words if word in guessed]
    return f"  # {GUESSED}{', '.join(yaml_text(word) for word in some)}" if some else ""
