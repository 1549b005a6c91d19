"""Whether leadml beats Odoo's lead scoring, a team's points and logistic regression, beyond chance.

On leads kept aside: the bank's campaigns and the bundled leads (random 70/30, the splits of compare.py), and looks of a
simulated CRM (other leads, later dates; its two targets). Every difference is leadml's figure less the other's, with a
paired bootstrap interval over leads, or accounts in the CRM. Default params; what the points are is written below.
Run with: python benchmarks/rivals.py [--json] [--keep] [--recorded] [--data DIR] [--leads N --months M --seed S]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from compare_data import BUNDLED, splits
from measure import data_folder, finish, options
from truth import EXAMPLE, TARGETS, prepare, simulated

from leadml.leads.check.contract import AS_OF, LABEL, SPLIT_KEY
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import LOGISTIC, ODOO, POINTS, baseline_probabilities
from leadml.model.judge.evaluation import HoldoutPredictions, evaluate
from leadml.params import BaselineParams, Params, PointsRule, load_params

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field

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
    """Fit, judge, print the differences."""
    files = (ROOT / "params.yaml", EXAMPLE, BUNDLED, "bank-additional-full.csv.gz")
    chosen = options(__doc__ or "", "rivals", files, data=data_folder(), leads=40_000, months=24, seed=0)
    written = load_params(ROOT / "params.yaml")
    flat = Params(data=written.data, target=written.target, features=written.features, stages=written.stages)
    rows = []
    for split in splits(chosen.data):
        if split.name in BANK:
            learn, judge = (part.reset_index(drop=True) for part in (split.learn, split.judge))
            rows += _rows(split.name, (learn, judge), split.fields, _with_points(flat, BANK_POINTS))
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), leads=chosen.leads, months=chosen.months, seed=chosen.seed)
        for target in TARGETS:
            learn, judge, material, project = prepare(Path(name), target, truth)
            params = _with_points(project.params, CRM_POINTS)
            rows += _rows(f"crm {target}", (learn, judge), material.contract.fields, params)
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    rivals = table[table["model"].isin((ODOO, POINTS))]
    beaten = _beaten(rivals)
    print(f"{beaten} of {len(rivals)} intervals beside {ODOO} and the {POINTS} lie on leadml's side of 0")
    finish("rivals", {"compared": len(rivals), "beaten": beaten, "rows": rows}, chosen)


def _with_points(params: Params, points: Sequence[PointsRule]) -> Params:
    return params.model_copy(update={"baselines": BaselineParams(points=tuple(points))})


def _rows(
    name: str, parts: tuple[pd.DataFrame, pd.DataFrame], fields: Sequence[Field], params: Params
) -> list[dict[str, Any]]:
    learn, judge = parts
    said = fit_model(learn, fields, params).model.predict(judge)
    baselines = baseline_probabilities(learn, judge, fields, params)
    groups = judge[SPLIT_KEY].to_numpy() if AS_OF in judge else None
    label = judge[LABEL].to_numpy(dtype=np.int8)
    judged = HoldoutPredictions(label, said, np.empty((len(label), 0)), (), {}, baselines, groups)
    models = evaluate(judged, params.evaluation, seed=params.split.seed).models
    shown = models[models["metric"].isin(("roc_auc", "log_loss")) & models["model"].isin((ODOO, POINTS, LOGISTIC))]
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
        for row in shown.to_dict("records")
    ]


def _beaten(rivals: pd.DataFrame) -> int:
    """Return how many intervals lie on leadml's side of 0."""
    losses = rivals["metric"] == "log_loss"
    return int((rivals["high"] < 0)[losses].sum() + (rivals["low"] > 0)[~losses].sum())


if __name__ == "__main__":
    main()
