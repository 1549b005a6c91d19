"""Whether probabilities are true, judged by the truth of a simulated CRM that training never reads.

A CRM is simulated, models are trained on its tables with default params, and the probability of each look kept aside
(other leads, later dates) is compared with the true one. Beside it stands what the field does on the day on which the
model is trained: looks up to that day are learned from, and those whose horizon has not passed are called negative. Run
with: python benchmarks/truth.py [--json]
[--keep] [--recorded] [--leads N --months M --seed S]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from leadml.jobs.as_of import AsOfSettings, open_as_of_view
from leadml.jobs.training_set import TrainingSet, gather_training_set
from measure import finish, options
from scipy.optimize import minimize
from scipy.special import logit

from leadml.jobs.places import Places
from leadml.leads.asof.snapshots import scoring_snapshots, snapshot_dates
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID
from leadml.model import metrics
from leadml.model.fit.estimator import fit_model
from leadml.params import Params, load_params
from leadml.simulator.scenario import Scenario
from leadml.simulator.write import simulate

EXAMPLE = Path(__file__).parents[1] / "examples" / "crm" / "params.yaml"
NOW = "2026-01-01T00:00:00+00:00"
TARGETS = ("sql", "customer")
NAIVE_TARGET = "customer"
RARELY = 28  # days between the looks of the other way, so that it learns from about as many


def main() -> None:
    """Simulate, train, compare with the truth."""
    chosen = options(__doc__ or "", "truth", (EXAMPLE,), leads=40_000, months=24, seed=0)
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), leads=chosen.leads, months=chosen.months, seed=chosen.seed)
        found = {target: _judge(Path(name), target, truth) for target in TARGETS}
    rows = [{"target": name, "model": model, **row} for name, models in found.items() for model, row in models.items()]
    print(pd.DataFrame(rows).round(4).to_string(index=False))
    ours = [models["leadml"] for models in found.values()]
    figures = {
        "ece": max(row["ece"] for row in ours),
        "slope": max((row["slope"] for row in ours), key=lambda slope: abs(np.log(slope))),
        "looks": min(row["looks"] for row in ours),
        "targets": found,
    }
    finish("truth", figures, chosen)


def simulated(root: Path, *, leads: int, months: int, seed: int) -> pd.DataFrame:
    """Write the tables of a simulated CRM into a folder and return the true probabilities of its looks."""
    made = simulate(root / "data", leads=leads, months=months, seed=seed, scenario=Scenario(truth_leads=leads))
    print(f"simulated: {leads:,} leads, {made.activities:,} activities, {months} months")
    truth = pd.read_parquet(root / "data" / "truth")
    return truth.assign(**{AS_OF: truth[AS_OF].astype("int64")})


def prepare(root: Path, target: str, truth: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, TrainingSet, Places]:
    """Return the looks to learn from, those kept aside with their true probabilities, and where they come from."""
    project = Places(root, _params(), target)
    material = gather_training_set(project, now=NOW, progress=lambda _: None)
    frame = material.loaded.frame
    learn = frame[material.holdout.learnable(frame)].reset_index(drop=True)
    known = truth.loc[truth["target"] == target, [LEAD_ID, AS_OF, "probability"]]
    return learn, frame[material.holdout.mask(frame)].merge(known, on=[LEAD_ID, AS_OF]), material, project


def _params() -> Params:
    written = load_params(EXAMPLE)
    kept = ("data", "sources", "targets", "features", "stages")
    return Params(**{name: getattr(written, name) for name in kept})


def _judge(root: Path, target: str, truth: pd.DataFrame) -> dict[str, dict[str, float]]:
    learn, judge, material, project = prepare(root, target, truth)
    fields = material.contract.fields
    models = {"leadml": fit_model(learn, fields, project.params).model}
    if target == NAIVE_TARGET:
        naive = _immature_as_negative(project, material)
        models["immature as negative"] = fit_model(naive, fields, project.params).model
    true = judge["probability"].to_numpy()
    return {name: _figures(true, model.predict(judge), judge[LABEL].to_numpy()) for name, model in models.items()}


def _immature_as_negative(project: Places, material: TrainingSet) -> pd.DataFrame:
    """Return looks at the same leads up to the day of training, negative where the target was not reached by it."""
    as_of_settings, today = AsOfSettings.from_params(project.params, project.target), int(material.holdout.since or 0)
    with open_as_of_view(project, as_of_settings, material.contract, now=NOW, progress=lambda _: None) as view:
        rarely = project.params.snapshots.model_copy(update={"every": RARELY})
        dates = snapshot_dates(int(view.history.created_at.min()), today, rarely, timezone=None)
        looks = pd.concat([frame for date in dates for frame in scoring_snapshots(view, int(date))], ignore_index=True)
    looks = looks[~material.holdout.aside(looks)]
    outcomes = pd.read_parquet(project.root / "data" / "outcomes.parquet")
    reached = (
        outcomes[outcomes["outcome"] == as_of_settings.target.outcome].set_index(LEAD_ID)["occurred_at"].astype("int64")
    )
    at = looks[LEAD_ID].map(reached).to_numpy(dtype=float)
    within = (at >= looks[AS_OF]) & (at < looks[AS_OF] + as_of_settings.target.horizon * DAY) & (at < today)
    flat = looks.assign(**{LABEL: within.astype("int8"), LEAD_ID: [f"{row:08}" for row in range(len(looks))]})
    return flat.drop(columns=[AS_OF]).reset_index(drop=True)


def _figures(true: np.ndarray, said: np.ndarray, label: np.ndarray) -> dict[str, float]:
    weight = np.ones(len(true))

    def loss(line: np.ndarray) -> float:
        margin = line[0] + line[1] * logit(said)
        return float((np.logaddexp(0, margin) - true * margin).mean())

    fitted = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9})
    return {
        "looks": len(true),
        "ece": metrics.ece(true, said, weight),
        "slope": float(fitted.x[1]),
        "mean_said": float(said.mean()),
        "mean_true": float(true.mean()),
        "bias": float(said.mean() / true.mean() - 1),
        "auc": metrics.roc_auc(label, said, weight),
        "auc_of_truth": metrics.roc_auc(label, true, weight),
        "log_loss": metrics.log_loss(label, said, weight),
        "log_loss_of_truth": metrics.log_loss(label, true, weight),
    }


if __name__ == "__main__":
    main()
