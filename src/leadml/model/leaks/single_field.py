"""Rules that judge each field by itself: LK1 AUC, LK2 name, LK4 missing values, LK5 values.

A field has at most one suspicion from these rules. How much a field adds to the other fields is judged in
`leadml.model.leaks.incremental_auc`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadml.model.leaks.levels import find_implying_blank, find_implying_value
from leadml.model.leaks.outcome_names import is_outcome_name
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import AucEstimate, bins_of, estimate_auc, out_of_fold_rates

if TYPE_CHECKING:
    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.model.leaks.outcome import Outcome
    from leadml.params import LeakParams
    from leadml.types import Floats, Mask, Rows


OUTCOME_NAME_AUC = 0.55  # chance is within 0.056 (two errors) in 1,000 leads with 120 conversions
CHANCE = 0.5  # AUC
MIN_LEADS_OF_BIN = 20  # a rate of 20 leads has an error of 0.11 at most
WARN_FILL_AUC = 0.7  # of being filled, a lower bound: people fill in more for better leads; see leak_limits.py
MIN_FILLED = 0.5  # of the rows: where fewer have a value, the shape of its rates is that of few leads
MAX_JUMP = 2.5  # of log-odds from bin to bin: 12 times the odds; see leak_limits.py
MAX_JUMP_OF_TWO_BINS = 3.3  # of log-odds over two bins: 27 times the odds, less than two jumps; see leak_limits.py
MANY_BINS = 15  # with fewer of the 20 bins, two neighbours are far apart in an honest number too
PLATEAU_SHARE = 0.6  # of the range of all bins in one step: most of what the field tells is one switch
PRIOR_LEADS = 10.0  # half of MIN_LEADS_OF_BIN: keeps the log-odds of a bin without conversions finite


@dataclass(frozen=True)
class JudgedField:
    """One field of labelled leads.

    Parameters
    ----------
    field
        Name and kind.
    column
        Values, shape (n_rows,).
    outcome
        Labels and groups of the rows.
    """

    field: Field
    column: pd.Series
    outcome: Outcome

    @cached_property
    def filled(self) -> Mask:
        """Whether each row has a value."""
        return self.column.notna().to_numpy()

    @cached_property
    def bins(self) -> Rows:
        """The bin of each row; see `bins_of`."""
        return bins_of(self.column, self.field)

    @cached_property
    def scores(self) -> Floats:
        """The out-of-fold conversion rate of each row's bin."""
        return out_of_fold_rates(self.bins, self.outcome)

    @cached_property
    def auc(self) -> AucEstimate:
        """Out-of-fold AUC of the field by itself."""
        return estimate_auc(self.outcome, self.scores)

    @cached_property
    def gradual(self) -> bool:
        """Whether the log-odds of conversion change gradually from bin to bin, as those of a cause do.

        Bins of a number are in its order, levels in the order of their rates; bins of few rows are left out. A number
        with two plateaus and one jump between them is not gradual, however small the jump is.
        """
        bins, labels = self.bins[self.filled], self.outcome.labels[self.filled]
        if self.filled.mean() < MIN_FILLED or labels.min() == labels.max():
            return False
        sizes, converted = np.bincount(bins), np.bincount(bins, weights=labels)
        large = sizes >= MIN_LEADS_OF_BIN
        if not large.any():
            return False
        prior = PRIOR_LEADS * labels.mean()
        log_odds = np.log((converted[large] + prior) / (sizes[large] - converted[large] + PRIOR_LEADS - prior))
        ordered = log_odds if self.field.kind == "number" else np.sort(log_odds)
        jump, jump_of_two = (np.abs(ordered[lag:] - ordered[:-lag]).max(initial=0.0) for lag in (1, 2))
        # where a bin contains the jump, each of its sides shows half of it
        halved_jump = len(log_odds) > MANY_BINS and jump_of_two > MAX_JUMP_OF_TWO_BINS
        plateaus = self.field.kind == "number" and jump > PLATEAU_SHARE * np.ptp(log_odds)
        return bool(jump <= MAX_JUMP and not halved_jump and not plateaus)

    def where_filled(self) -> JudgedField | None:
        """Return the field of the rows that have a value, None where too few have one or too few have none."""
        if min(self.filled.sum(), (~self.filled).sum()) < MIN_LEADS_OF_BIN:
            return None
        part = self.outcome.part(self.filled)
        if part.groups_of_rarer_class < MIN_LEADS_OF_BIN or not part.has_both_classes:
            return None
        return JudgedField(self.field, self.column[self.filled].reset_index(drop=True), part)


def suspect_single_field(judged_field: JudgedField, leaks: LeakParams) -> Suspicion | None:
    """Return the first suspicion that stops, else the first that warns, else None."""
    rules = (_suspect_auc, _suspect_name, _suspect_blanks, _suspect_value, _suspect_auc_where_filled)
    suspicions = [suspicion for rule in rules if (suspicion := rule(judged_field, leaks))]
    return min(suspicions, key=lambda suspicion: suspicion.severity != "stop", default=None)


def _suspect_auc(judged_field: JudgedField, leaks: LeakParams) -> Suspicion | None:
    if judged_field.auc.lower_bound < leaks.alone:
        return None
    evidence = (
        f"by itself has an AUC of {judged_field.auc.value:.3f}, too high for a field that is known before the outcome"
    )
    return Suspicion("LK1", "stop", evidence, judged_field.field.name)


def _suspect_auc_where_filled(judged_field: JudgedField, leaks: LeakParams) -> Suspicion | None:
    part = judged_field.where_filled()
    if part is None or part.auc.lower_bound < leaks.alone:
        return None
    evidence = (
        f"by itself has an AUC of {part.auc.value:.3f} among the {len(part.column):,} leads where it is filled in, too "
        "high for a field that is known before the outcome"
    )
    return Suspicion("LK1", "stop", evidence, judged_field.field.name)


def _suspect_name(judged_field: JudgedField, _: LeakParams) -> Suspicion | None:
    if not is_outcome_name(judged_field.field.name):
        return None
    auc = f"its AUC by itself is {judged_field.auc.value:.3f}"
    evidence = f"is named like a field that is filled in after the outcome; {auc}"
    if judged_field.auc.value >= OUTCOME_NAME_AUC and judged_field.auc.lower_bound > CHANCE:
        return Suspicion("LK2", "stop", evidence, judged_field.field.name)
    return Suspicion("LK2", "warn", f"{evidence}, which is no better than chance", judged_field.field.name)


def _suspect_blanks(judged_field: JudgedField, leaks: LeakParams) -> Suspicion | None:
    filled = judged_field.filled
    # nobody fills in a field of activities: where it is missing, nothing has happened yet
    of_activities = judged_field.field.source == "activity"
    if of_activities or min(filled.sum(), (~filled).sum()) < MIN_LEADS_OF_BIN:
        return None
    auc = estimate_auc(judged_field.outcome, out_of_fold_rates(filled.astype(np.intp), judged_field.outcome))
    blank = find_implying_blank(filled, judged_field.outcome)
    evidence = (
        f"is filled in for {filled.mean():.0%} of the leads, and whether it is filled in has an AUC of "
        f"{auc.value:.3f} by itself"
    )
    evidence = f"{evidence}; {blank}" if blank else evidence
    if auc.lower_bound >= leaks.fill or (blank and blank.is_common):
        return Suspicion("LK4", "stop", evidence, judged_field.field.name)
    if auc.lower_bound >= WARN_FILL_AUC or blank:
        return Suspicion("LK4", "warn", evidence, judged_field.field.name)
    return None


def _suspect_value(judged_field: JudgedField, _: LeakParams) -> Suspicion | None:
    value = find_implying_value(judged_field.column, judged_field.field, judged_field.outcome)
    if value is None:
        return None
    evidence = f"has a value that implies the outcome: {value}"
    return Suspicion("LK5", "stop" if value.is_common else "warn", evidence, judged_field.field.name)
