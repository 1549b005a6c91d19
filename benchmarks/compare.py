"""Compare leadml with other models: metrics, seconds, size and speed of explanations, with default params.

leadml, logistic regression, HistGradientBoosting and LightGBM at their defaults; FLAML (60 s) and AutoGluon (best
quality, 180 s) with --peers PYTHON, the interpreter of an environment that has benchmarks/peers.txt installed; without
it their recorded figures are shown, and marked as recorded. Data: the bank's campaigns, a shop's sessions and the
bundled leads, each divided at random 70/30 (``sample(frac=1, random_state=7)``), and the campaigns divided by time: the
last 30% are the holdout.
Run with: python benchmarks/compare.py [--json] [--keep] [--recorded] [--data DIR] [--peers PYTHON]
"""

from __future__ import annotations

import json
import pickle
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from compare_data import READ, DividedData, divided_data
from measure import RESULTS, data_folder, finish, options
from plain_models import plain_models

from leadml.leads.check.contract import LABEL
from leadml.model import metrics
from leadml.model.fit.estimator import fit_model
from leadml.model.predict.explain import explain_leads
from leadml.params import Params, load_params

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.model.predict.lead_model import LeadModel

ROOT = Path(__file__).parents[1]
PEERS = ("FLAML", "AutoGluon")
PEER_FILES = tuple(Path(__file__).with_name(name) for name in ("compare_peers.py", "peers.txt"))
ROWS = {"leadml": 20_000, "logistic regression": 20_000, "HistGradientBoosting": 500, "LightGBM": 2_000}


def main() -> None:
    """Fit every model on every data set, print a table for each."""
    files = (ROOT / "params.yaml", *READ, *PEER_FILES)
    arguments = options(__doc__ or "", "compare", files, data=data_folder(), peers=Path())
    figures = {}
    for data in divided_data(arguments.data):
        rows = {"leadml": _leadml(data), **_others(data), **_peers(data, arguments.peers)}
        print(f"\n{data.name}: {len(data.learn):,} leads in the training set, {len(data.holdout):,} in the holdout")
        print(pd.DataFrame(rows).T.drop(columns="kept", errors="ignore").astype(float).round(4).to_string())
        for name in (name for name, row in rows.items() if row.get("kept")):
            print(f"{name}: recorded in an earlier run, not run now")
        figures[data.name] = {**rows.pop("leadml"), "others": rows}
    finish("compare", figures, arguments)


def _leadml(data: DividedData) -> dict[str, float]:
    declared = load_params(ROOT / "params.yaml")
    params = Params(data=declared.data, target=declared.target, features=declared.features, stages=declared.stages)
    start = time.perf_counter()
    model = fit_model(data.learn, data.fields, params, split=data.split(params.split)).model
    seconds = time.perf_counter() - start
    fields = model.encoder.fields_of(data.holdout)
    sample = fields[np.random.default_rng(0).integers(0, len(fields), ROWS["leadml"])]
    speed = len(sample) / _seconds(lambda: explain_leads(model, sample))
    return _row(data, model.predict(data.holdout), seconds, _size(model), speed)


def _size(model: LeadModel) -> int:
    """Return the size of a model in bytes."""
    return len(model.trees.text) + len(json.dumps(model.to_json()))


def _others(data: DividedData) -> dict[str, dict[str, float]]:
    names, rows = [field.name for field in data.fields], {}
    for name, (model, choices) in plain_models(data.fields).items():
        start = time.perf_counter()
        model.fit(data.learn[names], data.learn[LABEL], **choices)
        seconds = time.perf_counter() - start
        probability = model.predict_proba(data.holdout[names])[:, 1]
        sample = np.random.default_rng(0).integers(0, len(data.holdout), ROWS[name])
        columns = model[0].transform(data.holdout[names].iloc[sample])
        rows[name] = _row(data, probability, seconds, len(pickle.dumps(model)), _speed(name, model[1], columns))
    return rows


def _speed(name: str, model: Any, columns: np.ndarray) -> float:
    """Return how many rows a second the usual way explains."""
    if name == "logistic regression":
        return len(columns) / _seconds(lambda: columns * model.coef_)
    if name == "LightGBM":
        return len(columns) / _seconds(lambda: model.predict_proba(columns, pred_contrib=True))
    import shap

    explainer = shap.TreeExplainer(model)
    return len(columns) / _seconds(lambda: explainer.shap_values(columns, check_additivity=False))


def _peers(data: DividedData, python: Path) -> dict[str, dict[str, float]]:
    if python == Path():
        path = RESULTS / "compare.json"
        recorded = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
        others = recorded.get(data.name, {}).get("others", {})
        return {name: {**others[name], "kept": True} for name in PEERS if name in others}
    rows = {}
    names = [field.name for field in data.fields]
    with TemporaryDirectory() as folder:
        for part in ("learn", "holdout"):
            getattr(data, part)[[*names, LABEL]].to_parquet(Path(folder) / f"{part}.parquet")
        for name in PEERS:
            subprocess.run([python, PEER_FILES[0], name, folder], check=True)
            facts = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
            probability = np.array(facts["probability"])
            rows[name] = _row(data, probability, facts["seconds"], 1e6 * facts["megabytes"], float("nan"))
    return rows


def _row(data: DividedData, probability: np.ndarray, seconds: float, size: float, speed: float) -> dict[str, float]:
    label, weight = data.holdout[LABEL].to_numpy(dtype=np.int8), np.ones(len(data.holdout))
    figures = {
        "log_loss": metrics.log_loss(label, probability, weight),
        "auc": metrics.roc_auc(label, probability, weight),
        "ece": metrics.ece(label, probability, weight),
        "ece_by_chance": metrics.ece_by_chance(probability, seed=0),
        "seconds": seconds,
        "megabytes": size / 1e6,
        "explained_per_second": speed,
    }
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
