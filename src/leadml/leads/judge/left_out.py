"""Say which leads of a file are left out of a training, and why: their outcome is open, or their date cannot be.

Also say where many leads share one date, because then it is that of an import and not of the leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import CREATED_AT
from leadml.leads.judge.findings import Finding

if TYPE_CHECKING:
    from leadml.leads.check.contract import Contract
    from leadml.leads.check.load import LoadedLeads

# Of leads that come one by one even a thousandth hardly shares an instant; where only days are kept, a week may hold
# a tenth. Above half, the newest leads cannot be told from the others.
MAX_SHARE_OF_ONE_INSTANT = 0.5


def judge_left_out(loaded: LoadedLeads, contract: Contract) -> tuple[Finding, ...]:
    """Return the findings RD11 (leads whose outcome is open) and RD12 (dates that cannot be), where there is cause.

    Parameters
    ----------
    loaded
        The leads as they were loaded.
    contract
        Columns of the leads.
    """
    findings = []
    label = contract.label
    if label is not None and (label.open or label.wait_days is not None):
        reasons = [f"{loaded.open:,} by {label.column}"] if label.open else []
        if label.wait_days is not None:
            reasons.append(f"{loaded.too_young:,} because they are younger than {label.wait_days} days")
        number = loaded.open + loaded.too_young
        evidence = f"{number:,} leads are open and left out of the training: {', '.join(reasons)}"
        findings.append(Finding("RD11", "passed", f"{evidence}; leadml score FILE --open --out SCORES scores them"))
    remedy = "correct the dates in the system that the leads come from"
    if loaded.misdated:
        number = len(loaded.misdated)
        evidence = f"{number:,} lead{'s are' if number > 1 else ' is'} left out for the date: {loaded.misdated[0]}"
        findings.append(Finding("RD12", "warn", evidence, remedy))
    dates = loaded.frame.get(CREATED_AT, pd.Series(dtype=np.int64))  # none where leads have no dates
    most = int(dates.value_counts().max()) if len(dates) else 0
    if most > MAX_SHARE_OF_ONE_INSTANT * len(loaded.frame) and most > 1:
        evidence = f"{most:,} of {len(loaded.frame):,} leads have one and the same date, perhaps that of an import"
        findings.append(Finding("RD12", "warn", evidence, "declare the column of the time at which leads came"))
    return tuple(findings)
