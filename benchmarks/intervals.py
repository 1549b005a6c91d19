"""How often intervals hold the true probability, and how wide they are, where the truth is known.

`flat`: leads with eight fields (six numbers, two categories) whose probability is a known function of them, so that
all causes are recorded; three kinds of function, 1,000, 4,000 and 30,000 leads, 20 data sets a cell. By cell:

- `coverage`: share of 4,000 other leads whose true probability is in the interval;
- `width_over_narrowest`: mean width over the least w for which probability +/- w / 2 holds 90% of them.

`others`: the same for five kinds of function that the constants of decision 18 were not settled on, with 1,000 and
4,000 leads and five data sets a cell. `dated`: snapshots of simulated CRMs, of which fields keep a part of the causes;
`coverage` is the share of groups of 200 leads next in probability whose mean true probability is between the mean ends
of their intervals, and `width` is the mean width; with --other also by leadml of another checkout, on the same tables.
`share_of_time`: how much of the time of a training the intervals take. With --fits, fits of simulated CRMs are kept in
a folder, and read again from there.
Run with: python benchmarks/intervals.py [--json] [--keep] [--recorded] [--other DIR] [--fits DIR]
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from checkouts import FIT, fitted_by
from checkouts_fit import Sections
from measure import ROOT, finish, options
from scipy.special import expit
from truth import EXAMPLE, TARGETS, prepare, simulated

from leadml.leads.check.contract import LABEL, LEAD_ID
from leadml.leads.check.field import Field
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.split import RandomSplit
from leadml.model.fit.estimator import fit_model
from leadml.model.fit.uncertainty import with_deviations_of_new
from leadml.params import SplitParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.types import Floats, Rows

    Truth = Callable[[Floats, Rows, Rows], Floats]

JUDGED = 4000
SIZES, SETS = (1000, 4000, 30_000), 20
OTHER_SIZES, OTHER_SETS = (1000, 4000), 5
FIRST = np.array([0.0, 0.5, -0.5, 0.8, -0.8])  # log-odds of the levels of the categories
SECOND = np.array([0.3, -0.3, 0.6, -0.6, 0.0, 0.9, -0.9, 0.2])
COMMON, RARE = (0.4, 0.25, 0.15, 0.12, 0.08), (0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05)
LEVEL = 0.9
CRM_LEADS, CRM_MONTHS, CRM_SEEDS = 10_000, 24, (1, 2)
GROUP = 200


def main() -> None:
    """Fit all data sets, print two tables."""
    chosen = options(__doc__ or "", "intervals", (EXAMPLE, FIT), other=Path(), fits=Path())
    figures: dict[str, Any] = {
        "flat": dict(cells(SETTLED, SIZES, SETS)),
        "others": dict(cells(SHOWN, OTHER_SIZES, OTHER_SETS)),
        "dated": dated(ROOT, chosen.fits),
        "share_of_time": share_of_time(),
    }
    if chosen.other != Path():
        figures["dated_before"] = dated(chosen.other.resolve(), chosen.fits)
    for key in ("flat", "others"):
        print(pd.DataFrame(figures[key]).T.round(3).to_string())
    print({key: value for key, value in figures.items() if key not in {"flat", "others"}})
    finish("intervals", figures, chosen)


def cells(truths: dict[str, Truth], sizes: tuple[int, ...], sets: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield for each kind of truth and each number of leads the figures, on average over some data sets."""
    for size in sizes:
        for name, truth in truths.items():
            rows = [held(*drawn(truth, size + JUDGED, seed), size) for seed in range(sets)]
            figures = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
            spread = float(np.std([row["coverage"] for row in rows], ddof=1))
            yield f"{name}_{size}", figures | {"sd_of_coverage": spread}


def drawn(truth: Truth, size: int, seed: int) -> tuple[pd.DataFrame, Floats]:
    """Return leads and their true probabilities."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(size, 6))
    first, second = random.choice(len(FIRST), size, p=COMMON), random.choice(len(SECOND), size, p=RARE)
    true = expit(truth(numbers, first, second))
    frame = pd.DataFrame(numbers, columns=[f"number_{index}" for index in range(numbers.shape[1])])
    frame["first"], frame["second"] = [f"a{code}" for code in first], [f"b{code}" for code in second]
    frame[LEAD_ID] = [f"lead-{index}" for index in range(size)]
    frame[LABEL] = (random.random(size) < true).astype(np.int8)
    return as_snapshots(frame), true


def held(frame: pd.DataFrame, true: Floats, size: int) -> dict[str, float]:
    """Return how the intervals of a model of the first leads hold the true probabilities of the others."""
    learn, judge, true = frame[:size], frame[size:].reset_index(drop=True), true[size:]
    model = fit_model(learn, fields_of(frame), Sections(), split=RandomSplit(SplitParams())).model
    fields = model.encoder.fields_of(judge)
    probability = model.probability(fields)
    low, high = model.interval(probability, fields)
    narrowest = 2 * np.quantile(np.abs(probability - true), LEVEL)
    return {
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "width_over_narrowest": float((high - low).mean() / narrowest),
    }


def fields_of(frame: pd.DataFrame) -> tuple[Field, ...]:
    """Return the fields of drawn leads."""
    numbers = [name for name in frame if str(name).startswith("number")]
    return tuple(Field(str(name), "number", "fit") for name in numbers) + tuple(
        Field(name, "category", "fit") for name in ("first", "second")
    )


def dated(checkout: Path, fits: Path) -> dict[str, float]:
    """Return the figures of simulated CRMs, with both targets, by leadml of a checkout."""
    held_groups, widths = [], []
    for seed in CRM_SEEDS:
        with TemporaryDirectory() as name:
            truth = simulated(Path(name), leads=CRM_LEADS, months=CRM_MONTHS, seed=seed)
            found = [prepare(Path(name), target, truth) for target in TARGETS]
        for each in found:
            fields, split = each.training.contract.fields, each.training.split
            probability, _, low, high = fitted_by(checkout, each.learn, each.holdout, fields, split, fits=fits)
            order = np.argsort(probability, kind="stable")
            groups = np.array_split(order, len(order) // GROUP)
            true = each.holdout["probability"].to_numpy()
            held_groups += [low[group].mean() <= true[group].mean() <= high[group].mean() for group in groups]
            widths.append(float((high - low).mean()))
    return {"coverage": float(np.mean(held_groups)), "width": float(np.mean(widths)), "groups": len(held_groups)}


def share_of_time() -> float:
    """Return how much of the time of a training the intervals take: logs-odds of all leads, and of some their parts."""
    frame, _ = drawn(SETTLED["thresholds"], SIZES[-1], 0)
    start = time.perf_counter()
    model = fit_model(frame, fields_of(frame), Sections(), split=RandomSplit(SplitParams())).model
    whole = time.perf_counter() - start
    fields = model.encoder.fields_of(frame)
    start = time.perf_counter()
    model.linear.margin(model.encoder.columns_of(fields))
    model.trees.margin(fields)
    with_deviations_of_new(model, fields)
    return (time.perf_counter() - start) / whole


def logistic(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds that are a sum of lines."""
    return -1.5 + 0.8 * x[:, 0] - 0.6 * x[:, 1] + 0.4 * x[:, 2] + 0.2 * x[:, 3] + FIRST[a] + SECOND[b]


def interactions(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds of products."""
    by_level = 0.7 * x[:, 2] * (a == 0) - 0.7 * x[:, 2] * (a == 1)
    return -1.5 + 0.9 * x[:, 0] * x[:, 1] + by_level + 0.5 * x[:, 3] * x[:, 4] + 0.5 * x[:, 0] + 0.5 * SECOND[b]


def thresholds(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds of steps."""
    alone = 1.5 * (x[:, 0] > 0.5) - 1.0 * (x[:, 3] < -0.7) + 0.7 * (b < 2)  # noqa: PLR2004 - of the truth
    return -2 + alone + 1.2 * ((x[:, 1] > 0) & (x[:, 2] > 0)) + ((a == 0) & (x[:, 4] > 0.3))  # noqa: PLR2004


def curves(x: Floats, _: Rows, b: Rows) -> Floats:
    """Return log-odds of smooth curves that add up."""
    waves = np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] ** 2 - 0.8 * np.abs(x[:, 2]) + 0.5 * np.tanh(2 * x[:, 3])
    return -1.2 + waves + 0.5 * SECOND[b]


def mixed(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds of lines and products."""
    return -1.5 + 0.7 * x[:, 0] - 0.5 * x[:, 1] + 0.6 * x[:, 0] * x[:, 2] + 0.6 * x[:, 3] * (a == 1) + 0.5 * SECOND[b]


def rare(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds of leads of which few convert."""
    return -3.6 + 0.8 * x[:, 0] - 0.6 * x[:, 1] + 1.2 * ((x[:, 2] > 0) & (a < 2)) + 0.5 * SECOND[b]  # noqa: PLR2004


def few(x: Floats, _: Rows, __: Rows) -> Floats:
    """Return log-odds in which two of eight fields matter."""
    return -1.0 + 1.0 * x[:, 0] + 0.7 * (x[:, 1] > 0)


def strong(x: Floats, a: Rows, b: Rows) -> Floats:
    """Return log-odds with large effects, so that many probabilities are near 0 or 1."""
    return -1.0 + 2.0 * x[:, 0] + 1.5 * x[:, 1] * (a == 0) + 1.5 * SECOND[b]


SETTLED: dict[str, Truth] = {"logistic": logistic, "interactions": interactions, "thresholds": thresholds}
SHOWN: dict[str, Truth] = {"curves": curves, "mixed": mixed, "rare": rare, "few": few, "strong": strong}


if __name__ == "__main__":
    main()
