"""How many leads a second leadml explains, compared with LightGBM's predictions, shap and woodelf, and how exactly.

The model is fitted with default params on the first 70% of bank-additional-full.csv.gz, shuffled by
``sample(frac=1, random_state=7)``, without ``duration``; a million leads are drawn from the others with replacement.
All get the same rows as arrays in memory, fields as numbers and codes, and only computing is timed. shap and woodelf
are timed on 20,000 of the rows, woodelf with --peers only (pip install woodelf-explainer). A second model of 300 trees
of 31 leaves is measured too, on 20,000 rows where some of its trees are not in the look-up tables.
Run with: python benchmarks/explain.py [--json] [--keep] [--recorded] [--data DIR] [--rows N] [--peers]
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from leak_cases import KNOWN_LEAKS, campaigns
from measure import data_folder, finish, options

from leadml.leads.check.contract import LABEL
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.split import RandomSplit
from leadml.model.fit.estimator import fit_model
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart
from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, fit_boosters
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.lead_model import LeadModel, sum_by_owner
from leadml.params import ModelParams, Params, load_params

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
FEW = 20_000
DEEP_LEAVES, DEEP_TREES = 31, 300  # as LightGBM by default, with three times its trees
DEEP_PENALTY = 5.0


def main() -> None:
    """Fit both models, time everything, print a table."""
    files = (ROOT / "params.yaml", "bank-additional-full.csv.gz")
    arguments = options(__doc__ or "", "explain", files, rows=1_000_000, data=data_folder(), peers=False)
    case = campaigns(arguments.data, 0)
    case = case.without_field(KNOWN_LEAKS[case.source])
    shuffled = as_snapshots(case.frame.sample(frac=1, random_state=7).reset_index(drop=True))
    size = int(0.7 * len(shuffled))
    learn, holdout = shuffled[:size], shuffled[size:].reset_index(drop=True)
    params = _default_params()
    fitted = fit_model(learn, case.fields, params, split=RandomSplit(params.split)).model
    fields, label = fitted.encoder.fields_of(learn), learn[LABEL].to_numpy(dtype=np.int8)
    data = BoosterData(fields, label, (0,) * fields.shape[1])
    [text] = fit_boosters([(data, TreeSettings(DEEP_LEAVES, DEEP_PENALTY), DEEP_TREES)], ModelParams())
    deep = LeadModel.of(
        fitted.encoder,
        LinearPart(0.0, ()),
        Trees.of([(text, [1.0] * DEEP_TREES)]),
        calibrator=Calibrator(),
        intervals=Intervals(0.0, 0.9),
    )
    figures = {}
    for name, model in (("default", fitted), ("300 trees of 31 leaves", deep)):
        figures[name] = _measure(model, holdout, rows=arguments.rows, peers=arguments.peers)
        print(name)
        print(pd.DataFrame([figures[name]]).T.round(4).to_string(header=False), flush=True)
    finish("explain", {**figures["default"], "deep": figures["300 trees of 31 leaves"]}, arguments)


def _measure(model: LeadModel, holdout: pd.DataFrame, *, rows: int, peers: bool) -> dict[str, Any]:
    rows = min(rows, FEW) if model.lookup.uncompiled else rows
    drawn = np.random.default_rng(0).integers(0, len(holdout), rows)
    fields = np.asfortranarray(model.encoder.fields_of(holdout)[drawn])
    booster = model.trees.booster
    few = fields[:FEW]
    speeds = {
        "reasons": rows / _seconds(lambda: explain_leads(model, fields)),
        "predict": rows / _seconds(lambda: booster.predict(fields, raw_score=True)),
    }
    import shap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = shap.TreeExplainer(booster)
        speeds["shap"] = len(few) / _seconds(lambda: explainer.shap_values(few))
        columns = np.asarray(explainer.shap_values(few)).reshape(few.shape)
        if peers:
            from woodelf import WoodelfExplainer

            frame = pd.DataFrame(few, columns=booster.feature_name())
            peer = WoodelfExplainer(booster)
            speeds["woodelf"] = len(few) / _seconds(lambda: peer.shap_values(frame))
    known = ~model.encoder.is_new(few).any(axis=1)  # others read a value that is new to the model as some other value
    terms = model.linear.contributions(model.encoder.columns_of(few))
    expected = columns + sum_by_owner(terms, model.encoder.owners)
    return {
        "trees": booster.num_trees(),
        "fields": fields.shape[1],
        "trees_without_tables": len(model.lookup.uncompiled),
        "tables": len(model.lookup.tables),
        "megabytes": model.lookup.size * 8 / 1e6,
        **{f"{name}_rows_per_second": speed for name, speed in speeds.items()},
        **{f"times_{name}": speeds["reasons"] / speed for name, speed in speeds.items() if name != "reasons"},
        "largest_difference": float(np.abs(model.contributions(few)[1] - expected)[known].max()),
        "leads_with_new_values": int((~known).sum()),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _default_params() -> Params:
    declared = load_params(ROOT / "params.yaml")
    return Params(data=declared.data, target=declared.target, features=declared.features, stages=declared.stages)


if __name__ == "__main__":
    sys.exit(main())
