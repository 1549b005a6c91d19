"""How leadml does beside other models: metrics, seconds, size and speed of reasons, with default params on every split.

leadml, logistic regression, HistGradientBoosting and LightGBM at their defaults; FLAML (60 s) and AutoGluon (best
quality, 180 s) with --peers PYTHON, the interpreter of an environment that has benchmarks/peers.txt installed; without
it the figures that were kept for them are shown, as kept. Splits: random 70/30 (``sample(frac=1, random_state=7)``) of
the bank's campaigns, of a shop's sessions and of the bundled leads; the first 70% against the last 30% of the bank's.
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
from compare_data import READ, Split, splits
from measure import RESULTS, data_folder, finish, options

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
    """Fit everything on every split, print a table of each."""
    files = (ROOT / "params.yaml", *READ, *PEER_FILES)
    chosen = options(__doc__ or "", "compare", files, data=data_folder(), peers=Path())
    found = {}
    for split in splits(chosen.data):
        rows = {"leadml": _leadml(split), **_others(split), **_peers(split, chosen.peers)}
        print(f"\n{split.name}: {len(split.learn):,} leads to learn from, {len(split.judge):,} that judge")
        print(pd.DataFrame(rows).T.drop(columns="kept", errors="ignore").astype(float).round(4).to_string())
        for name in (name for name, row in rows.items() if row.get("kept")):
            print(f"{name}: kept from an earlier run, not run now")
        found[split.name] = {**rows.pop("leadml"), "others": rows}
    finish("compare", found, chosen)


def _leadml(split: Split) -> dict[str, float]:
    written = load_params(ROOT / "params.yaml")
    params = Params(data=written.data, target=written.target, features=written.features, stages=written.stages)
    begun = time.perf_counter()
    model = fit_model(split.learn.reset_index(drop=True), split.fields, params).model
    seconds = time.perf_counter() - begun
    fields = model.encoder.fields_of(split.judge)
    drawn = fields[np.random.default_rng(0).integers(0, len(fields), ROWS["leadml"])]
    speed = len(drawn) / _seconds(lambda: explain_leads(model, drawn))
    return _row(split, model.predict(split.judge), seconds, _bytes(model), speed)


def _bytes(model: LeadModel) -> int:
    parts = (model.lookup.to_json(), model.encoder.to_json(), model.linear.to_json())
    return len(model.trees.text) + sum(len(json.dumps(part)) for part in parts)


def _others(split: Split) -> dict[str, dict[str, float]]:
    from lightgbm import LGBMClassifier
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    names = [field.name for field in split.fields]
    words = [field.name for field in split.fields if field.kind == "category"]
    numbers = [name for name in names if name not in words]
    scaled = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words), sparse_threshold=0
    )
    coded = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), words), remainder="passthrough"
    )
    places = list(range(len(words)))
    models = {
        "logistic regression": make_pipeline(scaled, LogisticRegression(max_iter=2000)),
        "HistGradientBoosting": make_pipeline(
            coded, HistGradientBoostingClassifier(categorical_features=places, random_state=0)
        ),
        "LightGBM": make_pipeline(coded, LGBMClassifier(verbosity=-1, random_state=0, num_threads=2)),
    }
    rows = {}
    for name, model in models.items():
        own = {"lgbmclassifier__categorical_feature": places} if name == "LightGBM" else {}
        begun = time.perf_counter()
        model.fit(split.learn[names], split.learn[LABEL], **own)
        seconds = time.perf_counter() - begun
        probability = model.predict_proba(split.judge[names])[:, 1]
        drawn = np.random.default_rng(0).integers(0, len(split.judge), ROWS[name])
        columns = model[0].transform(split.judge[names].iloc[drawn])
        rows[name] = _row(split, probability, seconds, len(pickle.dumps(model)), _speed(name, model[1], columns))
    return rows


def _speed(name: str, model: Any, columns: np.ndarray) -> float:
    """Return how many rows' reasons a second the usual way gives."""
    if name == "logistic regression":
        return len(columns) / _seconds(lambda: columns * model.coef_)
    if name == "LightGBM":
        return len(columns) / _seconds(lambda: model.predict_proba(columns, pred_contrib=True))
    import shap

    explainer = shap.TreeExplainer(model)
    return len(columns) / _seconds(lambda: explainer.shap_values(columns, check_additivity=False))


def _peers(split: Split, python: Path) -> dict[str, dict[str, float]]:
    if python == Path():
        path = RESULTS / "compare.json"
        kept = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
        others = kept.get(split.name, {}).get("others", {})
        return {name: {**others[name], "kept": True} for name in PEERS if name in others}
    rows = {}
    names = [field.name for field in split.fields]
    with TemporaryDirectory() as folder:
        for part in ("learn", "judge"):
            getattr(split, part)[[*names, LABEL]].to_parquet(Path(folder) / f"{part}.parquet")
        for name in PEERS:
            subprocess.run([python, PEER_FILES[0], name, folder], check=True)
            facts = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
            probability = np.array(facts["probability"])
            rows[name] = _row(split, probability, facts["seconds"], 1e6 * facts["megabytes"], float("nan"))
    return rows


def _row(split: Split, probability: np.ndarray, seconds: float, size: float, speed: float) -> dict[str, float]:
    label, weight = split.judge[LABEL].to_numpy(dtype=np.int8), np.ones(len(split.judge))
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
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
