"""Whether leadml beats Odoo's lead scoring, a team's points and logistic regression by more than chance.

On holdouts: of the bank's campaigns and the bundled leads (random 70/30, as in compare.py), and of snapshots of a
simulated CRM (other accounts, later dates; its two targets). Every difference is leadml's figure less the other's, with
a paired bootstrap interval over leads, or over accounts in the CRM. Default params; the points rules are below.
Run with: python benchmarks/rivals.py [--json] [--keep] [--recorded] [--data DIR] [--leads N --months M --seed S]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from compare_data import BUNDLED, divided_data
from measure import data_folder, finish, options
from truth import EXAMPLE, TARGETS, prepare, simulated

from leadml.leads.check.contract import LABEL
from leadml.leads.split import column_of
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import LOGISTIC, ODOO, POINTS, baseline_probabilities
from leadml.model.judge.evaluation import evaluate_holdout
from leadml.model.judge.predictions import HoldoutPredictions
from leadml.params import BaselineParams, Params, PointsRule, load_params

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split

ROOT = Path(__file__).parents[1]
BANK = ("bank_random", "bank_small")
BANK_POINTS = (
    PointsRule(field="poutcome", any_of=("success",), points=30),
    PointsRule(field="contact", any_of=("cellular",), points=10),
    PointsRule(field="job", any_of=("student", "retired"), points=10),
    PointsRule(field="housing", any_of=("no",), points=5),
    PointsRule(field="previous", at_least=1, points=5),
)
CRM_POINTS = (
    PointsRule(field="demo_request_30d", at_least=1, points=30),
    PointsRule(field="pricing_page_30d", at_least=1, points=20),
    PointsRule(field="title_rank", any_of=("executive", "vice president", "director"), points=15),
    PointsRule(field="budget_given", at_least=1, points=10),
    PointsRule(field="meeting_90d", at_least=1, points=10),
    PointsRule(field="email_click_30d", at_least=1, points=5),
    PointsRule(field="activity_last", at_most=7, points=5),
)


def main() -> None:
    """Fit, evaluate, print the differences."""
    files = (ROOT / "params.yaml", EXAMPLE, BUNDLED, "bank-additional-full.csv.gz")
    arguments = options(__doc__ or "", "rivals", files, data=data_folder(), leads=40_000, months=24, seed=0)
    declared = load_params(ROOT / "params.yaml")
    flat = Params(data=declared.data, target=declared.target, features=declared.features, stages=declared.stages)
    rows = []
    for data in divided_data(arguments.data):
        if data.name in BANK:
            params, split = _with_points(flat, BANK_POINTS), data.split(flat.split)
            rows += _rows(data.name, (data.learn, data.holdout), data.fields, params, split)
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), leads=arguments.leads, months=arguments.months, seed=arguments.seed)
        for target in TARGETS:
            prepared = prepare(Path(name), target, truth)
            params, training = _with_points(prepared.params, CRM_POINTS), prepared.training
            parts = prepared.learn, prepared.holdout
            rows += _rows(f"crm {target}", parts, training.contract.fields, params, training.split)
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    rivals = table[table["model"].isin((ODOO, POINTS))]
    beaten = _beaten(rivals)
    print(f"{beaten} of {len(rivals)} intervals of differences to {ODOO} and the {POINTS} show that leadml is better")
    finish("rivals", {"compared": len(rivals), "beaten": beaten, "rows": rows}, arguments)


def _with_points(params: Params, points: Sequence[PointsRule]) -> Params:
    return params.model_copy(update={"baselines": BaselineParams(points=tuple(points))})


def _rows(
    name: str, parts: tuple[pd.DataFrame, pd.DataFrame], fields: Sequence[Field], params: Params, split: Split
) -> list[dict[str, Any]]:
    learn, holdout = parts
    probability = fit_model(learn, fields, params, split=split).model.predict(holdout)
    baselines = baseline_probabilities(learn, holdout, fields, params)
    groups = column_of(holdout, split.cluster)
    label = holdout[LABEL].to_numpy(dtype=np.int8)
    predictions = HoldoutPredictions(label, probability, np.empty((len(label), 0)), (), {}, baselines, groups)
    models = evaluate_holdout(predictions, params.evaluation, seed=params.split.seed).models
    compared = models[models["metric"].isin(("roc_auc", "log_loss")) & models["model"].isin((ODOO, POINTS, LOGISTIC))]
    return [
        {
            "leads": name,
            "model": row["model"],
            "metric": row["metric"],
            "value": row["value"],
            "difference": row["difference"],
            "low": row["difference_low"],
            "high": row["difference_high"],
        }
        for row in compared.to_dict("records")
    ]


def _beaten(rivals: pd.DataFrame) -> int:
    """Return how many intervals show that leadml is better: below 0 of log loss, above 0 of ROC AUC."""
    is_loss = rivals["metric"] == "log_loss"
    return int((rivals["high"] < 0)[is_loss].sum() + (rivals["low"] > 0)[~is_loss].sum())


if __name__ == "__main__":
    main()
