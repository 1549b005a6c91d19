"""Propose the role of each column of an unknown file, with the reason.

A proposal is a starting point: somebody who knows the data must read and correct it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, inert, quoted
from leadml.leads.check.convert import booleans, numbers, texts, times
from leadml.leads.judge.pii import find_pii, plain_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.leads.read.files import Dialect
    from leadml.params import Kind

Role = Literal["lead_id", "created_at", "label", "fit", "engagement", "excluded"]

ID_NAMES = ("lead_id", "id", "prospect_id", "contact_id", "customer_id", "leadid", "uuid", "lead_number")
TIME_NAMES = ("created_at", "created", "created_date", "creation_date", "created_on", "date_created", "timestamp")
LABEL_NAMES = (
    "converted", "is_converted", "conversion", "label", "target", "y", "subscribed", "won", "is_won", "purchased",
    "bought", "customer", "is_customer", "revenue", "response", "churn", "churned", "status", "outcome",
)  # fmt: skip
POSITIVE = ("yes", "y", "true", "t", "1", "won", "converted", "customer", "subscribed", "closed won", "churned")
ENGAGEMENT = re.compile(
    r"visit|click|open|page|session|download|webinar|form|email|mail_|call|meeting|demo|campaign|contact|activity|"
    r"days_since|last_|recency|frequency|previous|bounce|exit|view|event|source|channel|referr|month|day|visitor"
)
BY_HAND = "write params.yaml by hand from docs/params.md, of dated leads after examples/crm/params.yaml"
BINARY = 2  # a label has two values: converted or not
MAX_SHOWN_LEVELS = 12  # more would not fit into one message, and a column with more is hardly a list of outcomes
# A proposal, which somebody corrects. Below 1, because an export may repeat rows; lower excludes more fields as ids.
MIN_SHARE_DISTINCT = 0.9


@dataclass(frozen=True)
class Proposal:
    """The role that a column seems to have.

    Parameters
    ----------
    column
        Name of the column.
    role
        What the column is used for.
    kind
        How the values of a field are read; None for other roles.
    reason
        Why the role is proposed.
    positive, negative
        The values of a label that mean converted and not converted.
    """

    column: str
    role: Role
    kind: Kind | None
    reason: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


def propose_roles(table: pa.Table, dialect: Dialect) -> list[Proposal]:
    """Return a proposal for each column, in the order of the file.

    Parameters
    ----------
    table
        Rows as they were read: all rows of the file, or the first of them.
    dialect
        How the file is written.

    Raises
    ------
    DataError
        Where no column can be a label.
    """
    names = table.column_names
    label = _find_label(table, dialect)
    lead_id = _find_by_name(names, ID_NAMES, lambda name: name != label and _is_distinct(table[name], dialect))
    created_at = _find_by_name(names, TIME_NAMES, lambda name: not times(table[name], timezone="UTC")[1].any())
    proposals = []
    for name in names:
        if name == label:
            proposals.append(_propose_label(table, name, dialect))
        elif name == lead_id:
            reason = f"different on {_how_often(table[name], dialect)} and named like an id"
            proposals.append(Proposal(name, "lead_id", None, reason))
        elif name == created_at:
            proposals.append(Proposal(name, "created_at", None, "a time on every row and named like a creation"))
        else:
            proposals.append(_propose_field(table, name, dialect))
    return proposals


def _find_label(table: pa.Table, dialect: Dialect) -> str:
    """Return the column of two values with a known name, or the last column where it has two values."""
    names: list[str] = table.column_names
    binary = [name for name in names if len(_levels(table[name], dialect)) == BINARY]
    by_name = [name for wanted in LABEL_NAMES for name in binary if plain_name(name) == wanted]
    if by_name:
        return by_name[0]
    if binary and binary[-1] == names[-1]:
        return binary[-1]
    for name in (name for wanted in LABEL_NAMES for name in names if plain_name(name) == wanted):
        levels = _levels(table[name], dialect)
        if BINARY < len(levels) <= MAX_SHOWN_LEVELS:
            shown = ", ".join(quoted(level) for level in levels)
            message = f"must have two values to be a label, got {shown}; keep the rows whose outcome is known"
            raise DataError([Fault("header", message, name)])
    columns = ", ".join(inert(name) for name in names[:MAX_SHOWN_LEVELS])
    message = f"must have a column of two values that says whether a lead converted, got {columns}"
    raise DataError([Fault("header", f"{message}; name it 'converted', or {BY_HAND}")])


def _propose_label(table: pa.Table, name: str, dialect: Dialect) -> Proposal:
    values, counts = np.unique(
        [value for value in texts(table[name], dialect)[0] if value is not None], return_counts=True
    )
    rare = str(values[int(np.argmin(counts))])
    positive = next((str(value) for value in values if str(value).lower() in POSITIVE), rare)
    negative = tuple(str(value) for value in values if str(value) != positive)
    share = counts[list(values).index(positive)] / counts.sum()
    return Proposal(name, "label", None, f"two values; {share:.1%} are {positive!r}", (positive,), negative)


def _propose_field(table: pa.Table, name: str, dialect: Dialect) -> Proposal:
    levels = _levels(table[name], dialect)
    if pa.types.is_temporal(table[name].type):
        return Proposal(name, "excluded", None, "a time: declare it as created_at, or convert it to a number")
    if len(levels) <= 1:
        return Proposal(name, "excluded", None, "constant: the same value everywhere")
    role: Role = "engagement" if ENGAGEMENT.search(plain_name(name)) else "fit"
    personal = find_pii(name, levels)
    if personal:
        return Proposal(name, "excluded", None, f"personal data: seems to hold {personal}")
    kind = _kind(table[name], levels, dialect)
    is_distinct = len(levels) > MIN_SHARE_DISTINCT * table.num_rows
    if is_distinct and (kind == "category" or plain_name(name).endswith("id")):
        return Proposal(name, "excluded", None, "id-like: different on nearly every row")
    reasons = {"boolean": "true and false", "number": f"{len(levels):,} numbers", "category": f"{len(levels):,} levels"}
    return Proposal(name, role, kind, reasons[kind])


def _kind(column: pa.ChunkedArray, levels: list[str], dialect: Dialect) -> Kind:
    if len(levels) == BINARY and not booleans(column, dialect)[1].any():
        return "boolean"
    return "category" if numbers(column, dialect)[1].any() else "number"


def _levels(column: pa.ChunkedArray, dialect: Dialect) -> list[str]:
    return sorted({value for value in texts(column, dialect)[0] if value is not None})


def _is_distinct(column: pa.ChunkedArray, dialect: Dialect) -> bool:
    """Return whether no value is missing and nearly all values differ."""
    values = [value for value in texts(column, dialect)[0] if value is not None]
    return len(values) == len(column) and len(set(values)) > MIN_SHARE_DISTINCT * len(values)


def _how_often(column: pa.ChunkedArray, dialect: Dialect) -> str:
    return "every row" if len(_levels(column, dialect)) == len(column) else "nearly every row"


def _find_by_name(names: list[str], wanted: tuple[str, ...], fits: Callable[[str], bool]) -> str | None:
    """Return the first column with a wanted name that fits, in the order of the wanted names, or None."""
    candidates = [name for want in wanted for name in names if plain_name(name) == want]
    return next((name for name in candidates if fits(name)), None)
