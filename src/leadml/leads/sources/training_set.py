"""A training set: labelled rows, how they are divided, and the evidence for the leak gate.

Training and checking start from the same value, so they assess the same rows in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import SPLIT_KEY
from leadml.leads.judge.maturity import Maturity, ReachedByAge

if TYPE_CHECKING:
    from leadml.leads.check.contract import Contract
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.leads.judge.findings import Finding
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.split import Holdout, Split


@dataclass(frozen=True)
class DataFacts:
    """The origin of the rows of a training set, for the record.

    Parameters
    ----------
    source
        Name of the file or of the tables.
    rows, merged
        Number of rows of the table of leads, and of those that repeat another row.
    counts
        Other counts by name: activities, outcomes, and rows of unknown leads.
    rows_by_kind
        Number of activities of known leads, by the kinds that have fields.
    maturity
        Counts of mature snapshots; None for flat leads, whose labels are in the file.
    """

    source: str
    rows: int
    merged: int
    counts: Mapping[str, int] = field(default_factory=dict)
    rows_by_kind: Mapping[str, int] = field(default_factory=dict)
    maturity: Maturity | None = None

    @property
    def by_age(self) -> tuple[ReachedByAge, ...]:
        """The share of leads that reach the target by each age; empty if leads have no dated outcomes."""
        return () if self.maturity is None else self.maturity.by_age


@dataclass(frozen=True)
class TrainingParts:
    """The two parts of a training set: rows to fit on, and the holdout.

    Parameters
    ----------
    learn
        Rows to fit on.
    holdout
        Rows for the evaluation, which nothing is fitted on.
    evidence
        The evidence for the leak gate on the rows to fit on.
    """

    learn: pd.DataFrame
    holdout: pd.DataFrame
    evidence: LeakEvidence


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows, one for each snapshot, and how they are divided.

    Parameters
    ----------
    frame
        ``lead_id``, ``split_key``, ``as_of`` and ``mature_at`` if rows have instants, the fields and ``converted``.
    contract
        Columns and fields.
    settings
        How the snapshots are taken.
    split
        How the rows are divided.
    holdout
        The rule that holds rows out.
    evidence
        The evidence for the leak gate, with order and clock of all rows.
    findings
        Findings from reading the tables.
    facts
        The origin of the rows.
    """

    frame: pd.DataFrame
    contract: Contract
    settings: SnapshotSettings
    split: Split
    holdout: Holdout
    evidence: LeakEvidence
    findings: tuple[Finding, ...]
    facts: DataFacts

    def parts(self) -> TrainingParts:
        """Return the rows to fit on and the holdout."""
        learnable, held_out = self.holdout.learnable(self.frame), self.holdout.mask(self.frame)
        if not self.split.copies:  # by time alone, a group could be on both sides
            group, _ = pd.factorize(self.frame[SPLIT_KEY])
            learnable &= ~np.isin(group, group[held_out])
        learn, holdout = (self.frame[rows].reset_index(drop=True) for rows in (learnable, held_out))
        evidence = replace(self.evidence.part(learnable.nonzero()[0]), held_out=holdout)
        return TrainingParts(learn, holdout, evidence)
