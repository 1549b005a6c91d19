"""Say whether a training set is ready: enough leads, usable fields, no personal data.

A finding stops the training where a model would be worthless or would hold personal data, and warns where it would be
weaker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.check.contract import LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.pii import find_pii

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.params import LimitParams

MIN_SHARE_KNOWN = 0.5  # below it, most leads have no value; a warning only
MAX_SHARE_OF_LEVELS = 0.5  # above it, a level has fewer than two leads on average; a warning only
MOVE_DERIVED = "take the column that it is derived from out of features.read_out"
MAX_PII_VALUES = 500  # bounds the time; a share of 500 values is known to 1.96 * sqrt(0.25 / 500) = 4 points


def judge_readiness(
    frame: pd.DataFrame, contract: Contract, limits: LimitParams, *, split: Split, rows: int, merged: int
) -> list[Finding]:
    """Return the findings in the order of their codes.

    Parameters
    ----------
    frame
        Rows with labels.
    contract
        Columns and fields.
    limits
        The least numbers of leads and of conversions.
    split
        How the rows are divided.
    rows, merged
        Number of rows of the table of leads, and of those that repeat another.

    Notes
    -----
    RD1 leads, RD2 conversions, RD3 ids, RD4 dates, RD5 missing values, RD6 constant fields, RD7 categories that are
    ids, RD8 personal data.
    """
    leads, rarer = _count_leads(frame)
    findings = [
        _judge_number("RD1", leads, limits.min_leads, "leads", limits),
        _judge_number("RD2", rarer, limits.min_conversions, "leads of the rarer outcome", limits),
        _judge_ids(frame, contract, rows=rows, merged=merged),
        Finding("RD4", "warn" if split.remedy else "passed", split.evidence, split.remedy),
    ]
    for field in contract.lead_fields:
        findings += _judge_field(frame, field)
    for code, what in {
        "RD5": "missing values",
        "RD6": "constant fields",
        "RD7": "id-like categories",
        "RD8": "personal data",
    }.items():
        if not any(finding.code == code for finding in findings):
            findings.append(Finding(code, "passed", f"no problem with {what}"))
    return sorted(findings, key=lambda finding: finding.code)


def _count_leads(frame: pd.DataFrame) -> tuple[int, int]:
    """Return how many leads there are, and how many have the rarer outcome; a lead with many snapshots counts once."""
    label = frame.groupby(LEAD_ID)[LABEL].max()
    conversions = int(label.sum())
    return len(label), min(conversions, len(label) - conversions)


def _judge_number(code: str, got: int, least: int, what: str, limits: LimitParams) -> Finding:
    if got >= least:
        return Finding(code, "passed", f"there are {got:,} {what}, and {least:,} are enough")
    evidence = f"there are {got:,} {what}, fewer than {least:,}"
    if limits.allow_small and got > 0:
        return Finding(code, "warn", f"{evidence}; limits.allow_small lets it pass, and the report is stamped")
    remedy = "bring more leads, or set limits.allow_small: true" if got else "bring leads of both outcomes"
    return Finding(code, "stop", evidence, remedy)


def _judge_ids(frame: pd.DataFrame, contract: Contract, *, rows: int, merged: int) -> Finding:
    if contract.lead_id is None:
        equal = int(frame[SPLIT_KEY].duplicated().sum())
        evidence = f"no id is declared, so the row number is used; {equal:,} rows have the values of an earlier one"
        remedy = "set data.lead_id; without it scores can be joined to this file only"
        return Finding("RD3", "warn", evidence, remedy)
    repeated = f"{merged:,} repeated rows were merged"
    if contract.valid_from is not None:
        leads = frame[LEAD_ID].nunique()
        evidence = f"there are {rows - merged:,} states of leads, and {leads:,} leads in the training set; {repeated}"
        return Finding("RD3", "passed", evidence)
    return Finding("RD3", "passed", f"every id occurs once; {repeated}")


def _judge_field(frame: pd.DataFrame, field: Field) -> list[Finding]:
    column = frame[field.name]
    known = column.dropna()
    levels = known.unique()
    if len(levels) <= 1 and len(known) in {0, len(frame)}:
        remedy = MOVE_DERIVED if field.source == "derived" else "move it to features.excluded"
        return [Finding("RD6", "warn", "has the same value everywhere", remedy, field.name)]
    findings = []
    if len(known) < MIN_SHARE_KNOWN * len(frame):
        share = 1 - len(known) / len(frame)
        evidence = f"is missing for {share:.0%} of the leads"
        findings.append(Finding("RD5", "warn", evidence, "see that scored leads miss it as often", field.name))
    if field.kind == "category":
        personal = find_pii(field.name, [str(level) for level in levels[:MAX_PII_VALUES]])
        if personal:
            findings.append(
                Finding("RD8", "stop", f"seems to hold {personal}", "move it to features.excluded", field.name)
            )
        elif len(levels) > MAX_SHARE_OF_LEVELS * len(frame):
            evidence = f"has {len(levels):,} levels in {len(frame):,} leads, like an id"
            findings.append(Finding("RD7", "warn", evidence, "move it to features.excluded", field.name))
    return findings
