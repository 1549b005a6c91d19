"""Compare probabilities with the true ones of a simulated CRM, which training never reads.

A CRM is simulated, models are trained on its tables with default params, and the probability of each snapshot of the
holdout (other accounts, later dates) is compared with the true one. A second model is trained as many people do on the
day of the training: on snapshots up to that day, where those whose horizon has not passed count as negative.
Run with: python benchmarks/truth.py [--json] [--keep] [--recorded] [--leads N --months M --seed S]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from measure import finish, options
from scipy.optimize import minimize
from scipy.special import logit

from leadml.leads.asof.snapshots import scoring_snapshots, snapshot_dates
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, Contract
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.sources.settings import AsOfSettings
from leadml.leads.split import TimeSplit
from leadml.model import metrics
from leadml.model.fit.estimator import fit_model
from leadml.params import Params, load_params
from leadml.simulator.scenario import Scenario
from leadml.simulator.write import simulate

if TYPE_CHECKING:
    from leadml.leads.sources.training_set import TrainingSet

EXAMPLE = Path(__file__).parents[1] / "examples" / "crm" / "params.yaml"
NOW = "2026-01-01T00:00:00+00:00"
TARGETS = ("sql", "customer")
NAIVE_TARGET = "customer"
NAIVE_DAYS = 28  # days between the snapshots of the naive model, so that it learns from about as many


@dataclass(frozen=True)
class Prepared:
    """A training set of the simulated CRM, and the true probabilities of its holdout.

    Parameters
    ----------
    source
        The tables.
    training
        The training set.
    learn
        Snapshots to fit on.
    holdout
        Snapshots of the holdout, with their true ``probability``.
    """

    source: DatedLeads
    training: TrainingSet
    learn: pd.DataFrame
    holdout: pd.DataFrame

    @property
    def params(self) -> Params:
        """The params of the example, with the defaults for all that it does not declare."""
        return self.source.params


def main() -> None:
    """Simulate, train, compare with the true probabilities."""
    arguments = options(__doc__ or "", "truth", (EXAMPLE,), leads=40_000, months=24, seed=0)
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), leads=arguments.leads, months=arguments.months, seed=arguments.seed)
        targets = {target: _evaluate(prepare(Path(name), target, truth)) for target in TARGETS}
    rows = [
        {"target": target, "model": model, **row} for target, models in targets.items() for model, row in models.items()
    ]
    print(pd.DataFrame(rows).round(4).to_string(index=False))
    ours = [models["leadml"] for models in targets.values()]
    figures = {
        "ece": max(row["ece"] for row in ours),
        "slope": max((row["slope"] for row in ours), key=lambda slope: abs(np.log(slope))),
        "looks": min(row["looks"] for row in ours),
        "targets": targets,
    }
    finish("truth", figures, arguments)


def simulated(root: Path, *, leads: int, months: int, seed: int) -> pd.DataFrame:
    """Write the tables of a simulated CRM into a folder and return the true probabilities of its snapshots."""
    simulation = simulate(root / "data", leads=leads, months=months, seed=seed, scenario=Scenario(truth_leads=leads))
    print(f"simulated: {leads:,} leads, {simulation.activities:,} activities, {months} months")
    truth = pd.read_parquet(root / "data" / "truth")
    return truth.assign(**{AS_OF: truth[AS_OF].astype("int64")})


def prepare(root: Path, target: str, truth: pd.DataFrame) -> Prepared:
    """Return the training set of a target, and its holdout with the true probabilities."""
    params = _params()
    source = DatedLeads(root, params, Contract.from_params(params), AsOfSettings.from_params(params, target), NOW)
    training = source.training(progress=lambda _: None)
    parts = training.parts()
    probabilities = truth.loc[truth["target"] == target, [LEAD_ID, AS_OF, "probability"]]
    return Prepared(source, training, parts.learn, parts.holdout.merge(probabilities, on=[LEAD_ID, AS_OF]))


def _params() -> Params:
    declared = load_params(EXAMPLE)
    names = ("data", "sources", "targets", "features", "stages")
    return Params(**{name: getattr(declared, name) for name in names})


def _evaluate(prepared: Prepared) -> dict[str, dict[str, float]]:
    fields, params = prepared.training.contract.fields, prepared.params
    models = {"leadml": fit_model(prepared.learn, fields, params, split=prepared.training.split).model}
    if prepared.source.settings.target.name == NAIVE_TARGET:
        naive = as_snapshots(_immature_as_negative(prepared))
        split = TimeSplit(params.split, copies=True)  # the snapshots of an account are divided like copies of a row
        models["immature as negative"] = fit_model(naive, fields, params, split=split).model
    holdout = prepared.holdout
    true, label = holdout["probability"].to_numpy(), holdout[LABEL].to_numpy()
    return {name: _figures(true, model.predict(holdout), label) for name, model in models.items()}


def _immature_as_negative(prepared: Prepared) -> pd.DataFrame:
    """Return snapshots of the same leads up to the day of training, negative where the target was not reached by it."""
    source, target, holdout = prepared.source, prepared.source.settings.target, prepared.training.holdout
    today = int(holdout.since or 0)
    with source.view(lambda _: None) as view:
        calendar = prepared.params.snapshots.model_copy(update={"every": NAIVE_DAYS})
        dates = snapshot_dates(int(view.history.created_at.min()), today, calendar, timezone=None)
        frames = [frame for date in dates for frame in scoring_snapshots(view, int(date))]
        snapshots = pd.concat(frames, ignore_index=True)
    snapshots = snapshots[~holdout.draws(snapshots)]
    outcomes = pd.read_parquet(source.root / "data" / "outcomes.parquet")
    reached = outcomes[outcomes["outcome"] == target.outcome].set_index(LEAD_ID)["occurred_at"].astype("int64")
    reached_at = snapshots[LEAD_ID].map(reached).to_numpy(dtype=float)
    end = snapshots[AS_OF] + target.horizon * DAY
    within = (reached_at >= snapshots[AS_OF]) & (reached_at < end) & (reached_at < today)
    ids = [f"{row:08}" for row in range(len(snapshots))]
    flat = snapshots.assign(**{LABEL: within.astype("int8"), LEAD_ID: ids})
    return flat.drop(columns=[AS_OF]).reset_index(drop=True)


def _figures(true: np.ndarray, probability: np.ndarray, label: np.ndarray) -> dict[str, float]:
    weight = np.ones(len(true))

    def loss(line: np.ndarray) -> float:
        margin = line[0] + line[1] * logit(probability)
        return float((np.logaddexp(0, margin) - true * margin).mean())

    fitted = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9})
    return {
        "looks": len(true),
        "ece": metrics.ece(true, probability, weight),
        "slope": float(fitted.x[1]),
        "mean_said": float(probability.mean()),
        "mean_true": float(true.mean()),
        "bias": float(probability.mean() / true.mean() - 1),
        "auc": metrics.roc_auc(label, probability, weight),
        "auc_of_truth": metrics.roc_auc(label, true, weight),
        "log_loss": metrics.log_loss(label, probability, weight),
        "log_loss_of_truth": metrics.log_loss(label, true, weight),
    }


if __name__ == "__main__":
    main()
