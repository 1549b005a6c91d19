"""Propose a ``params.yaml`` for a file of leads, with every suspected leak excluded and the reason beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from leadml.errors import DataError, Fault
from leadml.leads.check.contract import Contract
from leadml.leads.check.load import load_leads
from leadml.leads.judge.column_roles import Proposal, propose_roles
from leadml.leads.read.csv_text import DELIMITERS
from leadml.leads.read.files import Dialect, column_names, read_chunks, source_files
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.flat import as_snapshots
from leadml.model.leaks import find_leaks
from leadml.params import parse_params

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


SAMPLE_ROWS = 200_000


def propose_params(source: Path, *, written_as: str, encoding: str = "utf-8") -> str:
    """Return a commented ``params.yaml`` for a file, with every suspect excluded and the reason beside it.

    Parameters
    ----------
    source
        A file or folder of leads with a label.
    written_as
        How the params shall name it.
    encoding
        Of CSV files.

    Raises
    ------
    DataError
        Where it cannot be read, or has no column that could be a label.
    """
    dialect = _sniffed(source, encoding)
    chunk = next(read_chunks(source, dialect, column_names(source, dialect), rows=SAMPLE_ROWS))
    if chunk.faults:
        raise DataError(chunk.faults)
    if not chunk.table.num_rows:
        raise DataError([Fault(chunk.source, "must hold leads, got none below the header")])
    proposals = propose_roles(_as_chunked(chunk.table), dialect)
    params = parse_params(params_text(proposals, dialect, written_as))
    contract = Contract.from_params(params)
    leads = as_snapshots(load_leads(FileSource(source, dialect), contract).frame)
    suspects = {
        finding.field: f"suspected leak: {finding.evidence}"
        for finding in find_leaks(leads, contract.fields, params)
        if finding.severity == "stop"
    }
    judged = [
        replace(proposal, role="excluded", kind=None, reason=suspects[proposal.column])
        if proposal.column in suspects
        else proposal
        for proposal in proposals
    ]
    return params_text(judged, dialect, written_as)


def params_text(proposals: Sequence[Proposal], dialect: Dialect, path: str) -> str:
    """Return the text of a ``params.yaml`` that says what was proposed and why."""
    by_role = {role: [p for p in proposals if p.role == role] for role in ("lead_id", "created_at", "label")}
    label = by_role["label"][0]
    names = {role: found[0].column if found else None for role, found in by_role.items()}
    target = "".join(c if c.isalnum() and c.isascii() else "_" for c in label.column.lower()).strip("_") or "converted"
    target = target if target[0].isalpha() and len(target) > 1 else "converted"
    lines = [
        "# What leadml does with these leads. Proposed by leadml init: read it, correct it, then run leadml train.",
        "",
        "data:",
        f"  path: {_word(path)}",
        f"  delimiter: {_word(dialect.delimiter)}",
        f"  encoding: {_word(dialect.encoding)}",
        f"  decimal: {_word(dialect.decimal)}",
        "  missing: []                # further words that mean 'not known', for example [NA, unknown]",
        f"  lead_id: {_word(names['lead_id'])}  # {_reason(by_role['lead_id'], 'none found: the row number serves')}",
        f"  created_at: {_word(names['created_at'])}  # {_reason(by_role['created_at'], 'none found: a random split')}",
        f"  timezone: {'UTC' if names['created_at'] else 'null'}             # of times that have no zone",
        "",
        "target:",
        f"  name: {target[:40]}",
        f"  column: {_word(label.column)}  # {label.reason}",
        f"  positive: [{', '.join(_word(value) for value in label.positive)}]",
        f"  negative: [{', '.join(_word(value) for value in label.negative)}]",
        "",
        "features:",
        "  # kinds: number, category, boolean",
    ]
    for group, meaning in (("fit", "what the lead is"), ("engagement", "what the lead does or was done with it")):
        members = [p for p in proposals if p.role == group]
        lines.append(f"  {group}:{'' if members else ' {}'}  # {meaning}")
        lines += [f"    {_word(p.column)}: {p.kind}  # {p.reason}" for p in members]
    excluded = [p for p in proposals if p.role == "excluded"]
    lines.append(f"  excluded:{'' if excluded else ' {}'}  # never used, and why")
    lines += [f"    {_word(p.column)}: {_word(p.reason)}" for p in excluded]
    return "\n".join(lines) + STAGES


STAGES = """

stages:                        # where each advised stage begins; a lead at the cut is in
  # rules: {rule: share, top}, {rule: precision, at_least, confidence}, {rule: recall, at_least, confidence},
  #        {rule: capacity, leads_per_week, incoming_per_week}, {rule: value, contact_cost, won_value},
  #        {rule: fixed, probability}
  iql: {rule: share, top: 0.5}
  mql: {rule: share, top: 0.2}
  sql: {rule: share, top: 0.05}

split:
  test_share: 0.25             # share of the leads kept aside for the evaluation
  folds: 5                     # parts of the others; each is judged by models that did not see it
  seed: 0

limits:
  min_leads: 1000              # fewer is refused
  min_conversions: 120         # fewer of either kind is refused
  allow_small: false           # true: train all the same, and stamp the report
"""


def _reason(found: Sequence[Proposal], otherwise: str) -> str:
    return found[0].reason if found else otherwise


def _word(value: str | None) -> str:
    if value is None:
        return "null"
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _sniffed(source: Path, encoding: str) -> Dialect:
    """Return the dialect whose delimiter gives the header the most names."""
    file = source_files(source)[0]
    if file.suffix == ".parquet":
        return Dialect()
    widths = {}
    for delimiter in DELIMITERS:
        try:
            widths[delimiter] = len(column_names(file, Dialect(delimiter, encoding)))
        except DataError:
            widths[delimiter] = 0
    delimiter = max(widths, key=lambda mark: widths[mark])
    if widths[delimiter] == 0:
        column_names(file, Dialect(encoding=encoding))
    return Dialect(delimiter, encoding, "," if delimiter == ";" and _has_decimal_commas(file, encoding) else ".")


def _has_decimal_commas(file: Path, encoding: str) -> bool:
    dialect = Dialect(";", encoding)
    chunk = next(read_chunks(file, dialect, column_names(file, dialect), rows=1000))
    values = [value for name in chunk.table.column_names for value in chunk.table[name].to_pylist() if value]
    commas, points = (
        sum(1 for value in values if value.count(mark) == 1 and value.replace(mark, "").strip("+-").isdigit())
        for mark in ",."
    )
    return commas > points


def _as_chunked(table: pa.Table) -> pa.Table:
    return table.combine_chunks() if table.num_columns else pa.table({})
