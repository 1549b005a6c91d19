"""Find sensitive attributes that fields betray: a model that may not use an attribute can still know it.

A column that is no field is harmless only if the fields do not stand for it. Small trees of all fields are fitted for
each level of a declared attribute, on half of the leads, and judged on the other half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import inert, quoted
from leadml.leads.check.contract import LEAD_ID, SPLIT_KEY, kept_name
from leadml.leads.judge.findings import Finding
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.univariate_auc import CrossFittedTrees, estimate_auc, field_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.leads.check.field import Field
    from leadml.model.leaks.univariate_auc import AucEstimate
    from leadml.types import Mask

# "Acceptable discrimination" begins here: Hosmer and Lemeshow, "Applied Logistic Regression", 2nd ed. (2000), 5.2.4.
BETRAYED = 0.7
MIN_LEADS = 100  # of a level and of the others: an AUC of so many has a standard error of .04
MOST_LEADS = 20_000  # an AUC of so many is known to .01; more only take time
MOST_LEVELS = 6  # the most frequent ones; an attribute with more numbers is divided at its median
TWO = 2  # levels of an attribute that is yes or no
NAMED = 3  # fields that tell a level best
REMEDY = (
    "compare how its groups are staged, and exclude what tells it unless a lawful aim needs it (GDPR Article 9, EU "
    "directives 2000/43/EC and 2004/113/EC; US law on disparate impact)"
)


def judge_sensitive(
    frame: pd.DataFrame, fields: Sequence[Field], names: Sequence[str], *, order: Sequence[str]
) -> list[Finding]:
    """Return the finding RD14 of each declared attribute; nothing where none is declared.

    Parameters
    ----------
    frame
        Rows with ``lead_id``, ``split_key``, the fields, and the declared columns by their `kept_name`; of a lead with
        several rows the newest is used.
    fields
        The fields of the model.
    names
        The declared columns.
    order
        The columns by which rows are sorted before a fit.
    """
    if not names:
        return []
    newest = frame.sort_values(list(order), kind="stable").groupby(LEAD_ID, sort=False).tail(1)
    step = max(1, -(-len(newest) // MOST_LEADS))
    leads = newest.iloc[::step].reset_index(drop=True)
    return [_finding(leads, fields, name) for name in names]


def _finding(leads: pd.DataFrame, fields: Sequence[Field], name: str) -> Finding:
    """Return whether the fields tell one attribute."""
    known = leads[leads[kept_name(name)].notna()].reset_index(drop=True)
    told = [(level, *_told(known, fields, is_level)) for level, is_level in _levels(known[kept_name(name)])]
    judged = [(level, auc, by) for level, auc, by in told if auc is not None]
    if not judged:
        evidence = f"has no two levels of {MIN_LEADS} leads each, so it cannot be judged"
        return Finding("RD14", "not applicable", evidence, field=inert(name))
    level, auc, by = max(judged, key=lambda each: each[1].lower_bound)
    evidence = f"the fields tell {level} from other leads with a ROC AUC of {auc.value:.2f}"
    if auc.lower_bound <= BETRAYED:
        return Finding("RD14", "passed", f"{evidence}; no level is surely above {BETRAYED}", field=inert(name))
    return Finding("RD14", "warn", f"{evidence} ({by})", REMEDY, inert(name))


def _levels(values: pd.Series) -> Iterator[tuple[str, Mask]]:
    """Yield levels in words, and which rows have them; of two levels one, of many numbers those above the median."""
    counts = values.value_counts()
    numbers = pd.to_numeric(values, errors="coerce")
    if len(counts) > MOST_LEVELS and numbers.notna().all():
        middle = float(numbers.median())
        yield f"above {middle:g}", (numbers > middle).to_numpy()
        return
    common = sorted(counts.index, key=lambda level: (-counts[level], level))[:MOST_LEVELS]
    judged = common[:1] if len(counts) == TWO else common  # who is told from the others tells the others, too
    yield from ((quoted(level), (values == level).to_numpy()) for level in judged)


def _told(leads: pd.DataFrame, fields: Sequence[Field], is_level: Mask) -> tuple[AucEstimate | None, str]:
    """Return how well the fields tell a level, and which do it best alone; None where too few leads have it or not."""
    groups = pd.factorize(leads[SPLIT_KEY])[0].astype(np.intp)
    outcome = Outcome(is_level.astype(np.int8), groups)
    if outcome.groups_of_rarer_class < MIN_LEADS or not outcome.has_both_classes:
        return None, ""
    log_odds, _ = CrossFittedTrees(leads, fields, outcome).cross_fit(fields)
    auc = estimate_auc(outcome, log_odds)
    if auc.lower_bound <= BETRAYED:
        return auc, ""
    alone = {field.name: estimate_auc(outcome, field_scores(leads[field.name], field, outcome)) for field in fields}
    best = sorted(alone, key=lambda name: -alone[name].value)[:NAMED]
    return auc, "alone: " + ", ".join(f"{inert(name)} {alone[name].value:.2f}" for name in best)
