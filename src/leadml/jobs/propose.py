"""Propose a ``params.yaml`` for a file of leads: roles of the columns, and suspected leaks excluded with reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from leadml.arguments import file_path
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

SAMPLE_ROWS = 200_000  # a second of reading (decision 5); a proposal is read and corrected anyway
NO_ID, NO_DATE = "none found: the row number is used", "none found: the holdout is random"


def propose_params(source: str | Path, *, written_as: str | None = None, encoding: str = "utf-8") -> str:
    """Return the text of a ``params.yaml`` for a file; each line of a column has a comment with the reason.

    Parameters
    ----------
    source
        A file or folder of leads with a label.
    written_as
        The path to write into the params, relative to their folder; None for the name of the source.
    encoding
        Encoding of CSV files.

    Raises
    ------
    DataError
        If the source cannot be read, or no column could be a label.
    """
    source = file_path(source, "source")
    written_as = source.name if written_as is None else str(written_as)
    dialect = _detect_dialect(source, encoding)
    chunk = next(read_chunks(source, dialect, column_names(source, dialect), rows=SAMPLE_ROWS))
    if chunk.faults:
        raise DataError(chunk.faults)
    if not chunk.table.num_rows:
        raise DataError([Fault(chunk.source, "must hold leads, got none below the header")])
    proposals = propose_roles(_contiguous(chunk.table), dialect)
    params = parse_params(params_text(proposals, dialect, written_as))
    contract = Contract.from_params(params)
    leads = as_snapshots(load_leads(FileSource(source, dialect), contract).frame)
    suspects = {
        finding.field: f"suspected leak: {finding.evidence}"
        for finding in find_leaks(leads, contract.fields, params)
        if finding.severity == "stop"
    }
    without_leaks = [
        replace(proposal, role="excluded", kind=None, reason=suspects[proposal.column])
        if proposal.column in suspects
        else proposal
        for proposal in proposals
    ]
    return params_text(without_leaks, dialect, written_as)


def params_text(proposals: Sequence[Proposal], dialect: Dialect, path: str) -> str:
    """Return the text of a ``params.yaml`` with the proposed roles and the reasons for them."""
    by_role = {role: [p for p in proposals if p.role == role] for role in ("lead_id", "created_at", "label")}
    label = by_role["label"][0]
    names = {role: members[0].column if members else None for role, members in by_role.items()}
    target = "".join(c if c.isalnum() and c.isascii() else "_" for c in label.column.lower()).strip("_") or "converted"
    target = target if target[0].isalpha() and len(target) > 1 else "converted"
    lines = [
        "# What leadml does with these leads. Proposed by leadml init: read it, correct it, then run leadml train.",
        "",
        "data:",
        f"  path: {_yaml_text(path)}",
        f"  delimiter: {_yaml_text(dialect.delimiter)}",
        f"  encoding: {_yaml_text(dialect.encoding)}",
        f"  decimal: {_yaml_text(dialect.decimal)}",
        "  missing: []                # other texts that mean 'not known', for example [NA, unknown]",
        f"  lead_id: {_yaml_text(names['lead_id'])}  # {_reason(by_role['lead_id'], NO_ID)}",
        f"  created_at: {_yaml_text(names['created_at'])}  # {_reason(by_role['created_at'], NO_DATE)}",
        f"  timezone: {'UTC' if names['created_at'] else 'null'}             # of times without a zone",
        "",
        "target:",
        f"  name: {target[:40]}",
        f"  column: {_yaml_text(label.column)}  # {label.reason}",
        f"  positive: [{', '.join(_yaml_text(value) for value in label.positive)}]",
        f"  negative: [{', '.join(_yaml_text(value) for value in label.negative)}]",
        "",
        "features:",
        "  # kinds: number, category, boolean",
    ]
    for group, meaning in (("fit", "what the lead is"), ("engagement", "what the lead does, or sales did with it")):
        members = [p for p in proposals if p.role == group]
        lines.append(f"  {group}:{'' if members else ' {}'}  # {meaning}")
        lines += [f"    {_yaml_text(p.column)}: {p.kind}  # {p.reason}" for p in members]
    excluded = [p for p in proposals if p.role == "excluded"]
    lines.append(f"  excluded:{'' if excluded else ' {}'}  # fields that are not used, with the reason")
    lines += [f"    {_yaml_text(p.column)}: {_yaml_text(p.reason)}" for p in excluded]
    return "\n".join(lines) + STAGES


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


def _reason(proposals: Sequence[Proposal], otherwise: str) -> str:
    return proposals[0].reason if proposals else otherwise


def _yaml_text(value: str | None) -> str:
    """Return a text as YAML in double quotes."""
    if value is None:
        return "null"
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _detect_dialect(source: Path, encoding: str) -> Dialect:
    """Return the dialect with the delimiter that divides the header into the most names."""
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


def _contiguous(table: pa.Table) -> pa.Table:
    return table.combine_chunks() if table.num_columns else pa.table({})
