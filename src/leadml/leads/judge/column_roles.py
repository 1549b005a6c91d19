"""Propose what each column of an unknown file is.

What enters is a sample of the file; what leaves is a role for each column and the reason for it.
It only proposes: what it writes is meant to be read and corrected by somebody who knows the data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from leadml.errors import DataError, Fault, inert, quoted
from leadml.leads.check.convert import booleans, numbers, texts, times
from leadml.leads.judge.pii import pii_kind, plain_name

if TYPE_CHECKING:
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
FEW, MANY = 2, 12
LIKE_ID = 0.9


@dataclass(frozen=True)
class Proposal:
    """What a column seems to be.

    Parameters
    ----------
    column
        Its name.
    role
        What it is for.
    kind
        How its values are read; None where they are not.
    reason
        Why.
    positive, negative
        Values of a label.
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
        Rows as they were read; all that there are, or the first of them.
    dialect
        How the file is written.

    Raises
    ------
    DataError
        Where no column could be a label.
    """
    names = table.column_names
    label = _find_label(table, dialect)
    lead_id = _first_named(names, ID_NAMES, lambda name: name != label and _all_different(table[name], dialect))
    created = _first_named(names, TIME_NAMES, lambda name: not times(table[name], timezone="UTC")[1].any())
    found = []
    for name in names:
        if name == label:
            found.append(_label_proposal(table, name, dialect))
        elif name == lead_id:
            found.append(
                Proposal(name, "lead_id", None, f"different on {_how_often(table[name], dialect)} and named like an id")
            )
        elif name == created:
            found.append(Proposal(name, "created_at", None, "a time on every row and named like a creation"))
        else:
            found.append(_field_proposal(table, name, dialect))
    return found


def _find_label(table: pa.Table, dialect: Dialect) -> str:
    names: list[str] = table.column_names
    binary = [name for name in names if len(_levels(table[name], dialect)) == FEW]
    named = [name for wanted in LABEL_NAMES for name in binary if plain_name(name) == wanted]
    if named:
        return named[0]
    if binary and binary[-1] == names[-1]:
        return binary[-1]
    for name in (name for wanted in LABEL_NAMES for name in names if plain_name(name) == wanted):
        levels = _levels(table[name], dialect)
        if FEW < len(levels) <= MANY:
            shown = ", ".join(quoted(level) for level in levels)
            message = f"must have two values to be a label, got {shown}; keep the rows whose outcome is known"
            raise DataError([Fault("header", message, name)])
    columns = ", ".join(inert(name) for name in names[:12])
    message = f"must have a column of two values that says what became of the lead, got {columns}"
    raise DataError([Fault("header", f"{message}; name it 'converted', or {BY_HAND}")])


def _label_proposal(table: pa.Table, name: str, dialect: Dialect) -> Proposal:
    values, counts = np.unique(
        [value for value in texts(table[name], dialect)[0] if value is not None], return_counts=True
    )
    rare = str(values[int(np.argmin(counts))])
    positive = next((str(value) for value in values if str(value).lower() in POSITIVE), rare)
    negative = tuple(str(value) for value in values if str(value) != positive)
    share = counts[list(values).index(positive)] / counts.sum()
    return Proposal(name, "label", None, f"two values; {share:.1%} are {positive!r}", (positive,), negative)


def _field_proposal(table: pa.Table, name: str, dialect: Dialect) -> Proposal:
    levels = _levels(table[name], dialect)
    if pa.types.is_temporal(table[name].type):
        return Proposal(name, "excluded", None, "a time: declare it as created_at, or make a number of it")
    if len(levels) <= 1:
        return Proposal(name, "excluded", None, "constant: the same value everywhere")
    role: Role = "engagement" if ENGAGEMENT.search(plain_name(name)) else "fit"
    personal = pii_kind(name, levels)
    if personal:
        return Proposal(name, "excluded", None, f"personal data: seems to hold {personal}")
    kind = _kind(table[name], levels, dialect)
    like_id = len(levels) > LIKE_ID * table.num_rows
    if like_id and (kind == "category" or plain_name(name).endswith("id")):
        return Proposal(name, "excluded", None, "id-like: different on nearly every row")
    what = {"boolean": "true and false", "number": f"{len(levels):,} numbers", "category": f"{len(levels):,} levels"}
    return Proposal(name, role, kind, what[kind])


def _kind(column: pa.ChunkedArray, levels: list[str], dialect: Dialect) -> Kind:
    if len(levels) == FEW and not booleans(column, dialect)[1].any():
        return "boolean"
    return "category" if numbers(column, dialect)[1].any() else "number"


def _levels(column: pa.ChunkedArray, dialect: Dialect) -> list[str]:
    return sorted({value for value in texts(column, dialect)[0] if value is not None})


def _all_different(column: pa.ChunkedArray, dialect: Dialect) -> bool:
    values = [value for value in texts(column, dialect)[0] if value is not None]
    return len(values) == len(column) and len(set(values)) > LIKE_ID * len(values)


def _how_often(column: pa.ChunkedArray, dialect: Dialect) -> str:
    return "every row" if len(_levels(column, dialect)) == len(column) else "nearly every row"


def _first_named(names: list[str], wanted: tuple[str, ...], fits: object) -> str | None:
    named = [name for want in wanted for name in names if plain_name(name) == want]
    return next((name for name in named if callable(fits) and fits(name)), None)
