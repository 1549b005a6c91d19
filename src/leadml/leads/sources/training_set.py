"""What a model is learned from: rows with labels, how they are divided, and what is known of them.

Training, checking and replaying start from the same value, so that they judge the same rows in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leadml.leads.judge.maturity import Maturity, ReachedByAge

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.check.contract import Contract
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.leads.judge.findings import Finding
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.split import Holdout, Split


@dataclass(frozen=True)
class DataFacts:
    """Where the rows of a training set came from, for the record.

    Parameters
    ----------
    source
        Name of the file or the tables.
    rows, merged
        Rows of the table of leads, and those of them that repeat another.
    counts
        Further counts by name: activities, outcomes and those of unknown leads.
    rows_by_kind
        Activities of known leads by the kinds that have features.
    maturity
        How many snapshots had a known label; None of flat leads, whose labels are in the file.
    """

    source: str
    rows: int
    merged: int
    counts: Mapping[str, int] = field(default_factory=dict)
    rows_by_kind: Mapping[str, int] = field(default_factory=dict)
    maturity: Maturity | None = None

    @property
    def by_age(self) -> tuple[ReachedByAge, ...]:
        """How long conversions take; nothing where leads have no dated outcomes."""
        return () if self.maturity is None else self.maturity.by_age


@dataclass(frozen=True)
class TrainingParts:
    """The two parts of a training set.

    Parameters
    ----------
    learn
        Rows to fit on.
    holdout
        Rows of the evaluation, which nothing is fitted on.
    evidence
        What the leak gate is given of the rows to fit on.
    """

    learn: pd.DataFrame
    holdout: pd.DataFrame
    evidence: LeakEvidence


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows, one for each lead or snapshot.

    Parameters
    ----------
    frame
        ``lead_id``, ``split_key``, ``as_of`` and ``mature_at`` where rows have instants, the fields and ``converted``.
    contract
        Columns and fields.
    settings
        How the snapshots are taken.
    split
        How the rows are divided.
    holdout
        The rule that holds rows out.
    evidence
        What the leak gate is given, with order and clock of all rows.
    findings
        What was found in the tables on the way.
    facts
        Where the rows came from.
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
        learn, holdout = (self.frame[rows].reset_index(drop=True) for rows in (learnable, held_out))
        evidence = replace(self.evidence.part(learnable.nonzero()[0]), held_out=holdout)
        return TrainingParts(learn, holdout, evidence)
