"""Check chunks of leads against their contract and convert their columns.

Values that do not have the declared kind, labels that are neither positive nor negative, and blank ids are faults, each
with its line and column. A row with a fault is left out of the result; the other rows are not affected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadml.errors import Fault, quoted
from leadml.leads.check.contract import CREATED_AT, LABEL, LEAD_ID, RECORDED_AT, SPLIT_KEY, VALID_FROM, kept_name
from leadml.leads.check.convert import booleans, ids, nonexistent_times, numbers, texts, times, written_texts
from leadml.leads.check.derived_columns import derive_columns
from leadml.leads.check.duplicates import content_keys
from leadml.leads.check.instants import SKIPPED_HOUR, shown_day
from leadml.leads.check.written_times import needs_order
from leadml.leads.read.files import Dialect

if TYPE_CHECKING:
    from leadml.leads.check.contract import Contract
    from leadml.leads.check.field import Field
    from leadml.leads.read.files import RawChunk
    from leadml.params import DateOrder
    from leadml.types import Integers, Mask, Objects

ONE_OF = "must be one of"
IN_CALENDAR = "must lie between 1970 and tomorrow"
DATE_ORDERS: dict[DateOrder | None, str] = {
    None: " whose order is declared (set data.date_format: day_first or month_first)",
    "day_first": " with the day first (see data.date_format)",
    "month_first": " with the month first (see data.date_format)",
}
REQUIREMENTS = {
    "number": "must be a number",
    "category": "must be text, a whole number or a boolean",
    "boolean": "must be true or false",
}


@dataclass(frozen=True)
class CheckedRows:
    """The rows of a chunk that agree with the contract, and the faults of the others.

    Parameters
    ----------
    frame
        One row for each lead without a fault: ``lead_id`` (text), the fields (float64, or text with None where
        missing), and where the contract has them ``created_at``, ``recorded_at`` and ``valid_from`` (microseconds, UTC)
        and ``converted`` (0, 1 or `OPEN`). Columns that are carried through have the names of `kept_name`. Without an
        id column ``lead_id`` is the number of the row and ``split_key`` a hash of the fields. With an account column
        ``split_key`` is the account, or the id of a lead without one.
    locations
        File and line of each row of the frame.
    faults
        Faults of the other rows.
    rows
        Number of rows that were read, rows with faults included.
    """

    frame: pd.DataFrame
    locations: tuple[str, ...]
    faults: tuple[Fault, ...]
    rows: int


def check_chunk(chunk: RawChunk, contract: Contract, dialect: Dialect, *, before: int = 0) -> CheckedRows:
    """Return the checked rows of a chunk.

    Parameters
    ----------
    chunk
        A chunk with every column of the contract.
    contract
        What must hold.
    dialect
        Decimal mark and words for missing values.
    before
        Number of records in earlier files; without an id column ids count on from it.
    """
    size = chunk.table.num_rows
    lead_ids, bad_ids = _ids(chunk, contract, before)
    columns: dict[str, Any] = {LEAD_ID: lead_ids}
    problems = [(contract.lead_id or "", bad_ids, "must be an id of 1 to 256 characters as text or whole number")]
    for role in (CREATED_AT, RECORDED_AT, VALID_FROM):
        column = getattr(contract, role)
        if column:
            columns[role], time_problems = read_times(chunk, column, contract)
            problems += time_problems
    if contract.label:
        columns[LABEL] = contract.label.codes(texts(chunk.table[contract.label.column], dialect)[0].tolist())
        bad = columns[LABEL] < 0
        words = (*contract.label.positive, *contract.label.negative, *contract.label.open)
        allowed = [quoted(word) for word in words]
        problems.append((contract.label.column, bad, f"{ONE_OF} {', '.join(allowed)}"))
    for field in contract.column_fields:
        columns[field.name], bad = _values(chunk, field, dialect)
        problems.append((field.name, bad, REQUIREMENTS[field.kind] + _decimal_hint(field, dialect)))
    sources = {name: texts(chunk.table[name], dialect)[0] for name in contract.derived.columns}
    columns |= derive_columns(sources, contract.derived)
    columns |= {kept_name(name): written_texts(chunk.table[name]) for name in contract.carried}
    if contract.account:
        accounts, bad = texts(chunk.table[contract.account], dialect)
        columns[SPLIT_KEY] = np.where(pd.isna(accounts), lead_ids, accounts)
        problems.append((contract.account, bad, REQUIREMENTS["category"]))
    is_faulty = np.zeros(size, dtype=bool)
    faults = list(chunk.faults)
    for column, bad, requirement in problems:
        is_faulty |= bad
        faults += [_fault(chunk, lead_ids, column, int(row), requirement) for row in np.flatnonzero(bad)]
    series = {name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()}
    frame = pd.DataFrame(series)[~is_faulty].reset_index(drop=True)
    if contract.lead_id is None:
        frame[SPLIT_KEY] = content_keys(frame[[field.name for field in contract.lead_fields]])
    shown_ids = lead_ids if contract.lead_id else [None] * size
    locations = tuple(chunk.location(row, shown_ids[row]) for row in np.flatnonzero(~is_faulty).tolist())
    return CheckedRows(frame, locations, tuple(faults), size + len(chunk.faults))


def faults_of_range(checked: CheckedRows, contract: Contract, latest: int) -> dict[int, Fault]:
    """Return the fault of each row with an instant before 1970 or after the latest possible one, by row."""
    faults: dict[int, Fault] = {}
    for name in (CREATED_AT, VALID_FROM, RECORDED_AT):
        if name in checked.frame:
            instants = checked.frame[name].to_numpy()
            for row in np.flatnonzero((instants < 0) | (instants > latest)).tolist():
                lead_id = str(checked.frame[LEAD_ID][row])
                column = str(getattr(contract, name))
                message = f"{IN_CALENDAR}, got {shown_day(int(instants[row]))}"
                faults[row] = Fault(checked.locations[row], message, column, lead_id, IN_CALENDAR)
    return faults


def read_times(chunk: RawChunk, column: str, contract: Contract) -> tuple[Integers, list[tuple[str, Mask, str]]]:
    """Return the instants of a column, and its problems: column, mask of rows, what the values must be."""
    values, timezone, order = chunk.table[column], contract.timezone, contract.date_order(column)
    instants, bad = times(values, timezone=timezone, order=order)
    if not bad.any():
        return instants, [(column, bad, "")]
    skipped = nonexistent_times(values, timezone=timezone, order=order)
    ordered = bad & ~skipped & needs_order(values)
    zone = "" if timezone else " with a zone (or set data.timezone)"
    return instants, [
        (column, bad & ~skipped & ~ordered, f"must be a time in ISO 8601{zone}"),
        (column, ordered, f"must be a date{DATE_ORDERS[order]}{zone}"),
        (column, skipped, f"must be a time of {timezone}, {SKIPPED_HOUR}"),
    ]


def _ids(chunk: RawChunk, contract: Contract, before: int) -> tuple[Objects, Mask]:
    if contract.lead_id:
        return ids(chunk.table[contract.lead_id])
    size = chunk.table.num_rows
    values = np.empty(size, dtype=object)
    values[:] = [str(before + place + 1) for place in chunk.places]
    return values, np.zeros(size, dtype=bool)


def _values(chunk: RawChunk, field: Field, dialect: Dialect) -> tuple[Any, Mask]:
    convert: Any = {"number": numbers, "category": texts, "boolean": booleans}[field.kind]
    values, bad = convert(chunk.table[field.name], dialect)
    return values, bad


def _decimal_hint(field: Field, dialect: Dialect) -> str:
    return f" with decimal mark '{dialect.decimal}'" if field.kind == "number" else ""


def _fault(chunk: RawChunk, lead_ids: Objects, column: str, row: int, requirement: str) -> Fault:
    got = shown_value(chunk, column, row)
    shown = "nothing" if got is None or got == "" else quoted(got)
    lead_id = str(lead_ids[row]) if lead_ids[row] is not None else ""
    remedy = _remedy(requirement, got)
    shared = "" if requirement.startswith(ONE_OF) else requirement + remedy
    return Fault(chunk.location(row, lead_id), f"{requirement}, got {shown}{remedy}", column, lead_id, shared)


def shown_value(chunk: RawChunk, column: str, row: int) -> Any:
    """Return a value for a message; None where the column does not exist."""
    if column not in chunk.table.column_names:
        return None
    value = chunk.table[column][row]
    try:
        return value.as_py()
    except (OverflowError, ValueError):  # an instant that Python's own types cannot hold
        return str(value.type)


def _remedy(requirement: str, got: Any) -> str:
    if "a number" in requirement and isinstance(got, str):
        other = "," if "mark '.'" in requirement else "."
        if not numbers(pa.chunked_array([[got]]), Dialect(decimal=other))[1][0]:  # so it can't be thousands of this one
            return f"; set data.decimal: '{other}'"
        if not any(character.isdigit() for character in got):
            return f"; if it means not known, add {quoted(got)} to data.missing"
    return ""
