"""Say whether leads are ready to be learned from.

What enters is checked leads with labels; what leaves is a finding for each thing that a model needs.
It stops where a model would be worthless or would hold personal data, and warns where it would be weaker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.check.contract import LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.pii import pii_kind

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.check.contract import Contract
    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.params import LimitParams

MOSTLY = 0.5
LEVELS_SHOWN = 500


def judge_readiness(
    frame: pd.DataFrame, contract: Contract, limits: LimitParams, *, split: Split, rows: int, merged: int
) -> list[Finding]:
    """Return what was found, in the order of its codes.

    Parameters
    ----------
    frame
        Rows with labels.
    contract
        Their columns.
    limits
        How few leads and conversions are too few.
    split
        How the rows are divided.
    rows, merged
        Rows of the table of leads, and those of them that repeat another.

    Notes
    -----
    RD1 leads, RD2 conversions, RD3 ids, RD4 dates, RD5 missing values, RD6 constant fields, RD7 categories that are
    ids, RD8 personal data.
    """
    leads, rarer = _counted(frame)
    findings = [
        _enough("RD1", leads, limits.min_leads, "leads", limits),
        _enough("RD2", rarer, limits.min_conversions, "leads of the rarer kind", limits),
        _ids(frame, contract, rows=rows, merged=merged),
        Finding("RD4", "warn" if split.remedy else "passed", split.evidence, split.remedy),
    ]
    for field in contract.lead_fields:
        findings += _field_findings(frame, field)
    for code, what in {
        "RD5": "missing values",
        "RD6": "constant fields",
        "RD7": "id-like categories",
        "RD8": "personal data",
    }.items():
        if not any(finding.code == code for finding in findings):
            findings.append(Finding(code, "passed", f"no trouble with {what}"))
    return sorted(findings, key=lambda finding: finding.code)


def _counted(frame: pd.DataFrame) -> tuple[int, int]:
    """Return how many leads there are, and how many have the rarer outcome; a lead with many snapshots counts once."""
    label = frame.groupby(LEAD_ID)[LABEL].max()
    conversions = int(label.sum())
    return len(label), min(conversions, len(label) - conversions)


def _enough(code: str, got: int, least: int, what: str, limits: LimitParams) -> Finding:
    evidence = f"there are {got:,} {what}, and {least:,} are enough"
    if got >= least:
        return Finding(code, "passed", evidence)
    short = f"there are {got:,} {what}, fewer than {least:,}"
    if limits.allow_small and got > 0:
        return Finding(code, "warn", f"{short}; limits.allow_small lets it pass and the report is stamped")
    return Finding(code, "stop", short, "bring more leads, or set limits.allow_small: true")


def _ids(frame: pd.DataFrame, contract: Contract, *, rows: int, merged: int) -> Finding:
    if contract.lead_id is None:
        remedy = "set data.lead_id, or scores cannot be joined to anything but this file"
        alike = int(frame[SPLIT_KEY].duplicated().sum())
        evidence = f"no id is declared, so the number of the row serves; {alike:,} rows say the same as an earlier one"
        return Finding("RD3", "warn", evidence, remedy)
    repeated = f"{merged:,} repeated rows were merged"
    if contract.valid_from is not None:
        leads = frame[LEAD_ID].nunique()
        evidence = f"{rows - merged:,} states of leads, {leads:,} leads to learn from and judge by; {repeated}"
        return Finding("RD3", "passed", evidence)
    return Finding("RD3", "passed", f"every id is there once; {repeated}")


def _field_findings(frame: pd.DataFrame, field: Field) -> list[Finding]:
    column = frame[field.name]
    known = column.dropna()
    levels = known.unique()
    if len(levels) <= 1 and len(known) in {0, len(frame)}:
        return [Finding("RD6", "warn", "has the same value everywhere", "move it to features.excluded", field.name)]
    findings = []
    if len(known) < MOSTLY * len(frame):
        share = 1 - len(known) / len(frame)
        evidence = f"is missing for {share:.0%} of the leads"
        findings.append(Finding("RD5", "warn", evidence, "see that scoring will miss it as often", field.name))
    if field.kind == "category":
        personal = pii_kind(field.name, [str(level) for level in levels[:LEVELS_SHOWN]])
        if personal:
            findings.append(
                Finding("RD8", "stop", f"seems to hold {personal}", "move it to features.excluded", field.name)
            )
        elif len(levels) > MOSTLY * len(frame):
            evidence = f"has {len(levels):,} levels in {len(frame):,} leads, like an id"
            findings.append(Finding("RD7", "warn", evidence, "move it to features.excluded", field.name))
    return findings
