"""What predictions and explanations cost by the number of trees, of leads and of fields: figures and a plot.

Leads are drawn at random: normal numbers, of which the first have the largest effects, as main effects and in pairs.
Trees of the default size are fitted on 20,000 of them, and trees of 3 leaves, which combine at most two fields. The
cost of look-up tables depends on how many combinations of fields the trees test. This number stops rising once all are
tested: soon for pairs, but not within thousands of trees for eight leaves and twenty fields. Only computing on arrays
in memory is timed, the fastest of three runs. LightGBM's predictions and its contributions (TreeSHAP, of at most 2,000
leads) are timed for comparison.
Run with: python benchmarks/cost.py [--json] [--keep] [--recorded] [--leads N]
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from measure import RESULTS, finish, options
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart
from leadml.model.parts.trees import BoosterData, Trees, TreeSettings, fit_boosters
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.lead_model import LeadModel
from leadml.params import ModelParams

if TYPE_CHECKING:
    from collections.abc import Callable

TRAINING_ROWS = 20_000
FEW = 2_000
RUNS = 3
TREES, FIELDS = (50, 100, 200, 400, 800, 1600, 3200), (5, 10, 20, 40, 80)
SHARES_OF_LEADS = (0.01, 0.1, 1.0, 10.0)
USUAL_TREES, USUAL_FIELDS, SMALL_LEAVES = 400, 20, 3
DEFAULT = ModelParams()
SPEEDS = ("reasons", "predict", "treeshap")


def main() -> None:
    """Fit, time, print a table, draw."""
    arguments = options(__doc__ or "", "cost", leads=100_000)
    usual = _fitted(USUAL_FIELDS, USUAL_TREES)
    rows = [_row("trees", _fitted(USUAL_FIELDS, trees), arguments.leads) for trees in TREES]
    rows += [_row("small trees", _fitted(USUAL_FIELDS, trees, leaves=SMALL_LEAVES), arguments.leads) for trees in TREES]
    rows += [_row("leads", usual, int(share * arguments.leads)) for share in SHARES_OF_LEADS]
    rows += [_row("fields", _fitted(fields, USUAL_TREES), arguments.leads) for fields in FIELDS]
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    finish("cost", {"rows": rows}, arguments)
    if arguments.keep:
        _draw(pd.DataFrame(rows))


def _fitted(count: int, trees: int, *, leaves: int = max(DEFAULT.leaves)) -> tuple[LeadModel, float]:
    """Return a model of so many fields and trees, and the seconds that its look-up tables took to make."""
    random = np.random.default_rng(0)
    fields = random.normal(size=(TRAINING_ROWS, count))
    weights = 1.0 / np.arange(1, count + 1)
    margin = np.tanh(fields) @ weights + 0.5 * (fields[:, :-1] * fields[:, 1:]) @ weights[1:] - 2.0
    label = (random.random(TRAINING_ROWS) < expit(margin)).astype(np.int8)
    data, settings = BoosterData(fields, label, (0,) * count), TreeSettings(leaves, min(DEFAULT.leaf_penalties))
    [text] = fit_boosters([(data, settings, trees)], DEFAULT)
    encoder = Encoder(tuple(Field(f"x{index}", "number", "fit") for index in range(count)), ((),) * count)
    start = time.perf_counter()
    model = LeadModel.of(
        encoder,
        LinearPart(0.0, ()),
        Trees.of([(text, [1.0] * trees)]),
        calibrator=Calibrator(),
        intervals=Intervals(0.0, 0.9),
    )
    return model, time.perf_counter() - start


def _row(varied: str, fitted: tuple[LeadModel, float], leads: int) -> dict[str, float | str]:
    model, seconds = fitted
    count = len(model.encoder.fields)
    fields = np.asfortranarray(np.random.default_rng(1).normal(size=(leads, count)))
    few = fields[:FEW]
    booster = model.trees.booster
    return {
        "varied": varied,
        "trees": booster.num_trees(),
        "leads": leads,
        "fields": count,
        "reasons": leads / _fastest(lambda: explain_leads(model, fields)),
        "predict": leads / _fastest(lambda: booster.predict(fields, raw_score=True)),
        "treeshap": len(few) / _fastest(lambda: booster.predict(few, pred_contrib=True)),
        "tables": len(model.lookup.tables),
        "megabytes": model.lookup.size * 8 / 1e6,
        "trees_without_tables": len(model.lookup.uncompiled),
        "seconds_to_make_tables": seconds,
    }


def _fastest(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _draw(table: pd.DataFrame) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "leadml"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10, 4), layout="constrained", sharey=True)
    words = {
        "reasons": "leadml: predictions and explanations",
        "predict": "LightGBM: predictions",
        "treeshap": "TreeSHAP",
    }
    for axis, varied in zip(axes, ("trees", "leads", "fields"), strict=True):
        rows = table[table["varied"] == varied]
        for name in SPEEDS:
            axis.plot(rows[varied], rows[name], marker="o", label=words[name])
        axis.set(xlabel=varied, xscale="log", yscale="log")
        axis.set_xticks(rows[varied], [f"{value:,}" for value in rows[varied]], minor=False)
        axis.set_xticks([], minor=True)
    small = table[table["varied"] == "small trees"]
    axes[0].plot(small["trees"], small["reasons"], marker="s", color="C0", linestyle=":", label="leadml: 3-leaf trees")
    axes[0].set(ylabel="leads a second on 2 cores")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")
    figure.savefig(RESULTS / "cost.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
