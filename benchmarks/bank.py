"""How well leadml predicts on the bank's leads, with default params, without the field that is known only afterwards.

Three random divisions of data/raw/bank.csv: rows are shuffled by ``sample(frac=1, random_state=s)`` for s = 0, 1, 2.
The first 70% are the training set, the others the holdout.
Run with: python benchmarks/bank.py [--json] [--keep] [--recorded]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from measure import finish, options

from leadml.leads.check.contract import LABEL, LEAD_ID, Contract
from leadml.leads.check.load import load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.split import RandomSplit
from leadml.model import metrics
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import baseline_probabilities
from leadml.params import Params, load_params

ROOT = Path(__file__).parents[1]
READ = (ROOT / "params.yaml", ROOT / "data" / "raw" / "bank.csv")
SEEDS = (0, 1, 2)
LEARN_SHARE = 0.7


def default_params() -> Params:
    """Return the data, target, features and stages of the project's params, and the defaults for everything else."""
    declared = load_params(ROOT / "params.yaml")
    return Params(data=declared.data, target=declared.target, features=declared.features, stages=declared.stages)


def main() -> None:
    """Fit and evaluate three times, print a table."""
    arguments = options(__doc__ or "", "bank", READ)
    params = default_params()
    contract = Contract.from_params(params)
    source = ROOT / params.data.path
    loaded = load_leads(FileSource(source, Dialect.from_params(params.data)), contract)
    leads = as_snapshots(loaded.frame).set_index(LEAD_ID, drop=False)
    ids = pd.read_csv(source, dtype=str)[params.data.lead_id]
    split = RandomSplit(params.split)
    rows, pooled = [], []
    for seed in SEEDS:
        shuffled = leads.loc[ids.sample(frac=1, random_state=seed)].reset_index(drop=True)
        size = int(LEARN_SHARE * len(shuffled))
        learn, holdout = shuffled.iloc[:size], shuffled.iloc[size:].reset_index(drop=True)
        label = holdout[LABEL].to_numpy(dtype=np.int8)
        model = fit_model(learn, contract.fields, params, split=split, rules=params.baselines.points).model
        probabilities = {"leadml": model.predict(holdout)}
        probabilities |= baseline_probabilities(learn, holdout, contract.fields, params)
        pooled.append((label, probabilities["leadml"]))
        rows += [(seed, name, *_figures(label, probability)) for name, probability in probabilities.items()]
    table = pd.DataFrame(rows, columns=["split", "model", "auc", "log_loss"])
    mean = table.groupby("model", sort=False)[["auc", "log_loss"]].mean()
    label, probability = (np.concatenate(parts) for parts in zip(*pooled, strict=True))
    figures = {
        "auc": float(mean.loc["leadml", "auc"]),
        "log_loss": float(mean.loc["leadml", "log_loss"]),
        "ece": metrics.ece(label, probability, np.ones(len(label))),
        "ece_by_chance": metrics.ece_by_chance(probability, seed=0),
    }
    print(table.round(4).to_string(index=False))
    print("\nmean of the splits")
    print(mean.round(4).to_string())
    print(f"\nECE {figures['ece']:.4f} over the three holdouts; by chance {figures['ece_by_chance']:.4f}")
    finish("bank", {name: round(value, 6) for name, value in figures.items()}, arguments)


def _figures(label: np.ndarray, probability: np.ndarray) -> tuple[float, float]:
    weight = np.ones(len(label))
    return metrics.roc_auc(label, probability, weight), metrics.log_loss(label, probability, weight)


if __name__ == "__main__":
    main()
