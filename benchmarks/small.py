"""Few leads: leadml beside a logistic regression and a calibrated points rule, on many small draws of leads.

From the training set of each data set 20 draws of 300, 1,000 and 3,000 leads are taken, and 20 that have just 30, 60
and 120 leads that convert; dated leads come with all their snapshots. All are judged on the same holdout. leadml has
the points rule as a project has it that declares one in its params.

- `sets`, and `not_worse`: in how many cases of set and size the log loss of leadml, over the draws, is not above that
  of the logistic regression by more than two standard errors of the paired difference;
- `rules`: the same beside the calibrated rule, at 30, 60 and 120 conversions.

With --only and --keep a set is added to the kept ones.
Run with: python benchmarks/small.py [--json] [--keep] [--recorded] [--data DIR] [--only SET]
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from checkouts_fit import Sections
from compare_data import READ
from measure import ROOT, data_folder, finish, options
from steady import tasks

from leadml.leads.check.contract import LABEL, LEAD_ID
from leadml.model import metrics
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import LOGISTIC, POINTS, baseline_probabilities
from leadml.params import BaselineParams, ModelParams, PointsRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady import Task

SETS = ("bank_forward", "shoppers", "bank_small", "cdnow", "crm_1")
SIZES, CONVERSIONS = (300, 1000, 3000), (30, 60, 120)
KINDS = ("leads", "conversions")
DRAWS, ERRORS, JUDGED = 20, 2.0, 5000
RULES = {
    "bank_forward": (
        {"field": "poutcome", "any_of": ["success"], "points": 30},
        {"field": "contact", "any_of": ["cellular"], "points": 10},
        {"field": "job", "any_of": ["student", "retired"], "points": 10},
        {"field": "campaign", "at_most": 1, "points": 5},
    ),
    "shoppers": (
        {"field": "VisitorType", "any_of": ["New_Visitor"], "points": 10},
        {"field": "ProductRelated", "at_least": 30, "points": 10},
        {"field": "ExitRates", "at_most": 0.02, "points": 10},
        {"field": "SpecialDay", "at_least": 0.2, "points": -5},
    ),
    "bank_small": (
        {"field": "poutcome", "any_of": ["success"], "points": 30},
        {"field": "contact", "any_of": ["cellular"], "points": 10},
        {"field": "housing", "any_of": ["no"], "points": 5},
        {"field": "balance", "at_least": 1000, "points": 5},
        {"field": "job", "any_of": ["student", "retired"], "points": 10},
    ),
    "cdnow": (
        {"field": "purchase_30d", "at_least": 1, "points": 10},
        {"field": "purchase_90d", "at_least": 1, "points": 10},
        {"field": "purchase_365d", "at_least": 3, "points": 10},
        {"field": "first_value", "at_least": 50, "points": 5},
    ),
    "crm_1": (
        {"field": "demo_request_30d", "at_least": 1, "points": 20},
        {"field": "pricing_page_30d", "at_least": 1, "points": 15},
        {"field": "timeline", "any_of": ["this quarter"], "points": 10},
        {"field": "email_domain", "any_of": ["free"], "points": -10},
        {"field": "title_rank", "any_of": ["student"], "points": -20},
    ),
}


def main() -> None:
    """Fit all draws, print a table."""
    files = (ROOT / "params.yaml", *READ)
    chosen = options(__doc__ or "", "small", files, in_parts=True, data=data_folder(), only="")
    cases: dict[str, Any] = chosen.kept.get("cases", {})
    with ProcessPoolExecutor() as pool:
        for name, (task,) in ((name, found) for name, found in tasks(chosen.data, chosen.only) if name in SETS):
            jobs = list(draws(name, task))
            losses = pool.map(fitted, [learn for _, learn in jobs], [task] * len(jobs), [name] * len(jobs))
            rows = [{**labels, **loss} for (labels, _), loss in zip(jobs, losses, strict=True)]
            cases |= summary(pd.DataFrame(rows))
            print(pd.DataFrame(cases).T.to_string(), flush=True)
    of_sizes, of_rules = ([case for case in cases.values() if case["kind"] == kind] for kind in KINDS)
    figures = {"sets": len(of_sizes), "not_worse": sum(case["not_worse_than_logistic"] for case in of_sizes)}
    rules = {"sets": len(of_rules), "not_worse": sum(case["not_worse_than_points"] for case in of_rules)}
    finish("small", {**figures, "rules": rules, "cases": cases}, chosen)


def draws(name: str, task: Task) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the draws of a training set."""
    converts = task.learn.groupby(LEAD_ID, sort=True)[LABEL].max()
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(converts))
        total = np.cumsum(converts.to_numpy()[order])
        counts = [(KINDS[0], size, size) for size in SIZES]
        counts += [(KINDS[1], count, int(np.searchsorted(total, count)) + 1) for count in CONVERSIONS]
        for kind, size, count in counts:
            leads = converts.index[order[:count]]
            learn = task.learn[task.learn[LEAD_ID].isin(leads)].reset_index(drop=True)
            yield {"set": name, "kind": kind, "size": size, "draw": draw}, learn


class RuledSections(Sections):
    """The sections that a fit and its baselines read, with the points of a team; threads change no number."""

    model = ModelParams(threads=1)

    def __init__(self, rules: list[PointsRule]) -> None:
        """Store the rules."""
        self.baselines = BaselineParams(points=tuple(rules))


def fitted(learn: pd.DataFrame, task: Task, name: str) -> dict[str, float]:
    """Return the log loss of each model on the holdout."""
    judged = task.holdout.sample(min(JUDGED, len(task.holdout)), random_state=0)
    rules = [PointsRule(**rule) for rule in RULES[name]]
    params = RuledSections(rules)
    fitted = fit_model(learn, task.fields, params, split=task.split, rules=rules)
    said = {"leadml": fitted.model.predict(judged)}
    said |= baseline_probabilities(learn, judged, task.fields, params)
    label, weight = judged[LABEL].to_numpy(dtype=np.int8), np.ones(len(judged))
    return {model: metrics.log_loss(label, said[model], weight) for model in ("leadml", LOGISTIC, POINTS)}


def summary(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the mean log losses of each size of a set, and whether leadml's is not surely above another."""
    found = {}
    for (name, kind, size), draws_of_it in rows.groupby(["set", "kind", "size"]):
        case: dict[str, Any] = {"kind": kind}
        for model in ("leadml", LOGISTIC, POINTS):
            case[model.replace(" ", "_")] = float(draws_of_it[model].mean())
        for model in (LOGISTIC, POINTS):
            behind = draws_of_it["leadml"] - draws_of_it[model]
            error = behind.std(ddof=1) / np.sqrt(len(behind))
            case[f"not_worse_than_{model.split()[0]}"] = bool(behind.mean() <= ERRORS * error)
        found[f"{name}_{size}_{kind}"] = case
    return found


if __name__ == "__main__":
    main()
