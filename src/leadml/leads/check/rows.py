"""Check leads against their contract.

What enters is raw chunks; what leaves is frames with typed columns, and every fault with its line and column.
It refuses values that are not what was declared, labels that are neither positive nor negative, and ids that are blank.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import Fault, quoted
from leadml.leads.check.contract import CREATED_AT, LABEL, LEAD_ID, RECORDED_AT, SPLIT_KEY, VALID_FROM, Label
from leadml.leads.check.convert import booleans, ids, numbers, plain_text, skipped, texts, times
from leadml.leads.check.derived_columns import read_out
from leadml.leads.check.duplicates import content_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.field import Field
    from leadml.leads.read.files import Dialect, RawChunk

DECIMAL_COMMA = re.compile(r"[-+]?[0-9.]*,[0-9]+")
GAP = "whose clocks skip this hour (write its offset, or correct it)"
ONE_OF = "must be one of"
EXPECTED = {
    "number": "must be a number",
    "category": "must be text, a whole number or a boolean",
    "boolean": "must be true or false",
}


@dataclass(frozen=True)
class Checked:
    """Leads that agree with their contract, and the faults of the others.

    Parameters
    ----------
    frame
        One row a good lead: ``lead_id`` (text), the fields (float64, or text with None where missing), and where the
        contract has them ``created_at``, ``recorded_at`` and ``valid_from`` (microseconds, UTC) and ``converted`` (0 or
        1). Without ids in the file ``lead_id`` is the number of the row, and ``split_key`` a hash of the fields; with
        accounts ``split_key`` is the account, or the id of a lead that has none.
    where
        File and line of each row of the frame.
    faults
        What is wrong with the other rows.
    rows
        How many rows were read, good or not.
    """

    frame: pd.DataFrame
    where: tuple[str, ...]
    faults: tuple[Fault, ...]
    rows: int


def check_chunk(chunk: RawChunk, contract: Contract, dialect: Dialect, *, before: int = 0) -> Checked:
    """Return the leads of a chunk.

    Parameters
    ----------
    chunk
        With every column of the contract.
    contract
        What must hold.
    dialect
        How the file is written.
    before
        How many records earlier files have; where the contract has no id the number of the record serves.
    """
    size = chunk.table.num_rows
    names, bad_ids = _ids(chunk, contract, before)
    columns: dict[str, Any] = {LEAD_ID: names}
    problems = [(contract.lead_id or "", bad_ids, "must be an id of 1 to 256 characters as text or whole number")]
    for role in (CREATED_AT, RECORDED_AT, VALID_FROM):
        column = getattr(contract, role)
        if column:
            columns[role], found = read_times(chunk, column, contract.timezone)
            problems += found
    if contract.label:
        columns[LABEL], bad = _labels(chunk, contract.label, dialect)
        known = [quoted(word) for word in (*contract.label.positive, *contract.label.negative)]
        problems.append((contract.label.column, bad, f"{ONE_OF} {', '.join(known)}"))
    for field in contract.own:
        columns[field.name], bad = _values(chunk, field, dialect)
        problems.append((field.name, bad, EXPECTED[field.kind] + _decimal_hint(field, dialect)))
    columns |= read_out(
        {name: texts(chunk.table[name], dialect)[0] for name in contract.read_out.columns}, contract.read_out
    )
    if contract.account:
        accounts, bad = texts(chunk.table[contract.account], dialect)
        columns[SPLIT_KEY] = np.where(pd.isna(accounts), names, accounts)
        problems.append((contract.account, bad, EXPECTED["category"]))
    faulty = np.zeros(size, dtype=bool)
    faults = list(chunk.faults)
    for column, bad, expected in problems:
        faulty |= bad
        faults += [_fault(chunk, names, column, int(row), expected) for row in np.flatnonzero(bad)]
    kept = {name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()}
    frame = pd.DataFrame(kept)[~faulty].reset_index(drop=True)
    if contract.lead_id is None:
        frame[SPLIT_KEY] = content_keys(frame[[field.name for field in contract.of_leads]])
    own = names if contract.lead_id else [None] * size
    where = tuple(chunk.place(row, own[row]) for row in np.flatnonzero(~faulty).tolist())
    return Checked(frame, where, tuple(faults), size + len(chunk.faults))


def read_times(
    chunk: RawChunk, column: str, timezone: str | None
) -> tuple[NDArray[np.int64], list[tuple[str, NDArray[np.bool_], str]]]:
    """Return the instants of a column and what is wrong with it: column, mask of rows, what they must be."""
    instants, bad = times(chunk.table[column], timezone=timezone)
    gone = skipped(chunk.table[column], timezone=timezone) if bad.any() else bad
    expected = f"must be a time in ISO 8601{'' if timezone else ' with a zone (or set data.timezone)'}"
    return instants, [(column, bad & ~gone, expected), (column, gone, f"must be a time of {timezone}, {GAP}")]


def _ids(chunk: RawChunk, contract: Contract, before: int) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    if contract.lead_id:
        return ids(chunk.table[contract.lead_id])
    size = chunk.table.num_rows
    values = np.empty(size, dtype=object)
    values[:] = [str(before + place + 1) for place in chunk.places]
    return values, np.zeros(size, dtype=bool)


def _values(chunk: RawChunk, field: Field, dialect: Dialect) -> tuple[Any, NDArray[np.bool_]]:
    read: Any = {"number": numbers, "category": texts, "boolean": booleans}[field.kind]
    values, bad = read(chunk.table[field.name], dialect)
    return values, bad


def _labels(chunk: RawChunk, label: Label, dialect: Dialect) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    values, _ = texts(chunk.table[label.column], dialect)
    words = {plain_text(word): 0 for word in label.negative} | {plain_text(word): 1 for word in label.positive}
    labels = np.fromiter((words.get(value, -1) for value in values), dtype=np.int8, count=len(values))
    return labels, labels < 0


def _decimal_hint(field: Field, dialect: Dialect) -> str:
    return f" with decimal mark '{dialect.decimal}'" if field.kind == "number" else ""


def _fault(chunk: RawChunk, names: NDArray[np.object_], column: str, row: int, expected: str) -> Fault:
    got = shown_value(chunk, column, row)
    shown = "nothing" if got is None or got == "" else quoted(got)
    lead_id = str(names[row]) if names[row] is not None else ""
    hint = _hint(expected, got)
    reason = "" if expected.startswith(ONE_OF) else expected + hint
    return Fault(chunk.place(row, lead_id), f"{expected}, got {shown}{hint}", column, lead_id, reason)


def shown_value(chunk: RawChunk, column: str, row: int) -> Any:
    """Return a value as a message may show it."""
    if column not in chunk.table.column_names:
        return None
    value = chunk.table[column][row]
    try:
        return value.as_py()
    except (OverflowError, ValueError):  # an instant that Python's own types cannot hold
        return str(value.type)


def _hint(expected: str, got: Any) -> str:
    if "a number" in expected and isinstance(got, str):
        if DECIMAL_COMMA.fullmatch(got.strip()) and "mark '.'" in expected:
            return "; set data.decimal: ','"
        if not any(character.isdigit() for character in got):
            return f"; if it means not known, add {quoted(got)} to data.missing"
    return ""
